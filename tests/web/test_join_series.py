"""The join page of a series: open around every occurrence, closed between them."""

from datetime import UTC, date, datetime, timedelta

import pytest

from greenroom.meetings.admission import Admission, Once
from greenroom.meetings.rules import AbsoluteYearly, Daily, Pattern, Weekly
from greenroom.web.contract import JoinRoom
from support.join_rooms import AFTER, BEFORE, JOIN_ID, NOW, Visitor, admission, room, series

HOUR, DAY, SECOND = timedelta(hours=1), timedelta(days=1), timedelta(seconds=1)
WEEKLY = Weekly(1, (0,))  # NOW is a Monday
MONDAYS = [NOW + timedelta(days=7) * number for number in range(60)]
SECRETS = ("482915306", "jitsi", "+49 30", "314159", "271828")


def weekly(**how: object) -> JoinRoom:
    """Mondays at 14:00 in Berlin, from NOW on."""
    return room(admission=admission(series(WEEKLY, NOW, **how)), pins=2)  # type: ignore[arg-type]  # passed on as they are


async def test_a_series_is_open_around_every_occurrence_and_closed_between_to_the_second() -> None:
    visitor = Visitor(weekly(count=3))
    for number, starts in enumerate(MONDAYS[:3]):
        opens, closes = starts - BEFORE, starts + HOUR + AFTER
        assert await visitor.states(opens - SECOND, opens, closes - SECOND, closes) == [
            "between" if number else "too-early",
            "open",
            "open",
            "over" if number == 2 else "between",
        ]


async def test_between_two_occurrences_the_page_tells_of_the_next_and_not_how_to_get_in() -> None:
    visitor = Visitor(weekly())
    page = await visitor.page(NOW + 2 * DAY)
    assert "Closed now" in page
    assert "The room opens again" in page
    assert "closed in between" in page
    assert "<dt>Starts</dt>" in page
    assert "Mon 30 Nov 2026, 13:00 UTC" in page
    assert "(Mon 30 Nov 2026, 14:00 CET)" in page
    assert "Mon 30 Nov 2026, 14:00 UTC" in page
    assert "(15:00 CET)" in page, "the end's day is the start's"
    assert "Mon 30 Nov 2026, 12:30 UTC" in page
    assert "23 Nov" not in page
    for secret in SECRETS:
        assert secret not in page


async def test_an_open_page_of_a_series_tells_of_the_running_occurrence_and_when_the_room_opens_again() -> None:
    page = await Visitor(weekly()).page(NOW + HOUR / 2)
    assert "Open now" in page
    assert "Mon 23 Nov 2026, 13:00 UTC" in page
    assert "Mon 23 Nov 2026, 14:00 UTC" in page
    assert "opens again" in page
    assert "Mon 30 Nov 2026, 12:30 UTC" in page
    assert "482915306" in page
    assert "314159" not in page


async def test_json_tells_the_window_that_is_open_or_comes_next() -> None:
    visitor = Visitor(weekly())
    opens, starts, ends, closes = (f"2026-11-30T{clock}:00+00:00" for clock in ("12:30", "13:00", "14:00", "15:00"))
    coming = {"opens": opens, "starts": starts, "ends": ends, "closes": closes}
    told = await visitor.told(NOW + 2 * DAY)
    assert told == coming | {"state": "between", "now": "2026-11-25T13:00:00+00:00", "next_opens": opens}
    told = await visitor.told(MONDAYS[1])
    assert told == coming | {"state": "open", "now": starts, "next_opens": "2026-12-07T12:30:00+00:00"}


@pytest.mark.parametrize("how", [{}, {"count": 52}, {"until": date(2027, 11, 15)}], ids=["endless", "count", "until"])
async def test_the_last_end_of_a_series_is_told_nowhere(how: dict[str, object]) -> None:
    visitor = Visitor(weekly(**how))
    for now in (NOW - 9 * DAY, NOW, NOW + 2 * DAY, MONDAYS[30] + DAY):
        for text in (await visitor.page(now), str(await visitor.told(now))):
            assert "Nov 2027" not in text
            assert "2027-11" not in text
            assert "4500" not in text


async def test_a_series_that_is_over_says_so_and_not_when_it_ended() -> None:
    visitor = Visitor(weekly(count=2))
    page = await visitor.page(NOW + 30 * DAY)
    assert "This series of meetings is over." in page
    assert "Nov" not in page
    told = await visitor.told()
    assert (told["state"], told["starts"], told["ends"], told["next_opens"]) == ("over", None, None, None)


