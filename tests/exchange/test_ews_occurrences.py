"""Occurrences over EWS that differ from their series: what became of them, messages about them, and those that stand alone."""

from base64 import b64encode
from datetime import UTC, date, datetime, timedelta

import httpx2
import pytest

from exchange.scripted import Asked, Server, answer, bad, fault, ok
from exchange.test_ews_series import DAY, HOUR, MASTER, NO_END, START, UNTIL, WEEK, deleted, modified, rule
from exchange.test_items import DATED, GOID, KEY, WHEN, extended
from greenroom.exchange.contract import Unreadable
from greenroom.exchange.errors import TryLaterError
from greenroom.exchange.ews.exceptions import MOST
from greenroom.meetings.meeting import Changed, ItemRef, Kind, Observation, Response


def item(ident: str, parts: str, name: str = "CalendarItem", when: str = WHEN) -> str:
    organizer = "<Organizer><Mailbox><EmailAddress>o@x.test</EmailAddress></Mailbox></Organizer>"
    inside = when + extended("35", GOID) + organizer + parts
    return f'<t:{name}><t:ItemId Id="{ident}" ChangeKey="v"/>{_typed(inside)}</t:{name}>'


def _typed(text: str) -> str:
    return text.replace("<", "<t:").replace("<t:/", "</t:")


def serving(**known: str | httpx2.Response) -> Server:
    """A server that knows these items by id; `master_of_x` answers for the series of x."""

    def script(asked: Asked) -> httpx2.Response:
        masters = [f"master_of_{e.get('OccurrenceId')}" for e in asked.body.iter("{*}RecurringMasterItemId")]
        found = [known.get(ident, "ErrorItemNotFound") for ident in masters or asked.ids()]
        for one in found:
            if isinstance(one, httpx2.Response):
                return one
        told = (bad(one) if one.startswith("Error") else ok(f"<m:Items>{one}</m:Items>") for one in map(str, found))
        return answer("GetItem", *told)

    return Server(script)


async def read(server: Server, *ids: str) -> list[Observation | Unreadable]:
    mailbox = server.mailbox()
    try:
        return await mailbox.read([ItemRef(ident) for ident in ids])
    finally:
        await mailbox.close()


async def the_one(server: Server, *ids: str) -> Observation:
    (found,) = await read(server, *ids)
    assert isinstance(found, Observation)
    return found


def text_of(raw: bytes) -> str:
    return b64encode(raw).decode()


def fact(ident: str, parts: str) -> str:
    return f'<t:CalendarItem><t:ItemId Id="{ident}" ChangeKey="w"/>{_typed(parts)}</t:CalendarItem>'


WHOLE = MASTER + rule(limits=NO_END)
ACCEPTED = (
    "<MyResponseType>Accept</MyResponseType><AppointmentReplyTime>2031-01-01T10:00:00Z</AppointmentReplyTime>"
    "<IsCancelled>false</IsCancelled>"
)
REPLIED = datetime(2031, 1, 1, 10, tzinfo=UTC)


