"""Whether the end of a run of chaos is what the model says."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from chaos_people import DAY, HOUR, Meeting, People
from greenroom.simulator.exchange import Exchange
from greenroom.simulator.model import MeetingRequest, MeetingResponse
from greenroom.storage import Storage, StoredRoom
from greenroom.storage.schema import rooms
from support.whole import ATTENDEE, EQUIPMENT

_BEFORE, _AFTER = timedelta(minutes=30), timedelta(minutes=60)
_SECOND = timedelta(seconds=1)
_FAR = DAY * 400


@dataclass(frozen=True)
class Held:
    """What Greenroom holds: the room of each mark that is open, what waits to be tried again, and the last good look."""

    rooms: dict[str, StoredRoom]
    waiting: list[str]
    looked: datetime | None


def held(url: str) -> Held:
    """Read it."""
    return asyncio.run(_held(url))


async def _held(url: str) -> Held:
    storage = Storage.open(url)
    try:
        async with storage.reading() as work:
            session = work.meetings._session  # noqa: SLF001  all open rooms at once, whosever they are
            marks = (await session.execute(sa.select(rooms.c.mark).where(rooms.c.retired_at.is_(None)))).scalars().all()
            found = {mark: await work.rooms.by_mark(1, mark) for mark in marks}
            records = await work.meetings.search(limit=10_000)
            mailboxes = await work.mailboxes.all()
    finally:
        await storage.close()
    waiting = [f"{one.correlation_id} {one.reason}" for one in records if one.retry_at is not None]
    waiting += ["replies" for one in mailboxes if one.waiting_replies]
    looked = min((one.last_success_at for one in mailboxes if one.last_success_at is not None), default=None)
    return Held({mark: room for mark, room in found.items() if room is not None}, waiting, looked)


def differences(people: People, exchange: Exchange, found: Held) -> list[str]:
    """Say in what the end is not what people meant."""
    wrong = [said for one in people.meetings for said in _of_meeting(people, exchange, one, found)]
    known = {one.key.digest for one in people.meetings}
    wrong += [f"a room of nobody: {mark}" for mark in found.rooms if mark not in known]
    aliases = Counter(room.spec.alias.number for room in found.rooms.values())
    return wrong + [f"alias {number} has {count} rooms" for number, count in aliases.items() if count > 1]


def _of_meeting(people: People, exchange: Exchange, one: Meeting, found: Held) -> Iterator[str]:
    room = found.rooms.get(one.key.digest)
    for said in (*_of_answers(exchange, one), *_of_attendee(exchange, one), *_of_room(people, exchange, one, room)):
        yield f"{one.name}: {said}"


def answers(exchange: Exchange, one: Meeting) -> list[MeetingResponse]:
    """What the equipment mailbox answered the organizer about a meeting, oldest first."""
    inbox = exchange.items(one.organizer, "inbox")
    ours = [
        item for item in inbox if isinstance(item, MeetingResponse) and item.meeting.clean_goid == one.key.to_bytes()
    ]
    return [item for item in ours if item.author is not None and item.author.address == EQUIPMENT]


def _of_answers(exchange: Exchange, one: Meeting) -> Iterator[str]:
    """No sending is answered twice.

    Only where a database was lost and no ticket stood in the calendar is another answer allowed, once for each loss: the alias is
    gone, so people must be told another, and where the meeting may not be written to an answer is the only way.
    """
    given = [item.response for item in answers(exchange, one)]
    if set(given) - {"Accept"}:
        yield f"answered {', '.join(given)}"
    if len(given) > one.sendings + one.lost:
        yield f"{len(given)} answers to {one.sendings} sendings ({one.lost} losses without a ticket)"
    if one.lives and not given:
        yield "never answered"


def _of_attendee(exchange: Exchange, one: Meeting) -> Iterator[str]:
    """Nobody is mailed but for what the organizer sent, and for an alias that the invitation did not have.

    Where a series is written to, its exceptions are sent as well: one mail for each.
    """
    inbox = exchange.items(ATTENDEE, "inbox")
    wanted = one.key.to_bytes()
    mails = sum(isinstance(item, MeetingRequest) and item.meeting.clean_goid == wanted for item in inbox)
    ours = (one.plain + one.lost) * (1 + len(one.changed)) if one.touchable and one.sendings else 0
    if mails > one.told + ours:
        yield f"{mails} mails to the attendee, {one.told} by the organizer, {ours} by us at the most"


def _of_room(people: People, exchange: Exchange, one: Meeting, room: StoredRoom | None) -> Iterator[str]:
    if room is None or not one.lives:
        if one.lives:
            yield "no open room"
        if room is not None:
            yield f"an open room, though it is {'cancelled' if one.cancelled else 'not ours'}"
        return
    yield from _of_times(one, room)
    number = room.spec.alias.number
    for wanted, why in ((one.ticket, "its invitation"), (one.kept, "the calendar at a loss")):
        if wanted is not None and number != wanted:
            yield f"alias {number}, but {why} said {wanted}"
    item = people.item(one)
    tickets = people.tickets(item)
    told = any(number in people.tickets_in(answer.body.content) for answer in answers(exchange, one))
    if tickets[-1:] != [number] and (one.touchable or not told):
        yield f"alias {number}, but the organizer reads {tickets}"
    if tickets.count(number) > 1:
        yield "joining instructions twice"
    tracked = [a.response for a in item.meeting.attendees if a.person.address == EQUIPMENT] if item else []
    if tracked != ["Accept"]:
        yield f"the organizer sees {tracked}"


def _of_times(one: Meeting, room: StoredRoom) -> Iterator[str]:
    """Look at the borders of each window, and where occurrences were taken out."""
    admission = room.spec.admission
    for start, end in one.days.values():
        if not (admission.is_open(start - _BEFORE + _SECOND) and admission.is_open(end + _AFTER - _SECOND)):
            yield f"closed for {start:%Y-%m-%d %H:%M}"
        if admission.is_open(start - _BEFORE - _SECOND) or admission.is_open(end + _AFTER + _SECOND):
            yield f"open too long around {start:%Y-%m-%d %H:%M}"
    for start, _ in one.deleted:
        if admission.is_open(start + HOUR / 2):
            yield f"open for {start:%Y-%m-%d %H:%M}, which was taken out"
    last = max(end for _, end in one.days.values())
    following = admission.following(last + _AFTER + _SECOND)
    if following is not None:
        yield f"open once more behind {last:%Y-%m-%d %H:%M}"
