"""How much does a meeting cost? Greenroom and an exchangelib loop do the same job over real EWS, in one run.

So many new ticketed invitations wait in each one's equipment mailbox. Each program reads them, finds the ticket and accepts
every meeting with a text, then looks once more and sees its own answers come back. Greenroom besides that keeps a database,
provides rooms and could die at any moment. The simulator, a process of its own, counts the calls.

    python bench/attend.py                     the table
    python bench/attend.py --json              for programs
    python bench/attend.py --only greenroom    without the comparison
"""

import argparse
import asyncio
import json
import logging
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import structlog

import job
from greenroom.assembly import open_greenroom, wall_clock
from greenroom.meetings.record import State
from greenroom.scheduler.attend import Attendant
from greenroom.settings import load_settings
from job import DOMAIN, PASSWORD

SIDES = ("greenroom", "exchangelib")


@dataclass(frozen=True)
class Cost:
    """What one side needed for all meetings. `cpu_ms` is this process's own time, the simulator's is not in it."""

    side: str
    meetings: int
    calls: int
    calls_per_meeting: float
    operations: dict[str, int]
    meetings_per_second: float
    cpu_ms_per_meeting: float


def waiting(count: int) -> dict[str, Any]:
    """Make the seed: two equipment mailboxes, and in both the same number of invitations."""
    meetings = [
        meeting
        for side, first in zip(SIDES, (100_000_000, 200_000_000), strict=True)
        for meeting in job.invitations(count, mailbox_of(side), first_ticket=first)
    ]
    accounts = [{"login": side, "password": PASSWORD, "impersonate": "everybody"} for side in SIDES]
    mailboxes = [*job.people(), *(job.equipment(mailbox_of(side)) for side in SIDES)]
    return {"mailboxes": mailboxes, "accounts": accounts, "meetings": meetings}


def mailbox_of(side: str) -> str:
    """Each side has an equipment mailbox of its own."""
    return f"vmr-{side}@{DOMAIN}"


def measured(side: str, count: int, referee: job.Referee, work: Callable[[], int]) -> Cost:
    """Do a job and count. `work` returns how many meetings are accepted."""
    clock, cpu = time.perf_counter(), job.cpu()
    accepted = work()
    clock, cpu = time.perf_counter() - clock, job.cpu() - cpu
    if accepted != count:
        raise SystemExit(f"{side} accepted {accepted} of {count} meetings")
    operations = referee.calls_of(side)
    calls = sum(operations.values())
    return Cost(
        side, count, calls, round(calls / count, 4), operations, round(count / clock, 1), round(cpu / count * 1000, 2)
    )


async def greenroom_attends(folder: Path, ews: str) -> int:
    """Attend the mailbox with everything Greenroom has, twice."""
    config = folder / "greenroom.toml"
    config.write_text(
        f"""
[service]
public_url = "https://meet.example"
[storage]
url = "sqlite:///{folder / "greenroom.db"}"
[[integration]]
number = 1
name = "bench"
mailbox = "{mailbox_of("greenroom")}"
{job.ticket_keys()}
[integration.exchange]
url = "{ews}"
username = "greenroom"
password = "{PASSWORD}"
""",
        encoding="utf-8",
    )
    async with open_greenroom(load_settings(config, {})) as greenroom:
        attendant = Attendant(greenroom.integrations[0], greenroom.storage, wall_clock)
        await attendant.attend()
        await attendant.attend()
        async with greenroom.storage.reading() as work:
            records = await work.meetings.search(limit=100_000)
    return sum(r.state is State.SCHEDULED and r.replied is not None and r.room is not None for r in records)


def exchangelib_attends(ews: str) -> int:
    """Do the same as one would with exchangelib: synchronise both folders, fetch what is new, accept one by one, look again."""
    import exchangelib  # noqa: PLC0415 - the comparison only, and slow to load

    account = exchangelib.Account(
        mailbox_of("exchangelib"),
        config=exchangelib.Configuration(
            service_endpoint=ews,
            credentials=exchangelib.Credentials("exchangelib", PASSWORD),
            auth_type=exchangelib.BASIC,
            version=exchangelib.Version(exchangelib.version.EXCHANGE_2016),
        ),
        autodiscover=False,
        access_type=exchangelib.IMPERSONATION,
    )
    wanted = ["subject", "start", "end", "body", "organizer", "my_response_type"]
    accepted = 0
    for _ in range(2):
        list(account.inbox.sync_items(only_fields=["subject"]))
        changed = [item for _, item in account.calendar.sync_items(only_fields=["subject"])]
        for item in account.fetch([(item.id, item.changekey) for item in changed], only_fields=wanted):
            ticket = job.ticket_in(str(item.body))
            if ticket and item.my_response_type != "Accept":
                item.accept(body=exchangelib.HTMLBody(f"<p>The room is ready. Reference: {ticket}</p>"))
                accepted += 1
    return accepted


def run(count: int, sides: tuple[str, ...]) -> list[Cost]:
    """Let each side do its job, one after the other, against one simulator."""
    with tempfile.TemporaryDirectory(prefix="greenroom-bench-") as name:
        folder = Path(name)
        with job.exchange(folder, waiting(count)) as referee:
            jobs = {
                "greenroom": lambda: asyncio.run(greenroom_attends(folder, referee.ews)),
                "exchangelib": lambda: exchangelib_attends(referee.ews),
            }
            return [measured(side, count, referee, jobs[side]) for side in sides]


def table(costs: list[Cost]) -> str:
    """Lay the numbers side by side; the last column says how much more the other one needs."""
    rows = [
        ("EWS calls per meeting", [cost.calls_per_meeting for cost in costs], False),
        ("meetings per second", [cost.meetings_per_second for cost in costs], True),
        ("CPU ms per meeting", [cost.cpu_ms_per_meeting for cost in costs], False),
    ]
    lines = [f"{costs[0].meetings} new ticketed meetings, answered and seen again".ljust(28)]
    lines.append(
        "".ljust(24) + "".join(cost.side.rjust(14) for cost in costs) + ("ratio".rjust(10) if costs[1:] else "")
    )
    for label, values, more_is_better in rows:
        line = label.ljust(24) + "".join(f"{value:14.2f}" for value in values)
        if len(values) > 1:
            ours, theirs = values[:2]
            line += f"{(ours / theirs if more_is_better else theirs / ours):9.1f}x"
        lines.append(line)
    lines += [f"calls of {c.side}: " + ", ".join(f"{n} {op}" for op, n in sorted(c.operations.items())) for c in costs]
    return "\n".join(lines)


def main() -> None:
    """Read the options, run, print."""
    parser = argparse.ArgumentParser(description="What does a meeting cost?")
    parser.add_argument("--meetings", type=int, default=500)
    parser.add_argument("--only", choices=SIDES)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    costs = run(arguments.meetings, (arguments.only,) if arguments.only else SIDES)
    print(json.dumps([asdict(cost) for cost in costs], indent=2) if arguments.json else table(costs))


if __name__ == "__main__":
    main()
