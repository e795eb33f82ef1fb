"""The feed: what a list of changes shows, and how two folders become one."""

from datetime import date, datetime

import httpx2
import pytest

from exchange.scripted import Asked, Server, answer, bad, ok
from exchange.test_items import DATED, GOID, KEY, extended
from greenroom.exchange.contract import Changes
from greenroom.exchange.errors import CursorExpiredError, TryLaterError
from greenroom.exchange.ews.sync import Place
from greenroom.meetings.meeting import Glance, Kind, Response, Sensitivity, Span, fingerprint

START = "2031-05-06T09:00:00Z"
END = "2031-05-06T10:00:00Z"
SHOWN = {
    "Subject": "Planning",
    "Sensitivity": "Normal",
    "LastModifiedTime": "2031-01-01T00:00:00Z",
    "Start": START,
    "End": END,
    "IsAllDayEvent": "false",
    "IsCancelled": "false",
    "CalendarItemType": "Single",
    "MyResponseType": "NoResponseReceived",
}


def typed(text: str) -> str:
    return text.replace("<", "<t:").replace("<t:/", "</t:")


IDS = typed(extended("35", GOID) + extended("3", GOID))


def calendar(ident: str = "c1", ids: str = IDS, kind: str = "Create", without: str = "", **shown: str | None) -> str:
    parts = "".join(f"<t:{k}>{v}</t:{k}>" for k, v in {**SHOWN, **shown}.items() if v is not None and k != without)
    return f'<t:{kind}><t:CalendarItem><t:ItemId Id="{ident}" ChangeKey="v1"/>{parts}{ids}</t:CalendarItem></t:{kind}>'


def message(
    ident: str = "m1",
    name: str = "MeetingRequest",
    item_class: str = "IPM.Schedule.Meeting.Request",
    more: str = IDS,
) -> str:
    parts = f'<t:ItemId Id="{ident}" ChangeKey="v1"/><t:ItemClass>{item_class}</t:ItemClass>{more}'
    return f"<t:Create><t:{name}>{parts}</t:{name}></t:Create>"


PROCESSED = "<t:HasBeenProcessed>true</t:HasBeenProcessed>"


def deleted(ident: str) -> str:
    return f'<t:Delete><t:ItemId Id="{ident}"/></t:Delete>'


def state(name: str, changes: str, *, last: bool = True) -> str:
    return ok(
        f"<m:SyncState>{name}</m:SyncState><m:IncludesLastItemInRange>{str(last).lower()}</m:IncludesLastItemInRange>"
        f"<m:Changes>{changes}</m:Changes>"
    )


def feeding(inbox: str = "", calendar_: str = "", *, last: bool = True) -> Server:
    def script(asked: Asked) -> httpx2.Response:
        folder = asked.body.find(".//{*}DistinguishedFolderId")
        assert folder is not None
        name = folder.get("Id") or ""
        return answer("SyncFolderItems", state(f"after-{name}", inbox if name == "inbox" else calendar_, last=last))

    return Server(script)


@pytest.mark.parametrize("code", ["ErrorInvalidPropertyForOperation", "ErrorInvalidPropertyRequest"])
async def test_a_server_that_refuses_a_property_gives_ids_and_is_not_asked_for_it_again(code: str) -> None:
    feed = feeding(message(more=""), calendar(without="", ids=""))

    def script(asked: Asked) -> httpx2.Response:
        named = asked.body.find(".//{*}AdditionalProperties") is not None
        return answer("SyncFolderItems", bad(code)) if named else feed.script(asked)  # type: ignore[return-value]  # it scripts answers alone

    server = Server(script)
    mailbox = server.mailbox()
    found = await mailbox.changes("", limit=100)
    assert [g.ref.id for g in found.glances] == ["m1", "c1"]
    assert [g.key for g in found.glances] == [None, None]
    assert server.count() == 4
    await mailbox.changes(found.cursor, limit=100)
    assert server.count() == 6


async def test_another_refusal_of_the_feed_is_told_as_it_is() -> None:
    server = Server(lambda _: answer("SyncFolderItems", bad("ErrorInvalidPropertyRequest")))
    with pytest.raises(TryLaterError) as told:
        await server.mailbox().changes("", limit=100)
    assert told.value.code == "ErrorInvalidPropertyRequest"
    assert server.count() == 2


async def changes(inbox: str = "", calendar_: str = "", **more: bool) -> Changes:
    mailbox = feeding(inbox, calendar_, **more).mailbox()
    found = await mailbox.changes("", limit=100)
    await mailbox.close()
    return found


async def test_a_fully_shown_single_meeting_has_the_fingerprint_of_its_observation() -> None:
    (glance,) = (await changes(calendar_=calendar())).glances
    when = Span(datetime.fromisoformat(START), datetime.fromisoformat(END))
    assert glance.key == KEY
    assert glance.response is Response.NONE
    assert glance.fingerprint == fingerprint(
        key=KEY, kind=Kind.SINGLE, span=when, subject="Planning", sensitivity=Sensitivity.NORMAL, cancelled=False
    )


