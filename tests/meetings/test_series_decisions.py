from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from greenroom.meetings.acceptance import handled_by, next_review
from greenroom.meetings.decision import Decision, decide, settle
from greenroom.meetings.evidence import Evidence, TicketStatus
from greenroom.meetings.kin import Kin, Kinship, kin_of
from greenroom.meetings.meeting import Kind, Observation, Person, Response
from greenroom.meetings.policy import Policy, Replies, Review, Split
from greenroom.meetings.reasons import AliasSource, Reason
from greenroom.meetings.record import Record, State
from greenroom.meetings.reply import Outcome, reply_identity
from greenroom.meetings.rules import Daily
from support.decided import NOTHING, POLICY, TICKET, VALID, record_of
from support.observations import NOW, observation, recurring, weekly

COPIED = Evidence(TicketStatus.COPIED, TICKET)
KIN = Evidence(TicketStatus.KIN, TICKET)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
SECOND = date(2026, 12, 9)
THIRD = date(2026, 12, 16)


def seen(**changes: Any) -> Observation:
    """A weekly series that shows our yes."""
    return weekly(response=Response.ACCEPTED, **changes)


def moved_by(hours: int, *days: date, answered: Mapping[date, Response] | None = None) -> Observation:
    return seen(moved=dict.fromkeys(days, hours * HOUR), answered=answered)


def decided(now_is: Observation, record: Record, now: datetime = NOW, policy: Policy = POLICY) -> Decision:
    return decide(now_is, record, VALID, policy, now)


# --- occurrences that change ----------------------------------------------------------------------------------------


def test_a_moved_occurrence_is_answered_by_itself() -> None:
    decision = decided(moved_by(3, SECOND), record_of(seen()))
    assert (decision.reason, decision.outcome) == (Reason.OCCURRENCE_EDITED, Outcome.ACCEPT_EDITED_OCCURRENCE)
    assert decision.answers_occurrence == SECOND
    assert decision.provide


def test_several_moved_occurrences_are_answered_one_after_the_other() -> None:
    now_is = moved_by(3, SECOND, THIRD)
    record = record_of(seen())
    first = decided(now_is, record)
    assert first.answers_occurrence == SECOND
    handled, more = handled_by(now_is, record, first, NOW)
    assert ([one.day for one in handled], more) == ([SECOND], True)
    later = replace(
        record,
        series=now_is.series,
        seen=now_is.fingerprint,
        handled=handled,
        replied=reply_identity(Outcome.ACCEPT_EDITED_OCCURRENCE, now_is, SECOND),
    )
    second = decided(now_is, later)
    assert second.answers_occurrence == THIRD
    assert handled_by(now_is, later, second, NOW) == (now_is.series.moved if now_is.series else (), False)


@pytest.mark.parametrize(
    "now_is",
    [
        seen(gone=[SECOND]),
        moved_by(3, SECOND, answered={SECOND: Response.ACCEPTED}),
    ],
    ids=["cancelled", "answered-before"],
)
def test_occurrences_that_ask_for_no_answer_change_the_room_in_silence(now_is: Observation) -> None:
    decision = decided(now_is, record_of(seen()))
    assert (decision.reason, decision.outcome, decision.provide) == (Reason.OCCURRENCES_CHANGED, None, True)


def test_an_occurrence_that_was_moved_in_the_past_is_not_answered() -> None:
    now_is = moved_by(3, SECOND)
    decision = decided(now_is, record_of(seen()), now=NOW + 10 * DAY)
    assert (decision.reason, decision.outcome) == (Reason.OCCURRENCES_CHANGED, None)


def test_a_changed_rule_is_answered_for_the_whole_series() -> None:
    now_is = recurring(pattern=Daily(14), count=10, response=Response.ACCEPTED)
    decision = decided(now_is, record_of(seen()))
    assert (decision.reason, decision.outcome) == (Reason.EDITED, Outcome.ACCEPT_EDITED_SERIES)


def test_an_answer_to_an_occurrence_that_was_under_way_in_a_crash_counts_if_the_calendar_shows_it() -> None:
    before = moved_by(3, SECOND)
    replying = reply_identity(Outcome.ACCEPT_EDITED_OCCURRENCE, before, SECOND)
    record = record_of(seen(), replying=replying, answered_before=None)
    assert settle(before, record).replied == record.replied
    shown = replace(before, changed=(replace(before.changed[0], response=Response.ACCEPTED, replied_at=NOW),))
    assert settle(shown, record).replied == replying


