"""What is known of a room on a platform that is another system: whether it is there, and when it is looked after next."""

from typing import Any

from greenroom.cli.reading import local, stamp
from greenroom.meetings.room import Provision
from greenroom.settings import Integration, Settings
from greenroom.storage import StoredRoom


def at_platform(settings: Settings, room: StoredRoom | None) -> str:
    """Say in words how a room stands at Pexip; empty where rooms are nowhere but here."""
    entry = _entry(settings, room)
    if room is None or entry is None or entry.pexip is None:
        return ""
    there = room.there
    if entry.pexip.makes_rooms == "none" and there.ref is None:
        return "no VMR: Conferencing Nodes are told of the room when somebody dials it"
    if there.ref is None:
        return f"no VMR{_until(there)}"
    times = "" if entry.pexip.policy is not None else ", which can be dialled as long as it is there"
    return f"VMR {number_of(there.ref)}{times}{_until(there)}"


def at_platform_json(settings: Settings, room: StoredRoom | None) -> dict[str, Any] | None:
    """Say the same for `--json`; None where rooms are nowhere but here."""
    if room is None or _entry(settings, room) is None:
        return None
    there = room.there
    return {"ref": there.ref, "failures": there.attempts, "due_at": stamp(there.due_at)}


def number_of(ref: str) -> str:
    """Return how the administrator pages call what has this address: its number."""
    return ref.rstrip("/").rpartition("/")[2]


def _until(there: Provision) -> str:
    if there.due_at is None:
        return ""
    if there.attempts:
        times = "once" if there.attempts == 1 else f"{there.attempts} times"
        return f"; a change has failed {times}, tried again at {local(there.due_at)}"
    return f"; looked after again at {local(there.due_at)}"


def _entry(settings: Settings, room: StoredRoom | None) -> Integration | None:
    """Return the integration of a room whose platform is another system."""
    if room is None:
        return None
    found = next((one for one in settings.integration if one.number == room.integration), None)
    return found if found is not None and found.platform.kind == "pexip" else None
