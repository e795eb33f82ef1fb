"""Greenroom's part of the Graph benchmark: it attends a mailbox by a clock that the benchmark owns, so that minutes take no time.

What drives it here is what `greenroom.scheduler.service` does: a look every 15 seconds, a comparison after the first look and
every hour, answers from the line when their turn has come. A second mailbox, in which nothing ever happens, is looked after by
the same clock: what it costs is what polling costs anyway.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import job
from greenroom.assembly import open_greenroom
from greenroom.meetings.record import Record, State
from greenroom.scheduler.attend import Attendant
from greenroom.settings import load_settings
from greenroom.storage import Storage

POLL = timedelta(seconds=15)
MINUTE = timedelta(minutes=1)
MAILBOX = f"vmr-greenroom@{job.DOMAIN}"
IDLE = f"vmr-idle@{job.DOMAIN}"
CLIENT_ID = "6d0f6d52-7c2e-4d7b-9a42-0b7f3e0b9a01"
_REPLIES = ("AcceptEvent", "DeclineEvent", "TentativelyAcceptEvent")
_LONGEST = timedelta(hours=3)


@dataclass(frozen=True)
class GreenroomCost:
    """What Greenroom needed. What comes `after` is in simulated seconds since its first look began.

    Meetings per second, CPU and `first_look_seconds` are of real work, and this process's own.
    `polls` are the calls of the idle mailbox in the same time; without replies is everything but the answers.
    """

    side: str
    meetings: int
    calls: int
    polls: int
    calls_per_meeting: float
    calls_per_meeting_beyond_polls: float
    calls_per_meeting_without_replies: float
    calls_per_meeting_without_replies_beyond_polls: float
    operations: dict[str, int]
    throttled: int
    meetings_per_second: float
    cpu_ms_per_meeting: float
    first_look_seconds: float
    rooms_complete_after: float
    second_look_after: float
    last_reply_after: float
    replies_per_minute: float
    replies_in_full_minutes: list[int] = field(default_factory=list)
    most_replies_in_a_minute: int = 0


class SimulatedClock:
    """Stands still until it is moved, and takes the simulator's clock along."""

    def __init__(self, referee: job.Referee) -> None:
        self._referee = referee
        self.now = datetime.now(UTC) + MINUTE  # all invitations have come before
        self.move(self.now)

    def __call__(self) -> datetime:
        return self.now

    def move(self, to: datetime) -> None:
        """Let it be that time everywhere."""
        self.now = to
        self._referee.ask("clock", {"now": to.isoformat(), "frozen": True})


class Driver:
    """Does for one attendant what the service does, each thing at its time, and measures what it takes."""

    def __init__(self, attendant: Attendant, clock: SimulatedClock) -> None:
        self.attendant = attendant
        self._clock = clock
        self._look_at = self._close_at = self._compare_at = clock()
        self.looks: list[datetime] = []
        self.seconds = 0.0
        self.first_look = 0.0
        self.cpu = 0.0

    def next_at(self) -> datetime:
        """When there is something to do again."""
        reply_at = self.attendant.next_reply_at()
        return self._look_at if reply_at is None else min(reply_at, self._look_at)

    async def work(self) -> None:
        """Do what is due."""
        now, reply_at = self._clock(), self.attendant.next_reply_at()
        if now >= self._look_at:
            self.looks.append(now)
            self._look_at = now + POLL
            await self._measured(self.attendant.attend)
            self.first_look = self.first_look or self.seconds
            if now >= self._close_at:
                self._close_at = now + MINUTE
                await self._measured(self.attendant.close_windows)
            if now >= self._compare_at:
                self._compare_at = now + timedelta(hours=1)
                await self._measured(self.attendant.reconcile)
        elif reply_at is not None and now >= reply_at:
            await self._measured(self.attendant.answer_waiting)

    async def _measured(self, work: Callable[[], Awaitable[object]]) -> None:
        wall, cpu = time.perf_counter(), job.cpu()
        await work()
        self.seconds += time.perf_counter() - wall
        self.cpu += job.cpu() - cpu


