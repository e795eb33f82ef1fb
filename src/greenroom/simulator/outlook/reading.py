"""One item as the reading pane shows it: what it is, when and where, who answered what, and what can be done with it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from greenroom.simulator.errors import NoSuchItem
from greenroom.simulator.model import (
    Attendee,
    Body,
    CalendarItem,
    Item,
    Meeting,
    MeetingCancellation,
    MeetingMessage,
    MeetingRequest,
    MeetingResponse,
    Person,
)
from greenroom.simulator.occurrence_items import change_of, view_of
from greenroom.simulator.outlook.bodies import body_version
from greenroom.simulator.outlook.listing import LABELS, Kind, kind_of, name_of
from greenroom.simulator.outlook.repeats import in_words
from greenroom.simulator.outlook.visit import Visit

_STATES = {
    "Accept": ("accepted", "Accepted"),
    "Decline": ("declined", "Declined"),
    "Tentative": ("tentative", "Tentative"),
    "Organizer": ("organizer", "Organizer"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """One attendee. `state` is a style name, `words` what it says; both empty where this mailbox cannot know."""

    name: str
    address: str
    role: str
    state: str = ""
    words: str = ""
    when: str = ""


@dataclass(slots=True, kw_only=True)
class Reading:
    """An item ready to be shown. Addresses of actions are None where the action does not apply."""

    item: Item
    kind: Kind
    label: str
    subject: str
    sender: str
    sender_address: str
    moment: str
    received: str
    is_from_room: bool = False
    body_url: str
    has_body: bool
    to: str = ""
    when: str = ""
    repeats: str = ""
    location: str = ""
    notes: list[tuple[str, str]] = field(default_factory=list)  # style, sentence
    answers: Sequence[Answer] = ()
    summary: str = ""
    my_answer: str = ""
    edit_url: str | None = None
    cancel_url: str | None = None
    related_url: str | None = None
    ics_url: str | None = None
    can_answer: bool = False
    can_remove: bool = False
    can_delete: bool = False

    @property
    def location_is_link(self) -> bool:
        return self.location.startswith(("https://", "http://")) and " " not in self.location


def reading(visit: Visit, item: Item) -> Reading:
    """Everything the reading pane says of an item."""
    body = _body(visit, item)
    author = item.author or item.sender
    kind = kind_of(item)
    occurrence = "" if visit.occurrence is None else visit.occurrence.isoformat()
    page = Reading(
        item=item,
        kind=kind,
        label=LABELS[kind],
        subject=item.subject or "(no title)",
        sender=name_of(visit, author),
        sender_address="" if author is None or author.routing == "EX" else author.address,
        moment=item.received.isoformat(),
        received=visit.clock.exactly(item.received),
        to=", ".join(name_of(visit, one) for one in item.to[:20]),
        is_from_room=_is_room(visit, author),
        body_url=visit.url("body", item=item.id, on=occurrence, v=body_version(body)),
        has_body=bool(body.content.strip()),
        can_delete=not visit.read_only and not isinstance(item, CalendarItem) and visit.place != "deleted",
    )
    if isinstance(item, CalendarItem | MeetingMessage):
        _tell_meeting(visit, page, item, item.meeting)
    if isinstance(item, CalendarItem):
        _tell_entry(visit, page, item)
    elif isinstance(item, MeetingMessage):
        _tell_message(visit, page, item)
    return page


def _is_room(visit: Visit, person: Person | None) -> bool:
    known = None if person is None else visit.exchange.find_mailbox(person.address)
    return known is not None and known.kind == "equipment"


def _body(visit: Visit, item: Item) -> Body:
    view = _occurrence(visit, item)
    return item.body if view is None else view.body


def _occurrence(visit: Visit, item: Item) -> CalendarItem | None:
    """The one occurrence of a series that is looked at, if one is and it still takes place."""
    if visit.occurrence is None or not isinstance(item, CalendarItem) or not item.meeting.is_series:
        return None
    try:
        return view_of(item, change_of(item, visit.occurrence))
    except NoSuchItem:
        return None


def body_shown(visit: Visit, item: Item) -> Body:
    """The body the frame shows: an exception's own, else the item's."""
    return _body(visit, item)


def _tell_meeting(visit: Visit, page: Reading, item: CalendarItem | MeetingMessage, meeting: Meeting) -> None:
    start, end, page.location = meeting.start, meeting.end, meeting.location
    view = _occurrence(visit, item)
    if view is not None:
        start, end, page.location = view.meeting.start, view.meeting.end, view.meeting.location
        page.subject = view.subject or page.subject
    page.when = visit.clock.span(start, end)
    page.repeats = in_words(meeting)
    page.ics_url = visit.url("meeting.ics", item=item.id)


def _tell_entry(visit: Visit, page: Reading, item: CalendarItem) -> None:
    meeting = item.meeting
    page.sender = name_of(visit, meeting.organizer)
    page.sender_address = "" if meeting.organizer.routing == "EX" else meeting.organizer.address
    page.answers = [_answer(visit, one, knows=item.is_organizer) for one in meeting.attendees]
    if item.is_organizer:
        page.summary = _summary(page.answers)
    in_calendar = visit.place_of(item) == "calendar"
    if meeting.is_cancelled:
        page.notes.append(("cancelled", "This meeting was cancelled."))
        page.can_remove = in_calendar and not visit.read_only and not item.is_organizer
        return
    if not in_calendar:
        page.notes.append(("quiet", "This meeting is no longer in the calendar."))
        return
    if not item.is_organizer and item.is_meeting:
        page.my_answer = _STATES.get(item.my_response, ("", ""))[1] if item.reply_time is not None else ""
        page.can_answer = not visit.read_only
    if item.is_organizer and not visit.read_only:
        page.edit_url = visit.url("edit", item=item.id)
        page.cancel_url = visit.url("cancel", item=item.id)


def _tell_message(visit: Visit, page: Reading, item: MeetingMessage) -> None:
    if item.associated_id is not None:
        try:
            entry = visit.exchange.get(visit.mailbox.address, item.associated_id)
        except NoSuchItem:
            entry = None
        page.related_url = None if entry is None else visit.item_url(entry)
    match item:
        case MeetingCancellation():
            page.notes.append(("cancelled", f"{page.sender} cancelled this meeting."))
            page.can_remove = item.associated_id is not None and visit.place == "inbox" and not visit.read_only
        case MeetingResponse():
            word = {"Accept": "accepted", "Tentative": "tentatively accepted", "Decline": "declined"}[item.response]
            who = "You have" if visit.place == "sent" else f"{page.sender} has"
            page.notes.append((page.kind, f"{who} {word} this meeting."))
            if item.is_out_of_date:
                page.notes.append(("quiet", "The answer is to an older version of the meeting."))
        case MeetingRequest():
            page.answers = [_answer(visit, one, knows=False) for one in item.meeting.attendees]
            if item.is_out_of_date:
                page.notes.append(("quiet", "Out of date: a newer version of this invitation has come."))
            page.can_answer = visit.place == "inbox" and not item.is_out_of_date and not visit.read_only


def _answer(visit: Visit, attendee: Attendee, *, knows: bool) -> Answer:
    state, words = _STATES.get(attendee.response, ("waiting", "No response"))
    when = "" if attendee.response_time is None else visit.clock.received(attendee.response_time)
    role = {"optional": "optional", "resource": "room mailbox"}.get(attendee.role, "")
    shown = Answer(name_of(visit, attendee.person), attendee.person.address, role)
    return Answer(shown.name, shown.address, role, state, words, when) if knows else shown


def _summary(answers: Sequence[Answer]) -> str:
    counts: dict[str, int] = {}
    for one in answers:
        counts[one.words] = counts.get(one.words, 0) + 1
    order = ("Accepted", "Tentative", "Declined", "No response")
    return ", ".join(f"{counts[word]} {word.lower()}" for word in order if word in counts)
