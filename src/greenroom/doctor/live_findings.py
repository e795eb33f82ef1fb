"""What the live test has seen, as findings: each step, and each wrong setting that shows itself with the cmdlet that mends it."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from greenroom.doctor.contract import Finding, State
from greenroom.doctor.findings import About
from greenroom.doctor.live_watch import Followed
from greenroom.doctor.organizers import COST
from greenroom.doctor.remedies import grant_script, keep_cancelled, look_into, set_processing, why_of
from greenroom.doctor.symptoms import lost_from_subject
from greenroom.meetings.meeting import Observation, Response, Sensitivity
from greenroom.meetings.record import InstructionsState
from greenroom.meetings.record import State as Standing
from greenroom.scheduler.weigh import ANSWERED
from greenroom.settings import Integration

BOOKING, ARRIVAL, ANSWER, SUBJECT, TEXT, PRIVATE = (
    "live-booking",
    "live-arrival",
    "live-answer",
    "live-subject",
    "live-text",
    "live-private",
)
CONFLICT, ROOM, JOIN, INSTRUCTIONS, REPLY, CANCELLING, TIDYING = (
    "live-conflict",
    "live-room",
    "live-join-page",
    "live-instructions",
    "live-reply",
    "live-cancelling",
    "live-tidying",
)
_LIMITS: Final = (
    "BookingWindowInDays",
    "EnforceSchedulingHorizon",
    "MaximumDurationInMinutes",
    "AllowRecurringMeetings",
)
_REFUSES: Final = (
    "AutomateProcessing",
    "ScheduleOnlyDuringWorkHours",
    "AllBookInPolicy",
    "AllRequestInPolicy",
    "AllowConflicts",
)
_WRITES: Final = ("AutomateProcessing", "AddNewRequestsTentatively", "BookingType")


def judge(followed: Sequence[Followed], entry: Integration, patience: timedelta) -> list[Finding]:
    """Say how the trials went: the first is private, the second takes place at the same time."""
    first, *others = followed
    found = [*_arrival(first, entry, patience)]
    if first.arrived is None and first.record is None and first.early is None:
        return found
    found += [*_answer(followed, entry), *_contents(first, entry)]
    found += [*_room(first), *_instructions(first, entry), *_reply(first, entry, patience)]
    for other in others:
        found += _conflict(first, other, entry)
    return found


def _arrival(one: Followed, entry: Integration, patience: timedelta) -> Iterator[Finding]:
    about = About(ARRIVAL, entry.name)
    if one.past_calendar:
        what = "Exchange did not write the invitation into the calendar; Greenroom answered the message itself."
        why = f"Over EWS that works, over Graph nothing would happen. {why_of('AddNewRequestsTentatively')}"
        yield about.note(what, why, set_processing(entry, *_WRITES[:2]))
    elif one.arrived is not None and one.arrived_at is not None:
        yield about.well(f"The invitation was in the calendar after {_seconds(one.arrived_at - one.booked_at)}.")
    elif one.record is None and one.early is None:
        what = f"The invitation was not in the mailbox's calendar after {_seconds(patience)}."
        why = "Invitations that Exchange does not write into the calendar are not answered."
        mend = f"{set_processing(entry, *_WRITES)}. If that is set, mail does not arrive. {look_into(entry)}"
        yield about.wrong(what, why, mend)


def _answer(followed: Sequence[Followed], entry: Integration) -> Iterator[Finding]:
    about = About(ANSWER, entry.name)
    early = next((said for one in followed if (said := _early(one)) is not None), None)
    if early is not None:
        declined = early is Response.DECLINED and followed[0].early is Response.DECLINED
        what = (
            "Exchange declined the invitation by itself."
            if declined
            else "Exchange answered by itself, before Greenroom."
        )
        names = _REFUSES if declined else _REFUSES[:1]
        yield about.wrong(what, why_of("AutomateProcessing"), set_processing(entry, *names))
        limits = "As long as Exchange answers, its limits count as well; the live test does not reach them."
        yield about.note(limits, "Meetings beyond them are declined.", set_processing(entry, *_LIMITS))
    elif followed[0].replied:
        yield about.well("Greenroom answered, and nobody else.")


def _early(one: Followed) -> Response | None:
    if one.early is not None:
        return one.early
    noted = any((line.step, line.code) == ("seen", ANSWERED) for line in one.story)
    return Response.ACCEPTED if noted else None


def _contents(one: Followed, entry: Integration) -> Iterator[Finding]:
    """Judge by every look: what was stripped a moment after it had arrived is stripped."""
    copies = [copy for copy in (one.arrived, one.copy) if copy is not None and not copy.cancelled]
    if not copies:
        return
    about = About(SUBJECT, entry.name)
    if names := tuple(dict.fromkeys(name for copy in copies for name in lost_from_subject(copy, one.trial.subject))):
        what = (
            "The subject did not arrive."
            if names[0] == "DeleteSubject"
            else "The organizer's name was put before the subject."
        )
        yield about.wrong(what, why_of(names[0]), set_processing(entry, *names))
    else:
        yield about.well("The subject arrived.")
    about = About(TEXT, entry.name)
    if any(one.word not in copy.body_html for copy in copies):
        yield about.wrong("The text did not arrive.", why_of("DeleteComments"), set_processing(entry, "DeleteComments"))
    else:
        yield about.well("The text arrived.")
    yield _private(copies, entry)


def _private(copies: Sequence[Observation], entry: Integration) -> Finding:
    about = About(PRIVATE, entry.name)
    if all(copy.sensitivity is Sensitivity.PRIVATE for copy in copies):
        return about.well("A private meeting arrives as private.")
    what, name = "A private meeting arrived as one that is not private.", "RemovePrivateProperty"
    return about.wrong(what, why_of(name), set_processing(entry, name))


def _room(one: Followed) -> Iterator[Finding]:
    record = one.record
    if record is None:
        return
    about, tell = About(ROOM, record.correlation_id), f"greenroom explain {record.correlation_id}"
    if record.state is Standing.SCHEDULED and record.room is not None:
        yield about.well("Its room was made, and the platform has it.")
    elif record.state in (Standing.DECLINED, Standing.IGNORED):
        what = f"Greenroom gave it no room, as it is configured ({record.reason})."
        why = "So much of the way was tried; what comes after it was not."
        yield about.note(
            what, why, f'{tell}; to try it all, let unprepared invitations in: meetings.unticketed = "schedule"'
        )
    else:
        line = next((line for line in reversed(one.story) if line.step in {"room", "decided"}), None)
        code = "" if line is None else f" ({' '.join(filter(None, (line.code, line.detail)))})"
        yield about.wrong(f"It has no room{code}.", "Its organizer gets no answer until there is one.", tell)


def _instructions(one: Followed, entry: Integration) -> Iterator[Finding]:
    about, record = About(INSTRUCTIONS, entry.name), one.record
    if record is None or one.room is None or one.meeting is None:
        return
    there = one.room.spec.join_id in one.meeting.invitation.body_html
    if there:
        yield about.well("Joining instructions stand in the organizer's own meeting.")
    elif record.instructions is InstructionsState.IN_REPLY and one.replied:
        yield about.note("Joining instructions went out in the reply only.", COST, grant_script(entry))
    elif one.replied:
        what = f"Joining instructions are not in the organizer's meeting (recorded as {record.instructions.value})."
        yield about.wrong(what, "People do not know how to join.", f"greenroom explain {record.correlation_id}")


def _reply(one: Followed, entry: Integration, patience: timedelta) -> Iterator[Finding]:
    about = About(REPLY, entry.name)
    if one.done_at is not None and one.replied:
        yield about.well(f"The answer was in the organizer's calendar after {_seconds(one.done_at - one.booked_at)}.")
    elif one.replied:
        what = f"Greenroom answered, but no answer was in the organizer's calendar after {_seconds(patience)}."
        mend = (
            f"See what the mailbox may send, and whether a transport rule or a moderator holds mail. {look_into(entry)}"
        )
        yield about.wrong(what, "Organizers do not learn of their rooms.", mend)
    elif any((line.step, line.code) == ("replied", "waits") for line in one.story):
        what = f"The answer still waited in line after {_seconds(patience)}."
        yield about.note(what, "Exchange Online lets a mailbox send 30 messages a minute.", "--patience 300")
    elif one.record is not None and one.record.state is not Standing.IGNORED:
        what = f"Greenroom had not answered after {_seconds(patience)}."
        yield about.wrong(what, "Organizers wait.", f"greenroom explain {one.record.correlation_id}")
    elif one.record is None and one.early is not Response.DECLINED:
        what = f"Greenroom had not seen it after {_seconds(patience)}."
        yield about.wrong(what, "Organizers wait.", "See its log; or Exchange is slow today: --patience 300")


def _conflict(first: Followed, other: Followed, entry: Integration) -> Iterator[Finding]:
    about = About(CONFLICT, entry.name)
    if other.early is Response.DECLINED and first.early is not Response.DECLINED:
        what = "Exchange declined a second meeting at the same time."
        yield about.wrong(what, why_of("AllowConflicts"), set_processing(entry, "AllowConflicts"))
    elif other.replied and other.record is not None and other.record.state is Standing.SCHEDULED:
        yield about.well("A second meeting at the same time was accepted.")


def judge_end(followed: Sequence[Followed], entry: Integration, patience: timedelta) -> list[Finding]:
    """Say how the cancellation went."""
    about = About(CANCELLING, entry.name)
    handled = [one for one in followed if one.record is not None or one.arrived is not None]
    gone = [one for one in handled if one.vanished and _was_taken(one)]
    if gone:
        what = "Cancelled meetings vanish from the mailbox's calendar."
        why = why_of("RemoveCanceledMeetings")
        mend = keep_cancelled(entry)
        return [about.wrong(what, why, mend)]
    late = [one for one in handled if not one.ended]
    if late:
        what = f"The cancellation had not come all the way after {_seconds(patience)}."
        tell = next((f"greenroom explain {one.record.correlation_id}" for one in late if one.record is not None), "")
        return [about.wrong(what, "Rooms of meetings that are called off would stay open.", tell or look_into(entry))]
    return [about.well("The cancellation arrived, and the rooms are closed.")] if handled else []


def _was_taken(one: Followed) -> bool:
    """Whether the copy was there until the cancellation: what Exchange declines goes as well."""
    return Response.DECLINED not in (one.early, None if one.meeting is None else one.meeting.response)


def _seconds(span: timedelta) -> str:
    return f"{max(round(span.total_seconds()), 0)} s"


def failed(
    name: str, entry: Integration, told: tuple[str, str], *, why: str = "", state: State = State.WRONG
) -> Finding:
    """Say what kept the test from going on."""
    return Finding(name, entry.name, state, told[0], why, told[1])
