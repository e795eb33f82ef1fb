"""How long people wait: from sending an invitation to the room and to the reply, with the running service in real time.

The simulator is a process of its own and posts notifications over loopback; Greenroom runs here as `greenroom serve` runs it.
Ten equipment mailboxes share the invitations, so that none comes near the 30 messages a minute it may send:

    notified        what happens is posted at once, and looked at every 15 s besides
    dead, 15 s      nothing that is posted arrives: a look every 15 s is all there is
    dead, 1 s       likewise, with a look every second
"""

import asyncio
import contextlib
import math
import random
import socket
import ssl
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2

import graph_greenroom
import job
from greenroom.assembly import Greenroom, open_greenroom, wall_clock
from greenroom.meetings.meeting import MeetingKey
from greenroom.meetings.room import RoomSpec
from greenroom.settings import load_settings
from support.certificates import of_this_machine

ORGANIZERS_ID = "6d0f6d52-7c2e-4d7b-9a42-0b7f3e0b9a03"
_LONGEST = 60.0
_GRAPH_TIME = "%Y-%m-%dT%H:%M:%S"


@dataclass(frozen=True)
class Way:
    """How some mailboxes hear of invitations, and how many come in each; they come spread over about half a minute."""

    name: str
    mailboxes: int
    invitations: int
    poll: float
    dead: bool


WAYS = (
    Way("notified", 6, 20, 15, dead=False),
    Way("notifications dead, poll 15 s", 2, 10, 15, dead=True),
    Way("notifications dead, poll 1 s", 2, 10, 1, dead=True),
)
_SPREAD = 30.0


@dataclass(frozen=True)
class Waits:
    """Seconds from invitation to room and to reply: median, 99th percentile, most."""

    way: str
    meetings: int
    to_room: tuple[float, float, float]
    to_reply: tuple[float, float, float]


@dataclass
class _Mailbox:
    number: int
    way: Way
    sent: dict[str, tuple[MeetingKey, datetime]] = field(default_factory=dict)  # by mark

    @property
    def address(self) -> str:
        return f"vmr-{self.number}@{job.DOMAIN}"


def run() -> list[Waits]:
    """Let people invite, and measure."""
    numbers = iter(range(1, 100))
    mailboxes = [_Mailbox(next(numbers), way) for way in WAYS for _ in range(way.mailboxes)]
    with tempfile.TemporaryDirectory(prefix="greenroom-bench-") as place:
        folder = Path(place)
        papers = of_this_machine(folder)
        tls = ("--tls-cert", str(papers.certificate), "--tls-key", str(papers.key))
        with job.exchange(folder, _seed(mailboxes), tls, authority=papers.certificate) as referee:
            return asyncio.run(_run(folder, referee, mailboxes))


async def _run(folder: Path, referee: job.Referee, mailboxes: Sequence[_Mailbox]) -> list[Waits]:
    for one in mailboxes:
        if one.way.dead:
            fault = {"kind": "drop_notifications", "operation": "Notification", "mailbox": one.address}
            referee.ask("faults", fault)
    config = folder / "greenroom.toml"
    config.write_text(_configuration(folder, referee, mailboxes), encoding="utf-8")
    rooms: dict[str, datetime] = {}
    async with open_greenroom(load_settings(config, {})) as greenroom:
        _note_rooms(greenroom, rooms)
        stop = asyncio.Event()
        serving = asyncio.create_task(greenroom.run(stop))
        try:
            await _until_watched(referee, len(mailboxes))
            async with _organizers(referee) as http:
                await asyncio.gather(*(_invite(http, mailbox) for mailbox in mailboxes))
            replies = await _until_answered(greenroom, mailboxes)
        finally:
            stop.set()
            await serving
    return [_waits(way, [one for one in mailboxes if one.way is way], rooms, replies) for way in WAYS]


def _note_rooms(greenroom: Greenroom, rooms: dict[str, datetime]) -> None:
    """Note when each room is there: the journal tells only when the pass began that made it."""
    for integration in greenroom.integrations:
        platform = integration.platform
        ensure = platform.ensure

        async def noted(spec: RoomSpec, ensure: Any = ensure) -> None:
            await ensure(spec)
            rooms.setdefault(spec.mark, wall_clock())

        platform.ensure = noted  # type: ignore[method-assign]  # the service holds this very object


@contextlib.asynccontextmanager
async def _organizers(referee: job.Referee) -> Any:
    """People's mail programs, which sign in once."""
    trusting = ssl.create_default_context(cafile=referee.authority)
    async with httpx2.AsyncClient(verify=trusting, base_url=referee.url, timeout=30, trust_env=False) as http:
        form = {
            "grant_type": "client_credentials",
            "client_id": ORGANIZERS_ID,
            "client_secret": job.PASSWORD,
            "scope": "https://graph.microsoft.com/.default",
        }
        answer = await http.post(f"/{referee.tenant}/oauth2/v2.0/token", data=form)
        http.headers["Authorization"] = f"Bearer {answer.raise_for_status().json()['access_token']}"
        yield http


