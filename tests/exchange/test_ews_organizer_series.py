"""The organizer's own series, and single occurrences of it, where servers are difficult."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import httpx2
import pytest

from exchange.scripted import Asked, Server, answer, bad, ok
from exchange.test_ews_series import BERLIN, DAY, MASTER, NO_END, START, WEEK, deleted, modified, rule
from exchange.test_items import DATED, GOID, KEY, WHEN, extended
from greenroom.exchange.contract import Invitation, UpdateResult
from greenroom.exchange.errors import OutcomeUnknownError, TryLaterError
from greenroom.meetings.meeting import MeetingKey

OLGA = "olga@example.test"
WRITTEN = answer("UpdateItem", ok("<m:Items/>"))
ONE = KEY.on(DAY + WEEK)
OWN = "<IsOrganizer>true</IsOrganizer>"
PART = OWN + "<CalendarItemType>Occurrence</CalendarItemType>"


def typed(text: str) -> str:
    return text.replace("<", "<t:").replace("<t:/", "</t:")


def own(ident: str, parts: str, body: str = "old", when: str = WHEN) -> str:
    inside = typed(f'<Body BodyType="HTML">{body}</Body>{when}{parts}')
    return f'<t:CalendarItem><t:ItemId Id="{ident}" ChangeKey="v"/>{inside}</t:CalendarItem>'


def occurrence(ident: str, weeks: int, body: str = "old") -> str:
    when = f"<Start>{(START + weeks * WEEK).isoformat()}</Start>"
    return own(ident, PART, body, when)


def series(more: str = "", recurrence: str = rule(limits=NO_END)) -> str:
    return own("s", OWN + BERLIN + MASTER + recurrence + more)


def once(invitation: Invitation) -> Invitation | None:
    return None if "new" in invitation.body_html else replace(invitation, body_html=invitation.body_html + "new")


class Calendar:
    """The organizer's calendar: items by id, occurrences by number, a view, and the answers to updates in order."""

    def __init__(self, items: dict[str, str], *, numbers: dict[str, str] | None = None, view: str = "") -> None:
        self.items = items
        self.numbers = numbers or {}
        self.view = view
        self.updates: list[httpx2.Response | Exception] = []
        self.server = Server(self.script)

    def script(self, asked: Asked) -> httpx2.Response | Exception:
        if asked.operation == "FindItem":
            hits = f'<t:CalendarItem><t:ItemId Id="s"/>{typed(extended("35", GOID) + extended("3", GOID))}</t:CalendarItem>'
            if asked.body.find(".//{*}CalendarView") is not None:
                hits = self.view
            root = f'<m:RootFolder IncludesLastItemInRange="true"><t:Items>{hits}</t:Items></m:RootFolder>'
            return answer("FindItem", ok(root))
        if asked.operation == "UpdateItem":
            if self.updates:
                return self.updates.pop(0)
            self.items[asked.ids()[0]] = self.items[asked.ids()[0]].replace(">old<", ">oldnew<")
            return WRITTEN
        numbers = [e.get("InstanceIndex") or "" for e in asked.body.iter("{*}OccurrenceItemId")]
        found = [self.numbers.get(n, bad("ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange")) for n in numbers]
        found += [self.items.get(ident, bad("ErrorItemNotFound")) for ident in asked.ids()]
        return answer("GetItem", *(one if "MESSAGE" in one else ok(f"<m:Items>{one}</m:Items>") for one in found))

    async def update(self, key: MeetingKey = ONE, edit: Callable[[Invitation], Any] = once) -> UpdateResult:
        mailbox = self.server.mailbox()
        try:
            return await mailbox.update_invitation(OLGA, key, edit)
        finally:
            await mailbox.close()

    @property
    def written(self) -> list[str]:
        return [asked.ids()[0] for asked in self.server.asked if asked.operation == "UpdateItem"]