@pytest.mark.parametrize("missing", [k for k in SHOWN if k not in ("LastModifiedTime", "MyResponseType")])
async def test_where_something_is_not_shown_there_is_no_fingerprint(missing: str) -> None:
    (glance,) = (await changes(calendar_=calendar(without=missing))).glances
    assert glance.fingerprint is None


@pytest.mark.parametrize(
    "shown",
    [{"CalendarItemType": "RecurringMaster"}, {"Subject": "x" * 255}, {"Sensitivity": "New"}, {"Start": "soon"}],
)
async def test_what_a_list_cannot_show_whole_has_no_fingerprint(shown: dict[str, str]) -> None:
    (glance,) = (await changes(calendar_=calendar(**shown))).glances
    assert glance.fingerprint is None


async def test_a_lone_occurrence_or_an_unknown_id_has_no_fingerprint() -> None:
    dated = GOID[:16] + bytes([7, 0xEF, 5, 6]) + GOID[20:]
    for ids in ("", typed(extended("35", GOID)), typed(extended("35", GOID) + extended("3", dated))):
        (glance,) = (await changes(calendar_=calendar(ids=ids))).glances
        assert glance.fingerprint is None


@pytest.mark.parametrize(
    ("replied", "changed", "answer_", "echo"),
    [
        ("2031-01-01T00:00:00Z", "2031-01-01T00:00:00Z", "Accept", True),
        ("2031-01-01T00:00:00Z", "2031-01-01T00:00:01Z", "Decline", True),
        ("2031-01-01T00:00:00.500Z", "2031-01-01T00:00:00.505Z", "Tentative", True),
        ("2031-01-01T00:00:00.500Z", "2031-01-01T00:00:00.900Z", "Accept", False),
        ("2031-01-01T00:00:00Z", "2031-01-01T00:00:02Z", "Accept", False),
        ("2031-01-01T00:00:05Z", "2031-01-01T00:00:00Z", "Accept", False),
        ("2031-01-01T00:00:00Z", "2031-01-01T00:00:00Z", "NoResponseReceived", False),
        ("2031-01-01T00:00:00Z", "2031-01-01T00:00:00Z", "Organizer", False),
        (None, "2031-01-01T00:00:00Z", "Accept", False),
    ],
)
async def test_our_own_answer_is_known_by_its_times(
    replied: str | None, changed: str, answer_: str, echo: bool
) -> None:
    shown = calendar(AppointmentReplyTime=replied, LastModifiedTime=changed, MyResponseType=answer_)
    (glance,) = (await changes(calendar_=shown)).glances
    assert glance.own_answer is echo


async def test_an_applied_message_is_covered_by_its_calendar_item() -> None:
    found = await changes(message(more=IDS + PROCESSED), calendar())
    assert [g.ref.id for g in found.glances] == ["c1"]


async def test_a_message_not_applied_or_without_its_item_here_is_shown() -> None:
    assert [g.ref.id for g in (await changes(message(), calendar())).glances] == ["m1", "c1"]
    assert [g.ref.id for g in (await changes(message(more=IDS + PROCESSED))).glances] == ["m1"]
    assert [g.ref.id for g in (await changes(message(more=PROCESSED), calendar())).glances] == ["m1", "c1"]


@pytest.mark.parametrize(
    ("name", "item_class", "shown"),
    [
        ("MeetingRequest", "IPM.Schedule.Meeting.Request", True),
        ("MeetingRequest", "ipm.schedule.meeting.request.special", True),
        ("MeetingCancellation", "IPM.Schedule.Meeting.Canceled", True),
        ("MeetingRequest", "", True),
        ("MeetingResponse", "IPM.Schedule.Meeting.Resp.Pos", False),
        ("Message", "IPM.Note", False),
        ("Message", "", False),
    ],
)
async def test_only_requests_and_cancellations_are_messages_of_interest(
    name: str, item_class: str, shown: bool
) -> None:
    assert bool((await changes(message(name=name, item_class=item_class))).glances) is shown


async def test_an_item_is_shown_once_and_a_deleted_one_not_at_all() -> None:
    found = await changes(
        calendar_=calendar() + calendar(kind="Update", Subject="New") + calendar("c2") + deleted("c2")
    )
    assert [g.ref.id for g in found.glances] == ["c1"]
    assert found.gone == ("c2",)


async def test_read_flags_and_unknown_changes_are_passed_over() -> None:
    strange = (
        '<t:ReadFlagChange><t:ItemId Id="c1"/><t:IsRead>true</t:IsRead></t:ReadFlagChange><t:Surprise/><t:Create/>'
        '<t:Create><t:Task><t:ItemId Id="t"/></t:Task></t:Create><t:Delete/>'
    )
    assert (await changes(strange, strange)).glances == ()