async def _invite(http: httpx2.AsyncClient, mailbox: _Mailbox) -> None:
    """Send a mailbox its invitations, at moments that nobody can foresee."""
    ring, chance = job.ring(mailbox.number), random.Random(mailbox.number)
    began = asyncio.get_running_loop().time()
    for number, moment in enumerate(sorted(chance.uniform(0, _SPREAD) for _ in range(mailbox.way.invitations))):
        await asyncio.sleep(began + moment - asyncio.get_running_loop().time())
        now = wall_clock()
        start = now.replace(minute=0, second=0, microsecond=0) + timedelta(days=1, hours=number)
        event = {
            "subject": f"Meeting {number}",
            "body": {"contentType": "html", "content": job.text_with(ring.issue(100_000_000 + number, now))},
            "start": {"dateTime": start.strftime(_GRAPH_TIME), "timeZone": "UTC"},
            "end": {"dateTime": (start + job.HOUR).strftime(_GRAPH_TIME), "timeZone": "UTC"},
            "attendees": [{"emailAddress": {"address": mailbox.address}, "type": "resource"}],
        }
        organizer = job.PEOPLE[(mailbox.number + number) % len(job.PEOPLE)]
        sent_at = wall_clock()
        answer = await http.post(f"/v1.0/users/{organizer}/events", json=event)
        key = MeetingKey.of_uid(answer.raise_for_status().json()["iCalUId"])
        mailbox.sent[key.digest] = key, sent_at


async def _until_watched(referee: job.Referee, count: int) -> None:
    """Wait until every mailbox has its subscription and was looked at."""
    async with asyncio.timeout(_LONGEST):
        while not await asyncio.to_thread(_watched, referee, count):  # noqa: ASYNC110 (another process has no event)
            await asyncio.sleep(0.2)
    await asyncio.sleep(2)


def _watched(referee: job.Referee, count: int) -> bool:
    return int(referee.ask("counters")["operations"].get("CreateSubscription", 0)) >= count


async def _until_answered(greenroom: Greenroom, mailboxes: Sequence[_Mailbox]) -> dict[str, datetime]:
    """Wait for all replies; return when each was out, by mark."""
    replies: dict[str, datetime] = {}
    async with asyncio.timeout(_LONGEST):
        while len(replies) < sum(len(one.sent) for one in mailboxes):
            await asyncio.sleep(0.5)
            async with greenroom.storage.reading() as work:
                for one in mailboxes:
                    since = min(at for _, at in one.sent.values())
                    for entry in await work.journal.recent(one.number, "replied", since):
                        if entry.code.startswith("accept"):
                            replies.setdefault(entry.key.digest, entry.at)
    return replies


def _waits(way: Way, mailboxes: Sequence[_Mailbox], rooms: dict[str, datetime], replies: dict[str, datetime]) -> Waits:
    sent = {mark: at for one in mailboxes for mark, (_, at) in one.sent.items()}
    to_room = sorted((rooms[mark] - at).total_seconds() for mark, at in sent.items())
    to_reply = sorted((replies[mark] - at).total_seconds() for mark, at in sent.items())
    return Waits(way.name, len(sent), _told(to_room), _told(to_reply))


def _told(seconds: Sequence[float]) -> tuple[float, float, float]:
    """Median, 99th percentile (nearest rank) and most."""

    def rank(share: float) -> float:
        return round(seconds[math.ceil(share * len(seconds)) - 1], 3)

    return rank(0.5), rank(0.99), rank(1)


def _seed(mailboxes: Sequence[_Mailbox]) -> dict[str, Any]:
    applications = [
        {"client_id": client_id, "secret": job.PASSWORD, "scope": "everybody"}
        for client_id in (graph_greenroom.CLIENT_ID, ORGANIZERS_ID)
    ]
    equipment = [job.equipment(one.address) for one in mailboxes]
    return {"mailboxes": [*job.people(), *equipment], "applications": applications}


def _configuration(folder: Path, referee: job.Referee, mailboxes: Sequence[_Mailbox]) -> str:
    with contextlib.closing(socket.socket()) as sock:  # notifications must know the address before anything listens
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    head = f"""
[service]
listen = "127.0.0.1:{port}"
public_url = "http://127.0.0.1:{port}"
[storage]
url = "sqlite:///{folder / "greenroom.db"}"
"""
    return head + "".join(
        graph_greenroom.integration(one.number, one.address, referee, notifications=True, poll=one.way.poll)
        for one in mailboxes
    )
