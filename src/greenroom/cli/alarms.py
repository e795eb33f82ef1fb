"""What went on that belongs to no meeting: alarms, in sentences."""

from datetime import datetime, timedelta
from typing import Any

from rich.table import Table
from rich.text import Text

from greenroom.cli.options import stdout
from greenroom.cli.reading import local, name_of, plain, stamp
from greenroom.settings import Settings
from greenroom.storage import Alarm, Work

_LATELY = timedelta(hours=24)
_SHOWN = 20
_SENTENCES = {
    "platform-unavailable": "The video platform could not be used, and meetings wait for it:",
    "platform-needs-setup": "The video platform needs an administrator, and meetings wait for that:",
    "policy-alias-guessing": "Aliases were guessed at the policy server; whoever did it was turned away.",
    "policy-alias-guessing-by-many": "Aliases were guessed at the policy server, from too many places to turn anybody away.",
    "policy-password-guessing": "Passwords were guessed at the policy server; whoever did it was turned away.",
    "second-watcher": "Another Greenroom attends the mailbox, and ours was kept out; it runs on",
    "contender": "A second Greenroom wanted to attend the mailbox and was kept out; it runs on",
    "sign-in-lost": "The sign-in of a service account does not hold any more; `greenroom signin` is what it takes:",
    "no-watcher-mark": "No mark may be left on the calendar, so a second Greenroom would go unnoticed:",
}


async def lately(work: Work, now: datetime) -> list[Alarm]:
    """Return the alarms of the last 24 hours, the latest first."""
    return await work.alarms.since(now - _LATELY)


def show_alarms(settings: Settings, alarms: list[Alarm]) -> None:
    """Print them, if there are any; of very many only the latest."""
    if not alarms:
        return
    stdout().print()
    stdout().print(Text("alarms of the last 24 hours", style="bold red"))
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for alarm in alarms[:_SHOWN]:
        when = local(alarm.last_at)
        if local(alarm.first_at) != when:
            when = f"{local(alarm.first_at)} to {when}"
        who = alarm.subject if _name(settings, alarm) is None else f"{alarm.subject} ({_name(settings, alarm)})"
        often = "once" if alarm.count == 1 else f"{alarm.count} times"
        table.add_row(Text(f"  {when}"), Text(plain(f"{_sentence(alarm)} {who}, {often}")))
    if len(alarms) > _SHOWN:
        table.add_row(Text(""), Text(f"and more: `greenroom status --json` tells the latest {len(alarms)}"))
    stdout().print(table)


def alarm_json(settings: Settings, alarm: Alarm) -> dict[str, Any]:
    """Write an alarm for `--json`; times in UTC. An integration of null stands for the whole process."""
    return {
        "integration": _name(settings, alarm),
        "code": alarm.code,
        "sentence": _sentence(alarm),
        "subject": alarm.subject,
        "count": alarm.count,
        "first_at": stamp(alarm.first_at),
        "last_at": stamp(alarm.last_at),
    }


def _name(settings: Settings, alarm: Alarm) -> str | None:
    return name_of(settings, alarm.integration) if alarm.integration else None


def _sentence(alarm: Alarm) -> str:
    return _SENTENCES.get(alarm.code, f"{alarm.code}:")