@pytest.mark.parametrize("at", [NOW - DAY, NOW, NOW + 2 * DAY], ids=["early", "open", "between"])
async def test_a_retired_series_was_cancelled(at: datetime) -> None:
    found = weekly(count=5)
    visitor = Visitor(room(admission=found.spec.admission, retired_at=at))
    page = await visitor.page(at + HOUR)
    assert "This series of meetings was cancelled." in page
    assert ("The next one was planned" in page) is True
    assert ("Mon 30 Nov 2026, 13:00 UTC" if at > NOW else "Mon 23 Nov 2026, 13:00 UTC") in page
    assert await visitor.states(*MONDAYS[:6]) == ["cancelled"] * 6
    assert "jitsi" not in page


async def test_a_series_retired_after_its_last_window_is_over() -> None:
    found = weekly(count=1)
    retired = room(admission=found.spec.admission, retired_at=NOW + HOUR + AFTER)
    assert await Visitor(retired).states(NOW, NOW + DAY) == ["over", "over"]


async def test_an_endless_series_is_never_over() -> None:
    visitor = Visitor(weekly())
    far = datetime(2499, 3, 4, 5, tzinfo=UTC)
    assert (await visitor.told(far))["state"] in {"between", "open"}


# --- clocks that change ---------------------------------------------------------------------------------------------


async def test_a_window_keeps_the_organizers_time_of_day_when_clocks_change() -> None:
    start = datetime(2026, 10, 19, 7, 0, tzinfo=UTC)  # 09:00 in Berlin, still summer
    visitor = Visitor(room(admission=admission(series(WEEKLY, start))))
    summer, winter = start - BEFORE, datetime(2026, 10, 26, 8, 0, tzinfo=UTC) - BEFORE
    assert await visitor.states(summer - SECOND, summer, winter - HOUR, winter - SECOND, winter) == [
        *("too-early", "open"),
        *("between", "between", "open"),
    ]
    page = await visitor.page(start + DAY)
    assert "(Mon 26 Oct 2026, 09:00 CET)" in page
    assert "(10:00 CET)" in page


async def test_a_window_across_the_hour_that_comes_twice_is_an_hour_longer() -> None:
    start = datetime(
        2026, 10, 23, 21, 30, tzinfo=UTC
    )  # 23:30 to 03:30 by Berlin's clock; it is set back in the second night
    visitor = Visitor(room(admission=admission(series(Daily(), start, timedelta(hours=4)))))
    told = await visitor.told(start + DAY)
    assert (told["ends"], told["closes"]) == ("2026-10-25T02:30:00+00:00", "2026-10-25T03:30:00+00:00")
    told = await visitor.told(start + 2 * DAY + HOUR)
    assert (told["starts"], told["ends"]) == ("2026-10-25T22:30:00+00:00", "2026-10-26T02:30:00+00:00")


async def test_an_occurrence_at_a_time_that_is_skipped_takes_place_an_hour_later_by_the_clock() -> None:
    start = datetime(2026, 3, 28, 1, 30, tzinfo=UTC)  # 02:30 in Berlin, a time that 29 March 2026 does not have
    visitor = Visitor(room(admission=admission(series(Daily(), start))))
    told = await visitor.told(start + DAY - 2 * HOUR)
    assert told["starts"] == "2026-03-29T01:30:00+00:00"
    assert "(Sun 29 Mar 2026, 03:30 CEST)" in await visitor.page()


# --- neighbours -----------------------------------------------------------------------------------------------------


async def test_neighbours_whose_windows_overlap_are_open_in_one_piece() -> None:
    long = series(Daily(), NOW, 13 * HOUR, count=2)  # two days in a row, each from 13:00 to 02:00 UTC
    visitor = Visitor(room(admission=admission(long, before=6 * HOUR, after=6 * HOUR)))
    first, last = NOW - 6 * HOUR, NOW + DAY + 19 * HOUR
    assert await visitor.states(first - SECOND, first, NOW + 18 * HOUR, NOW + 20 * HOUR, last - SECOND, last) == [
        *("too-early", "open", "open", "open", "open", "over"),
    ]
    told = await visitor.told(NOW + HOUR)
    assert (told["opens"], told["closes"]) == (first.isoformat(), last.isoformat())
    assert told["starts"] == NOW.isoformat()
    told = await visitor.told(NOW + 18 * HOUR)  # past the first end: the one that comes is shown
    assert (told["state"], told["starts"]) == ("open", (NOW + DAY).isoformat())


async def test_neighbours_whose_windows_just_do_not_touch_close_between() -> None:
    visitor = Visitor(room(admission=admission(series(Daily(), NOW, 18 * HOUR), before=2 * HOUR, after=3 * HOUR)))
    closes = NOW + 21 * HOUR
    assert await visitor.states(closes - SECOND, closes, closes + HOUR - SECOND, closes + HOUR) == [
        *("open", "between", "between", "open"),
    ]


