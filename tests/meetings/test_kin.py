"""Who may share a room: whoever knows a series' id and its ticket (both stand in every invitation) is not yet its organizer."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from greenroom.meetings.decision import decide
from greenroom.meetings.evidence import Evidence, TicketStatus
from greenroom.meetings.kin import Kin, Kinship, kin_of
from greenroom.meetings.meeting import Kind, MeetingKey, Observation, Person
from greenroom.meetings.policy import Policy, Unticketed
from greenroom.meetings.reasons import AliasSource
from greenroom.meetings.record import Record, State
from greenroom.meetings.rules import Daily
from greenroom.meetings.ticket import Ticket
from support.observations import MAILBOX, NOW, observation, recurring, weekly

SERIES = MeetingKey.of_uid("series")
SECOND = date(2026, 12, 9)
POLICY = Policy(MAILBOX)
EVE = Person("eve@outside.example")
NOBODY = Person("")


def accepted(what: Observation) -> Record:
    """Return the record of a meeting that has a room."""
    return Record(
        integration=1,
        key=what.key,
        correlation_id="AAAA-BBBB",
        state=State.SCHEDULED,
        kind=what.kind,
        organizer=what.organizer.address,
        ref=what.ref,
        created_at=NOW,
        updated_at=NOW,
        span=what.span,
        seen=what.fingerprint,
        alias_number=123456789,
        alias_key=0,
        room="room",
        series=what.series,
    )


def lone(organizer: Person | None = None) -> Observation:
    """Return an invitation to one occurrence of the series alone."""
    seen = observation("lone", kind=Kind.OCCURRENCE, key=SERIES.on(SECOND), starts_in=timedelta(days=8))
    return seen if organizer is None else replace(seen, organizer=organizer)


def test_an_occurrence_shares_the_room_of_its_organizers_series() -> None:
    holder = accepted(weekly())
    assert kin_of(lone(), holder, (), NOW) == Kin(holder, Kinship.OCCURRENCES)
    assert kin_of(lone(), None, [holder], NOW) == Kin(holder, Kinship.OCCURRENCES)


@pytest.mark.parametrize("unticketed", list(Unticketed), ids=str)
def test_a_stranger_opens_nobodys_room_by_naming_one_of_its_occurrences(unticketed: Unticketed) -> None:
    kin = kin_of(lone(EVE), None, [accepted(weekly())], NOW)
    assert kin is None
    decision = decide(lone(EVE), None, Evidence(), replace(POLICY, unticketed=unticketed), NOW, kin=kin)
    assert decision.alias in (None, AliasSource.DRAW)


def test_a_stranger_with_the_ticket_opens_nobodys_room_by_naming_one_of_its_occurrences() -> None:
    assert kin_of(lone(EVE), accepted(weekly()), [accepted(weekly())], NOW) is None


def test_a_stranger_does_not_take_over_the_room_of_an_occurrence_by_inviting_to_its_series() -> None:
    theirs = weekly(organizer=EVE)
    assert kin_of(theirs, accepted(lone()), (), NOW) is None
    assert kin_of(theirs, None, [accepted(lone())], NOW) is None


def test_of_several_meetings_of_one_series_only_those_of_the_same_organizer_count() -> None:
    stranger, own = accepted(lone(EVE)), accepted(weekly())
    other = replace(lone(), key=SERIES.on(date(2026, 12, 16)))
    assert kin_of(other, stranger, [stranger, own], NOW) == Kin(own, Kinship.OCCURRENCES)


def test_meetings_of_which_nobody_knows_the_organizer_share_nothing() -> None:
    holder = replace(accepted(weekly()), organizer="")
    assert kin_of(lone(NOBODY), holder, [holder], NOW) is None
    old = recurring("old", pattern=Daily(7), until=SECOND)
    new = recurring("new", pattern=Daily(7), count=8, starts_in=timedelta(days=15), organizer=NOBODY)
    assert kin_of(new, replace(accepted(old), organizer=""), (), NOW) is None


def test_what_shares_nothing_gets_a_room_of_its_own() -> None:
    copied = Evidence(TicketStatus.COPIED, Ticket(1, 123456789, 0, NOW, 0))
    kin = kin_of(lone(EVE), accepted(weekly()), (), NOW)
    decision = decide(lone(EVE), None, copied, POLICY, NOW, kin=kin)
    assert (decision.provide, decision.alias) == (True, AliasSource.DRAW)
