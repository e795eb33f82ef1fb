"""`greenroom status`: how every mailbox is attended, from what is stored; nothing else is asked."""

import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from greenroom.cli.alarms import alarm_json, lately, show_alarms
from greenroom.cli.codes import failure_sentence
from greenroom.cli.exits import Exit
from greenroom.cli.options import echo_json, read_settings, stderr, stdout, with_config, with_json
from greenroom.cli.reading import local, plain, read, stamp
from greenroom.cli.sign_in_words import SignInStanding, rows_of, sign_ins_of
from greenroom.cli.watch_words import attended_words, is_kept_out, lent_to, other_words, rival_of, watch_json
from greenroom.meetings.record import State
from greenroom.scheduler.catching_up import expected_end
from greenroom.scheduler.reconcile import RENEW_WITHIN
from greenroom.scheduler.watch_book import Other, Watch, watch_of
from greenroom.settings import Integration
from greenroom.storage import Alarm, MailboxState, Work

_EXAMPLES = """\
\b
Examples:
  greenroom status                 how is every mailbox doing?
  greenroom status --json | jq '.integrations[] | {name, replies}'
  greenroom status --json | jq .alarms                            who guessed aliases or passwords lately?

\b
Exit code 1: passes have failed for a quarter of an hour, what signs in has run out or has to sign in again,
or two Greenrooms are on one mailbox.
"""
_PROTOCOLS = {"ews": "Exchange Server over EWS", "graph": "Microsoft 365 over Graph"}
_DAY = timedelta(days=1)
_PATIENCE = timedelta(minutes=15)
"""So long a mailbox may fail to be attended before that is a problem: Exchange is busy now and then."""


@dataclass(frozen=True, slots=True)
class _Status:
    """One integration as it stands at `now`."""

    entry: Integration
    mailbox: MailboxState
    meetings: dict[State, int]
    watch: Watch
    sign_ins: list[SignInStanding]
    now: datetime

    @property
    def days_left(self) -> int | None:
        """Whole days until what signs in runs out; negative when it has, None where nobody knows."""
        expires = self.mailbox.credential_expires_at
        return None if expires is None else (expires - self.now) // _DAY

    @property
    def renew(self) -> bool:
        """Whether the credential should be renewed by now."""
        expires = self.mailbox.credential_expires_at
        return expires is not None and expires - self.now <= RENEW_WITHIN

    @property
    def attended_by(self) -> str | None:
        """The process whose claim on the mailbox holds."""
        until = self.mailbox.claimed_until
        return self.mailbox.claimed_by if until is not None and until > self.now else None

    @property
    def caught_up_at(self) -> datetime | None:
        """When catching up ends if it goes on as it did so far; None where there is no backlog, or nothing is known of its pace."""
        total, done, since = self.mailbox.backlog_total, self.mailbox.backlog_done, self.mailbox.backlog_since
        if total is None or done is None or since is None or self.attended_by is None:
            return None
        return expected_end(total, done, since, self.now)

    @property
    def is_failing(self) -> bool:
        """Whether passes have failed for longer than a busy Exchange explains."""
        success = self.mailbox.last_success_at
        return self.mailbox.failure is not None and (success is None or self.now - success >= _PATIENCE)

    @property
    def rival(self) -> Other | None:
        """Another installation that wants to attend the mailbox, and is kept out."""
        return rival_of(self.watch, self.attended_by, self.now)

    @property
    def is_well(self) -> bool:
        """Whether nothing here needs somebody."""
        disputed = is_kept_out(self.watch, self.attended_by) or self.rival is not None
        signed_in = not any(one.problem for one in self.sign_ins)
        return signed_in and not self.is_failing and not disputed and (self.days_left is None or self.days_left >= 0)


@click.command(epilog=_EXAMPLES)
@with_config
@with_json
def status(config_file: Path | None, *, as_json: bool) -> None:
    """Tell how every mailbox is attended: last pass, failures, replies in line, credentials; and alarms of the last 24 hours."""
    settings = read_settings(config_file, as_json=as_json)

    async def ask(work: Work) -> tuple[list[_Status], list[Alarm]]:
        now = datetime.now(UTC)
        found = [
            _Status(
                entry,
                await work.mailboxes.get(entry.mailbox),
                await work.meetings.counts(entry.number),
                await watch_of(work, entry.mailbox),
                await sign_ins_of(work, entry),
                now,
            )
            for entry in settings.integration
        ]
        return found, await lately(work, now)

    found, alarms = read(settings, ask, as_json=as_json)
    well = all(one.is_well for one in found)
    if as_json:
        told = [alarm_json(settings, alarm) for alarm in alarms]
        echo_json({"ok": well, "integrations": [_json(one) for one in found], "alarms": told})
    else:
        for number, one in enumerate(found):
            if number:
                stdout().print()
            _show(one)
        show_alarms(settings, alarms)
        if not well:
            stderr().print("[dim]`greenroom config check --connect` tells what is wrong and the next step.[/dim]")
        if any(one.rival is not None or is_kept_out(one.watch, one.attended_by) for one in found):
            stderr().print(
                "[dim]Stop one of two Greenrooms on a mailbox; `greenroom watcher` shows which one has it.[/dim]"
            )
    sys.exit(Exit.OK if well else Exit.PROBLEM)


