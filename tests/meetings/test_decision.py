from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenroom.meetings.decision import Decision, decide, settle
from greenroom.meetings.evidence import Evidence, TicketStatus
from greenroom.meetings.meeting import Kind, Observation, Person, Response, Sensitivity
from greenroom.meetings.policy import Policy, Replies, Unticketed
from greenroom.meetings.reasons import AliasSource, Reason
from greenroom.meetings.record import Record, State
from greenroom.meetings.reply import Outcome, reply_identity
from greenroom.meetings.ticket import OFFLINE, PERSONAL
from support.decided import NOTHING, POLICY, TICKET, VALID, record_of
from support.observations import ADA, MAILBOX, NOW, observation


def test_a_new_meeting_with_a_ticket_gets_the_tickets_alias_and_an_accept() -> None:
    assert decide(observation(), None, VALID, POLICY, NOW) == Decision(
        Reason.NEW,
        State.SCHEDULED,
        outcome=Outcome.ACCEPT_NEW_SINGLE,
        provide=True,
        alias=AliasSource.TICKET,
    )


def test_a_new_series_is_accepted_as_a_series() -> None:
    decision = decide(observation(kind=Kind.SERIES), None, VALID, POLICY, NOW)
    assert decision.outcome is Outcome.ACCEPT_NEW_SERIES


def test_an_invitation_without_a_ticket_gets_a_drawn_alias() -> None:
    decision = decide(observation(), None, NOTHING, POLICY, NOW)
    assert (decision.alias, decision.outcome) == (AliasSource.DRAW, Outcome.ACCEPT_NEW_SINGLE)


@pytest.mark.parametrize(
    ("policy", "outcome", "state"),
    [
        (Unticketed.DECLINE, Outcome.DECLINE_INVALID_TICKET, State.DECLINED),
        (Unticketed.IGNORE, None, State.IGNORED),
    ],
)
def test_an_invitation_without_a_ticket_follows_the_policy(
    policy: Unticketed, outcome: Outcome | None, state: State
) -> None:
    decision = decide(observation(), None, NOTHING, replace(POLICY, unticketed=policy), NOW)
    assert (decision.outcome, decision.state, decision.provide) == (outcome, state, False)


@pytest.mark.parametrize(
    ("changes", "welcome"),
    [
        ({}, True),
        ({"deny_organizers": frozenset({ADA.address})}, False),
        ({"deny_domains": frozenset({ADA.domain})}, False),
        ({"allow_domains": frozenset({"other.example"})}, False),
        ({"allow_domains": frozenset({ADA.domain})}, True),
        ({"allow_organizers": frozenset({ADA.address})}, True),
        ({"allow_domains": frozenset({ADA.domain}), "deny_organizers": frozenset({ADA.address})}, False),
    ],
)
def test_lists_say_who_may_have_a_room_without_a_ticket(changes: dict[str, frozenset[str]], *, welcome: bool) -> None:
    policy = replace(POLICY, **changes)  # type: ignore[arg-type]  # named by the parameters
    assert decide(observation(), None, NOTHING, policy, NOW).provide is welcome
    assert decide(observation(), None, VALID, policy, NOW).provide is True


def test_a_copied_ticket_gives_the_copy_its_own_alias() -> None:
    decision = decide(observation(), None, Evidence(TicketStatus.COPIED, TICKET), POLICY, NOW)
    assert (decision.reason, decision.alias) == (Reason.COPY, AliasSource.DRAW)


PROMISED = Evidence(TicketStatus.OFFLINE, replace(TICKET, options=OFFLINE))
OWN_ROOM = Evidence(TicketStatus.PERSONAL, replace(TICKET, options=PERSONAL))


@pytest.mark.parametrize("unticketed", list(Unticketed))
def test_a_promise_is_kept_whatever_becomes_of_unticketed_invitations(unticketed: Unticketed) -> None:
    policy = replace(POLICY, unticketed=unticketed, deny_organizers=frozenset({ADA.address}))
    decision = decide(observation(), None, PROMISED, policy, NOW)
    assert (decision.reason, decision.alias, decision.outcome) == (
        Reason.OFFLINE,
        AliasSource.DRAW,
        Outcome.ACCEPT_NEW_SINGLE,
    )


def test_a_promise_that_shows_up_again_changes_no_alias() -> None:
    seen = observation()
    decision = decide(seen, record_of(seen), PROMISED, POLICY, NOW)
    assert (decision.alias, decision.outcome, decision.provide) == (AliasSource.RECORD, None, True)


