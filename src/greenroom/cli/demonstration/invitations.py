"""Invitations out of files: delivered to the equipment mailbox as a mail server would, and what became of each."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from greenroom.cli.demonstration.world import UnlikelyError, World
from greenroom.cli.words import reason_sentence
from greenroom.meetings.meeting import MeetingKey
from greenroom.meetings.record import Record, State
from greenroom.simulator.errors import BadInvitation
from greenroom.simulator.ics_read import read_ics

_BELIEVABLE = 1980
_DONE = (State.SCHEDULED, State.DECLINED, State.IGNORED, State.ENDED)


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


def own_time(path: Path) -> datetime | None:
    """When a file was sent, as it says itself (DTSTAMP); shortly before the meeting where it says nothing believable."""
    try:
        events = read_ics(path.read_bytes()).events
    except (BadInvitation, OSError):
        return None
    sent = max(event.meeting.stamp for event in events).astimezone(UTC)
    return (
        sent
        if sent.year > _BELIEVABLE
        else min(event.meeting.start for event in events).astimezone(UTC) - timedelta(days=1)
    )


def files_of(paths: Sequence[Path]) -> list[Path]:
    """Expand folders to the .ics files in them, in order of their names."""
    files: list[Path] = []
    for path in paths:
        files += sorted(path.glob("*.ics")) if path.is_dir() else [path]
    return files


async def deliver_all(
    world: World, files: Sequence[Path], *, own: bool, tell: Callable[[Result], None]
) -> list[Result]:
    """Deliver every file and wait for what becomes of it; with `own`, each at its own time, the earliest first."""
    times = {path: own_time(path) for path in files} if own else {}
    ordered = sorted(files, key=lambda path: times.get(path) or datetime.max.replace(tzinfo=UTC)) if own else files
    results = []
    for path in ordered:
        at = times.get(path)
        if at is not None:
            world.clock.set(at)
        result = await _deliver(world, path)
        results.append(result)
        tell(result)
    return results


async def _deliver(world: World, path: Path) -> Result:
    at = f"{world.clock():%Y-%m-%d %H:%M} UTC"
    try:
        data = path.read_bytes()  # noqa: ASYNC240 (a small file; nobody waits meanwhile)
    except OSError as error:
        return Result(path.name, at, None, f"the file cannot be read: {error.strerror}", ok=False)
    try:
        delivered = world.exchange.deliver_ics(world.equipment, data)
    except BadInvitation as error:
        return Result(path.name, at, None, f"the mail server cannot read it as an invitation: {error}")
    if delivered.note is not None and not delivered.calendar_item_ids:
        return Result(path.name, at, None, f"nothing to schedule: {delivered.note}")
    key = MeetingKey.of_uid(delivered.uid)

    async def done() -> bool:
        record = await world.record(key)
        return record is not None and record.state in _DONE

    try:
        await world.two_passes()  # the first may have begun before the delivery
        await world.until("the invitation is dealt with", done)
    except UnlikelyError as error:
        return Result(path.name, at, None, str(error), ok=False)
    record = await world.record(key)
    return _told(path, at, record, await _alias(world, key))


async def _alias(world: World, key: MeetingKey) -> str | None:
    room = await world.room(key)
    return None if room is None or room.retired_at is not None else room.spec.alias.name


def _told(path: Path, at: str, record: Record | None, alias: str | None) -> Result:
    if record is None:
        return Result(path.name, at, None, "nothing was seen", ok=False)
    has_room = record.state is State.SCHEDULED and alias is not None
    reason = reason_sentence(record.reason)
    return Result(path.name, at, alias if has_room else None, reason, ok=has_room or bool(record.reason))