def test_a_policy_that_wants_changes_mailed_has_a_moved_occurrence_mailed_and_the_first_only_marks_it() -> None:
    for replies, mail in ((Replies.CHANGES, True), (Replies.FIRST, False)):
        policy = replace(POLICY, replies=replies)
        decision = decided(moved_by(3, SECOND), record_of(seen()), policy=policy)
        assert (decision.outcome, decision.mail) == (Outcome.ACCEPT_EDITED_OCCURRENCE, mail)


def test_a_series_that_an_earlier_version_accepted_without_its_rule_is_not_answered_again() -> None:
    old = record_of(seen(), series=None, seen="0" * 32, replied="accept_new_series:" + "0" * 32 + ":#0000000000000000")
    decision = decided(seen(), old)
    assert (decision.reason, decision.outcome, decision.provide) == (Reason.UNCHANGED, None, True)


# --- turning into a series and back ---------------------------------------------------------------------------------


def test_a_single_meeting_that_becomes_a_series_keeps_its_alias_and_is_answered_as_an_edited_series() -> None:
    single = observation("series", response=Response.ACCEPTED)
    record = record_of(single, replied=reply_identity(Outcome.ACCEPT_NEW_SINGLE, single))
    decision = decided(seen(), record)
    assert (decision.outcome, decision.alias) == (Outcome.ACCEPT_EDITED_SERIES, AliasSource.RECORD)


def test_a_series_that_becomes_a_single_meeting_keeps_its_alias_and_is_answered_as_an_edited_meeting() -> None:
    decision = decided(observation("series", response=Response.ACCEPTED), record_of(seen()))
    assert (decision.outcome, decision.alias) == (Outcome.ACCEPT_EDITED_SINGLE, AliasSource.RECORD)


# --- past and tail --------------------------------------------------------------------------------------------------


def test_a_new_series_all_past_is_declined_and_one_with_its_tail_in_the_future_gets_a_room() -> None:
    past = recurring(pattern=Daily(7), count=3, starts_in=-60 * DAY)
    tail = recurring(pattern=Daily(7), count=10, starts_in=-60 * DAY)
    assert decide(past, None, VALID, POLICY, NOW).outcome is Outcome.DECLINE_PAST_SERIES
    assert decide(tail, None, VALID, POLICY, NOW).outcome is Outcome.ACCEPT_NEW_SERIES


def test_a_series_whose_last_occurrence_was_moved_into_the_future_is_not_past() -> None:
    last = (NOW - 60 * DAY + 14 * DAY).date()
    late = recurring(pattern=Daily(7), count=3, starts_in=-60 * DAY, moved={last: 90 * DAY})
    assert decide(late, None, VALID, POLICY, NOW).outcome is Outcome.ACCEPT_NEW_SERIES


@pytest.mark.parametrize("known_for", [30 * DAY, DAY], ids=["long", "since-it-would-have-been-over"])
def test_a_series_shortened_so_that_it_is_over_is_ended_in_silence(known_for: timedelta) -> None:
    long = recurring(pattern=Daily(7), count=10, starts_in=-20 * DAY, response=Response.ACCEPTED)
    short = recurring(pattern=Daily(7), count=2, starts_in=-20 * DAY, response=Response.ACCEPTED)
    record = record_of(long, created_at=NOW - known_for)
    decision = decided(short, record)
    assert (decision.reason, decision.outcome, decision.retire) == (Reason.OVER, None, True)


# --- what is running ------------------------------------------------------------------------------------------------

RUNNING = NOW + DAY + HOUR / 2  # half an hour into the first occurrence
FIRST = (NOW + DAY, NOW + DAY + HOUR)


@pytest.mark.parametrize(
    "now_is",
    [
        recurring(pattern=Daily(7), count=10, starts_in=2 * DAY, response=Response.NONE),
        recurring(pattern=Daily(14), count=10, starts_in=3 * DAY),
    ],
    ids=["another-weekday", "another-rule"],
)
def test_an_edit_of_the_series_leaves_the_running_occurrence_open(now_is: Observation) -> None:
    decision = decided(now_is, record_of(seen()), now=RUNNING)
    assert (decision.held, decision.provide, decision.outcome) == (FIRST, True, Outcome.ACCEPT_EDITED_SERIES)


