"""Reading over Graph: what one broken event costs the others (nothing), and how few calls it takes."""

from base64 import b64encode
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from exchange.graph.answering import Answer, ok, refused
from exchange.graph.whole_events import DATED, GOID, KEY, START, Calendar, extended, master, whole
from greenroom.exchange.contract import Unreadable
from greenroom.exchange.errors import (
    ExchangeError,
    ItemBrokenError,
    ItemGoneError,
    MisconfiguredError,
    NotPermittedError,
    SignInError,
    TryLaterError,
)
from greenroom.meetings.meeting import ItemRef, Kind, MeetingKey, Observation
from support import planted

START_MOVED = {"dateTime": "2031-05-13T10:00:00.0000000", "timeZone": "UTC"}


class TestReading:
    async def test_many_cost_one_list_and_come_in_order(self) -> None:
        calendar = Calendar(*(whole(f"i{n}") for n in range(40)))
        found = await calendar.mailbox().read(calendar.refs())
        assert [o.ref.id for o in found] == [f"i{n}" for n in range(40)]
        assert calendar.asked == ["ListEvents"]

    async def test_a_few_are_read_by_id(self) -> None:
        calendar = Calendar(whole("a"), whole("b"))
        assert len(await calendar.mailbox().read(calendar.refs())) == 2
        assert calendar.asked == ["Batch", "GetEvent a", "GetEvent b"]

    async def test_what_the_list_does_not_show_is_read_by_id(self) -> None:
        calendar = Calendar(*(whole(f"i{n}") for n in range(4)))
        refs = [*calendar.refs(), ItemRef("gone", "v|2031-01-01T00:00:00.000000Z"), ItemRef("odd")]
        calendar.wrong["odd"] = lambda: refused(400, "ErrorInvalidIdMalformed")
        found = await calendar.mailbox().read(refs)
        errors = [r.error for r in found if isinstance(r, Unreadable)]
        assert [type(error) for error in errors] == [ItemGoneError, ItemBrokenError]
        assert calendar.asked[:2] == ["ListEvents", "Batch"]

    async def test_one_broken_event_spoils_no_other(self) -> None:
        calendar = Calendar(whole("a"), whole("b", subject=[planted.SUBJECT]), whole("c"))
        found = await calendar.mailbox().read(calendar.refs())
        (broken,) = [r for r in found if isinstance(r, Unreadable)]
        assert broken.ref.id == "b"
        assert isinstance(broken.error, ItemBrokenError)
        assert len([r for r in found if isinstance(r, Observation)]) == 2

    async def test_a_refused_list_is_replaced_by_single_reads(self) -> None:
        calendar = Calendar(whole("a"), whole("b"), whole("c"))
        calendar.wrong["list"] = lambda: refused(400, "ErrorInvalidUrlQueryFilter")
        found = await calendar.mailbox().read(calendar.refs())
        assert [type(r) for r in found] == [Observation] * 3

    async def test_one_that_must_wait_does_not_keep_back_the_others(self) -> None:
        calendar = Calendar(whole("a"), whole("b"))
        calendar.wrong["b"] = lambda: refused(503, "ErrorServerBusy")
        one, other = await calendar.mailbox().read(calendar.refs())
        assert isinstance(one, Observation)
        assert isinstance(other, Unreadable)
        assert isinstance(other.error, TryLaterError)

    async def test_if_all_must_wait_so_must_the_call(self) -> None:
        calendar = Calendar(whole("a"), whole("b"))
        calendar.wrong |= {ident: lambda: refused(503, "ErrorServerBusy") for ident in "ab"}
        with pytest.raises(TryLaterError):
            await calendar.mailbox().read(calendar.refs())

    @pytest.mark.parametrize(
        ("status", "code", "error"),
        [
            (403, "ErrorAccessDenied", NotPermittedError),
            (401, "InvalidAuthenticationToken", SignInError),
            (404, "MailboxNotEnabledForRESTAPI", MisconfiguredError),
        ],
    )
    async def test_what_concerns_the_mailbox_concerns_the_whole_call(
        self, status: int, code: str, error: type[ExchangeError]
    ) -> None:
        calendar = Calendar(whole("a"), whole("b"))
        calendar.wrong |= dict.fromkeys("ab", lambda: refused(status, code))
        calendar.wrong["list"] = lambda: refused(status, code)
        for refs in (
            calendar.refs(),
            calendar.refs()[:1],
            [*calendar.refs(), ItemRef("c", calendar.refs()[0].version)],
        ):
            with pytest.raises(error):
                await calendar.mailbox().read(refs)

    async def test_items_of_one_meeting_are_one_observation(self) -> None:
        same = {"singleValueExtendedProperties": extended(clean=GOID, goid=GOID)}
        old, new = whole("a", isCancelled=True, **same), whole("b", **same)
        calendar = Calendar(old, new)
        (found,) = await calendar.mailbox().read(calendar.refs())
        assert isinstance(found, Observation)
        assert found.ref.id == "b"


