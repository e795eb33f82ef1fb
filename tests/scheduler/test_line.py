"""The line of replies by itself: nothing here but cases and times."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenroom.meetings.meeting import MeetingKey
from greenroom.meetings.reply import Outcome
from greenroom.scheduler.case import Case, new_record
from greenroom.scheduler.line import WINDOW, ReplyLine
from support.observations import NOW, observation

SECOND = timedelta(seconds=1)


def case_of(name: str, minutes: float = 0.0, outcome: Outcome = Outcome.ACCEPT_NEW_SINGLE) -> Case:
    seen = observation(name, starts_in=timedelta(minutes=minutes))
    return Case(seen, new_record(1, seen.key, seen.ref, NOW), outcome=outcome)


def names(cases: list[Case]) -> list[str]:
    return [case.observation.ref.id.removeprefix("item-") for case in cases]


def drained(line: ReplyLine, now: datetime = NOW) -> list[tuple[datetime, str]]:
    """Take everything, each as soon as the line says."""
    out: list[tuple[datetime, str]] = []
    while (at := line.next_at(now)) is not None:
        now = max(now, at)
        taken = names(line.take(now))
        assert taken, "what is said to be ready is ready"
        out += [(now, name) for name in taken]
    return out


def most_within(times: list[datetime], span: timedelta) -> int:
    ordered = sorted(times)
    return max((sum(1 for at in ordered[i:] if at - begin < span) for i, begin in enumerate(ordered)), default=0)


def test_the_soonest_meeting_goes_first_and_of_equals_the_one_that_came_first() -> None:
    line = ReplyLine(3)
    line.put([case_of("far", 90), case_of("first", 10), case_of("second", 10)])
    line.put([case_of("soon", 5)])
    assert [name for _, name in drained(line)] == ["soon", "first", "second", "far"]


def test_what_is_over_hurries_nobody() -> None:
    line = ReplyLine(2)
    line.put([case_of("past", -300, Outcome.DECLINE_PAST_SINGLE), case_of("coming", 60), case_of("running", -10)])
    assert [name for _, name in drained(line)] == ["running", "coming", "past"]


def test_without_a_limit_nobody_waits() -> None:
    line = ReplyLine(None)
    line.put([case_of(str(n), n) for n in range(1000)])
    assert line.ends_at(NOW) == line.next_at(NOW) == NOW
    assert len(line.take(NOW)) == 1000
    assert (line.length, line.ends_at(NOW), line.next_at(NOW)) == (0, None, None)


def test_a_newer_case_of_the_same_meeting_takes_the_place_of_the_older() -> None:
    line = ReplyLine(30)
    line.put([case_of("one", 10)])
    line.put([case_of("one", 20)])
    line.put([case_of("two", 15)])
    assert line.length == 2
    assert names(line.take(NOW)) == ["two", "one"]


def test_what_is_forgotten_is_not_answered_and_the_unknown_is_no_matter() -> None:
    line = ReplyLine(30)
    line.put([case_of("one"), case_of("two")])
    line.forget([MeetingKey.of_uid("one"), MeetingKey.of_uid("never")])
    assert MeetingKey.of_uid("one") not in line
    assert line.of_items(["item-two", "item-one"]) == [MeetingKey.of_uid("two")]
    assert names(line.take(NOW)) == ["two"]


def test_five_hundred_replies_leave_at_twenty_eight_to_thirty_a_minute() -> None:
    line = ReplyLine(30)
    line.put([case_of(str(n), n) for n in range(500)])
    expected = line.ends_at(NOW)
    times = [at for at, _ in drained(line)]
    assert expected == times[-1]
    assert most_within(times, timedelta(seconds=61)) == 29
    minutes = (times[-1] - NOW) / timedelta(minutes=1)
    assert 28 <= 500 / minutes <= 30


def test_a_reply_that_took_its_time_counts_from_when_it_had_left() -> None:
    line = ReplyLine(3)
    line.put([case_of(str(n), n) for n in range(4)])
    assert len(line.take(NOW)) == 2
    line.left(2, NOW + 5 * SECOND)
    line.left(1, NOW + 9 * SECOND)
    assert line.next_at(NOW + 9 * SECOND) == NOW + 5 * SECOND + WINDOW
    assert names(line.take(NOW + 5 * SECOND + WINDOW)) == ["2"]
    assert line.next_at(NOW + 5 * SECOND + WINDOW) == NOW + 9 * SECOND + WINDOW


def test_what_was_taken_and_not_sent_is_free_for_another() -> None:
    line = ReplyLine(2)
    line.put([case_of("one", 1), case_of("two", 2)])
    assert names(line.take(NOW)) == ["one"]
    line.give_back(1)
    assert names(line.take(NOW)) == ["two"]


def test_what_a_process_before_sent_counts_too() -> None:
    line = ReplyLine(3)
    line.recall([NOW - 10 * SECOND, NOW - 50 * SECOND, NOW - 100 * SECOND])
    line.put([case_of("one")])
    assert line.take(NOW) == []
    assert line.next_at(NOW) == NOW - 50 * SECOND + WINDOW


def test_a_pause_of_one_lets_the_others_go_and_a_pause_of_all_lets_none() -> None:
    line = ReplyLine(30)
    line.put([case_of("slow", 1)], not_before=NOW + 90 * SECOND)
    line.put([case_of("other", 5)])
    assert line.turn(MeetingKey.of_uid("slow"), NOW) == NOW + 90 * SECOND
    assert line.ends_at(NOW) == NOW + 90 * SECOND
    line.close(NOW + 30 * SECOND)
    assert line.take(NOW) == []
    assert line.next_at(NOW) == NOW + 30 * SECOND
    assert names(line.take(NOW + 30 * SECOND)) == ["other"]
    assert line.next_at(NOW + 31 * SECOND) == NOW + 90 * SECOND


def test_a_clock_put_back_does_not_close_the_window_for_as_long() -> None:
    line = ReplyLine(2)
    line.put([case_of("one", 1), case_of("two", 2)])
    assert len(line.take(NOW + timedelta(hours=1))) == 1
    assert line.take(NOW) == []
    assert line.next_at(NOW) == NOW + WINDOW


@pytest.mark.parametrize("per_minute", [1, 2, 30])
def test_every_turn_is_told_beforehand(per_minute: int) -> None:
    line = ReplyLine(per_minute)
    line.recall([NOW - 20 * SECOND])
    line.put([case_of(str(n), n) for n in range(70)])
    told = {str(n): line.turn(MeetingKey.of_uid(str(n)), NOW) for n in range(70)}
    assert {name: at for at, name in drained(line)} == told


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["put", "take", "wait", "forget", "slow", "back"]), st.integers(0, 90), st.integers(0, 40)
    ),
    max_size=60,
)


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 6), EVENTS)
def test_no_window_ever_holds_more_than_allowed_and_the_order_is_kept(
    per_minute: int, events: list[tuple[str, int, int]]
) -> None:
    line, now, sent = ReplyLine(per_minute), NOW, []
    waiting: dict[str, Case] = {}
    for event, number, other in events:
        if event == "put":
            more = {f"m{other}-{n}": case_of(f"m{other}-{n}", (number * 7 + n) % 50) for n in range(number % 9)}
            line.put(more.values())
            waiting |= more
        elif event == "wait":
            now += number * SECOND
        elif event == "forget":
            gone = [name for name in waiting if name.startswith(f"m{other}-")]
            line.forget(waiting.pop(name).record.key for name in gone)
        else:
            taken = line.take(now)
            starts = [case.observation.span.start for case in taken if case.observation.span is not None]
            assert starts == sorted(starts)
            for name in names(taken):
                del waiting[name]
            left = [c.observation.span.start for c in waiting.values() if c.observation.span is not None]
            assert not starts or not left or starts[-1] <= min(left)
            if event == "back":
                line.give_back(len(taken))
            else:
                now += SECOND * (other % 5 if event == "slow" else 0)
                line.left(len(taken), now)
                sent += [now] * len(taken)
    assert line.length == len(waiting)
    sent += [at for at, _ in drained(line, now)]
    assert most_within(sent, WINDOW) <= max(1, per_minute - 1)