@pytest.mark.parametrize("minutes", [0, 59, 60, 119])
def test_a_cancelled_series_leaves_the_running_occurrence_open_until_its_window_closes(minutes: int) -> None:
    decision = decided(seen(cancelled=True), record_of(seen()), now=NOW + DAY + timedelta(minutes=minutes))
    assert (decision.reason, decision.held, decision.retire) == (Reason.CANCELLED, FIRST, False)


@pytest.mark.parametrize("minutes", [-1, 120])
def test_a_cancelled_series_of_which_nothing_runs_is_retired_at_once(minutes: int) -> None:
    decision = decided(seen(cancelled=True), record_of(seen()), now=NOW + DAY + timedelta(minutes=minutes))
    assert (decision.held, decision.retire) == (None, True)


def test_a_series_shortened_to_what_is_running_and_past_stays_open_until_that_window_closes() -> None:
    long = recurring(pattern=Daily(7), count=10, response=Response.ACCEPTED)
    short = recurring(pattern=Daily(7), count=1, response=Response.ACCEPTED)
    now = NOW + DAY + HOUR + timedelta(minutes=5)
    decision = decided(short, record_of(long), now=now)
    assert (decision.reason, decision.held, decision.retire) == (Reason.OVER, FIRST, False)
    kept = record_of(
        long, state=State.ENDED, reason=Reason.OVER.value, held=FIRST, series=short.series, span=short.span
    )
    assert decided(short, kept, now=now).held == FIRST
    assert decided(short, kept, now=NOW + DAY + 2 * HOUR).retire


def test_what_is_held_ends_with_its_window() -> None:
    record = record_of(seen(), state=State.ENDED, reason=Reason.CANCELLED.value, held=FIRST)
    assert decided(seen(cancelled=True), record, now=RUNNING).held == FIRST
    assert decided(seen(cancelled=True), record, now=NOW + DAY + 2 * HOUR).retire


@pytest.mark.parametrize(
    "now_is",
    [seen(gone=[(NOW + DAY).date()]), moved_by(48, (NOW + DAY).date())],
    ids=["cancelled", "moved"],
)
def test_a_word_about_the_running_occurrence_itself_counts(now_is: Observation) -> None:
    assert decided(now_is, record_of(seen()), now=RUNNING).held is None


def test_a_running_occurrence_that_goes_on_by_itself_is_not_held_apart() -> None:
    longer = recurring(pattern=Daily(7), count=20, response=Response.ACCEPTED)
    assert decided(longer, record_of(seen()), now=RUNNING).held is None


def test_a_running_single_meeting_that_becomes_a_series_of_other_days_stays_open() -> None:
    single = observation("series", response=Response.ACCEPTED)
    now_is = recurring(pattern=Daily(7), count=10, starts_in=2 * DAY)
    assert decided(now_is, record_of(single), now=RUNNING).held == FIRST


def test_a_running_single_meeting_that_is_cancelled_or_moved_is_not_held() -> None:
    single = observation("one", response=Response.ACCEPTED)
    for now_is in (replace(single, cancelled=True), observation("one", starts_in=5 * DAY)):
        assert decided(now_is, record_of(single), now=RUNNING).held is None


# --- endless series -------------------------------------------------------------------------------------------------


def endless(**changes: Any) -> Observation:
    return recurring(pattern=Daily(7), response=Response.ACCEPTED, **changes)


@pytest.mark.parametrize(
    ("review", "outcome"), [(Review.LIST, None), (Review.MAIL, Outcome.ACCEPT_STILL_NEEDED)], ids=["list", "mail"]
)
def test_an_endless_series_is_reviewed_when_its_time_comes_and_lives_on(
    review: Review, outcome: Outcome | None
) -> None:
    policy = replace(POLICY, review=review)
    record = record_of(endless(), review_at=NOW + 365 * DAY)
    assert decided(endless(), record, policy=policy).reason is Reason.UNCHANGED
    due = NOW + 365 * DAY
    decision = decided(endless(), record, now=due, policy=policy)
    assert (decision.reason, decision.outcome, decision.state) == (Reason.REVIEW, outcome, State.SCHEDULED)
    assert next_review(endless(), record, decision, policy, due) == due + policy.review_after


def test_the_question_of_a_review_is_mailed_once() -> None:
    policy = replace(POLICY, review=Review.MAIL)
    asked = reply_identity(Outcome.ACCEPT_STILL_NEEDED, endless(), (NOW + 365 * DAY).date())
    record = record_of(endless(), review_at=NOW + 365 * DAY, replied=asked)
    decision = decided(endless(), record, now=NOW + 365 * DAY, policy=policy)
    assert (decision.reason, decision.outcome) == (Reason.REVIEW, None)


