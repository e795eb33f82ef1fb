"""Series over EWS where servers are difficult: exceptions, zones, rules that cannot be said, messages about one occurrence."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.test_items import GOID, KEY, WHEN, extended, observe
from greenroom.meetings.meeting import Kind, Observation
from greenroom.meetings.recurrence import Moved, Series
from greenroom.meetings.rules import Daily, Rule, Weekly
from greenroom.meetings.zones import Zone, is_known

START = datetime(2031, 5, 6, 9, tzinfo=UTC)  # a Tuesday
HOUR = timedelta(hours=1)
DAY = START.date()
WEEK = timedelta(days=7)
MASTER = "<CalendarItemType>RecurringMaster</CalendarItemType>"
WEEKLY = "<WeeklyRecurrence><Interval>1</Interval><DaysOfWeek>{}</DaysOfWeek></WeeklyRecurrence>"
UNTIL = "<EndDateRecurrence><StartDate>2031-05-06Z</StartDate><EndDate>{}</EndDate></EndDateRecurrence>"
NO_END = "<NoEndRecurrence><StartDate>2031-05-06</StartDate></NoEndRecurrence>"
BERLIN = "<StartTimeZoneId>W. Europe Standard Time</StartTimeZoneId>"
LAST = "<LastOccurrence><Start>2031-06-03T09:00:00Z</Start><End>2031-06-03T10:00:00Z</End></LastOccurrence>"


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def rule(pattern: str = WEEKLY.format("Tuesday"), limits: str = UNTIL.format("2031-06-10")) -> str:
    return f"<Recurrence>{pattern}{limits}</Recurrence>"


def modified(*rows: tuple[str, datetime, datetime]) -> str:
    """Occurrences by id, original start and new start, an hour long."""
    inside = "".join(
        f'<Occurrence><ItemId Id="{ident}" ChangeKey="v"/><Start>{stamp(now)}</Start><End>{stamp(now + HOUR)}</End>'
        f"<OriginalStart>{stamp(original)}</OriginalStart></Occurrence>"
        for ident, original, now in rows
    )
    return f"<ModifiedOccurrences>{inside}</ModifiedOccurrences>"


def deleted(*moments: datetime) -> str:
    rows = "".join(f"<DeletedOccurrence><Start>{stamp(at)}</Start></DeletedOccurrence>" for at in moments)
    return f"<DeletedOccurrences>{rows}</DeletedOccurrences>"


def series(more: str = "", recurrence: str = rule()) -> Observation:
    return observe(WHEN + extended("35", GOID) + MASTER + recurrence + more)


class TestMasters:
    def test_a_master_tells_its_rule_its_zone_and_its_last_end(self) -> None:
        seen = series(BERLIN)
        assert seen.series == Series(
            Rule(Weekly(1, (1,), 6), DAY, until=date(2031, 6, 10)), time(11), HOUR, Zone("W. Europe Standard Time")
        )
        assert seen.span is not None
        assert (seen.span.zone, seen.span.until) == ("W. Europe Standard Time", START + 5 * WEEK + HOUR)
        assert (seen.kind, seen.key, seen.recurrence) == (Kind.SERIES, KEY, None)

    def test_how_the_rule_is_written_does_not_matter(self) -> None:
        one = series(recurrence=rule(WEEKLY.format("Tuesday Thursday"), UNTIL.format("2031-06-03Z")))
        other = series(recurrence=rule(WEEKLY.format(" Thursday   Tuesday"), UNTIL.format("2031-06-03+02:00")))
        assert one.fingerprint == other.fingerprint

    def test_what_differs_is_known_by_its_day(self) -> None:
        moved = START + WEEK + HOUR
        seen = series(modified(("x", START + WEEK, moved)) + deleted(START, START + 2 * WEEK))
        assert seen.series is not None
        assert seen.series.moved == (Moved(DAY + WEEK, moved, moved + HOUR),)
        assert seen.series.gone == {DAY, DAY + 2 * WEEK}

    def test_an_original_start_at_local_midnight_names_its_day(self) -> None:
        original = datetime(2031, 5, 12, 22, tzinfo=UTC)  # the 13th begins in Berlin
        seen = series(BERLIN + modified(("x", original, START + WEEK + HOUR)))
        assert seen.series is not None
        assert [one.day for one in seen.series.moved] == [DAY + WEEK]

    def test_a_moved_occurrence_may_end_the_series_later(self) -> None:
        late = START + 9 * WEEK
        seen = series(modified(("x", START + 5 * WEEK, late)))
        assert seen.span is not None
        assert seen.span.until == late + HOUR

    def test_rows_that_make_no_sense_are_left_out(self) -> None:
        odd = (
            modified(("x", START + WEEK, START + WEEK)).replace("<Start>2031", "<Start>yesterday")
            + "<DeletedOccurrences><DeletedOccurrence/><DeletedOccurrence><Start>soon</Start></DeletedOccurrence>"
            "</DeletedOccurrences>"
        )
        assert series(odd).series == series().series
        for far in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1600-01-01T00:00:00Z"):
            gone = deleted(START).replace(stamp(START), far)
            row = modified(("x", START, START + HOUR)).replace(
                f"<OriginalStart>{stamp(START)}", f"<OriginalStart>{far}"
            )
            assert series(gone + row).series == series().series
        for wrong in ("<End>0001-01-01T00:00:00Z</End>", "<End>9999-12-31T23:59:59Z</End>"):
            row = modified(("x", START + WEEK, START + WEEK)).replace(f"<End>{stamp(START + WEEK + HOUR)}</End>", wrong)
            assert series(row).series == series().series

    def test_very_many_exceptions_cost_little(self) -> None:
        daily = rule("<DailyRecurrence><Interval>1</Interval></DailyRecurrence>", NO_END)
        rows = [(f"x{n}", START + timedelta(days=n), START + timedelta(days=n, hours=1)) for n in range(6000)]
        seen = series(modified(*rows) + deleted(*(START + timedelta(days=n) for n in range(6000, 12000))), daily)
        assert seen.series is not None
        assert (len(seen.series.moved), len(seen.series.gone)) == (1000, 1000)
        assert max(one.day for one in seen.series.moved) == DAY + timedelta(days=5999)

    @pytest.mark.parametrize("zone", ["", "../../etc/passwd", "x" * 5000, "\\\\host\\share", "Middle-earth Time"])
    def test_a_zone_nobody_knows_has_the_first_day_right_and_fails_nothing(self, zone: str) -> None:
        seen = series(f'<StartTimeZone Id="{zone}"/>')
        assert seen.series is not None
        assert not is_known(seen.series.zone)
        first = seen.series.occurrences.first
        assert first is not None
        assert (first.day, first.start) == (DAY, START)

    def test_a_zone_nobody_knows_is_guessed_from_the_first_day(self) -> None:
        times = WHEN.replace("2031-05-06", "2031-05-05").replace("T09", "T22").replace("T10", "T23")
        seen = observe(times + extended("35", GOID) + MASTER + rule() + '<StartTimeZone Id="Atlantis"/>')
        assert seen.series is not None
        first = seen.series.occurrences.first
        assert first is not None
        assert (first.day, first.start) == (DAY, datetime(2031, 5, 5, 22, tzinfo=UTC))


class TestRulesThatCannotBeSaid:
    def test_a_series_without_a_rule_ends_with_its_last_occurrence_if_that_is_told(self) -> None:
        known, unknown = series(LAST, recurrence=""), series(recurrence="")
        assert known.span is not None
        assert unknown.span is not None
        assert (known.span.until, unknown.span.until) == (datetime(2031, 6, 3, 10, tzinfo=UTC), None)
        assert (known.recurrence is None, unknown.recurrence) == (False, None)
        assert (known.kind, known.series) == (Kind.SERIES, None)

    def test_its_text_changes_with_the_rule_its_zone_and_its_exceptions(self) -> None:
        odd = "<DailyRegeneration><Interval>{}</Interval></DailyRegeneration>"
        texts = {
            series(more, rule(odd.format(interval), limits)).recurrence
            for interval, limits, more in [
                (1, NO_END, ""),
                (2, NO_END, ""),
                (1, UNTIL.format("2031-06-10"), ""),
                (1, NO_END, BERLIN),
                (1, NO_END, deleted(START)),
                (1, NO_END, modified(("x", START, START + HOUR))),
            ]
        }
        assert None not in texts
        assert len(texts) == 6
        assert max(len(text or "") for text in texts) < 100

    def test_its_end_is_that_of_the_last_occurrence_unless_a_moved_one_ends_later(self) -> None:
        odd = rule("<DailyRegeneration><Interval>1</Interval></DailyRegeneration>")
        moved = modified(("x", START, START + 9 * WEEK))
        ends = [series(more, odd).span for more in (LAST, LAST + moved, "")]
        assert [span.until if span else None for span in ends] == [
            datetime(2031, 6, 3, 10, tzinfo=UTC),
            START + 9 * WEEK + HOUR,
            None,
        ]

    def test_one_occurrence_of_many_years_is_no_series(self) -> None:
        seen = observe(WHEN.replace("2031-05-06T10", "2099-05-06T10") + extended("35", GOID) + MASTER + rule())
        assert (seen.kind, seen.series) == (Kind.SERIES, None)
        assert seen.recurrence is not None

    @given(
        st.text(st.characters(codec="ascii", categories=["Nd", "Lu", "Pd"]), max_size=12), st.integers(), st.integers()
    )
    def test_no_numbers_and_no_words_make_it_fail(self, word: str, interval: int, count: int) -> None:
        limits = (
            f"<NumberedRecurrence><StartDate>2031-05-06</StartDate><NumberOfOccurrences>{count}</NumberOfOccurrences>"
            "</NumberedRecurrence>"
        )
        for pattern in (
            f"<DailyRecurrence><Interval>{interval}</Interval></DailyRecurrence>",
            f"<AbsoluteMonthlyRecurrence><Interval>{word}</Interval><DayOfMonth>{interval}</DayOfMonth></AbsoluteMonthlyRecurrence>",
            WEEKLY.format(word),
        ):
            for end in (limits, UNTIL.format(word), NO_END.replace("2031-05-06", word)):
                assert series(recurrence=rule(pattern, end)).kind is Kind.SERIES

    @pytest.mark.parametrize(("count", "days"), [(1, 0), (5, 8), (2_000_000_000, None)])
    def test_a_counted_series_ends_with_its_last_or_with_the_calendar(self, count: int, days: int | None) -> None:
        limits = (
            f"<NumberedRecurrence><StartDate>2031-05-06</StartDate><NumberOfOccurrences>{count}</NumberOfOccurrences>"
            "</NumberedRecurrence>"
        )
        seen = series(recurrence=rule("<DailyRecurrence><Interval>2</Interval></DailyRecurrence>", limits))
        assert seen.series is not None
        assert seen.series.rule == Rule(Daily(2), DAY, count=count)
        assert seen.span is not None
        assert seen.span.until is not None
        if days is None:
            assert seen.span.until.year == 4500
        else:
            assert seen.span.until == START + timedelta(days=days) + HOUR
