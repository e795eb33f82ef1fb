"""Marks as text, and whose a mark is, whatever clocks say."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenroom.scheduler.watching import USUAL, Mark, Sight, Whose, contends, judge

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MARK = Mark("a" * 32, "b" * 16, NOW, holds=True, machine="c" * 16, process=4711, host="room-1.example.org")
HEX = st.text("0123456789abcdef", min_size=16, max_size=16)
MARKS = st.builds(
    Mark,
    st.text("0123456789abcdef", min_size=32, max_size=32),
    HEX,
    st.datetimes(timezones=st.just(UTC)).map(lambda at: at.replace(microsecond=0)),
    st.booleans(),
    st.one_of(HEX, st.just("-")),
    st.integers(1, 9_999_999_999),
    st.text("abcXYZ019._-", min_size=1, max_size=64),
)
SPANS = st.timedeltas(timedelta(), timedelta(days=400))
CLOCKS = st.timedeltas(timedelta(days=-4000), timedelta(days=4000)).map(lambda wrong: NOW + wrong)
LINE = MARK.write()


@given(MARKS)
def test_what_is_written_is_read_and_fits_where_it_has_to(mark: Mark) -> None:
    text = mark.write()
    assert Mark.read(text) == mark
    assert len(text) <= 255
    assert text.isascii()


@given(st.text(max_size=1200))
def test_no_text_is_too_odd_to_be_read(text: str) -> None:
    assert Mark.read(text) is None


@given(st.integers(0, len(LINE) - 1), st.characters())
def test_a_letter_that_changed_is_noticed_or_harmless(at: int, letter: str) -> None:
    mark = Mark.read(LINE[:at] + letter + LINE[at + 1 :])
    assert mark is None or len(mark.write()) <= 255


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "greenroom",
        LINE + "\n",
        LINE + " more",
        LINE.replace(" 1 ", " 0 "),
        LINE.replace("2026-11-22", "2026-02-30"),
        LINE.replace("2026-11-22", "\N{FULLWIDTH DIGIT TWO}026-11-22"),
        LINE.replace("4711", "0"),
        LINE.replace("4711", "-1"),
        LINE.replace("room-1", "room\x1b[2J"),
        LINE.replace("greenroom 1", "greenroom 2") + " " + "x" * 1000,
    ],
)
def test_what_is_not_exactly_a_mark_is_none(text: str | None) -> None:
    assert Mark.read(text) is None


def test_a_later_version_may_say_more_and_is_respected() -> None:
    assert Mark.read(LINE.replace("greenroom 1", "greenroom 2") + " and more") == MARK


@given(mark=MARKS, unmoved=st.timedeltas(timedelta(), USUAL.stale - timedelta(seconds=1)), now=CLOCKS)
def test_a_mark_that_moved_lately_is_respected_whatever_the_clocks_say(
    mark: Mark, unmoved: timedelta, now: datetime
) -> None:
    assert judge(mark, (), unmoved, now) is Whose.ANOTHERS


@given(mark=MARKS, more=SPANS, now=CLOCKS)
def test_a_mark_that_never_moves_is_nobodys_in_the_end_whatever_the_clocks_say(
    mark: Mark, more: timedelta, now: datetime
) -> None:
    assert judge(mark, (), USUAL.forgotten + more, now) is Whose.NOBODYS


@given(unmoved=SPANS, now=CLOCKS, dead=st.booleans())
def test_ours_is_what_our_database_knows_and_nothing_else(unmoved: timedelta, now: datetime, *, dead: bool) -> None:
    assert judge(MARK, {MARK.token}, unmoved, now, dead=dead) is Whose.OURS
    copy = replace(MARK, token="d" * 16)
    assert judge(copy, {MARK.token}, unmoved, now) is not Whose.OURS


def test_a_mark_is_left_behind_once_it_did_not_move_for_five_minutes_or_its_process_is_dead() -> None:
    later = NOW + timedelta(minutes=6)
    assert judge(MARK, (), timedelta(minutes=5), later) is Whose.NOBODYS
    assert judge(MARK, (), timedelta(minutes=4, seconds=59), later) is Whose.ANOTHERS
    assert judge(MARK, (), timedelta(minutes=6), NOW) is Whose.ANOTHERS  # its time is ours
    assert judge(MARK, (), timedelta(), NOW, dead=True) is Whose.NOBODYS
    assert judge(None, (), timedelta(), NOW) is Whose.NOBODYS


def test_a_sight_counts_from_the_first_look_and_from_every_move() -> None:
    sight = Sight()
    assert (sight.see("a", 100.0), sight.moved) == (timedelta(), False)
    assert (sight.see("a", 160.0), sight.moved) == (timedelta(seconds=60), False)
    assert (sight.see("b", 220.0), sight.moved) == (timedelta(), True)
    assert sight.see("b", 200.0) == timedelta()  # never less than nothing


def test_a_contender_is_somebody_who_is_there_now() -> None:
    sees = timedelta(minutes=1)
    assert contends(MARK, (), sees, NOW, moved=False)
    assert not contends(MARK, {MARK.token}, sees, NOW, moved=True)
    assert not contends(MARK, (), sees, NOW + timedelta(days=4), moved=False)  # left there long ago
    assert contends(MARK, (), sees, NOW + timedelta(days=4), moved=True)  # a clock that is wrong
    assert not contends(MARK, (), USUAL.stale, NOW, moved=True)  # gone
    assert not contends(None, (), sees, NOW, moved=True)
