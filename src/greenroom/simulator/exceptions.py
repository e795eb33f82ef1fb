"""What becomes of the exceptions of a series: answered, taken out, kept or lost when the series is changed.

Exchange loses them when the pattern or the times change, and keeps them when only the end of the range does. An attendee's copy
merges: the organizer says what an exception is, the attendee's own answers and deletions stay.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from greenroom.simulator.envelope import schedule_print
from greenroom.simulator.model import (
    Answer,
    Attendee,
    CalendarItem,
    DeletedOccurrence,
    FreeBusy,
    Meeting,
    ModifiedOccurrence,
)
from greenroom.simulator.occurrence_items import change_of
from greenroom.simulator.occurrences import has_day, occurrence_on, original_day


def same_pattern(one: Meeting, other: Meeting) -> bool:
    """Whether two versions of a series differ at most in where the range ends."""
    return one.is_series and other.is_series and _open_ended(one) == _open_ended(other)


def _open_ended(meeting: Meeting) -> str:
    rule = meeting.recurrence
    return schedule_print(replace(meeting, recurrence=None if rule is None else replace(rule, count=None, until=None)))


def keep_in_range(meeting: Meeting) -> None:
    """Drop the exceptions and deletions that the range of a series does not reach any more."""
    meeting.modified = tuple(one for one in meeting.modified if has_day(meeting, one.original_start))
    meeting.deleted = tuple(one for one in meeting.deleted if has_day(meeting, one.start))


def put(meeting: Meeting, change: ModifiedOccurrence) -> None:
    """Enter an exception, in place of one for the same day."""
    day = original_day(meeting, change.original_start)
    others = [one for one in meeting.modified if original_day(meeting, one.original_start) != day]
    meeting.modified = tuple(sorted([*others, change], key=lambda one: one.original_start))
    meeting.deleted = tuple(one for one in meeting.deleted if original_day(meeting, one.start) != day)


def take_out(meeting: Meeting, original: datetime) -> None:
    """Delete one occurrence of a series."""
    day = original_day(meeting, original)
    meeting.modified = tuple(one for one in meeting.modified if original_day(meeting, one.original_start) != day)
    if all(original_day(meeting, one.start) != day for one in meeting.deleted):
        meeting.deleted = (*meeting.deleted, DeletedOccurrence(original))


def answer(master: CalendarItem, original: datetime, said: Answer, when: datetime) -> None:
    """Keep the owner's answer to one occurrence, which becomes an exception by it; a declined one is deleted."""
    meeting = master.meeting = replace(master.meeting)
    if said == "Decline":
        take_out(meeting, original)
        return
    intended = master.intended_free_busy
    busy: FreeBusy = "Tentative" if said == "Tentative" and intended != "Free" else intended
    put(meeting, replace(change_of(master, original), my_response=said, reply_time=when, free_busy=busy))


def renew_answer(fresh: ModifiedOccurrence, before: ModifiedOccurrence | None, meeting: Meeting) -> ModifiedOccurrence:
    """An exception as the organizer says it is now, with the answer to it: void once the times are others than before.

    `before` is what the copy had of it, if it was an exception there; `meeting` the series in the copy.
    """
    if before is None:
        plain = occurrence_on(replace(meeting, modified=(), deleted=()), original_day(meeting, fresh.original_start))
        times = None if plain is None else (plain.start, plain.end)
    else:
        times = (before.start, before.end)
    fresh = replace(fresh, extended=() if before is None else before.extended)
    if times != (fresh.start, fresh.end):
        busy: FreeBusy | None = "Free" if fresh.free_busy == "Free" else "Tentative"
        return replace(fresh, my_response="NoResponseReceived", reply_time=None, free_busy=busy)
    if before is None:
        return replace(fresh, my_response=None, reply_time=None)
    return replace(
        fresh,
        my_response=before.my_response,
        reply_time=before.reply_time,
        free_busy=fresh.free_busy if before.free_busy is None else before.free_busy,
    )


def merge(meeting: Meeting, old: Meeting, *, is_mine: Callable[[Iterable[Attendee]], bool]) -> None:
    """Bring what a copy (`old`) has of exceptions into the organizer's newer version of the same pattern (`meeting`).

    A version without any exceptions says nothing of them (other calendar programs send a series so): all that is known stays.
    """
    had = {original_day(old, one.original_start): one for one in old.modified}
    told = {original_day(meeting, one.original_start): one for one in meeting.modified}
    gone = {original_day(meeting, one.start): one for one in meeting.deleted}
    silent = not told and not gone
    for day, one in had.items():
        plain = occurrence_on(replace(meeting, modified=(), deleted=()), day)
        only_answered = plain is not None and (plain.start, plain.end) == (one.start, one.end)
        if day not in told and day not in gone and (silent or only_answered):
            told[day] = one
    for lost in old.deleted:
        day = original_day(old, lost.start)
        if day not in told:
            gone.setdefault(day, lost)
    fresh = [one if one is had.get(day) else renew_answer(one, had.get(day), old) for day, one in told.items()]
    meeting.modified = tuple(sorted(fresh, key=lambda one: one.original_start))
    meeting.deleted = tuple(sorted(gone.values(), key=lambda one: one.start))
    without(meeting, is_mine)
    keep_in_range(meeting)


def without(meeting: Meeting, is_mine: Callable[[Iterable[Attendee]], bool]) -> None:
    """Delete the exceptions whose own attendees do not name the owner, where the series does."""
    if not is_mine(meeting.attendees):
        return
    for one in meeting.modified:
        if one.attendees is not None and not is_mine(one.attendees):
            take_out(meeting, one.original_start)


def follow_attendees(meeting: Meeting, was: Iterable[Attendee], same: Callable[[Attendee, Attendee], bool]) -> None:
    """Who is invited to the series, or is no longer, is so for the exceptions that have attendees of their own too."""
    old, now = list(was), list(meeting.attendees)
    added = [one for one in now if not any(same(one, other) for other in old)]
    removed = [one for one in old if not any(same(one, other) for other in now)]
    if not added and not removed:
        return
    fresh = []
    for change in meeting.modified:
        people = change.attendees
        if people is not None:
            kept = [one for one in people if not any(same(one, other) for other in removed)]
            new = [one for one in added if not any(same(one, other) for other in kept)]
            change = replace(change, attendees=(*kept, *new))  # noqa: PLW2901 - the same exception, brought up to date
        fresh.append(change)
    meeting.modified = tuple(fresh)