def listed(ident: str, weeks: int, raw: bytes = GOID, kind: str = "Occurrence", more: str = "") -> str:
    start = f"<Start>{(START + weeks * WEEK).isoformat()}</Start><CalendarItemType>{kind}</CalendarItemType>{more}"
    ids = extended("35", GOID) + extended("3", raw)
    return f'<t:CalendarItem><t:ItemId Id="{ident}"/>{typed(start + ids)}</t:CalendarItem>'


class TestOneOccurrence:
    async def test_it_is_found_by_its_number(self) -> None:
        calendar = Calendar({"s": series(), "o": occurrence("o", 1)}, numbers={"2": occurrence("o", 1)})
        assert await calendar.update() is UpdateResult.WRITTEN
        assert calendar.written == ["o"]
        assert calendar.server.count() == 4

    async def test_occurrences_that_were_taken_out_are_counted(self) -> None:
        calendar = Calendar({"s": series(deleted(START)), "o": occurrence("o", 1)}, numbers={"2": occurrence("o", 1)})
        assert await calendar.update() is UpdateResult.WRITTEN
        assert calendar.written == ["o"]

    async def test_an_exception_is_found_by_its_own_item_wherever_it_is_now(self) -> None:
        moved = modified(("x", START + WEEK, START + 3 * WEEK))
        calendar = Calendar({"s": series(moved), "x": occurrence("x", 3)})
        assert await calendar.update() is UpdateResult.WRITTEN
        assert calendar.written == ["x"]

    @pytest.mark.parametrize("numbers", [{}, {"2": occurrence("wrong", 2)}])
    async def test_where_numbers_do_not_lead_to_it_it_is_looked_for_when_it_takes_place(
        self, numbers: dict[str, str]
    ) -> None:
        other = listed("other", 1).replace(typed(extended("35", GOID)), typed(extended("35", GOID[:-1] + b"x")))
        view = other + listed("wrong", 2) + listed("single", 1, kind="Single") + listed("o", 1)
        calendar = Calendar({"s": series(), "o": occurrence("o", 1)}, numbers=numbers, view=view)
        assert await calendar.update() is UpdateResult.WRITTEN
        assert calendar.written == ["o"]
        (looked,) = [a for a in calendar.server.asked if a.body.find(".//{*}CalendarView") is not None]
        window = looked.body.find(".//{*}CalendarView")
        assert window is not None
        assert (window.get("StartDate"), window.get("EndDate")) == ("2031-05-13T09:00:00Z", "2031-05-13T10:00:00Z")

    async def test_of_a_rule_that_cannot_be_said_it_is_looked_for_on_its_day(self) -> None:
        odd = series(recurrence=rule("<DailyRegeneration><Interval>1</Interval></DailyRegeneration>"))
        dated = DATED[:16] + bytes([0x07, 0xEF, 5, 13]) + GOID[20:]
        meant = "<OriginalStart>2031-05-13T09:00:00Z</OriginalStart>"
        for view in (
            listed("o", 1),
            listed("o", 9, dated),
            listed("o", 9, more=meant),
        ):
            calendar = Calendar({"s": odd, "o": occurrence("o", 1)}, view=view)
            assert await calendar.update() is UpdateResult.WRITTEN
            assert calendar.written == ["o"]

    @pytest.mark.parametrize(
        ("more", "day"),
        [("", DAY + timedelta(days=1)), (deleted(START + WEEK), DAY + WEEK), ("", date(2001, 1, 2))],
    )
    async def test_an_occurrence_that_is_none_is_not_looked_for(self, more: str, day: date) -> None:
        calendar = Calendar({"s": series(more)})
        assert await calendar.update(KEY.on(day)) is UpdateResult.NOT_FOUND
        assert calendar.server.count() == 2

    async def test_one_that_cannot_be_found_or_was_cancelled_is_left_alone(self) -> None:
        assert await Calendar({"s": series()}).update() is UpdateResult.NOT_FOUND
        cancelled = own("x", PART + "<IsCancelled>true</IsCancelled>")
        for calendar in (
            Calendar({"s": series(modified(("x", START + WEEK, START + WEEK))), "x": cancelled}),
            Calendar({"s": series(), "x": cancelled}, view=listed("x", 1)),
        ):
            assert await calendar.update() is UpdateResult.NOT_FOUND
            assert calendar.written == []

    async def test_a_meeting_that_is_no_series_any_more_has_no_occurrence(self) -> None:
        calendar = Calendar({"s": own("s", OWN + "<CalendarItemType>Single</CalendarItemType>")})
        assert await calendar.update() is UpdateResult.NOT_FOUND

    async def test_a_conflict_and_a_lost_answer_are_met_with_a_new_look(self) -> None:
        rows = modified(("x", START + WEEK, START + WEEK))
        calendar = Calendar({"s": series(rows), "x": occurrence("x", 1)})
        calendar.updates = [answer("UpdateItem", bad("ErrorIrresolvableConflict"))]
        assert await calendar.update() is UpdateResult.WRITTEN
        assert calendar.written == ["x", "x"]
        calendar = Calendar({"s": series(rows), "x": occurrence("x", 1)})
        calendar.updates = [httpx2.ReadTimeout("x")] * 3
        with pytest.raises(OutcomeUnknownError):
            await calendar.update()

    async def test_a_busy_server_is_something_to_try_later(self) -> None:
        with pytest.raises(TryLaterError):
            await Calendar({"s": series()}, numbers={"2": bad("ErrorServerBusy")}).update()