def test_an_accepted_promise_of_which_nothing_is_known_any_more_is_kept_and_told_again() -> None:
    seen = replace(observation(), response=Response.ACCEPTED)
    decision = decide(seen, None, PROMISED, POLICY, NOW)
    assert (decision.reason, decision.outcome) == (Reason.OFFLINE, Outcome.ACCEPT_NEW_SINGLE)


def test_a_meeting_in_a_personal_room_is_left_alone() -> None:
    assert decide(observation(), None, OWN_ROOM, POLICY, NOW) == Decision(Reason.PERSONAL_ROOM, State.IGNORED)


def test_a_text_about_a_personal_room_takes_no_room_from_a_meeting_that_has_one() -> None:
    seen = observation()
    decision = decide(seen, record_of(seen), OWN_ROOM, POLICY, NOW)
    assert (decision.provide, decision.retire, decision.alias) == (True, False, AliasSource.RECORD)


def test_a_forged_ticket_is_declined_even_where_unticketed_invitations_are_welcome() -> None:
    decision = decide(observation(), None, Evidence(TicketStatus.FORGED), POLICY, NOW)
    assert (decision.outcome, decision.provide) == (Outcome.DECLINE_INVALID_TICKET, False)


def test_a_foreign_ticket_is_left_to_whoever_issued_it() -> None:
    decision = decide(observation(), None, Evidence(TicketStatus.FOREIGN), POLICY, NOW)
    assert (decision.outcome, decision.state) == (None, State.IGNORED)


def test_a_deleted_reservation_is_declined_and_its_room_retired() -> None:
    seen = observation()
    decision = decide(seen, record_of(seen), Evidence(TicketStatus.DELETED, TICKET), POLICY, NOW)
    assert (decision.outcome, decision.retire) == (Outcome.DECLINE_ALIAS_DELETED, True)


def test_a_moved_meeting_is_accepted_again_with_the_same_alias() -> None:
    seen = observation()
    moved = observation(starts_in=timedelta(days=2), sent_at=NOW + timedelta(minutes=1))
    decision = decide(moved, record_of(seen), VALID, POLICY, NOW)
    assert (decision.outcome, decision.alias) == (Outcome.ACCEPT_EDITED_SINGLE, AliasSource.RECORD)


def test_an_edited_occurrence_says_so() -> None:
    seen = observation(kind=Kind.OCCURRENCE)
    moved = observation(kind=Kind.OCCURRENCE, starts_in=timedelta(days=2))
    assert decide(moved, record_of(seen), VALID, POLICY, NOW).outcome is Outcome.ACCEPT_EDITED_OCCURRENCE


def test_a_change_of_the_body_alone_is_met_with_silence() -> None:
    seen = observation()
    echo = replace(seen, body_html="other", sent_at=NOW + timedelta(minutes=1), response=Response.ACCEPTED)
    decision = decide(echo, record_of(seen), VALID, POLICY, NOW)
    assert (decision.reason, decision.outcome, decision.provide) == (Reason.UNCHANGED, None, True)


def test_an_update_that_reset_our_answer_is_answered_again() -> None:
    seen = observation()
    again = replace(seen, sent_at=NOW + timedelta(minutes=1), response=Response.NONE)
    decision = decide(again, record_of(seen), VALID, POLICY, NOW)
    assert (decision.reason, decision.outcome) == (Reason.ANSWER_WAS_RESET, Outcome.ACCEPT_EDITED_SINGLE)


def test_a_reply_that_was_sent_is_not_sent_again() -> None:
    seen = observation()
    died_before_it_was_done = record_of(seen, state=State.PENDING, seen=None)
    assert decide(seen, died_before_it_was_done, VALID, POLICY, NOW).outcome is None
    sent_again = replace(seen, sent_at=NOW + timedelta(minutes=1))
    assert decide(sent_again, died_before_it_was_done, VALID, POLICY, NOW).outcome is not None


def test_a_reply_that_went_out_before_our_own_update_came_back_is_not_sent_again() -> None:
    before = observation()
    lost = record_of(before, state=State.PENDING, seen=None)
    echo = replace(before, sent_at=NOW + timedelta(minutes=1), response=Response.ACCEPTED)
    assert decide(echo, lost, VALID, POLICY, NOW).outcome is None