class TestLoneOccurrences:
    def lone(self, ident: str, day: int = 6, **more: Any) -> dict[str, Any]:
        dated = DATED[:19] + bytes([day]) + DATED[20:]
        return whole(ident, **{"singleValueExtendedProperties": extended(clean=GOID, goid=dated), **more})

    async def test_several_of_one_series_are_several_meetings(self) -> None:
        calendar = Calendar(self.lone("a"), self.lone("b", day=13), self.lone("c", isCancelled=True))
        found = await calendar.mailbox().read(calendar.refs())
        assert [(o.ref.id, o.key, o.kind) for o in found if isinstance(o, Observation)] == [
            ("a", KEY.on(date(2031, 5, 6)), Kind.OCCURRENCE),
            ("b", KEY.on(date(2031, 5, 13)), Kind.OCCURRENCE),
        ]

    async def test_beside_their_series_they_are_no_meetings_of_their_own(self) -> None:
        calendar = Calendar(self.lone("c"), master("s", singleValueExtendedProperties=extended(clean=GOID)))
        (found,) = await calendar.mailbox().read(calendar.refs())
        assert isinstance(found, Observation)
        assert (found.kind, found.key) == (Kind.SERIES, KEY)

    @pytest.mark.parametrize(
        "more",
        [
            {"singleValueExtendedProperties": extended(goid=DATED)},
            {"singleValueExtendedProperties": extended(clean=GOID), "iCalUId": DATED.hex()},
            {
                "singleValueExtendedProperties": extended(clean=GOID),
                "type": "exception",
                "originalStart": "2031-05-05T22:30:00Z",
                "originalStartTimeZone": "W. Europe Standard Time",
            },
            {
                "singleValueExtendedProperties": extended(clean=GOID),
                "type": "exception",
                "originalStart": "2031-05-06T00:00:00Z",
                "originalStartTimeZone": "Pacific Standard Time",
                "isAllDay": True,
            },
            {
                "singleValueExtendedProperties": extended(clean=GOID, goid=DATED[:18] + b"\x0d\x40" + DATED[20:]),
                "originalStart": "2031-05-06T09:00:00Z",
            },
            {"singleValueExtendedProperties": extended(clean=GOID), "type": "occurrence"},
        ],
        ids=["0x3", "iCalUId", "original start", "whole day", "date of no calendar", "nothing but its start"],
    )
    async def test_lists_and_reads_know_them_by_the_same_day(self, more: dict[str, Any]) -> None:
        calendar = Calendar(whole("o", **more))
        mailbox = calendar.mailbox()
        (seen,) = await mailbox.read([ItemRef("o")])
        (glance,) = (await mailbox.changes("", limit=5)).glances
        (listed,) = await mailbox.inventory(START)
        assert isinstance(seen, Observation)
        assert {seen.key, glance.key, listed.key} == {KEY.on(START.date())}
        assert {seen.fingerprint, glance.fingerprint, listed.fingerprint} == {seen.fingerprint}

    async def test_one_of_no_day_at_all_has_no_identity(self) -> None:
        more = {"singleValueExtendedProperties": extended(clean=GOID), "type": "exception"}
        calendar = Calendar(whole("o", **more, start=None, isCancelled=True))
        (found,) = await calendar.mailbox().read(calendar.refs())
        assert isinstance(found, Unreadable)
        assert isinstance(found.error, ItemBrokenError)

    async def test_each_key_finds_only_its_own(self) -> None:
        lone, series = self.lone("a"), master("s", singleValueExtendedProperties=extended(clean=GOID))
        here = KEY.on(date(2031, 5, 6))
        for events, key, expected in (
            ((lone, self.lone("b", day=13)), here, "a"),
            ((lone,), KEY, None),
            ((lone,), KEY.on(date(2031, 5, 13)), None),
            ((series,), here, None),
            ((series, lone), KEY, "s"),
            ((series, lone), here, "a"),
            ((whole("i", singleValueExtendedProperties=extended(clean=GOID)),), here, None),
        ):
            found = await Calendar(*events).mailbox().find(key)
            assert (found.ref.id if found else None) == expected

    async def test_searches_name_the_day(self) -> None:
        calendar = Calendar()
        for key in (KEY, MeetingKey.of_uid("x@example.test")):
            await calendar.mailbox().find(key.on(date(2031, 5, 6)))
        wheres = [parse_qs(urlsplit(str(r.url)).query)["$filter"][0] for r in calendar.graph.asked]
        assert wheres[0] == f"iCalUId eq '{DATED.hex().upper()}' or iCalUId eq '{DATED.hex()}'"
        assert b64encode(GOID).decode() in wheres[1]
        assert wheres[2].startswith("iCalUId eq 'x@example.test' or iCalUId eq '0400")