async def test_windows_that_touch_at_one_instant_never_close() -> None:
    visitor = Visitor(room(admission=admission(series(Daily(), NOW, 19 * HOUR), before=2 * HOUR, after=3 * HOUR)))
    closes = NOW + 22 * HOUR
    assert await visitor.states(closes - SECOND, closes, closes + SECOND) == ["open"] * 3
    told = await visitor.told()
    assert (told["closes"], told["next_opens"]) == (None, None), "no end is in sight"


async def test_a_daily_all_day_series_is_open_day_and_night() -> None:
    midnight = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)  # in Berlin
    visitor = Visitor(room(admission=admission(series(Daily(), midnight, DAY))))
    assert await visitor.states(*(NOW + 7 * HOUR * number for number in range(24))) == ["open"] * 24
    told = await visitor.told(NOW + 3 * DAY)
    assert (told["starts"], told["ends"]) == ("2026-11-25T23:00:00+00:00", "2026-11-26T23:00:00+00:00")


async def test_a_week_of_all_day_meetings_that_join_tells_when_it_closes_and_a_year_of_them_does_not() -> None:
    midnight = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)
    for days, closes in ((5, (midnight + 5 * DAY + AFTER).isoformat()), (60, None), (365, None)):
        visitor = Visitor(room(admission=admission(series(Daily(), midnight, DAY, count=days))))
        assert (await visitor.told(NOW))["closes"] == closes


async def test_an_all_day_series_in_new_york_is_open_by_new_yorks_days() -> None:
    midnight = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
    found = series(WEEKLY, midnight, DAY, zone="Eastern Standard Time")
    visitor = Visitor(room(admission=admission(found)))
    opens, closes = midnight - BEFORE, midnight + DAY + AFTER
    assert await visitor.states(opens - SECOND, opens, closes - SECOND, closes) == [
        "too-early",
        "open",
        "open",
        "between",
    ]
    assert "(Mon 30 Nov 2026, 00:00 EST)" in await visitor.page()


async def test_a_series_of_three_day_meetings_is_open_over_all_of_them() -> None:
    found = series(Weekly(2, (0,)), NOW, 3 * DAY)
    visitor = Visitor(room(admission=admission(found)))
    assert await visitor.states(NOW + DAY, NOW + 2 * DAY, NOW + 3 * DAY, NOW + 4 * DAY, NOW + 7 * DAY) == [
        *("open", "open", "open", "between", "between"),
    ]
    assert "Thu 26 Nov 2026, 13:00 UTC" in await visitor.page(NOW + DAY)


async def test_a_yearly_series_waits_a_year() -> None:
    visitor = Visitor(room(admission=admission(series(AbsoluteYearly(11, 23), NOW))))
    told = await visitor.told(NOW + 2 * DAY)
    assert (told["state"], told["starts"]) == ("between", "2027-11-23T13:00:00+00:00")


# --- exceptions -----------------------------------------------------------------------------------------------------


async def test_the_old_time_of_a_moved_occurrence_is_closed_and_its_new_one_open() -> None:
    monday, tuesday = MONDAYS[1], MONDAYS[1] + DAY + 3 * HOUR
    visitor = Visitor(weekly(moved=[(monday.date(), tuesday, tuesday + 2 * HOUR)]))
    assert await visitor.states(monday, tuesday - BEFORE, tuesday + 2 * HOUR, tuesday + 3 * HOUR, MONDAYS[2]) == [
        *("between", "open", "open", "between", "open"),
    ]
    page = await visitor.page(monday)
    assert "Tue 1 Dec 2026, 16:00 UTC" in page
    assert "Tue 1 Dec 2026, 18:00 UTC" in page


async def test_a_cancelled_occurrence_keeps_the_room_closed() -> None:
    visitor = Visitor(weekly(gone=[MONDAYS[1].date()]))
    assert await visitor.states(MONDAYS[0], MONDAYS[1], MONDAYS[2]) == ["open", "between", "open"]
    assert "Mon 7 Dec 2026, 13:00 UTC" in await visitor.page(MONDAYS[1])


async def test_a_series_of_which_everything_is_cancelled_is_over() -> None:
    visitor = Visitor(weekly(count=2, gone=[MONDAYS[0].date(), MONDAYS[1].date()]))
    assert await visitor.states(NOW - DAY, NOW) == ["over", "over"]
    assert "is over" in await visitor.page()


# --- rooms that are shared --------------------------------------------------------------------------------------------


