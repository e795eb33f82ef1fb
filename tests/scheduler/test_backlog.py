"""In which order a backlog is handled, and what stays together."""

from dataclasses import replace
from datetime import date, timedelta

from greenroom.exchange.contract import Changes
from greenroom.meetings.meeting import Glance, ItemRef, MeetingKey, Response
from greenroom.meetings.record import Record, State
from greenroom.scheduler.backlog import Backlog
from greenroom.scheduler.case import new_record
from support.observations import NOW, observation

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def glance(uid: str, starts_in: timedelta | None = DAY, *, item: str = "", message: bool = False) -> Glance:
    starts_at = None if starts_in is None else NOW + starts_in
    return Glance(ItemRef(item or f"item-{uid}", "1", message), MeetingKey.of_uid(uid), starts_at=starts_at)


def page(*glances: Glance, gone: tuple[str, ...] = (), cursor: str = "1", more: bool = False) -> Changes:
    return Changes(glances, gone, cursor, more)


def backlog(*pages: Changes, known: dict[MeetingKey, Record] | None = None) -> Backlog:
    made = Backlog("0")
    for one in pages:
        made.add(one, known or {}, {})
    return made


def order(made: Backlog, limit: int = 1) -> list[str]:
    """Work through it; the items in the order in which they came."""
    items: list[str] = []
    while made.length:
        piece = made.next(limit, NOW)
        items += [one.ref.id for one in piece.glances] + list(piece.gone)
        made.handled(piece)
    return [item.removeprefix("item-") for item in items]


def handled(one: Glance) -> Record:
    assert one.key is not None
    record = new_record(1, one.key, one.ref, NOW)
    return replace(record, state=State.SCHEDULED, seen=one.fingerprint)


def test_the_soonest_start_goes_first_whatever_came_first() -> None:
    made = backlog(page(glance("later", 3 * DAY), glance("soon", 5 * MINUTE)), page(glance("tomorrow", DAY)))
    assert order(made) == ["soon", "tomorrow", "later"]


def test_what_runs_goes_before_what_is_unknown_and_that_before_what_comes() -> None:
    made = backlog(page(glance("soon", MINUTE), glance("unknown", None), glance("running", -MINUTE)))
    assert order(made) == ["running", "unknown", "soon"]


def test_what_began_long_ago_waits_behind_the_coming_day_only() -> None:
    made = backlog(page(glance("month", 30 * DAY), glance("series", -90 * DAY), glance("today", 20 * 60 * MINUTE)))
    assert order(made) == ["today", "series", "month"]


def test_where_the_list_tells_no_start_the_record_does() -> None:
    known = {
        one.key: replace(handled(glance(uid)), span=one.span)
        for uid, starts_in in (("far", 9 * DAY), ("near", DAY))
        for one in [observation(uid, starts_in=starts_in)]
    }
    made = backlog(page(glance("far", None), glance("near", None)), known=known)
    assert order(made) == ["near", "far"]


def test_echoes_of_our_own_writes_come_last_and_are_not_counted() -> None:
    echo = replace(glance("done", MINUTE), fingerprint="f", response=Response.ACCEPTED, own_answer=True)
    assert echo.key is not None
    made = backlog(page(echo, glance("new", DAY)), known={echo.key: handled(echo)})
    assert made.waiting == 1
    assert order(made) == ["new", "done"]
    assert made.done == 1


def test_all_that_concerns_a_series_is_in_one_slice() -> None:
    series = glance("s", 5 * DAY)
    assert series.key is not None
    lone = replace(glance("s", 6 * DAY, item="item-lone"), key=series.key.on(date(2026, 12, 7)))
    message = glance("s", None, item="item-message", message=True)
    made = backlog(page(series, *(glance(f"m{n}", DAY) for n in range(3)), lone), page(message))
    pieces = []
    while made.length:
        piece = made.next(4, NOW)
        pieces.append([one.ref.id for one in piece.glances])
        made.handled(piece)
    assert pieces == [["item-m0", "item-m1", "item-m2"], ["item-s", "item-lone", "item-message"]]


def test_of_an_item_that_changed_again_only_the_latest_is_left() -> None:
    made = backlog(page(glance("one", DAY)), page(glance("one", 2 * DAY)))
    (piece,) = [made.next(10, NOW)]
    assert [one.starts_at for one in piece.glances] == [NOW + 2 * DAY]
    assert made.waiting == 1


def test_an_item_that_left_is_gone_and_stands_with_its_meeting() -> None:
    made = backlog(page(glance("one", DAY), glance("two", 2 * DAY)), page(gone=("item-two", "mail")))
    piece = made.next(10, NOW)
    assert ([one.ref.id for one in piece.glances], piece.gone) == (["item-one"], ("item-two",))
    back = backlog(page(gone=("item-one",)), page(glance("one", DAY)))
    assert back.next(10, NOW).gone == ()


def test_a_meeting_that_somebody_else_took_out_is_known_by_its_record() -> None:
    made = Backlog("0")
    one = observation("one")
    made.add(page(gone=("item-one",)), {}, {"item-one": replace(handled(glance("one")), span=one.span)})
    made.add(page(glance("one", DAY, item="item-new")), {}, {})
    piece = made.next(1, NOW)
    assert (piece.gone, len(made._groups)) == (("item-one",), 1)


def test_the_cursor_may_be_stored_with_the_last_piece_only() -> None:
    made = backlog(page(glance("one"), glance("two"), cursor="7"))
    first = made.next(1, NOW)
    assert (first.cursor, first.more) == ("0", True)
    made.handled(first)
    last = made.next(1, NOW)
    assert (last.cursor, last.more) == ("7", False)
    made.handled(last)
    assert (made.base, made.done, made.waiting) == ("7", 2, 0)


def test_a_meeting_with_more_items_than_a_slice_is_cut() -> None:
    made = backlog(page(*(glance("one", item=f"item-{n}") for n in range(7))))
    assert len(made.next(3, NOW).glances) == 3
    assert len(order(made, 3)) == 7


def test_what_changes_while_it_waits_is_one_meeting_still_and_what_changes_afterwards_another_look() -> None:
    made = backlog(page(glance("one"), glance("two", 2 * DAY)))
    made.handled(made.next(1, NOW))
    made.add(page(glance("one"), glance("two", MINUTE)), {}, {})
    assert (made.waiting, made.done) == (2, 1)
    assert order(made) == ["two", "one"]
