"""What the conformance suite asks of series, and of single occurrences of them."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from exchange.conforming.asking import BLOCK, Contract, everything, observed, the_one, with_block
from exchange.simulated import HOUR, RESOURCE, START, House
from greenroom.exchange.contract import Reply, UpdateResult, Verdict
from greenroom.meetings import rules
from greenroom.meetings.meeting import Changed, Kind, MeetingKey, Observation, Response
from greenroom.meetings.recurrence import Moved, Series
from greenroom.meetings.rules import EVERY_DAY, WEEKEND, WORKDAYS, Nth, Rule
from greenroom.meetings.zones import Zone, is_known
from greenroom.simulator.model import Attendee, Body, Person
from greenroom.simulator.recurrence import (
    AbsoluteMonthly,
    AbsoluteYearly,
    Daily,
    Pattern,
    Recurrence,
    RelativeMonthly,
    RelativeYearly,
    Weekly,
)
from support.simulator import ATTENDEE, EQUIPMENT, ORGANIZER

DAY = START.date()  # a Tuesday
WEEK = timedelta(days=7)
BERLIN = Zone("W. Europe Standard Time")
LATER = START + 27 * WEEK + 28 * HOUR
TUESDAYS = Recurrence(Weekly(1, ("Tuesday",)), DAY, count=6)
ALONE = (Attendee(Person(ATTENDEE, "Anton Attendee")),)
SAID: list[tuple[Pattern, rules.Pattern]] = [
    (Daily(1), rules.Daily(1)),
    (Daily(3), rules.Daily(3)),
    (Weekly(1, ("Tuesday",)), rules.Weekly(1, (1,), 6)),
    (Weekly(2, ("Tuesday", "Friday"), "Monday"), rules.Weekly(2, (1, 4), 0)),
    (AbsoluteMonthly(1, 31), rules.AbsoluteMonthly(1, 31)),
    (AbsoluteMonthly(5, 6), rules.AbsoluteMonthly(5, 6)),
    (RelativeMonthly(1, "Tuesday", "First"), rules.RelativeMonthly(1, (1,), Nth.FIRST)),
    (RelativeMonthly(2, "Weekday", "Last"), rules.RelativeMonthly(2, WORKDAYS, Nth.LAST)),
    (RelativeMonthly(1, "Day", "Third"), rules.RelativeMonthly(1, EVERY_DAY, Nth.THIRD)),
    (RelativeMonthly(1, "WeekendDay", "Fourth"), rules.RelativeMonthly(1, WEEKEND, Nth.FOURTH)),
    (AbsoluteYearly(5, 6), rules.AbsoluteYearly(5, 6)),
    (RelativeYearly(5, "Tuesday", "Last"), rules.RelativeYearly(5, (1,), Nth.LAST)),
    (RelativeYearly(12, "Weekday", "Second"), rules.RelativeYearly(12, WORKDAYS, Nth.SECOND)),
]
RANGES: dict[str, dict[str, Any]] = {"endless": {}, "until": {"until": date(2033, 8, 1)}, "counted": {"count": 7}}


async def accepted(house: House, key: MeetingKey) -> Observation:
    """Accept a meeting; the calendar has it then, whoever keeps it."""
    (seen,) = [o for o in (await observed(house))[0] if o.key == key]
    (result,) = await house.mailbox.respond([Reply(seen.ref, Verdict.ACCEPT, "<p>ok</p>")])
    assert result.error is None
    house.simulator.clock.advance(timedelta(minutes=1))
    found = await house.mailbox.find(key)
    assert found is not None
    return found


async def news_of_one(house: House, cursor: str, key: MeetingKey) -> Observation:
    """What the feed has of a series of which one occurrence changed, brought into the calendar by an answer if need be."""
    found, _ = await observed(house, cursor)
    (seen,) = found
    if seen.kind is Kind.SERIES:
        assert seen.key == key
        return seen
    assert house.processing == "none"
    assert (seen.kind, seen.key.clean, seen.ref.is_message) == (Kind.OCCURRENCE, key, True)
    (result,) = await house.mailbox.respond([Reply(seen.ref, Verdict.ACCEPT, "<p>ok</p>")])
    assert result.error is None
    series = await house.mailbox.find(key)
    assert series is not None
    return series


class RecurringContract(Contract):
    """A series is a rule in a zone, with what differs from it by its original day."""

    @pytest.mark.parametrize("limits", sorted(RANGES))
    async def test_every_pattern_is_read_as_the_rule_it_is(self, house: House, limits: str) -> None:
        wanted = {
            house.invite(str(at), recurrence=Recurrence(pattern, DAY, **RANGES[limits])): Series(
                Rule(rule, DAY, **RANGES[limits]), time(11), HOUR, BERLIN
            )
            for at, (pattern, rule) in enumerate(SAID)
        }
        found, _ = await observed(house)
        assert {o.key: o.series for o in found} == wanted
        for seen in found:
            assert seen.series is not None
            assert seen.span is not None
            assert (seen.kind, seen.recurrence, seen.span.until is None) == (Kind.SERIES, None, limits == "endless")
            assert seen.span.until == seen.series.occurrences.last_end

    async def test_a_series_ends_to_the_second_when_clocks_are_changed_in_between(self, house: House) -> None:
        rule = Recurrence(Weekly(1, ("Tuesday",)), DAY, until=date(2031, 11, 30))
        house.invite("Weekly", recurrence=rule)
        seen = await the_one(house)
        assert seen.span is not None
        assert seen.span.until == datetime(2031, 11, 25, 11, tzinfo=UTC)  # an hour later in UTC: winter time in Berlin

    async def test_a_series_all_day_is_one_of_days(self, house: House) -> None:
        midnight = datetime(2031, 5, 5, 22, tzinfo=UTC)
        house.invite("Days", start=midnight, end=midnight + timedelta(days=2), all_day=True, recurrence=TUESDAYS)
        seen = await the_one(house)
        assert seen.series == Series(Rule(rules.Weekly(1, (1,), 6), DAY, count=6), time(), timedelta(days=2), BERLIN)
        assert seen.span is not None
        assert seen.span.all_day

    async def test_a_series_that_begins_on_no_day_of_its_rule_is_counted_from_the_first(self, house: House) -> None:
        rule = Recurrence(RelativeMonthly(1, "Monday", "Last"), DAY, count=2)
        first = datetime(2031, 5, 26, 9, tzinfo=UTC)
        house.invite("Monthly", recurrence=rule, start=first, end=first + HOUR)
        seen = await the_one(house)
        assert seen.series is not None
        one = seen.series.occurrences.first
        assert one is not None
        assert (one.day, one.start) == (date(2031, 5, 26), first)
        assert seen.span is not None
        assert seen.span.until == datetime(2031, 6, 30, 10, tzinfo=UTC)

    async def test_a_cancelled_occurrence_is_gone_by_its_day(self, house: House) -> None:
        key = house.invite("Weekly", recurrence=TUESDAYS)
        before = await accepted(house, key)
        _, _, cursor = await everything(house)
        house.take_out(key, START + 2 * WEEK)
        (seen,) = (await observed(house, cursor))[0]
        if house.processing == "none":
            assert (seen.key, seen.kind, seen.cancelled) == (key.on(DAY + 2 * WEEK), Kind.OCCURRENCE, True)
            return
        assert seen.series is not None
        assert (seen.key, seen.cancelled, seen.series.gone) == (key, False, frozenset({DAY + 2 * WEEK}))
        assert seen.series.occurrences.on(DAY + 2 * WEEK) is None
        assert seen.fingerprint != before.fingerprint
        assert seen.series.frame == before.series

    async def test_a_moved_occurrence_keeps_its_day(self, house: House) -> None:
        key = house.invite("Weekly", recurrence=TUESDAYS)
        before = await accepted(house, key)
        _, _, cursor = await everything(house)
        begins, ends = START + WEEK + timedelta(days=1), START + WEEK + timedelta(days=1, hours=3)
        house.change_one(key, START + WEEK, start=begins, end=ends)
        seen = await news_of_one(house, cursor, key)
        assert seen.series is not None
        assert seen.series.moved == (Moved(DAY + WEEK, begins, ends),)
        assert seen.series.frame == before.series
        (one,) = seen.changed
        assert (one.day, one.ref is not None) == (DAY + WEEK, True)

    async def test_the_last_occurrence_moved_behind_the_end_ends_the_series_later(self, house: House) -> None:
        key = house.invite("Weekly", recurrence=TUESDAYS)
        await accepted(house, key)
        _, _, cursor = await everything(house)
        ends = START + 5 * WEEK + timedelta(days=3)
        house.change_one(key, START + 5 * WEEK, start=ends - HOUR, end=ends)
        seen = await news_of_one(house, cursor, key)
        assert seen.span is not None
        assert seen.span.until == ends

    async def test_one_changed_occurrence_is_answered_by_itself(self, house: House) -> None:
        key = house.invite("Weekly", recurrence=TUESDAYS)
        await accepted(house, key)
        _, _, cursor = await everything(house)
        house.change_one(key, START + WEEK, start=START + WEEK + HOUR, end=START + WEEK + 2 * HOUR)
        seen = await news_of_one(house, cursor, key)
        (one,) = seen.changed
        if house.processing != "none":  # there the answer is what brings it into the calendar
            assert one == Changed(DAY + WEEK, one.ref, Response.NONE, None)
            assert one.ref is not None
            before = len(house.replies_to_organizer())
            (result,) = await house.mailbox.respond([Reply(one.ref, Verdict.ACCEPT, "<p>That one</p>")])
            assert result.error is None
            assert len(house.replies_to_organizer()) == before + 1
        found = await house.mailbox.find(key)
        assert found is not None
        assert found.response is Response.ACCEPTED
        assert found.series == seen.series
        if house.processing != "none":
            assert [c.response for c in found.changed] == [Response.ACCEPTED]
            assert all(c.replied_at is not None for c in found.changed)

    async def test_instructions_go_into_one_occurrence_alone(self, house: House) -> None:
        key = house.invite("Weekly", recurrence=TUESDAYS)
        one = key.on(DAY + WEEK)
        assert await house.mailbox.update_invitation(ORGANIZER, one, with_block) is UpdateResult.WRITTEN
        assert BLOCK in house.body_of_one(key, START + WEEK)
        assert "Agenda" in house.body_of_one(key, START + WEEK)
        assert BLOCK not in house.text(key).body_html
        assert BLOCK not in house.body_of_one(key, START + 2 * WEEK)
        version = house.own(key).change_key
        assert await house.mailbox.update_invitation(ORGANIZER, one, with_block) is UpdateResult.PRESENT
        assert house.own(key).change_key == version

    async def test_instructions_for_an_occurrence_that_is_none_find_nothing(self, house: House) -> None:
        key = house.invite("Weekly", recurrence=TUESDAYS)
        house.take_out(key, START + WEEK)
        for day in (DAY + WEEK, DAY + timedelta(days=1), DAY + 99 * WEEK):
            result = await house.mailbox.update_invitation(ORGANIZER, key.on(day), with_block)
            assert result is UpdateResult.NOT_FOUND, day
        single = house.invite("Single")
        assert await house.mailbox.update_invitation(ORGANIZER, single.on(DAY), with_block) is UpdateResult.NOT_FOUND

    async def test_instructions_for_a_moved_occurrence_find_it_by_its_first_day(self, house: House) -> None:
        key = house.invite("Weekly", recurrence=TUESDAYS)
        moved = START + WEEK + timedelta(days=2)
        house.change_one(key, START + WEEK, start=moved, end=moved + HOUR)
        result = await house.mailbox.update_invitation(ORGANIZER, key.on(DAY + WEEK), with_block)
        assert result is UpdateResult.WRITTEN
        assert BLOCK in house.body_of_one(key, START + WEEK)
        assert BLOCK not in house.text(key).body_html

    async def test_instructions_for_a_series_reach_occurrences_with_a_text_of_their_own(self, house: House) -> None:
        key = house.invite("Weekly", recurrence=TUESDAYS)
        house.change_one(key, START + WEEK, body=Body("<p>Own agenda</p>", "HTML"))
        house.change_one(key, START + 2 * WEEK, location="Elsewhere")
        assert await house.mailbox.update_invitation(ORGANIZER, key, with_block) is UpdateResult.WRITTEN
        assert BLOCK in house.text(key).body_html
        assert BLOCK in house.body_of_one(key, START + WEEK)
        assert "Own agenda" in house.body_of_one(key, START + WEEK)
        assert house.body_of_one(key, START + 2 * WEEK).count(BLOCK) == 1
        version = house.own(key).change_key
        assert await house.mailbox.update_invitation(ORGANIZER, key, with_block) is UpdateResult.PRESENT
        assert house.own(key).change_key == version

    async def test_a_zone_of_its_own_counts_by_its_definition_and_is_the_same_on_both_faces(self, house: House) -> None:
        if house.processing == "none":
            pytest.skip("the other face keeps the calendar")
        house.simulator.exchange.deliver_ics(EQUIPMENT, OWN_ZONE.encode())
        seen = await the_one(house)
        other = house.open_other_face(EQUIPMENT)
        try:
            theirs = await other.find(seen.key)
        finally:
            await other.close()
        assert seen.series is not None
        assert is_known(seen.series.zone)
        assert theirs is not None
        assert theirs.series == seen.series
        starts = [seen.series.occurrences.on(day) for day in (date(2031, 3, 4), date(2031, 6, 3))]
        assert [one.start.time() for one in starts if one] == [time(9), time(7, 30)]

    async def test_a_zone_nobody_knows_fails_nothing_and_has_the_first_day_right(self, house: House) -> None:
        house.invite("Odd", recurrence=TUESDAYS, start_zone="Middle-earth Standard Time")
        seen = await the_one(house)
        assert seen.series is not None
        first = seen.series.occurrences.first
        assert first is not None
        assert (first.day, first.start, first.end) == (DAY, START, START + HOUR)

    @pytest.mark.parametrize("changed", ["moved", "gone", "both"])
    async def test_both_faces_tell_the_same_series(self, house: House, changed: str) -> None:
        if house.processing == "none":
            pytest.skip("the other face keeps the calendar")
        key = house.invite("Weekly", recurrence=Recurrence(Weekly(1, ("Tuesday", "Friday"), "Monday"), DAY, count=60))
        if changed != "gone":
            house.change_one(key, START + 27 * WEEK + HOUR, start=START + 27 * WEEK + 25 * HOUR, end=LATER)
            house.change_one(key, START + WEEK, subject="Another")
        if changed != "moved":
            house.take_out(key, START)
            house.take_out(key, START + 26 * WEEK + HOUR)
        seen, other = await house.mailbox.find(key), house.open_other_face(EQUIPMENT)
        try:
            theirs = await other.find(key)
        finally:
            await other.close()
        assert seen is not None
        assert theirs is not None
        assert seen.series is not None
        assert theirs.series == seen.series
        assert theirs.fingerprint == seen.fingerprint
        assert [(c.day, c.response, c.replied_at) for c in theirs.changed] == [
            (c.day, c.response, c.replied_at) for c in seen.changed
        ]
        counts = {"moved": (2, 0), "gone": (0, 2), "both": (2, 2)}
        assert (len(seen.series.moved), len(seen.series.gone)) == counts[changed]


class LoneContract(Contract):
    """One occurrence without its series is a meeting of its own; with it, it is a part of that."""

    async def lone(self, house: House, *weeks: int) -> MeetingKey:
        key = house.invite("Weekly", recurrence=TUESDAYS, attendees=ALONE)
        for week in weeks:
            house.invite_to_one(key, START + week * WEEK)
        return key

    async def test_a_lone_occurrence_is_known_by_its_day(self, house: House) -> None:
        key = await self.lone(house, 1)
        seen = await the_one(house)
        assert (seen.key, seen.kind, seen.original_start) == (key.on(DAY + WEEK), Kind.OCCURRENCE, START + WEEK)
        assert seen.span is not None
        assert (seen.span.start, seen.span.end, seen.span.until) == (START + WEEK, START + WEEK + HOUR, None)
        assert seen.series is None
        assert {g.key for g in (await everything(house))[0]} <= {None, seen.key}

    async def test_a_moved_lone_occurrence_keeps_its_day(self, house: House) -> None:
        key = await self.lone(house)
        moved = START + WEEK + timedelta(days=1)
        house.invite_to_one(key, START + WEEK, start=moved, end=moved + HOUR)
        seen = await the_one(house)
        assert seen.key == key.on(DAY + WEEK)
        assert seen.span is not None
        assert seen.span.start == moved

    async def test_two_lone_occurrences_of_one_series_are_two_meetings(self, house: House) -> None:
        key = await self.lone(house, 1, 3)
        found, _ = await observed(house)
        assert {o.key for o in found} == {key.on(DAY + WEEK), key.on(DAY + 3 * WEEK)}
        assert len({o.fingerprint for o in found}) == 2
        results = await house.mailbox.respond([Reply(o.ref, Verdict.ACCEPT, "<p>ok</p>") for o in found])
        assert [r.error for r in results] == [None, None]
        assert len(house.replies_to_organizer()) == 2
        for day in (DAY + WEEK, DAY + 3 * WEEK):
            one = await house.mailbox.find(key.on(day))
            assert one is not None
            assert (one.key, one.response) == (key.on(day), Response.ACCEPTED)
        assert await house.mailbox.find(key.on(DAY + 2 * WEEK)) is None
        assert await house.mailbox.find(key) is None

    async def test_the_inventory_tells_lone_occurrences_apart(self, house: House) -> None:
        key = await self.lone(house, 1, 3)
        keys = {g.key for g in await house.mailbox.inventory(START)}
        assert keys <= {None, key.on(DAY + WEEK), key.on(DAY + 3 * WEEK)}

    async def test_instructions_for_a_lone_occurrence_go_into_it_alone(self, house: House) -> None:
        key = await self.lone(house, 1)
        seen = await the_one(house)
        assert await house.mailbox.update_invitation(ORGANIZER, seen.key, with_block) is UpdateResult.WRITTEN
        assert BLOCK in house.body_of_one(key, START + WEEK)
        assert BLOCK not in house.text(key).body_html

    async def test_a_cancelled_lone_occurrence_is_cancelled_alone(self, house: House) -> None:
        key = await self.lone(house, 1, 3)
        _, cursor = await observed(house)
        house.simulator.clock.advance(timedelta(minutes=1))
        house.take_out(key, START + WEEK)
        found, _ = await observed(house, cursor)
        assert [(o.key, o.cancelled) for o in found] == [(key.on(DAY + WEEK), True)]

    async def test_a_lone_occurrence_becomes_a_part_of_its_series_when_that_comes(self, house: House) -> None:
        key = await self.lone(house, 1)
        one = await accepted(house, key.on(DAY + WEEK))
        _, _, cursor = await everything(house)
        house.change(key, attendees=(*house.own(key).meeting.attendees, RESOURCE))
        found, _ = await observed(house, cursor)
        assert key in {o.key for o in found}
        if house.processing == "none":
            (series,) = [o for o in found if o.key == key]
            await house.mailbox.respond([Reply(series.ref, Verdict.ACCEPT, "<p>ok</p>")])
        assert await house.mailbox.find(one.key) is None
        whole = await house.mailbox.find(key)
        assert whole is not None
        assert (whole.kind, whole.key) == (Kind.SERIES, key)


OWN_ZONE = (
    "BEGIN:VCALENDAR\r\nPRODID:-//x//x//EN\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\n"
    "BEGIN:VTIMEZONE\r\nTZID:Our own zone\r\n"
    "BEGIN:STANDARD\r\nDTSTART:16010101T030000\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\r\n"
    "TZOFFSETFROM:+0300\r\nTZOFFSETTO:+0130\r\nEND:STANDARD\r\n"
    "BEGIN:DAYLIGHT\r\nDTSTART:16010101T020000\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\r\n"
    "TZOFFSETFROM:+0130\r\nTZOFFSETTO:+0300\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\n"
    "BEGIN:VEVENT\r\nUID:own-zone\r\nDTSTAMP:20310101T090000Z\r\nDTSTART;TZID=Our own zone:20310107T103000\r\n"
    "DTEND;TZID=Our own zone:20310107T113000\r\nRRULE:FREQ=WEEKLY;COUNT=40\r\nSUMMARY:Odd\r\nDESCRIPTION:Agenda\r\n"
    f"ORGANIZER:mailto:guest@partner.example\r\nATTENDEE:mailto:{EQUIPMENT}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