def test_pressing_the_button_again_gives_the_meeting_the_new_tickets_alias() -> None:
    seen = observation()
    other = Evidence(TicketStatus.VALID, replace(TICKET, number=987654321))
    assert decide(seen, record_of(seen), other, POLICY, NOW).alias is AliasSource.TICKET


def test_a_cancellation_is_met_with_silence_and_the_room_is_retired() -> None:
    seen = observation()
    decision = decide(replace(seen, cancelled=True), record_of(seen), VALID, POLICY, NOW)
    assert (decision.outcome, decision.retire, decision.state) == (None, True, State.ENDED)


def test_a_cancellation_without_a_time_is_understood() -> None:
    decision = decide(observation(cancelled=True, span=None), None, NOTHING, POLICY, NOW)
    assert (decision.retire, decision.state) == (False, State.ENDED)


def test_a_meeting_invited_again_after_its_cancellation_is_new_with_its_old_alias() -> None:
    seen = observation()
    ended = record_of(seen, state=State.ENDED, room=None)
    decision = decide(observation(sent_at=NOW + timedelta(hours=1)), ended, VALID, POLICY, NOW)
    assert (decision.outcome, decision.alias) == (Outcome.ACCEPT_NEW_SINGLE, AliasSource.RECORD)


@pytest.mark.parametrize("kind", [Kind.SINGLE, Kind.SERIES])
def test_a_meeting_in_the_past_is_declined(kind: Kind) -> None:
    past = observation(starts_in=-timedelta(hours=3), kind=kind)
    if past.span is not None and kind is Kind.SERIES:
        past = replace(past, span=replace(past.span, until=NOW - timedelta(hours=1)))
    outcome = Outcome.DECLINE_PAST_SERIES if kind is Kind.SERIES else Outcome.DECLINE_PAST_SINGLE
    assert decide(past, None, VALID, POLICY, NOW).outcome is outcome


def test_a_series_without_end_is_never_past() -> None:
    assert decide(observation(starts_in=-timedelta(days=900), kind=Kind.SERIES), None, VALID, POLICY, NOW).provide


def test_nobody_waits_for_a_decline_of_what_was_over_weeks_ago() -> None:
    old = observation(starts_in=-timedelta(days=60), received_at=NOW - timedelta(days=61))
    assert decide(old, None, VALID, POLICY, NOW).outcome is None


def test_a_meeting_that_runs_is_still_accepted() -> None:
    assert decide(observation(starts_in=-timedelta(minutes=30)), None, VALID, POLICY, NOW).provide


def test_the_mailboxes_own_meetings_are_ignored() -> None:
    own = observation(organizer=Person(MAILBOX))
    assert decide(own, None, VALID, POLICY, NOW).state is State.IGNORED
    assert decide(observation(is_organizer=True), None, VALID, POLICY, NOW).state is State.IGNORED


def test_after_a_loss_a_ticketed_and_answered_meeting_comes_back_in_silence() -> None:
    seen = observation(response=Response.ACCEPTED)
    decision = decide(seen, None, VALID, POLICY, NOW)
    assert (decision.reason, decision.outcome, decision.provide) == (Reason.RECOVERED, None, True)
    back = record_of(seen, replied=None)
    assert decide(seen, back, VALID, POLICY, NOW).outcome is None


def test_a_privacy_change_is_a_change_that_concerns_the_room() -> None:
    seen = observation()
    private = replace(seen, sensitivity=Sensitivity.PRIVATE, response=Response.ACCEPTED)
    assert decide(private, record_of(seen), VALID, POLICY, NOW).reason is Reason.EDITED


def test_an_unknown_reply_counts_as_sent_when_the_calendar_shows_a_new_answer() -> None:
    seen = observation()
    asked = record_of(seen, replied=None, replying=reply_identity(Outcome.ACCEPT_NEW_SINGLE, seen), state=State.PENDING)
    went_out = replace(seen, response=Response.ACCEPTED, replied_at=NOW)
    assert settle(went_out, asked).replied == asked.replying
    assert settle(seen, asked).replied is None
    assert settle(seen, asked).replying is None


def test_an_older_answer_does_not_pass_for_the_one_that_was_about_to_be_sent() -> None:
    seen = observation(response=Response.ACCEPTED, replied_at=NOW)
    asked = record_of(
        seen,
        replying=reply_identity(Outcome.ACCEPT_EDITED_SINGLE, seen),
        replied="accept_new_single:x:",
        answered_before=NOW,
    )
    assert settle(seen, asked).replied == "accept_new_single:x:"