class TestOccurrencesThatDiffer:
    async def test_what_was_answered_to_each_is_told_with_its_own_item(self) -> None:
        rows = modified(("x", START + WEEK, START + WEEK + HOUR), ("y", START + 2 * WEEK, START + 2 * WEEK + HOUR))
        server = serving(
            s=item("s", WHOLE + rows),
            x=fact("x", ACCEPTED),
            y=fact("y", "<MyResponseType>NoResponseReceived</MyResponseType>"),
        )
        seen = await the_one(server, "s")
        assert seen.changed == (
            Changed(DAY + WEEK, ItemRef("x", "w"), Response.ACCEPTED, REPLIED),
            Changed(DAY + 2 * WEEK, ItemRef("y", "w"), Response.NONE, None),
        )
        assert server.count() == 2

    async def test_a_cancelled_one_is_gone_from_its_series(self) -> None:
        rows = modified(("x", START + WEEK, START + WEEK), ("y", START + 2 * WEEK, START + 2 * WEEK))
        limited = MASTER + rule(limits=UNTIL.format("2031-05-20"))
        for cancelled in ("<IsCancelled>true</IsCancelled>", "<AppointmentState>7</AppointmentState>"):
            server = serving(s=item("s", limited + rows), x=fact("x", ACCEPTED), y=fact("y", cancelled))
            seen = await the_one(server, "s")
            assert seen.series is not None
            assert [one.day for one in seen.series.moved] == [DAY + WEEK]
            assert seen.series.gone == {DAY + 2 * WEEK}
            assert [one.day for one in seen.changed] == [DAY + WEEK]
            assert seen.span is not None
            assert seen.span.until == START + WEEK + HOUR

    async def test_what_cannot_be_read_is_not_known_and_what_is_gone_cannot_be_answered(self) -> None:
        rows = modified(*((ident, START + n * WEEK, START + n * WEEK) for n, ident in enumerate("xyz", 1)))
        server = serving(
            s=item("s", WHOLE + rows), x="ErrorItemCorrupt", y="ErrorItemNotFound", z="ErrorInternalServerError"
        )
        seen = await the_one(server, "s")
        assert [(one.ref.id if one.ref else None, one.response) for one in seen.changed] == [
            ("x", None),
            (None, None),
            ("z", None),
        ]

    async def test_one_that_is_busy_makes_its_series_wait_and_no_other(self) -> None:
        rows = modified(("x", START + WEEK, START + WEEK))
        other = item("o", WHOLE).replace(text_of(GOID), text_of(GOID[:-1] + b"o"))
        server = serving(s=item("s", WHOLE + rows), x="ErrorServerBusy", o=other)
        first, second = await read(server, "s", "o")
        assert isinstance(first, Unreadable)
        assert isinstance(first.error, TryLaterError)
        assert isinstance(second, Observation)

    async def test_a_request_about_them_that_fails_spoils_no_series(self) -> None:
        rows = modified(("x", START + WEEK, START + WEEK), ("y", START + 2 * WEEK, START + 2 * WEEK))
        for odd in (fault("ErrorInternalServerError"), httpx2.Response(200, content=b"<x")):
            server = serving(s=item("s", WHOLE + rows), x=odd, y=fact("y", ACCEPTED))
            seen = await the_one(server, "s")
            assert [(one.ref.id if one.ref else None, one.response) for one in seen.changed] == [
                ("x", None),
                ("y", Response.ACCEPTED),
            ]

    async def test_a_server_that_refuses_a_property_of_theirs_is_asked_for_what_it_has(self) -> None:
        rows = modified(*((f"x{n}", START + n * WEEK, START + n * WEEK) for n in range(1, 9)))
        server = serving(s=item("s", WHOLE + rows), **{f"x{n}": fact(f"x{n}", ACCEPTED) for n in range(1, 9)})
        plain = server.script

        def script(asked: Asked) -> httpx2.Response | Exception:
            named = [field.get("FieldURI") for field in asked.body.iter("{*}FieldURI")]
            choosy = "item:Body" not in named and "calendar:AppointmentReplyTime" in named
            return fault("ErrorInvalidPropertyRequest") if choosy else plain(asked)

        server.script = script
        seen = await the_one(server, "s")
        assert {one.response for one in seen.changed} == {Response.ACCEPTED}
        assert server.count() == 3

    async def test_of_very_many_the_latest_are_asked_about_in_requests_of_ten(self) -> None:
        rows = modified(*((f"x{n}", START + n * WEEK, START + n * WEEK) for n in range(1, 201)))
        server = serving(s=item("s", WHOLE + rows), **{f"x{n}": fact(f"x{n}", ACCEPTED) for n in range(1, 201)})
        seen = await the_one(server, "s")
        assert [one.day for one in seen.changed] == [DAY + n * WEEK for n in range(201 - MOST, 201)]
        assert server.count() == 1 + MOST // 10

    async def test_a_series_as_its_rule_says_costs_no_more_calls(self) -> None:
        server = serving(s=item("s", WHOLE + deleted(START + WEEK)))
        assert (await the_one(server, "s")).changed == ()
        assert server.count() == 1

    async def test_occurrences_of_several_series_are_asked_about_together(self) -> None:
        known = {
            f"s{n}": item(f"s{n}", WHOLE + modified((f"x{n}", START + WEEK, START + WEEK))).replace(
                text_of(GOID), text_of(GOID[:-1] + bytes([n]))
            )
            for n in range(8)
        }
        server = serving(**known, **{f"x{n}": fact(f"x{n}", ACCEPTED) for n in range(8)})
        found = await read(server, *known)
        assert [len(o.changed) for o in found if isinstance(o, Observation)] == [1] * 8
        assert server.count() == 2


