from datetime import UTC, datetime

import pytest

from greenroom.cli import words
from greenroom.exchange.contract import UpdateResult
from greenroom.meetings.evidence import TicketStatus
from greenroom.meetings.meeting import Kind, MeetingKey
from greenroom.meetings.reasons import Reason
from greenroom.meetings.record import JournalEntry, State
from greenroom.meetings.reply import Outcome
from greenroom.scheduler.reserve import ASKED_FOR
from greenroom.scheduler.weigh import ANSWERED, MESSAGE


def say(step: str, code: str, detail: str = "") -> str:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    return words.sentence(JournalEntry(1, MeetingKey.of_uid("x"), "AAAA-0000", at, step, code, detail))


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_a_sentence(reason: Reason) -> None:
    assert not words.reason_sentence(reason.value).startswith("Reason:")
    assert reason.value not in say("decided", reason.value, "silence") or " " not in reason.value.replace("-", " ")


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_reply_has_a_sentence(outcome: Outcome) -> None:
    assert outcome.value not in say("replied", outcome.value)
    assert outcome.value not in say("decided", "new", outcome.value)


@pytest.mark.parametrize("status", list(TicketStatus))
@pytest.mark.parametrize("kind", list(Kind))
def test_everything_seen_has_a_sentence(kind: Kind, status: TicketStatus) -> None:
    text = say("seen", kind.value, f"ticket {status.value}")
    assert text.startswith("Seen in the calendar: ")
    assert "with" in text


def test_what_is_seen_of_exchange_itself_has_a_sentence() -> None:
    assert say("seen", MESSAGE) == "Exchange had not written it into the calendar: its message was read."
    assert say("seen", ANSWERED, "accepted").startswith("Somebody else had answered it before we saw it (accepted)")


@pytest.mark.parametrize("way", [*(result.value for result in UpdateResult), "postponed", "given-up", "left"])
def test_every_way_of_the_instructions_has_a_sentence(way: str) -> None:
    assert not say("instructions", way).startswith("Joining instructions: ")


@pytest.mark.parametrize("state", list(State))
def test_every_state_has_words(state: State) -> None:
    assert words.state_words(state)


def test_what_is_not_known_is_shown_as_it_is() -> None:
    assert say("dreamt", "of-sheep", "electric") == "dreamt: of-sheep (electric)."
    assert say("replied", "new-code", "E1") == "Reply: new-code (E1)."


def test_a_closed_room_says_why() -> None:
    assert say("room", "retired", "cancelled") == "The room was closed: the organizer cancelled the meeting."
    assert say("closed", "over") == "The room was closed: the meeting is over."
    assert say("room", "alias-conflict") == "No room: the alias is taken by another room on the platform."


def test_what_the_platform_said_is_shown_behind_what_it_means() -> None:
    refused = say("room", "room-refused", "description: too-long")
    assert refused == "No room: the platform refused the room for good (description: too-long)."
    assert "cannot be reached" in say("room", "unavailable", "http-503")
    assert say("room", "unavailable", "http-503").endswith("(http-503).")
    assert "administrator" in say("room", "needs-setup", "no-such-theme")
    assert "cannot be reached" not in say("room", "needs-setup", "no-such-theme")


@pytest.mark.parametrize("code", ["held", "set-aside", "no-free-alias"])
def test_what_is_decided_beside_the_reasons_has_a_sentence(code: str) -> None:
    assert not say("decided", code).startswith("Reason:")


def test_who_asked_for_a_room_has_a_sentence() -> None:
    assert "the person 0123abcd" in say("decided", ASKED_FOR, "0123abcd")