def test_a_series_that_got_an_end_is_reviewed_no_more() -> None:
    record = record_of(endless(), review_at=NOW + 365 * DAY)
    decision = decided(seen(), record)
    assert next_review(seen(), record, decision, POLICY, NOW) is None


# --- kin ------------------------------------------------------------------------------------------------------------


def split_in_two() -> tuple[Record, Observation]:
    """An old series that ends before a new one with the same ticket begins."""
    old = recurring("old", pattern=Daily(7), until=SECOND, response=Response.ACCEPTED)
    new = recurring("new", pattern=Daily(7), count=8, starts_in=15 * DAY)
    return record_of(old), new


def test_a_series_cut_in_two_by_its_organizer_keeps_the_room() -> None:
    old, new = split_in_two()
    kin = kin_of(new, old, (), NOW)
    assert kin == Kin(old, Kinship.SPLIT)
    decision = decide(new, None, KIN, POLICY, NOW, kin=kin)
    assert (decision.reason, decision.outcome) == (Reason.SPLIT, Outcome.ACCEPT_NEW_SERIES)
    assert decision.alias is AliasSource.KIN


def test_a_split_is_a_split_whichever_half_is_seen_first() -> None:
    old = recurring("old", pattern=Daily(7), until=SECOND)
    new = recurring("new", pattern=Daily(7), count=8, starts_in=15 * DAY, response=Response.ACCEPTED)
    assert kin_of(old, record_of(new), (), NOW) == Kin(record_of(new), Kinship.SPLIT)


def test_a_split_gets_a_room_of_its_own_where_policy_says_so() -> None:
    old, new = split_in_two()
    policy = replace(POLICY, split=Split.NEW_ROOM)
    decision = decide(new, None, COPIED, policy, NOW, kin=kin_of(new, old, (), NOW))
    assert (decision.reason, decision.alias) == (Reason.SPLIT, AliasSource.DRAW)


def test_a_copy_by_somebody_else_is_no_split() -> None:
    old, new = split_in_two()
    theirs = replace(new, organizer=Person("eve@greenroom.example"))
    assert kin_of(theirs, old, (), NOW) is None


def test_a_copy_that_runs_beside_its_original_is_no_split() -> None:
    old = record_of(weekly("old"))
    beside = recurring("new", pattern=Daily(7), count=8, starts_in=2 * DAY, received_at=NOW - HOUR)
    assert kin_of(beside, old, (), NOW) is None


def test_the_new_half_of_a_split_waits_a_moment_for_the_old_one_to_end() -> None:
    old = record_of(weekly("old"))
    new = recurring("new", pattern=Daily(7), count=8, starts_in=15 * DAY)
    kin = kin_of(new, old, (), NOW)
    assert kin == Kin(old, Kinship.UNSETTLED)
    decision = decide(new, None, COPIED, POLICY, NOW, kin=kin)
    assert (decision.reason, decision.state, decision.provide) == (Reason.AWAITED, None, False)
    assert decision.again is not None
    late = NOW + timedelta(minutes=3)
    assert decide(new, None, COPIED, POLICY, late, kin=kin_of(new, old, (), late)).reason is Reason.COPY


def test_single_occurrences_of_one_series_share_what_its_ticket_says() -> None:
    whole = record_of(seen())
    lone = observation("series", kind=Kind.OCCURRENCE, key=seen().key.on(SECOND))
    assert kin_of(lone, whole, (), NOW) == Kin(whole, Kinship.OCCURRENCES)


def test_a_series_invited_after_one_of_its_occurrences_takes_over_that_room() -> None:
    lone = observation("series", kind=Kind.OCCURRENCE, key=seen().key.on(SECOND))
    record = record_of(lone)
    kin = kin_of(weekly(), None, [record], NOW)
    decision = decide(weekly(), None, NOTHING, POLICY, NOW, kin=kin)
    assert (decision.reason, decision.alias) == (Reason.KIN, AliasSource.KIN)


def test_a_series_with_a_ticket_of_its_own_does_not_take_over_the_room_of_its_occurrence() -> None:
    lone = observation("series", kind=Kind.OCCURRENCE, key=seen().key.on(SECOND))
    kin = kin_of(weekly(), None, [record_of(lone)], NOW)
    assert decide(weekly(), None, VALID, POLICY, NOW, kin=kin).alias is AliasSource.TICKET
