"""Walking through a calendar over Graph: nothing is lost while it changes, and no page costs more than it must."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.graph.blobs import TUESDAYS, written
from exchange.graph.listing import BEGIN
from exchange.graph.shelf import HOUR, Shelf, ids
from exchange.graph.whole_events import START, extended
from greenroom.exchange.contract import Unreadable
from greenroom.exchange.errors import ItemBrokenError, TryLaterError
from greenroom.exchange.graph.call import RefusedError
from greenroom.exchange.graph.rule_blob import RULE
from greenroom.meetings.meeting import Kind, Observation

DAY = timedelta(days=1)


def rule(*, broken: bool) -> list[dict[str, str]]:
    """The binary rule of a weekly series, as a list shows it."""
    days = [START + 7 * DAY, START + 14 * DAY]
    return extended(**{RULE.lower(): written(TUESDAYS, gone=days[:1] if broken else (), moved=days if broken else ())})


async def test_meetings_come_by_start_in_pages_of_a_hundred() -> None:
    shelf = Shelf()
    for number in range(250):
        shelf.put(f"i{(number * 37) % 250}", BEGIN + ((number * 37) % 250) * HOUR)
    pages = await shelf.walk()
    assert ids(pages) == [f"i{n}" for n in range(250)]
    assert max(len(page) for page in pages) <= 100
    assert shelf.lists == 3
    assert shelf.gets == []


async def test_what_is_over_and_what_begins_later_is_not_shown() -> None:
    shelf = Shelf()
    shelf.put("over", BEGIN - 2 * HOUR)
    shelf.put("runs", BEGIN - HOUR / 2)
    shelf.put("comes", BEGIN + DAY)
    shelf.put("later", BEGIN + 3 * DAY)
    assert ids(await shelf.walk(until=BEGIN + 2 * DAY)) == ["runs", "comes"]
    assert ids(await shelf.walk()) == ["runs", "comes", "later"]


async def test_series_that_began_long_ago_come_until_they_are_over() -> None:
    shelf = Shelf()
    ended = {"type": "endDate", "startDate": "2030-01-01", "endDate": "2030-03-05"}
    weekly = {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"], "firstDayOfWeek": "sunday"}
    shelf.put("single", BEGIN + DAY)
    shelf.put("ended", BEGIN - 365 * DAY, type="seriesMaster", recurrence={"pattern": weekly, "range": ended})
    shelf.put("endless", BEGIN - 300 * DAY, type="seriesMaster")
    assert ids(await shelf.walk()) == ["endless", "single"]


async def test_only_masters_that_may_have_exceptions_are_read_once_more() -> None:
    shelf = Shelf()
    shelf.put("plain", BEGIN, type="seriesMaster", singleValueExtendedProperties=rule(broken=False))
    shelf.put("moved", BEGIN, type="seriesMaster", singleValueExtendedProperties=rule(broken=True))
    shelf.put("untold", BEGIN, type="seriesMaster")
    (page,) = await shelf.walk()
    assert {one.kind for one in page if isinstance(one, Observation)} == {Kind.SERIES}
    assert sorted(shelf.gets) == ["moved", "untold"]


async def test_many_that_begin_at_the_same_moment_are_all_read() -> None:
    shelf = Shelf()
    for number in range(350):
        shelf.put(f"i{number}", BEGIN + (number // 340) * HOUR)
    found = ids(await shelf.walk())
    assert sorted(found) == sorted(f"i{n}" for n in range(350))
    assert shelf.lists <= 8


async def test_a_short_page_is_no_end() -> None:
    shelf = Shelf(most=7)
    for number in range(40):
        shelf.put(f"i{number}", BEGIN + number // 3 * HOUR)
    assert sorted(ids(await shelf.walk())) == sorted(f"i{n}" for n in range(40))


async def test_whole_days_are_sorted_by_an_instant_that_nobody_sees() -> None:
    shelf = Shelf(most=5)
    for number in range(30):
        shelf.put(f"i{number}", BEGIN + number * 7 * HOUR)
        shelf.put_day(f"east{number}", BEGIN + (number // 3) * DAY, timedelta(hours=13))
        shelf.put_day(f"west{number}", BEGIN + (number // 3) * DAY, timedelta(hours=-10))
    found = ids(await shelf.walk(BEGIN - DAY))
    assert set(found) == {f"{what}{n}" for what in ("i", "east", "west") for n in range(30)}


@pytest.mark.parametrize("way", ["sorted", "unsorted", "disordered", "everything"])
async def test_a_meeting_deleted_while_pages_are_read_hides_no_other(way: str) -> None:
    refuses = {
        "unsorted": lambda query: "$orderby" in query,
        "everything": lambda query: bool(query.get("$filter")),
    }
    shelf = Shelf(most=10, sorts=way != "disordered", refuses=refuses.get(way, lambda _: False))
    for number in range(60):
        shelf.put(f"i{(number * 7) % 60}", BEGIN + ((number * 7) % 60) * HOUR)
    taken: list[str] = []

    def take(page: int) -> None:
        if page in {2, 3, 4} and len(shelf.entries) > 50:
            taken.append(shelf.entries.pop(0).ident)

    shelf.between = take
    found = ids(await shelf.walk())
    assert len(taken) == 3
    assert set(found) >= {f"i{n}" for n in range(60)} - set(taken)


CHANGE = st.tuples(st.integers(1, 12), st.sampled_from(["take", "add"]), st.integers(0, 40))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-30, 60), st.integers(1, 30), st.booleans()), max_size=40),
    st.lists(CHANGE, max_size=8),
    st.integers(3, 9),
    st.booleans(),
)
async def test_what_is_there_all_the_time_is_shown_whatever_else_comes_and_goes(
    planned: list[tuple[int, int, bool]], changes: list[tuple[int, str, int]], most: int, ordered: bool
) -> None:
    shelf = Shelf(most=most, refuses=lambda query: not ordered and "$orderby" in query)
    for number, (hour, length, is_day) in enumerate(planned):
        if is_day:
            shelf.put_day(f"i{number}", BEGIN + hour * DAY, timedelta(hours=length - 12))
        else:
            shelf.put(f"i{number}", BEGIN + hour * HOUR, length * HOUR)
    gone: set[str] = set()

    def change(page: int) -> None:
        for at, what, number in changes:
            if at != page:
                continue
            if what == "add":
                shelf.put(f"new{at}-{number}", BEGIN + number * HOUR)
            elif (found := next((one for one in shelf.entries if one.ident == f"i{number}"), None)) is not None:
                shelf.entries.remove(found)
                gone.add(found.ident)

    shelf.between = change
    found = ids(await shelf.walk())
    wanted = {one.ident for one in shelf.entries if one.ident.startswith("i") and one.end >= BEGIN}
    assert set(found) >= wanted
    assert set(found) <= wanted | gone | {one.ident for one in shelf.entries}


async def test_pages_too_long_with_bodies_are_read_without_and_their_meetings_by_themselves() -> None:
    shelf = Shelf(too_long=lambda shown: any(one.ident == "i5" for one in shown) and len(shown) > 1)
    for number in range(12):
        shelf.put(f"i{number}", BEGIN + number * HOUR)
    assert ids(await shelf.walk()) == [f"i{n}" for n in range(12)]


async def test_a_broken_event_spoils_no_other() -> None:
    shelf = Shelf()
    for number in range(3):
        shelf.put(f"i{number}", BEGIN + number * HOUR)
    shelf.put("odd", BEGIN + HOUR, subject=["no text"])
    (page,) = await shelf.walk()
    (broken,) = [one for one in page if isinstance(one, Unreadable)]
    assert broken.ref.id == "odd"
    assert isinstance(broken.error, ItemBrokenError)
    assert len(page) == 4


async def test_a_list_without_end_ends_as_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("greenroom.exchange.graph.pages.MOST_PAGES", 20)
    shelf = Shelf(most=1)
    for number in range(50):
        shelf.put(f"i{number}", BEGIN + number * HOUR)
    with pytest.raises(TryLaterError) as caught:
        await shelf.walk()
    assert caught.value.code == "endless-list"


async def test_a_refusal_of_any_list_is_told_as_something_for_later() -> None:
    shelf = Shelf(refuses=lambda _: True)
    with pytest.raises(TryLaterError) as caught:
        await shelf.walk()
    assert not isinstance(caught.value, RefusedError)
    assert len(shelf.asked) == 3