async def test_both_places_are_in_the_cursor_and_the_inbox_is_asked_first() -> None:
    server = feeding()
    mailbox = server.mailbox()
    found = await mailbox.changes("", limit=7)
    assert Place.of(found.cursor) == Place("after-inbox", "after-calendar")
    await mailbox.changes(found.cursor, limit=100_000)
    folders = [a.body.find(".//{*}DistinguishedFolderId") for a in server.asked]
    assert [f.get("Id") for f in folders if f is not None] == ["inbox", "calendar"] * 2
    assert [a.body.findtext(".//{*}SyncState") for a in server.asked] == [None, None, "after-inbox", "after-calendar"]
    assert [a.body.findtext(".//{*}MaxChangesReturned") for a in server.asked] == ["7", "7", "512", "512"]


async def test_more_is_said_while_either_folder_has_more() -> None:
    assert (await changes(last=False)).more
    assert not (await changes()).more


@pytest.mark.parametrize(
    "cursor",
    ["x", "{}", "[]", "null", '{"v":2,"inbox":"","calendar":""}', '{"v":1,"inbox":1,"calendar":""}', "[" * 100_000],
)
async def test_a_cursor_that_is_not_ours_has_expired(cursor: str) -> None:
    with pytest.raises(CursorExpiredError):
        await feeding().mailbox().changes(cursor, limit=1)


async def test_an_unknown_state_has_expired_and_anything_else_is_tried_later() -> None:
    for code, error in (("ErrorInvalidSyncStateData", CursorExpiredError), ("ErrorInternalServerError", TryLaterError)):
        server = Server(lambda _, c=code: answer("SyncFolderItems", bad(c)))  # type: ignore[misc]  # the default binds c
        with pytest.raises(error):
            await server.mailbox().changes("", limit=1)


DATED_IDS = typed(extended("35", GOID) + extended("3", DATED))
ONE = KEY.on(date(2031, 5, 6))


class TestKeysOfOccurrences:
    async def glance(self, ids: str, **shown: str) -> Glance:
        (found,) = (await feeding(calendar_=calendar(ids=ids, **shown)).mailbox().changes("", limit=10)).glances
        return found

    @pytest.mark.parametrize("kind", ["Single", "Exception"])
    async def test_a_lone_occurrence_is_told_under_its_own_key(self, kind: str) -> None:
        found = await self.glance(DATED_IDS, CalendarItemType=kind)
        assert (found.key, found.fingerprint) == (ONE, None)

    async def test_its_day_is_read_from_an_id_that_was_cut(self) -> None:
        long = GOID[:36] + (400).to_bytes(4, "little") + bytes(400)
        ids = typed(extended("35", long) + extended("3", (DATED[:36] + long[36:])[:255]))
        found = await self.glance(ids)
        assert found.key is not None
        assert (found.key.occurrence, found.key.clean.to_bytes()) == (date(2031, 5, 6), long)

    @pytest.mark.parametrize("kind", ["Single", "Exception", "Occurrence"])
    async def test_what_may_be_one_occurrence_is_never_told_as_its_series(self, kind: str) -> None:
        assert (await self.glance(typed(extended("35", GOID)), CalendarItemType=kind)).key is None

    async def test_an_occurrence_without_a_date_is_not_told_as_its_series(self) -> None:
        assert (await self.glance(IDS, CalendarItemType="Exception")).key is None

    async def test_a_series_is_known_by_its_clean_id_alone(self) -> None:
        assert (await self.glance(typed(extended("35", GOID)), CalendarItemType="RecurringMaster")).key == KEY

    async def test_a_message_about_one_occurrence_is_told_under_its_key(self) -> None:
        (found,) = (await feeding(message(more=DATED_IDS)).mailbox().changes("", limit=10)).glances
        assert found.key == ONE

    @pytest.mark.parametrize("item", ["series", "occurrence"])
    async def test_what_exchange_applied_to_the_series_or_the_occurrence_is_covered_by_it(self, item: str) -> None:
        shown = calendar(CalendarItemType="RecurringMaster") if item == "series" else calendar(ids=DATED_IDS)
        changes = await feeding(message(more=DATED_IDS + PROCESSED), shown).mailbox().changes("", limit=10)
        assert [glance.ref.is_message for glance in changes.glances] == [False]
        waiting = await feeding(message(more=DATED_IDS), shown).mailbox().changes("", limit=10)
        assert [glance.ref.is_message for glance in waiting.glances] == [True, False]

    async def test_the_item_of_one_occurrence_covers_no_message_about_another_or_the_whole(self) -> None:
        other = typed(extended("35", GOID) + extended("3", DATED[:19] + bytes([9]) + DATED[20:]))
        for ids in (other, IDS):
            server = feeding(message(more=ids + PROCESSED), calendar(ids=DATED_IDS))
            assert len((await server.mailbox().changes("", limit=10)).glances) == 2