def _show(one: _Status) -> None:
    stdout().print(Text(one.entry.name, style="bold"))
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for name, words, style in (
        ("mailbox", f"{one.entry.mailbox}, {_protocol(one.entry)}", ""),
        ("attended by", *attended_words(one.mailbox, one.watch, one.attended_by, one.now)),
        *_rival(one),
        ("last good pass", *_passed(one)),
        *_catching_up(one),
        ("meetings", _meetings(one.meetings), ""),
        ("replies", _replies(one), ""),
        ("all compared", _when(one.mailbox.reconciled_at, one.now), ""),
        *(rows_of(one.sign_ins) or [("signs in until", *_credential(one))]),
    ):
        table.add_row(Text(f"  {name}"), Text(plain(words), style=style))
    stdout().print(table)


def _protocol(entry: Integration) -> str:
    words = _PROTOCOLS[entry.exchange.protocol]
    return words if entry.organizers is None else f"{words}; organizers also {_PROTOCOLS[entry.organizers.protocol]}"


def _rival(one: _Status) -> list[tuple[str, str, str]]:
    """Tell who else wants the mailbox; no line where nobody does."""
    if one.rival is None:
        return []
    who = other_words(one.rival.installation, one.rival.host, copy=one.rival.copy)
    return [("wanted by", f"{who}, which is kept out, since {local(one.rival.since)}", "red")]


def _passed(one: _Status) -> tuple[str, str]:
    good = _when(one.mailbox.last_success_at, one.now)
    code = one.mailbox.failure
    if code is None:
        return good, "" if one.mailbox.last_success_at is None else "green"
    words = f"{good}; the last one, {_when(one.mailbox.last_pass_at, one.now)}: {failure_sentence(code)} ({code})"
    return words, "red" if one.is_failing else "yellow"


def _catching_up(one: _Status) -> list[tuple[str, str, str]]:
    """Tell how far catching up is; no line where there is no backlog."""
    mailbox = one.mailbox
    if mailbox.backlog_total is None or mailbox.backlog_since is None:
        return []
    words = f"{mailbox.backlog_done or 0} of {mailbox.backlog_total}, since {local(mailbox.backlog_since)}"
    ends = one.caught_up_at
    if one.attended_by is None:
        words = f"{words}; it goes on when somebody attends the mailbox"
    elif ends is not None:
        words = f"{words}, done about {_clock(ends, one.now)}"
    return [("catching up", words, "yellow")]


def _meetings(counts: dict[State, int]) -> str:
    return ", ".join(f"{number} {state.value}" for state, number in counts.items() if number) or "none"


def _replies(one: _Status) -> str:
    waiting, ends = one.mailbox.waiting_replies, one.mailbox.replies_end_at
    if not waiting:
        return "none waiting"
    if ends is None:
        return f"{waiting} waiting"
    if ends <= one.now:
        return f"{waiting} waiting, should have been done {local(ends)}"
    about = "about " if _is_today(ends, one.now) else ""
    return f"{waiting} waiting, done {about}{_clock(ends, one.now)}"


def _credential(one: _Status) -> tuple[str, str]:
    expires, days = one.mailbox.credential_expires_at, one.days_left
    if expires is None or days is None:
        return "not known" if one.entry.exchange.protocol == "graph" else "Exchange does not say", ""
    if days < 0:
        return f"{local(expires)}: it has run out, renew it", "red"
    left = f"{local(expires)}, {_count(days, 'day')} left"
    return (f"{left}: renew it", "yellow") if one.renew else (left, "")


def _clock(at: datetime, now: datetime) -> str:
    """Tell a time of today by the hour."""
    return f"{at.astimezone():%H:%M}" if _is_today(at, now) else local(at)


def _is_today(at: datetime, now: datetime) -> bool:
    return at.astimezone().date() == now.astimezone().date()


def _when(at: datetime | None, now: datetime) -> str:
    if at is None:
        return "never"
    return f"{local(at)}, {_age(now - at)} ago"


def _age(age: timedelta) -> str:
    seconds = max(int(age.total_seconds()), 0)
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            return _count(seconds // size, unit)
    return _count(seconds, "second")


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'}"


def _backlog_json(one: _Status) -> dict[str, Any] | None:
    mailbox = one.mailbox
    if mailbox.backlog_total is None:
        return None
    since, ends = stamp(mailbox.backlog_since), stamp(one.caught_up_at)
    return {"total": mailbox.backlog_total, "done": mailbox.backlog_done or 0, "since": since, "end_at": ends}


def _json(one: _Status) -> dict[str, Any]:
    """Write a status for `--json`; times in UTC, ages in seconds."""
    mailbox, code = one.mailbox, one.mailbox.failure
    success = mailbox.last_success_at
    expires = mailbox.credential_expires_at
    return {
        "name": one.entry.name,
        "number": one.entry.number,
        "mailbox": one.entry.mailbox,
        "protocol": one.entry.exchange.protocol,
        "organizers_protocol": None if one.entry.organizers is None else one.entry.organizers.protocol,
        "ok": one.is_well,
        "attended_by": one.attended_by,
        "lent_to": lent_to(one.mailbox, one.now),
        "watch": watch_json(one.watch),
        "last_pass_at": stamp(mailbox.last_pass_at),
        "last_success_at": stamp(success),
        "last_success_age": None if success is None else max(int((one.now - success).total_seconds()), 0),
        "lag": None if (lag := mailbox.lag(one.now)) is None else int(lag.total_seconds()),
        "backlog": _backlog_json(one),
        "failure": None if code is None else {"code": code, "sentence": failure_sentence(code)},
        "meetings": {state.value: number for state, number in one.meetings.items()},
        "replies": {"waiting": mailbox.waiting_replies, "end_at": stamp(mailbox.replies_end_at)},
        "reconciled_at": stamp(mailbox.reconciled_at),
        "credential": None
        if expires is None
        else {"expires_at": stamp(expires), "days_left": one.days_left, "renew": one.renew},
        "sign_ins": [found.as_json() for found in one.sign_ins],
    }