def test_a_meeting_that_ended_while_its_answer_was_held_up_is_not_declined() -> None:
    seen = observation()
    held_up = record_of(seen, state=State.DEFECTIVE, seen=None, replied=None, room=None, reason="unticketed")
    after = NOW + timedelta(days=2)
    decision = decide(seen, held_up, NOTHING, POLICY, after)
    assert (decision.reason, decision.outcome, decision.state) == (Reason.OVER, None, State.ENDED)
    with_room = replace(held_up, state=State.PENDING, room="room")
    decision = decide(seen, with_room, NOTHING, POLICY, after)
    assert (decision.outcome, decision.state, decision.retire) == (None, State.SCHEDULED, False)


def test_a_past_meeting_is_still_declined_after_a_crash() -> None:
    past = observation(starts_in=-timedelta(hours=3))
    weighed = record_of(past, state=State.PENDING, seen=None, replied=None, room=None, alias_number=None, reason="past")
    assert decide(past, weighed, NOTHING, POLICY, NOW).outcome is Outcome.DECLINE_PAST_SINGLE


@pytest.mark.parametrize(
    "changes",
    [
        {"response": Response.ACCEPTED},
        {"received_at": NOW - timedelta(days=61)},
        {"informational_copy": True},
        {"organizer": Person(MAILBOX)},
    ],
)
def test_silence_survives_a_crash_before_it_was_done(changes: dict[str, object]) -> None:
    what = replace(observation(starts_in=-timedelta(days=60)), **changes)  # type: ignore[arg-type]  # named above
    weighed = record_of(what, state=State.PENDING, seen=None, replied=None, room=None, alias_number=None)
    first = decide(what, None, NOTHING, POLICY, NOW)
    again = decide(what, weighed, NOTHING, POLICY, NOW)
    assert (first.outcome, first.state) == (again.outcome, again.state) == (None, State.IGNORED)


def test_a_text_changed_after_the_meeting_is_met_with_silence() -> None:
    seen = observation()
    renamed = replace(seen, subject="Notes of the planning", sent_at=NOW + timedelta(days=2))
    decision = decide(renamed, record_of(seen), VALID, POLICY, NOW + timedelta(days=2))
    assert (decision.reason, decision.outcome, decision.state) == (Reason.OVER, None, State.SCHEDULED)


def test_a_meeting_moved_into_the_past_is_declined_also_after_a_crash() -> None:
    before = observation()
    moved = observation(starts_in=-timedelta(hours=3), sent_at=NOW + timedelta(minutes=1))
    assert decide(moved, record_of(before), VALID, POLICY, NOW).outcome is Outcome.DECLINE_PAST_SINGLE
    weighed = record_of(before, span=moved.span, reason="past")
    assert decide(moved, weighed, VALID, POLICY, NOW).outcome is Outcome.DECLINE_PAST_SINGLE


def test_a_series_shortened_to_what_is_over_ends_in_silence() -> None:
    series = observation(kind=Kind.SERIES)
    shortened = replace(series, recurrence="shorter", sent_at=NOW + timedelta(days=9))
    assert series.span is not None
    shortened = replace(shortened, span=replace(series.span, until=NOW + timedelta(days=8)))
    decision = decide(shortened, record_of(series), VALID, POLICY, NOW + timedelta(days=9))
    assert (decision.outcome, decision.state, decision.retire) == (None, State.ENDED, True)


@pytest.mark.parametrize("policy", [POLICY, replace(POLICY, unticketed=Unticketed.IGNORE)])
def test_what_is_left_alone_is_left_alone_when_it_is_over_too(policy: Policy) -> None:
    past = observation(starts_in=-timedelta(hours=3))
    evidence = Evidence(TicketStatus.FOREIGN) if policy is POLICY else NOTHING
    assert decide(past, None, evidence, policy, NOW).outcome is None
    ignored = record_of(past, state=State.IGNORED, replied=None, room=None, alias_number=None, created_at=NOW)
    assert decide(past, ignored, evidence, policy, NOW + timedelta(days=1)).outcome is None


def test_a_copy_in_the_mailboxes_own_name_leaves_the_real_meeting_alone() -> None:
    seen = observation()
    decision = decide(replace(seen, is_organizer=True), record_of(seen), VALID, POLICY, NOW)
    assert decision == Decision(Reason.OWN_MEETING, None)