async def test_a_room_of_two_series_is_open_for_both() -> None:
    mornings = series(WEEKLY, NOW - 5 * HOUR, until=date(2026, 12, 6), zone="UTC")
    evenings = series(WEEKLY, NOW + 14 * DAY + 6 * HOUR, zone="Eastern Standard Time")
    visitor = Visitor(room(admission=admission(mornings, evenings)))
    assert await visitor.states(*(NOW - 5 * HOUR + timedelta(days=7) * number for number in range(4))) == [
        *("open", "open", "between", "between"),
    ]
    assert await visitor.states(*(NOW + 6 * HOUR + timedelta(days=7) * number for number in range(4))) == [
        *("between", "between", "open", "open"),
    ]
    assert "EST" not in await visitor.page(NOW), "each is told in the zone of who planned it"
    assert "(Mon 7 Dec 2026, 14:00 EST)" in await visitor.page(NOW + 9 * DAY)


async def test_a_room_of_several_single_occurrences_is_open_for_each() -> None:
    single = [Once(NOW + DAY * day, NOW + DAY * day + HOUR) for day in (0, 3)]
    visitor = Visitor(room(admission=admission(*single)))
    assert await visitor.states(NOW, NOW + DAY, NOW + 3 * DAY, NOW + 4 * DAY) == ["open", "between", "open", "over"]


async def test_a_series_of_which_only_the_beginning_is_known_stays_open_and_tells_no_end() -> None:
    visitor = Visitor(room(admission=admission(Once(NOW, None))))
    assert await visitor.states(NOW - HOUR, NOW, NOW + 1000 * DAY) == ["too-early", "open", "open"]
    for now in (NOW - HOUR, NOW):
        told = await visitor.told(now)
        assert (told["starts"], told["ends"], told["closes"]) == (NOW.isoformat(), None, None)
        page = await visitor.page()
        assert "<dt>Ends</dt>" not in page
        assert "9000" not in page


# --- looking again, and what makes no sense ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before_opening", "seconds"), [(2 * DAY, 300), (timedelta(seconds=90), 91), (timedelta(microseconds=5), 1)]
)
async def test_without_a_script_a_closed_page_looks_again_when_the_room_opens(
    before_opening: timedelta, seconds: int
) -> None:
    for opens in (MONDAYS[0] - BEFORE, MONDAYS[1] - BEFORE):
        page = await Visitor(weekly()).page(opens - before_opening)
        assert f'<noscript><meta http-equiv="refresh" content="{seconds}"></noscript>' in page


@pytest.mark.parametrize(("before_closing", "seconds"), [(2 * HOUR, 300), (timedelta(seconds=90), 91)])
async def test_without_a_script_an_open_page_looks_again_when_the_room_closes(
    before_closing: timedelta, seconds: int
) -> None:
    page = await Visitor(weekly()).page(NOW + HOUR + AFTER - before_closing)
    assert f'<noscript><meta http-equiv="refresh" content="{seconds}"></noscript>' in page


async def test_a_page_that_never_changes_again_does_not_look() -> None:
    assert "refresh" not in await Visitor(weekly(count=1)).page(NOW + DAY)


async def test_a_meeting_that_lasts_to_the_end_of_time_is_open_until_further_notice() -> None:
    visitor = Visitor(room(admission=Admission((Once(NOW, datetime.max.replace(tzinfo=UTC)),), BEFORE, AFTER)))
    assert await visitor.states(NOW - DAY, NOW, NOW + 1000 * DAY) == ["too-early", "open", "open"]
    assert (await visitor.told(NOW))["closes"] is None
    await visitor.page(NOW)


async def test_times_that_nobody_could_read_are_no_error_of_the_server() -> None:
    visitor = Visitor(room(admission=Admission((), timedelta(), timedelta())))
    for now in (NOW - DAY, NOW, NOW + DAY):
        visitor.clock.now = now
        for path in (f"/j/{JOIN_ID}", f"/j/{JOIN_ID}.json"):
            answer = await visitor.get(path)
            assert answer.status_code == 503, now
            assert answer.headers["retry-after"] == "15"
            assert "jitsi" not in answer.text


async def test_a_meeting_without_any_window_is_early_and_then_over() -> None:
    never = Admission((Once(NOW, NOW),), timedelta(), timedelta())
    visitor = Visitor(room(admission=never))
    assert await visitor.states(NOW - HOUR, NOW) == ["too-early", "over"]
    assert "Not open yet" in await visitor.page(NOW - HOUR)


@pytest.mark.parametrize("pattern", [Daily(), WEEKLY, AbsoluteYearly(11, 23)], ids=["daily", "weekly", "yearly"])
async def test_the_page_and_the_json_say_the_same(pattern: Pattern) -> None:
    visitor = Visitor(room(admission=admission(series(pattern, NOW))))
    for number in range(12):
        told = await visitor.told(NOW - DAY + timedelta(hours=13) * number)
        page = await visitor.page()
        for name in ("state", "opens", "starts", "ends", "closes", "next_opens"):
            assert f'data-{name.replace("_", "-")}="{told[name] or ""}"' in page