class TestSeries:
    async def test_a_master_is_read_with_its_exceptions_and_in_one_call_once_it_is_known(self) -> None:
        changed = {
            "id": "x",
            "type": "exception",
            "originalStart": "2031-05-13T09:00:00Z",
            "start": {"dateTime": "2031-05-13T10:00:00.0000000", "timeZone": "UTC"},
            "end": {"dateTime": "2031-05-13T11:00:00.0000000", "timeZone": "UTC"},
        }
        more = {"exceptionOccurrences": [changed], "cancelledOccurrences": ["OID.s.2031-05-20"]}
        calendar = Calendar(master("s", **more))
        mailbox = calendar.mailbox()
        (found,) = await mailbox.read(calendar.refs())
        assert isinstance(found, Observation)
        assert found.series is not None
        assert [one.day for one in found.series.moved] == [date(2031, 5, 13)]
        assert found.series.gone == {date(2031, 5, 20)}
        assert [one.ref for one in found.changed] == [ItemRef("x")]
        assert calendar.asked == ["GetEvent s", "GetEvent s deep"]
        await mailbox.read(calendar.refs())
        assert calendar.asked[2:] == ["GetEvent s deep"]

    async def test_what_a_list_showed_to_be_a_series_costs_one_call(self) -> None:
        calendar = Calendar(*(whole(f"i{n}") for n in range(5)), master("s"))
        mailbox = calendar.mailbox()
        await mailbox.read(calendar.refs())
        assert calendar.asked == ["ListEvents", "GetEvent s deep"]
        calendar.asked.clear()
        mailbox = calendar.mailbox()
        await mailbox.changes("", limit=10)
        await mailbox.read(calendar.refs()[-1:])
        assert calendar.asked == ["ListEvents", "GetEvent s deep"]

    @pytest.mark.parametrize(
        "limits",
        [
            {"type": "noEnd"},
            {"type": "endDate", "endDate": "2040-06-30"},
            {"type": "numbered", "numberOfOccurrences": 900},
        ],
        ids=lambda limits: limits["type"],
    )
    async def test_a_series_costs_no_look_for_its_end(self, limits: dict[str, Any]) -> None:
        rule = master("s")["recurrence"] | {"range": {"startDate": "2031-05-06"} | limits}
        calendar = Calendar(master("s", recurrence=rule))
        (found,) = await calendar.mailbox().read(calendar.refs())
        assert isinstance(found, Observation)
        assert found.span is not None
        assert (found.span.until is None) is (limits["type"] == "noEnd")
        assert calendar.asked == ["GetEvent s", "GetEvent s deep"]

    async def test_a_server_that_shows_no_answers_to_exceptions_is_asked_for_them_twice(self) -> None:
        exception = {"id": "x", "originalStart": "2031-05-13T09:00:00Z", "start": START_MOVED, "end": START_MOVED}
        several = [master(ident, iCalUId=ident, exceptionOccurrences=[exception]) for ident in "stu"]
        calendar = Calendar(*several)
        calendar.wrong["answers"] = lambda: refused(400, "BadRequest")
        mailbox = calendar.mailbox()
        for ref in calendar.refs():
            (found,) = await mailbox.read([ref])
            assert isinstance(found, Observation)
            assert [(one.ref, one.response) for one in found.changed] == [(ItemRef("x"), None)]
        assert calendar.asked == [
            *("GetEvent s", "GetEvent s deep", "GetEvent s deep (times)"),
            *("GetEvent t", "GetEvent t deep", "GetEvent t deep (times)"),
            *("GetEvent u", "GetEvent u deep (times)"),
        ]

    async def test_a_server_that_shows_no_exceptions_is_asked_for_them_once(self) -> None:
        calendar = Calendar(master("s"), master("t", iCalUId="t"))
        calendar.wrong["deep"] = lambda: refused(400, "BadRequest")
        mailbox = calendar.mailbox()
        assert [type(r) for r in await mailbox.read(calendar.refs())] == [Observation] * 2
        calendar.asked.clear()
        assert [type(r) for r in await mailbox.read(calendar.refs())] == [Observation] * 2
        assert not [what for what in calendar.asked if "deep" in what]

    async def test_one_odd_series_does_not_hide_the_exceptions_of_others(self) -> None:
        """Without them all series would read as edited, and be answered once more."""
        calendar = Calendar(master("s"), master("t", iCalUId="t"))
        mailbox = calendar.mailbox()
        for refs in (calendar.refs()[:1], calendar.refs()):
            calendar.wrong["deep"] = lambda: refused(400, "BadRequest")
            await mailbox.read(refs)
            del calendar.wrong["deep"]
            calendar.asked.clear()
            await mailbox.read(calendar.refs()[1:])
            assert "GetEvent t deep" in calendar.asked

    async def test_a_series_that_became_a_single_meeting_is_read_as_one(self) -> None:
        calendar = Calendar(master("s"))
        mailbox = calendar.mailbox()
        await mailbox.read(calendar.refs())
        calendar.events["s"] = whole("s")
        calendar.wrong["deep"] = lambda: refused(400, "BadRequest")
        (found,) = await mailbox.read(calendar.refs())
        assert isinstance(found, Observation)
        assert found.kind is Kind.SINGLE

    async def test_an_occurrence_of_a_series_that_is_here_leads_to_it(self) -> None:
        calendar = Calendar(master("s"), whole("o", type="exception", seriesMasterId="s"))
        (found,) = await calendar.mailbox().read([ItemRef("o")])
        assert isinstance(found, Observation)
        assert (found.ref.id, found.kind) == ("s", Kind.SERIES)
        del calendar.events["s"]
        (found,) = await calendar.mailbox().read([ItemRef("o")])
        assert isinstance(found, Observation)
        assert (found.ref.id, found.kind, found.key.occurrence) == ("o", Kind.OCCURRENCE, START.date())