@pytest.mark.parametrize("cancelled", [True, False])
def test_a_word_about_one_occurrence_does_not_speak_for_the_series(*, cancelled: bool) -> None:
    series = observation(kind=Kind.SERIES)
    one = observation(kind=Kind.OCCURRENCE, cancelled=cancelled, sent_at=NOW + timedelta(minutes=1))
    decision = decide(one, record_of(series), VALID, POLICY, NOW)
    assert (decision.state, decision.outcome, decision.provide, decision.retire) == (None, None, False, False)


def test_pressing_the_button_again_tells_the_organizer_the_new_alias() -> None:
    seen = observation()
    again = replace(seen, sent_at=NOW + timedelta(minutes=1), response=Response.ACCEPTED)
    other = Evidence(TicketStatus.VALID, replace(TICKET, number=987654321))
    decision = decide(again, record_of(seen), other, POLICY, NOW)
    assert (decision.reason, decision.outcome) == (Reason.EDITED, Outcome.ACCEPT_EDITED_SINGLE)


def test_a_cancellation_closes_a_room_that_a_crash_kept_us_from_noting() -> None:
    seen = observation()
    unnoted = record_of(seen, state=State.PENDING, room=None, seen=None, replied=None)
    assert decide(replace(seen, cancelled=True), unnoted, VALID, POLICY, NOW).retire


def test_the_accepted_item_a_cancellation_left_behind_is_no_new_invitation() -> None:
    accepted = observation(response=Response.ACCEPTED, replied_at=NOW)
    ended = record_of(accepted, state=State.ENDED, room=None, reason="cancelled", updated_at=NOW + timedelta(hours=1))
    decision = decide(accepted, ended, VALID, POLICY, NOW + timedelta(hours=2))
    assert (decision.state, decision.outcome, decision.provide) == (State.ENDED, None, False)
    again = replace(accepted, replied_at=NOW + timedelta(hours=2))  # answered by the server, for a new invitation
    assert decide(again, ended, VALID, POLICY, NOW + timedelta(hours=2)).provide
    assert decide(accepted, replace(ended, reason="removed"), VALID, POLICY, NOW + timedelta(hours=2)).provide


@given(
    kind=st.sampled_from(Kind),
    cancelled=st.booleans(),
    hours=st.integers(-2000, 2000),
    response=st.sampled_from(Response),
    status=st.sampled_from(TicketStatus),
    state=st.none() | st.sampled_from(State),
)
def test_a_decision_never_provides_and_retires_and_an_accept_always_means_a_room(
    *, kind: Kind, cancelled: bool, hours: int, response: Response, status: TicketStatus, state: State | None
) -> None:
    seen = observation(kind=kind, cancelled=cancelled, response=response, starts_in=timedelta(hours=hours))
    evidence = Evidence(status, TICKET)
    record = None if state is None else record_of(observation(kind=kind), state=state)
    decision = decide(seen, record, evidence, POLICY, NOW)
    assert not (decision.provide and decision.retire)
    assert decision.provide == (decision.alias is not None)
    if decision.outcome is not None:
        assert decision.outcome.accepts == decision.provide
    assert decide(seen, record, evidence, POLICY, NOW) == decision


def told(what: Observation, **changes: object) -> Record:
    return record_of(what, **{"replied": reply_identity(Outcome.ACCEPT_NEW_SINGLE, what), **changes})


RENAMED = {"subject": "Another name"}
MOVED = {"starts_in": timedelta(days=2)}
REPEATED = {"recurrence": "weekly"}
LATER = {"sent_at": NOW + timedelta(minutes=1)}


@pytest.mark.parametrize(
    ("replies", "change", "mailed"),
    [
        (Replies.ALL, RENAMED, True),
        (Replies.ALL, {}, True),
        (Replies.CHANGES, RENAMED, False),
        (Replies.CHANGES, {"sensitivity": Sensitivity.PRIVATE}, False),
        (Replies.CHANGES, {}, False),
        (Replies.CHANGES, MOVED, True),
        (Replies.CHANGES, REPEATED, True),
        (Replies.FIRST, RENAMED, False),
        (Replies.FIRST, {}, False),
        (Replies.FIRST, MOVED, False),
        (Replies.FIRST, REPEATED, False),
    ],
)
def test_policy_says_which_changes_are_answered_by_mail(
    replies: Replies, change: dict[str, object], *, mailed: bool
) -> None:
    policy = replace(POLICY, replies=replies)
    changed = observation(**{**change, **LATER})  # type: ignore[arg-type]  # named above
    before = told(observation())
    decision = decide(changed, before, VALID, policy, NOW)
    assert (decision.outcome, decision.mail) == (Outcome.ACCEPT_EDITED_SINGLE, mailed)
    again = decide(changed, replace(before, span=changed.span), VALID, policy, NOW)
    assert again == decision, "a crash after the weighing changes nothing"
    if change:
        shown = decide(replace(changed, response=Response.ACCEPTED), before, VALID, policy, NOW)
        assert shown.outcome is (Outcome.ACCEPT_EDITED_SINGLE if mailed else None)
        assert (shown.state, shown.provide) == (State.SCHEDULED, True)