async def attend(folder: Path, referee: job.Referee, count: int) -> GreenroomCost:
    """Attend until every reply is out, and has been seen again."""
    config = folder / "greenroom.toml"
    config.write_text(_configuration(folder, referee), encoding="utf-8")
    clock = SimulatedClock(referee)
    began = clock()
    async with open_greenroom(load_settings(config, {}), clock=clock) as greenroom:
        busy, idle = (Driver(Attendant(one, greenroom.storage, clock), clock) for one in greenroom.integrations)
        rooms_at: datetime | None = None
        done_at: datetime | None = None
        while done_at is None or len(busy.looks) == 0 or busy.looks[-1] <= done_at:
            clock.move(max(clock(), min(busy.next_at(), idle.next_at())))
            if clock() - began > _LONGEST:
                raise SystemExit("greenroom did not come to an end")
            await busy.work()
            await idle.work()
            if rooms_at is None or done_at is None:
                records = await _records(greenroom.storage)
                rooms_at = rooms_at or (clock() if sum(r.room is not None for r in records) == count else None)
                answered = sum(r.state is State.SCHEDULED and r.replied is not None for r in records)
                done_at = clock() if answered == count and busy.attendant.next_reply_at() is None else None
        sent = await _sent(greenroom.storage, began)
    assert rooms_at is not None
    return _cost(referee, count, busy, rooms_at=rooms_at, sent=sent)


def _cost(referee: job.Referee, count: int, busy: Driver, *, rooms_at: datetime, sent: list[datetime]) -> GreenroomCost:
    began = busy.looks[0]
    operations, polls = referee.calls_in(MAILBOX), sum(referee.calls_in(IDLE).values())
    calls = sum(operations.values())
    others = calls - sum(operations.get(name, 0) for name in _REPLIES)
    last = max(sent)
    minutes = int((last - sent[0]) / MINUTE)
    full = [sum(MINUTE * n <= at - sent[0] < MINUTE * (n + 1) for at in sent) for n in range(minutes)]
    before_last = sum(at < last for at in sent)
    return GreenroomCost(
        side="greenroom",
        meetings=count,
        calls=calls,
        polls=polls,
        calls_per_meeting=round(calls / count, 4),
        calls_per_meeting_beyond_polls=round((calls - polls) / count, 4),
        calls_per_meeting_without_replies=round(others / count, 4),
        calls_per_meeting_without_replies_beyond_polls=round((others - polls) / count, 4),
        operations=operations,
        throttled=int(referee.ask("counters")["statuses"].get("429", 0)),
        meetings_per_second=round(count / busy.seconds, 1),
        cpu_ms_per_meeting=round(busy.cpu / count * 1000, 2),
        first_look_seconds=round(busy.first_look, 1),
        rooms_complete_after=(rooms_at - began).total_seconds(),
        second_look_after=(busy.looks[1] - began).total_seconds(),
        last_reply_after=(last - began).total_seconds(),
        replies_per_minute=round(before_last / ((last - sent[0]) / MINUTE), 2) if before_last else float(count),
        replies_in_full_minutes=full,
        most_replies_in_a_minute=max(sum(timedelta() <= at - one < MINUTE for at in sent) for one in set(sent)),
    )


async def _records(storage: Storage) -> list[Record]:
    async with storage.reading() as work:
        return await work.meetings.search(limit=100_000)


async def _sent(storage: Storage, since: datetime) -> list[datetime]:
    """Return when the replies went out, in order."""
    async with storage.reading() as work:
        entries = await work.journal.recent(1, "replied", since)
    return sorted(entry.at for entry in entries if entry.code.startswith("accept"))


def _configuration(folder: Path, referee: job.Referee) -> str:
    head = f"""
[service]
public_url = "https://meet.example"
[storage]
url = "sqlite:///{folder / "greenroom.db"}"
"""
    mailboxes = enumerate((MAILBOX, IDLE), 1)
    return head + "".join(integration(n, mailbox, referee, notifications=False) for n, mailbox in mailboxes)


def integration(
    number: int, mailbox: str, referee: job.Referee, *, notifications: bool, poll: float = POLL.total_seconds()
) -> str:
    """Write an integration that attends a mailbox over Graph."""
    return f"""
[[integration]]
number = {number}
name = "bench-{number}"
mailbox = "{mailbox}"
{job.ticket_keys(number)}
alias.prefix = "meet{number}"
[integration.exchange]
protocol = "graph"
tenant = "{referee.tenant}"
client_id = "{CLIENT_ID}"
client_secret = "{job.PASSWORD}"
cloud = "custom"
login_url = "{referee.url}"
graph_url = "{referee.url}"
{f'ca_file = "{referee.authority}"' if referee.authority else ""}
poll_seconds = {poll:.0f}
notifications = {str(notifications).lower()}
"""


def seed(count: int) -> dict[str, Any]:
    """What the simulator begins with."""
    return {
        "mailboxes": [*job.people(), job.equipment(MAILBOX), job.equipment(IDLE)],
        "applications": [{"client_id": CLIENT_ID, "secret": job.PASSWORD, "scope": "everybody"}],
        "meetings": job.invitations(count, MAILBOX),
    }