def associated(ident: str) -> str:
    return f'<t:AssociatedCalendarItemId Id="{ident}"/>'


def word(ident: str, name: str, more: str = "", *, sequence: int = 1, when: str = WHEN) -> str:
    """A message about the occurrence of the next week."""
    about = extended("3", DATED[:16] + bytes([0x07, 0xEF, 5, 13]) + GOID[20:])
    number = f"<AppointmentSequenceNumber>{sequence}</AppointmentSequenceNumber>"
    shifted = when.replace("05-06", "05-14")
    return item(ident, about + number, name, shifted).replace(f"</t:{name}>", f"{more}</t:{name}>")


ONE = KEY.on(DAY + WEEK)
KNOWN = WHOLE + "<AppointmentSequenceNumber>1</AppointmentSequenceNumber>"
DONE = "<t:HasBeenProcessed>true</t:HasBeenProcessed>"


class TestMessagesAboutOneOccurrence:
    @pytest.mark.parametrize("name", ["MeetingRequest", "MeetingCancellation"])
    async def test_what_exchange_has_applied_is_the_series(self, name: str) -> None:
        server = serving(m=word("m", name, associated("s") + DONE), s=item("s", KNOWN))
        seen = await the_one(server, "m")
        assert (seen.ref.id, seen.kind, seen.key, seen.cancelled) == ("s", Kind.SERIES, KEY, False)

    @pytest.mark.parametrize("name", ["MeetingRequest", "MeetingCancellation"])
    async def test_what_the_series_does_not_know_yet_is_told_of_the_occurrence(self, name: str) -> None:
        for more in (associated("s"), ""):
            server = serving(m=word("m", name, more), s=item("s", KNOWN))
            seen = await the_one(server, "m")
            assert (seen.ref.id, seen.kind, seen.key) == ("m", Kind.OCCURRENCE, ONE)
            assert seen.cancelled is (name == "MeetingCancellation")

    async def test_what_is_older_than_the_series_is_not_told(self) -> None:
        server = serving(m=word("m", "MeetingRequest", associated("s"), sequence=0), s=item("s", KNOWN))
        assert (await the_one(server, "m")).ref.id == "s"

    async def test_what_the_series_shows_already_is_not_told_again(self) -> None:
        moved = modified(("x", START + WEEK, START + WEEK + timedelta(days=1)))
        server = serving(
            m=word("m", "MeetingRequest", associated("s")), s=item("s", KNOWN + moved), x=fact("x", ACCEPTED)
        )
        assert (await the_one(server, "m")).ref.id == "s"
        server = serving(
            m=word("m", "MeetingCancellation", associated("s")), s=item("s", KNOWN + deleted(START + WEEK))
        )
        assert (await the_one(server, "m")).ref.id == "s"

    async def test_news_beside_its_series_in_one_reading_are_both_told(self) -> None:
        server = serving(m=word("m", "MeetingRequest"), s=item("s", KNOWN))
        for order in (("m", "s"), ("s", "m")):
            found = await read(server, *order)
            assert {o.key for o in found if isinstance(o, Observation)} == {KEY, ONE}

    async def test_a_message_leads_over_the_item_of_the_occurrence_to_the_series(self) -> None:
        server = serving(
            m=word("m", "MeetingRequest", associated("occ") + DONE),
            occ=item("occ", "<CalendarItemType>Exception</CalendarItemType>"),
            master_of_occ=item("s", KNOWN),
        )
        seen = await the_one(server, "m")
        assert (seen.ref.id, seen.kind, seen.key) == ("s", Kind.SERIES, KEY)


