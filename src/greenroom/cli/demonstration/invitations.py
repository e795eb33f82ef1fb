"""Invitations out of files: delivered to the equipment mailbox as a mail server would, and what became of each."""

import stat
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from greenroom.cli.demonstration.errors import UnlikelyError
from greenroom.cli.demonstration.world import World
from greenroom.cli.words import reason_sentence
from greenroom.meetings.meeting import MeetingKey
from greenroom.meetings.record import Record, State
from greenroom.simulator.errors import BadInvitation
from greenroom.simulator.ics_lines import MAX_BYTES
from greenroom.simulator.ics_read import read_ics
from greenroom.simulator.model import Delivered

_BELIEVABLE = range(1981, 2100)  # years; tickets, too, are issued between 1970 and 2106 only
_DONE = (State.SCHEDULED, State.DECLINED, State.IGNORED, State.ENDED)
_STANDING = (State.SCHEDULED, State.PENDING)
_ENDINGS = {".ics", ".ical", ".icalendar", ".vcs"}
_PATIENCE, _PATIENCE_EACH = 15.0, 0.5  # seconds to wait for a file, and for every meeting in it

_METHODS = {
    "ADD": "It adds dates to a series (ADD), which mail servers leave to people.",
    "COUNTER": "It is an attendee's proposal of another time (COUNTER), not an invitation.",
    "DECLINECOUNTER": "It answers a proposal of another time (DECLINECOUNTER); nobody is invited.",
    "PUBLISH": "It is published for information (PUBLISH) and names no organizer, so nobody is invited.",
    "REFRESH": "It asks for the latest version of a meeting (REFRESH); nobody is invited.",
    "REPLY": "It is an attendee's answer (REPLY), not an invitation.",
}
_NOTES = {
    "an older version than the mailbox has": "The mailbox has a newer version of this meeting already.",
    "no calendar item of this meeting is here": "It cancels a meeting that is not in this calendar.",
    "the mailbox is the organizer of this meeting itself": "The equipment mailbox is the organizer itself.",
}


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one file: `room` is the alias or None; `reason` is a sentence; `ok` says it has one or the other."""

    file: str
    at: str
    room: str | None
    reason: str
    ok: bool = True

    def as_json(self) -> dict[str, object]:
        """For `--json`."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Invitation:
    """A file as it was read: its name to print, its content (None with the `problem` that kept it from being read)."""

    name: str
    data: bytes | None
    problem: str = ""

    @property
    def own_time(self) -> datetime | None:
        """When it was sent, as it says itself (DTSTAMP), or shortly before the meeting; None where neither is believable."""
        try:
            events = read_ics(self.data or b"").events
        except BadInvitation:
            return None
        sent = max(event.meeting.stamp for event in events).astimezone(UTC)
        start = min(event.meeting.start for event in events).astimezone(UTC)
        return next((one for one in (sent, start - timedelta(days=1)) if one.year in _BELIEVABLE), None)


def files_of(paths: Sequence[Path]) -> list[Path]:
    """Expand folders to the calendar files in them, in order of their names."""
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files += sorted(one for one in path.iterdir() if one.suffix.lower() in _ENDINGS and not one.is_dir())
        else:
            files.append(path)
    return files


def read_all(paths: Sequence[Path]) -> list[Invitation]:
    """Read files, each once and none further than a calendar can be long. Files of one name are told apart by their paths."""
    names = Counter(path.name for path in paths)
    return [_read(path, _printable(path.name if names[path.name] == 1 else str(path))) for path in paths]


def _printable(name: str) -> str:
    return name.encode(errors="replace").decode()


def _read(path: Path, name: str) -> Invitation:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode) or stat.S_ISBLK(mode) or stat.S_ISSOCK(mode):
            return Invitation(name, None, "it is no file")
        with path.open("rb") as file:
            return Invitation(name, file.read(MAX_BYTES + 1))
    except OSError as error:
        return Invitation(name, None, error.strerror or "it cannot be opened")


async def deliver_all(
    world: World, invitations: Sequence[Invitation], *, own: bool, tell: Callable[[Result], None]
) -> list[Result]:
    """Deliver every file and wait for what becomes of it; with `own`, each at its own time, the earliest first.

    Files without a time of their own come last, at the time they are really tried.
    """
    timed = [(one.own_time if own else None, one) for one in invitations]
    if own:
        timed.sort(key=lambda pair: pair[0] or datetime.max.replace(tzinfo=UTC))
    results = []
    for at, invitation in timed:
        if at is not None:
            world.clock.set(at)
        elif own:
            world.clock.reset()
        result = await _deliver(world, invitation)
        results.append(result)
        tell(result)
    return results


async def _deliver(world: World, invitation: Invitation) -> Result:
    at = f"{world.clock():%Y-%m-%d %H:%M} UTC"

    def result(reason: str, room: str | None = None, *, ok: bool = True) -> Result:
        return Result(invitation.name, at, room, reason, ok)

    if invitation.data is None:
        return result(f"The file cannot be read: {invitation.problem}.", ok=False)
    try:
        delivered = world.exchange.deliver_ics(world.equipment, invitation.data)
    except BadInvitation as error:
        return result(f"A mail server cannot take it as an invitation: {error}.")
    if not delivered.uids:
        return result(_nothing(delivered))
    keys = [MeetingKey.of_uid(uid) for uid in delivered.uids]
    try:
        await _dealt_with(world, keys)
    except UnlikelyError as error:
        return result(f"Something went wrong: {error}.", ok=False)
    found = [(await world.record(key), await _alias(world, key)) for key in keys]
    return _told(result, found)


def _nothing(delivered: Delivered) -> str:
    note = delivered.note or "nobody is invited"
    return _METHODS.get(delivered.method) or _NOTES.get(note) or f"Nothing is to be scheduled: {note}."


async def _dealt_with(world: World, keys: Sequence[MeetingKey]) -> None:
    async def done() -> bool:
        records = [await world.record(key) for key in keys]
        return all(
            [record is not None and (record.state in _DONE or await _waits(world, record)) for record in records]
        )

    await world.two_passes()  # the first may have begun before the delivery
    await world.until("the invitation is dealt with", done, seconds=_PATIENCE + _PATIENCE_EACH * len(keys))


async def _waits(world: World, record: Record) -> bool:
    """Whether all is done but the reply, which waits in line: over Graph a mailbox sends only so many messages a minute."""
    if record.state is not State.PENDING or record.retry_at is None:
        return False
    journal = await world.journal(record.key)
    return bool(journal) and (journal[-1].step, journal[-1].code) == ("replied", "waits")


async def _alias(world: World, key: MeetingKey) -> str | None:
    room = await world.room(key)
    return None if room is None or room.retired_at is not None else room.spec.alias.name


def _told(result: Callable[..., Result], found: Sequence[tuple[Record | None, str | None]]) -> Result:
    """Tell the first meeting that has a room, or else the first; and how many more the file holds."""
    roomed = [pair for pair in found if pair[0] is not None and pair[0].state in _STANDING and pair[1] is not None]
    record, alias = roomed[0] if roomed else (found[0][0], None)
    reason = "" if record is None else reason_sentence(record.reason)
    if record is not None and record.state is State.PENDING:
        reason = f"{reason} The reply waits in line: a mailbox sends 30 messages a minute at most.".strip()
    if len(found) > 1:
        reason = f"{reason} The file holds {len(found)} meetings; {len(roomed)} got a room.".strip()
    return result(reason or "Nothing was seen of it.", alias, ok=bool(alias) or bool(reason))
