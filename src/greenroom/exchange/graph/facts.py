"""What one event says about a meeting: a glance for the price of a list, or everything."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice

from greenroom.exchange.addresses import address
from greenroom.exchange.errors import ItemBrokenError
from greenroom.exchange.graph import values
from greenroom.exchange.graph.events import (
    END_WHOLE,
    OWNER_CRITICAL_CHANGE,
    SEQUENCE,
    START_WHOLE,
    Broken,
    Event,
    Recipient,
    ResponseStatus,
)
from greenroom.exchange.graph.recurrence import exceptions_of, read_series, unsaid
from greenroom.meetings.meeting import (
    Changed,
    Glance,
    ItemRef,
    Kind,
    MeetingKey,
    Observation,
    Person,
    Response,
    Sensitivity,
    Span,
    fingerprint,
)
from greenroom.meetings.recurrence import Series

ECHO = timedelta(seconds=3)
"""Exchange writes the time of an answer and that of the change it makes one after the other."""

_RESPONSES = {
    "organizer": Response.ORGANIZER,
    "tentativelyAccepted": Response.TENTATIVE,
    "accepted": Response.ACCEPTED,
    "declined": Response.DECLINED,
}
_ANSWERS = (Response.TENTATIVE, Response.ACCEPTED, Response.DECLINED)
_SENSITIVITIES = {one.value: one for one in Sensitivity}
_LONGEST_NUMBER = 10
_MOST_CHANGED = 50


def glance(event: Event | Broken) -> Glance:
    """Tell what a list shows of an event; of a broken one only that it is there."""
    if isinstance(event, Broken):
        return Glance(event.ref)
    response, span = _response(event), _span(event)
    return Glance(
        event.ref,
        event.key,
        _fingerprint(event),
        response,
        own_answer=_is_echo(event, response),
        sent_at=_sent(event),
        starts_at=None if span is None else span.start,
    )


def _fingerprint(event: Event) -> str | None:
    """Hash a meeting's facts as its observation would; None for a series, whose exceptions no list shows."""
    key, span, sensitivity = event.key, _span(event), _SENSITIVITIES.get(event.sensitivity)
    if key is None or event.is_series or not event.type or span is None or sensitivity is None:
        return None
    return fingerprint(
        key=key,
        kind=_kind(event),
        span=span,
        subject=event.subject,
        sensitivity=sensitivity,
        cancelled=event.is_cancelled is True,
    )


def _is_echo(event: Event, response: Response) -> bool:
    """Whether our answer was the last change."""
    replied, changed = _replied(event), event.last_modified_date_time
    return (
        response in (Response.ACCEPTED, Response.DECLINED)
        and replied is not None
        and changed is not None
        and -ECHO <= changed - replied <= ECHO
    )


def observation(event: Event, mailbox: str) -> Observation | ItemBrokenError:
    """Tell everything; an ItemBrokenError for a meeting that makes no sense."""
    key, span = event.key, _span(event)
    if key is None:
        return ItemBrokenError("the meeting has no identity", code="no-key", mailbox=mailbox)
    cancelled = event.is_cancelled is True
    if span is None and not cancelled:
        return ItemBrokenError("the meeting has no times that make sense", code="no-times", mailbox=mailbox)
    kind, response, organizer = _kind(event), _response(event), _person(event.organizer) or Person("")
    series = read_series(event, span.start, span.end) if kind is Kind.SERIES and span is not None else None
    if span is not None and series is not None:
        span = replace(span, until=series.occurrences.last_end)
    return Observation(
        key=key,
        ref=event.ref,
        kind=kind,
        span=span,
        organizer=organizer,
        subject=event.subject,
        body_html=event.body.html[: values.LONGEST_BODY] if event.body else "",
        location=event.place,
        attendees=tuple(person for one in event.attendees if (person := _person(one)) is not None),
        sensitivity=_SENSITIVITIES.get(event.sensitivity, Sensitivity.NORMAL),
        cancelled=cancelled,
        is_organizer=is_own(event, mailbox),
        response=response,
        response_requested=event.response_requested is not False,
        replied_at=_replied(event),
        received_at=event.created_date_time,
        sent_at=_sent(event),
        sequence=_number(event.extended(SEQUENCE)),
        original_start=event.original_start if kind is Kind.OCCURRENCE else None,
        recurrence=unsaid(event) if kind is Kind.SERIES and series is None else None,
        series=series,
        changed=_changed(event, series) if series is not None else (),
    )


def _changed(event: Event, series: Series) -> tuple[Changed, ...]:
    """Tell what was answered to the occurrences that differ from their series; of very many, the latest."""
    found = list(islice(exceptions_of(event, series), _MOST_CHANGED))
    return tuple(
        Changed(
            day,
            ItemRef(one.id) if one.id else None,
            _answer(one.response_status) if one.response_status else None,
            _answered(one.response_status),
        )
        for day, one in reversed(found)
    )


def is_own(event: Event, mailbox: str) -> bool:
    """Whether the mailbox itself is the organizer."""
    organizer = _person(event.organizer)
    return (
        event.is_organizer is True
        or _response(event) is Response.ORGANIZER
        or (organizer is not None and organizer.address == mailbox)
    )


def standing(seen: Observation) -> tuple[bool, bool, int, datetime]:
    """Order items of one key: the series, then what is not cancelled, then the newest counts most."""
    stamp = seen.sent_at or seen.received_at or values.NEVER
    return seen.kind is Kind.SERIES, not seen.cancelled, seen.sequence or 0, stamp


def key_of(seen: Event | Broken) -> MeetingKey | None:
    """Return the meeting's key where it can be told."""
    return None if isinstance(seen, Broken) else seen.key


def _kind(event: Event) -> Kind:
    if event.is_series:
        return Kind.SERIES
    return Kind.OCCURRENCE if event.is_lone_occurrence else Kind.SINGLE


def _span(event: Event) -> Span | None:
    start, end = event.starts, event.ends
    all_day = event.is_all_day is True
    if all_day:  # shown are midnights without a zone, these two are the instants they are in the organizer's zone
        zone = values.zone_of(event.original_start_time_zone) or UTC
        start = values.instant(event.extended(START_WHOLE)) or (start and values.floating(start, zone))
        end = values.instant(event.extended(END_WHOLE)) or (end and values.floating(end, zone))
    if start is None or end is None or end < start:
        return None
    return Span(start, end, event.original_start_time_zone or None, all_day=all_day)


def _response(event: Event) -> Response:
    return _answer(event.response_status)


def _replied(event: Event) -> datetime | None:
    return _answered(event.response_status)


def _answer(status: ResponseStatus | None) -> Response:
    return _RESPONSES.get(status.response if status else "", Response.NONE)


def answered(status: ResponseStatus | None) -> tuple[Response, datetime | None]:
    """Tell an answer and its time."""
    return _answer(status), _answered(status)


def _answered(status: ResponseStatus | None) -> datetime | None:
    return status.time if status and _answer(status) in _ANSWERS else None


def _sent(event: Event) -> datetime | None:
    return values.instant(event.extended(OWNER_CRITICAL_CHANGE))


def _person(one: Recipient | None) -> Person | None:
    found = address(one.email_address.address) if one and one.email_address else ""
    return Person(found, one.email_address.name) if found and one and one.email_address else None


def _number(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER else None