class TestFinding:
    async def test_only_what_has_the_key_counts(self) -> None:
        calendar = Calendar(whole("a"), whole("b", singleValueExtendedProperties=extended(clean=GOID)))
        found = await calendar.mailbox().find(KEY)
        assert found is not None
        assert found.ref.id == "b"
        assert await calendar.mailbox().find(MeetingKey.of_uid("unheard@of")) is None

    async def test_what_cannot_be_read_is_not_gone(self) -> None:
        calendar = Calendar(whole("a", start="soon"))
        with pytest.raises(ItemBrokenError):
            await calendar.mailbox().find(KEY)
        calendar.wrong["list"] = lambda: refused(503, "ErrorServerBusy")
        with pytest.raises(TryLaterError):
            await calendar.mailbox().find(KEY)
        calendar.graph.clock.advance(minutes=5)
        calendar.wrong["list"] = lambda: refused(404, "MailboxNotEnabledForRESTAPI")
        with pytest.raises(MisconfiguredError):
            await calendar.mailbox().find(KEY)

    async def test_a_series_is_found_whole(self) -> None:
        calendar = Calendar(master("s", singleValueExtendedProperties=extended(clean=GOID)))
        found = await calendar.mailbox().find(KEY)
        assert found is not None
        assert found.kind is Kind.SERIES
        assert calendar.asked == ["ListEvents", "GetEvent s deep"]

    async def test_a_server_that_cannot_search_by_property_is_listed(self) -> None:
        calendar = Calendar(whole("b", singleValueExtendedProperties=extended(clean=GOID)))
        searches = 0

        def listed() -> Answer:
            nonlocal searches
            searches += 1
            if searches == 1:
                return ok({"value": []})
            return (
                refused(400, "ErrorInvalidUrlQueryFilter") if searches == 2 else ok({"value": [calendar.events["b"]]})
            )

        calendar.wrong["list"] = listed
        found = await calendar.mailbox().find(KEY)
        assert found is not None
        assert searches == 3

    async def test_an_empty_page_with_another_behind_it_is_no_proof_that_a_meeting_is_gone(self) -> None:
        calendar = Calendar(whole("b", singleValueExtendedProperties=extended(clean=GOID)))
        empty = {"value": [], "@odata.nextLink": "https://graph.microsoft.com/v1.0/users/vmr/calendar/events?$skip=10"}

        def listed() -> Answer:
            last = "skip" in str(calendar.graph.asked[-1].url)
            return ok({"value": [calendar.events["b"]]}) if last else ok(empty)

        calendar.wrong["list"] = listed
        found = await calendar.mailbox().find(KEY)
        assert found is not None
        assert calendar.asked == ["ListEvents", "ListEvents"]

    async def test_a_search_without_end_is_no_proof_that_a_meeting_is_gone(self) -> None:
        calendar = Calendar(whole("b", singleValueExtendedProperties=extended(clean=GOID)))
        link = "https://graph.microsoft.com/v1.0/users/vmr/calendar/events?$filter=x&$skip=10"

        def listed() -> Answer:
            searched = "$filter" in parse_qs(urlsplit(str(calendar.graph.asked[-1].url)).query)
            return ok({"value": [], "@odata.nextLink": link} if searched else {"value": [calendar.events["b"]]})

        calendar.wrong["list"] = listed
        assert await calendar.mailbox().find(KEY) is not None

    async def test_searches_name_every_form_of_the_key(self) -> None:
        calendar = Calendar()
        for key in (KEY, MeetingKey.of_uid("it's@example.test")):
            await calendar.mailbox().find(key)
        wheres = [parse_qs(urlsplit(str(r.url)).query)["$filter"][0] for r in calendar.graph.asked]
        assert wheres[0] == f"iCalUId eq '{GOID.hex().upper()}' or iCalUId eq '{GOID.hex()}'"
        assert wheres[1] == (
            "singleValueExtendedProperties/Any(ep: ep/id eq 'Binary {6ED8DA90-450B-101B-98DA-00AA003F1305} Id 0x23' "
            f"and ep/value eq '{b64encode(GOID).decode()}')"
        )
        assert wheres[2].startswith("iCalUId eq 'it''s@example.test' or iCalUId eq '0400")