@pytest.mark.parametrize("replies", Replies)
def test_first_answers_and_those_that_turned_round_are_always_mailed(replies: Replies) -> None:
    policy = replace(POLICY, replies=replies)
    seen = observation(**LATER)  # type: ignore[arg-type]  # named above
    assert decide(seen, None, VALID, policy, NOW).mail
    assert decide(seen, told(seen, state=State.ENDED, room=None), VALID, policy, NOW).mail
    declined = record_of(
        seen,
        state=State.DECLINED,
        room=None,
        replied=reply_identity(Outcome.DECLINE_INVALID_TICKET, observation()),
        alias_number=None,
    )
    turned = decide(seen, declined, VALID, policy, NOW)
    assert (turned.outcome, turned.mail) == (Outcome.ACCEPT_NEW_SINGLE, True)
    past = observation(starts_in=-timedelta(hours=3), **LATER)  # type: ignore[arg-type]  # named above
    turned = decide(past, told(observation()), VALID, policy, NOW)
    assert (turned.outcome, turned.mail) == (Outcome.DECLINE_PAST_SINGLE, True)
    other = decide(past, declined, VALID, policy, NOW)
    assert (other.outcome, other.mail) == (Outcome.DECLINE_PAST_SINGLE, True), "another reason stands nowhere else"


def test_a_decline_that_only_repeats_itself_is_mailed_where_policy_wants_all() -> None:
    seen = observation(subject="Another name", **LATER)  # type: ignore[arg-type]  # named above
    declined = record_of(
        seen,
        state=State.DECLINED,
        room=None,
        alias_number=None,
        replied=reply_identity(Outcome.DECLINE_INVALID_TICKET, observation()),
    )
    policy = replace(POLICY, unticketed=Unticketed.DECLINE)
    mailed = {
        replies: decide(seen, declined, NOTHING, replace(policy, replies=replies), NOW).mail for replies in Replies
    }
    assert mailed == {Replies.ALL: True, Replies.CHANGES: False, Replies.FIRST: False}


def test_another_alias_is_a_change_worth_a_mail_and_is_never_taken_out_of_the_decision() -> None:
    seen = observation(response=Response.ACCEPTED, **LATER)  # type: ignore[arg-type]  # named above
    other = Evidence(TicketStatus.VALID, replace(TICKET, number=987654321))
    changes = decide(seen, told(observation()), other, replace(POLICY, replies=Replies.CHANGES), NOW)
    assert (changes.outcome, changes.mail) == (Outcome.ACCEPT_EDITED_SINGLE, True)
    first = decide(seen, told(observation()), other, replace(POLICY, replies=Replies.FIRST), NOW)
    assert (first.outcome, first.mail) == (Outcome.ACCEPT_EDITED_SINGLE, False)
    taken = told(observation(), replied="accept_new_single:", seen=None)
    assert decide(seen, taken, VALID, replace(POLICY, replies=Replies.FIRST), NOW) == replace(
        first, alias=AliasSource.RECORD
    )


def test_a_reply_stored_before_identities_told_the_time_is_understood_and_counts_as_another_time() -> None:
    seen = observation()
    old = reply_identity(Outcome.ACCEPT_NEW_SINGLE, seen).partition("#")[0]
    died = record_of(seen, state=State.PENDING, seen=None, replied=old)
    assert decide(seen, died, VALID, POLICY, NOW).outcome is None
    renamed = observation(subject="Another name", **LATER)  # type: ignore[arg-type]  # named above
    changes = replace(POLICY, replies=Replies.CHANGES)
    assert decide(renamed, record_of(seen, replied=old), VALID, changes, NOW).mail