class TestItemsOfOccurrences:
    PART = "<CalendarItemType>Exception</CalendarItemType>"

    def part(self, ident: str, day: int = 13) -> str:
        return item(ident, self.PART + extended("3", DATED[:16] + bytes([0x07, 0xEF, 5, day]) + GOID[20:]))

    async def test_an_item_of_a_series_that_is_here_leads_to_it(self) -> None:
        server = serving(occ=self.part("occ"), master_of_occ=item("s", KNOWN))
        seen = await the_one(server, "occ")
        assert (seen.ref.id, seen.kind, seen.key) == ("s", Kind.SERIES, KEY)

    @pytest.mark.parametrize("code", ["ErrorItemNotFound", "ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange"])
    async def test_an_item_without_a_series_stands_alone(self, code: str) -> None:
        server = serving(occ=self.part("occ"), master_of_occ=code)
        seen = await the_one(server, "occ")
        assert (seen.ref.id, seen.kind, seen.key) == ("occ", Kind.OCCURRENCE, ONE)

    async def test_whether_there_is_a_series_is_not_guessed_while_exchange_is_busy(self) -> None:
        server = serving(
            occ=self.part("occ"), other=self.part("other", 20), master_of_occ="ErrorServerBusy",
            master_of_other="ErrorItemNotFound",
        )  # fmt: skip
        first, second = await read(server, "occ", "other")
        assert isinstance(first, Unreadable)
        assert isinstance(first.error, TryLaterError)
        assert isinstance(second, Observation)

    async def test_many_are_asked_for_their_series_at_once(self) -> None:
        server = serving(**{f"o{n}": self.part(f"o{n}", n) for n in range(1, 9)})
        found = await read(server, *(f"o{n}" for n in range(1, 9)))
        assert {o.key for o in found if isinstance(o, Observation)} == {KEY.on(date(2031, 5, n)) for n in range(1, 9)}
        assert server.count() == 2


class TestFinding:
    def finding(self, hits: dict[str, bytes], **known: str) -> Server:
        items = serving(**known)

        def script(asked: Asked) -> httpx2.Response:
            if asked.operation != "FindItem":
                found = items.script(asked)
                assert isinstance(found, httpx2.Response)
                return found
            rows = "".join(
                f'<t:CalendarItem><t:ItemId Id="{ident}"/>{_typed(extended("35", GOID) + extended("3", raw))}</t:CalendarItem>'
                for ident, raw in hits.items()
            )
            root = f'<m:RootFolder IncludesLastItemInRange="true"><t:Items>{rows}</t:Items></m:RootFolder>'
            return answer("FindItem", ok(root))

        return Server(script)

    def dated(self, day: int) -> bytes:
        return DATED[:16] + bytes([0x07, 0xEF, 5, day]) + GOID[20:]

    async def test_among_many_lone_occurrences_only_the_one_is_read(self) -> None:
        part = TestItemsOfOccurrences()
        server = self.finding(
            {f"o{n}": self.dated(n) for n in range(1, 31)}, **{f"o{n}": part.part(f"o{n}", n) for n in range(1, 31)}
        )
        mailbox = server.mailbox()
        found = await mailbox.find(KEY.on(date(2031, 5, 27)))
        assert found is not None
        assert (found.ref.id, found.key) == ("o27", KEY.on(date(2031, 5, 27)))
        assert server.asked[1].ids() == ["o27"]
        assert await mailbox.find(KEY.on(date(2031, 6, 1))) is None
        assert await mailbox.find(KEY) is None
        await mailbox.close()

    async def test_where_the_series_is_no_occurrence_is_found_by_itself(self) -> None:
        part = TestItemsOfOccurrences().part("o", 13)
        server = self.finding({"s": GOID, "o": self.dated(13)}, s=item("s", KNOWN), o=part)
        mailbox = server.mailbox()
        assert await mailbox.find(ONE) is None
        found = await mailbox.find(KEY)
        assert found is not None
        assert found.ref.id == "s"
        await mailbox.close()