class TestWholeSeries:
    ROWS = modified(
        ("x", START + WEEK, START + WEEK), ("y", START + 2 * WEEK, START + 2 * WEEK), ("z", START + 3 * WEEK, START)
    )

    async def test_occurrences_with_a_text_of_their_own_are_changed_one_by_one(self) -> None:
        calendar = Calendar(
            {
                "s": series(self.ROWS),
                "x": occurrence("x", 1),
                "y": occurrence("y", 2, "has the new one"),
                "z": own("z", PART + "<IsCancelled>true</IsCancelled>"),
            }
        )
        assert await calendar.update(KEY) is UpdateResult.WRITTEN
        assert calendar.written == ["s", "x"]

    async def test_a_series_that_has_the_text_is_written_where_an_occurrence_lacks_it(self) -> None:
        whole = series(self.ROWS).replace(">old<", ">oldnew<")
        calendar = Calendar(
            {"s": whole, "x": occurrence("x", 1), "y": occurrence("y", 2, "new"), "z": bad("ErrorItemNotFound")}
        )
        assert await calendar.update(KEY) is UpdateResult.WRITTEN
        assert calendar.written == ["x"]
        assert await calendar.update(KEY) is UpdateResult.PRESENT

    async def test_what_is_over_stays_as_it_is(self) -> None:
        calendar = Calendar(
            {"s": series(self.ROWS), "x": occurrence("x", 1), "y": occurrence("y", 2), "z": occurrence("z", 3)}
        )
        calendar.server.clock.now = START + 3 * WEEK / 2
        assert await calendar.update(KEY) is UpdateResult.WRITTEN
        assert calendar.written == ["s", "y"]

    async def test_one_that_cannot_be_changed_does_not_keep_the_others_from_it(self) -> None:
        calendar = Calendar({"s": series(self.ROWS), "x": occurrence("x", 1), "y": occurrence("y", 2)})
        calendar.updates = [WRITTEN, answer("UpdateItem", bad("ErrorPropertyUpdate"))]
        assert await calendar.update(KEY) is UpdateResult.WRITTEN
        assert calendar.written == ["s", "x", "y"]

    async def test_a_series_as_its_rule_says_costs_no_more_calls(self) -> None:
        calendar = Calendar({"s": series()})
        assert await calendar.update(KEY) is UpdateResult.WRITTEN
        assert calendar.server.count() == 3

    async def test_nothing_is_read_of_occurrences_where_the_series_could_not_be_changed(self) -> None:
        calendar = Calendar({"s": series(self.ROWS)})
        calendar.updates = [answer("UpdateItem", bad("ErrorPropertyUpdate"))]
        assert await calendar.update(KEY) is UpdateResult.REFUSED
        assert calendar.server.count() == 3