class TestInventory:
    async def test_a_server_that_does_not_filter_is_listed_whole_from_then_on(self) -> None:
        calendar = Calendar(whole("a"))
        filters: list[bool] = []

        def listed() -> Answer:
            filtered = "$filter" in parse_qs(urlsplit(str(calendar.graph.asked[-1].url)).query)
            filters.append(filtered)
            return refused(400, "ErrorInvalidUrlQueryFilter") if filtered else ok({"value": [calendar.events["a"]]})

        calendar.wrong["list"] = listed
        mailbox = calendar.mailbox()
        assert [[g.ref.id for g in await mailbox.inventory(START)] for _ in range(2)] == [["a"], ["a"]]
        assert filters == [True, False, False]

    async def test_a_list_that_never_ends_is_no_inventory(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("greenroom.exchange.graph.inventory.MOST_PAGES", 5)
        calendar = Calendar(whole("a"))
        link = "https://graph.microsoft.com/v1.0/users/x/calendar/events?$skip=1"
        calendar.wrong["list"] = lambda: ok({"value": [], "@odata.nextLink": link})
        with pytest.raises(TryLaterError):
            await calendar.mailbox().inventory(START)

    async def test_what_is_over_is_not_asked_for(self) -> None:
        calendar = Calendar()
        await calendar.mailbox().inventory(START)
        (request,) = calendar.graph.asked
        options = parse_qs(urlsplit(str(request.url)).query)
        assert options["$filter"] == ["end/dateTime ge '2031-05-06T09:00:00' or type eq 'seriesMaster'"]
        assert options["$top"] == ["500"]


class TestCheck:
    async def test_a_missing_right_says_which_one(self) -> None:
        graph = Calendar()
        graph.graph.script = lambda _: refused(403, "ErrorAccessDenied")
        with pytest.raises(NotPermittedError, match=r"Calendars\.ReadWrite"):
            await graph.mailbox().check()

    async def test_a_mailbox_that_is_not_there_is_a_wrong_setting(self) -> None:
        graph = Calendar()
        for code in (
            "MailboxNotEnabledForRESTAPI",
            "ErrorInvalidUser",
            "Request_ResourceNotFound",
            "ErrorItemNotFound",
        ):
            graph.graph.script = lambda _, code=code: refused(404, code)  # type: ignore[misc]  # bound at once
            with pytest.raises(MisconfiguredError) as told:
                await graph.mailbox().check()
            assert told.value.hint
