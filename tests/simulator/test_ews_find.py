"""FindItem, folders, names and time zones over plain SOAP; bodies in the form that is asked for."""

import base64
from collections.abc import AsyncIterator

import httpx2
import pytest

from greenroom.simulator.ews.bodies import as_kind, html_to_text, text_to_html
from greenroom.simulator.model import Body, CalendarItem
from support.ews_raw import GOID_PATH, RawClient, get_item, meeting
from support.simulator import EQUIPMENT, ORGANIZER, simulator_in_loop


@pytest.fixture
async def svc() -> AsyncIterator[RawClient]:
    async with simulator_in_loop() as sim, httpx2.AsyncClient(verify=False) as http:
        client = RawClient(sim, http)
        for hour, subject in ((9, "Alpha beta"), (11, "Beta"), (13, "Gamma")):
            await client.call(meeting(subject, hour=hour), ORGANIZER)
        yield client


def find(restriction: str = "", *, view: str = "", order: str = "", folder: str = "calendar") -> str:
    view = view or '<m:IndexedPageItemView MaxEntriesReturned="50" Offset="0" BasePoint="Beginning"/>'
    wanted = f"<m:Restriction>{restriction}</m:Restriction>" if restriction else ""
    return (
        '<m:FindItem Traversal="Shallow"><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape><t:AdditionalProperties>'
        f'<t:FieldURI FieldURI="item:Subject"/></t:AdditionalProperties></m:ItemShape>{view}{wanted}{order}'
        f'<m:ParentFolderIds><t:DistinguishedFolderId Id="{folder}"/></m:ParentFolderIds></m:FindItem>'
    )


def compare(kind: str, path: str, value: str) -> str:
    uri = path if path.startswith("<") else f'<t:FieldURI FieldURI="{path}"/>'
    return f'<t:{kind}>{uri}<t:FieldURIOrConstant><t:Constant Value="{value}"/></t:FieldURIOrConstant></t:{kind}>'


def contains(path: str, value: str, mode: str = "Substring", comparison: str = "IgnoreCase") -> str:
    return (
        f'<t:Contains ContainmentMode="{mode}" ContainmentComparison="{comparison}"><t:FieldURI FieldURI="{path}"/>'
        f'<t:Constant Value="{value}"/></t:Contains>'
    )


START = "calendar:Start"
ELEVEN = "2026-12-03T12:00:00+01:00"


@pytest.mark.parametrize(
    ("restriction", "subjects"),
    [
        (compare("IsEqualTo", "item:Subject", "beta"), {"Beta"}),
        (compare("IsNotEqualTo", "item:Subject", "Beta"), {"Alpha beta", "Gamma"}),
        (compare("IsGreaterThan", START, ELEVEN), {"Gamma"}),
        (compare("IsGreaterThanOrEqualTo", START, ELEVEN), {"Beta", "Gamma"}),
        (compare("IsLessThan", START, ELEVEN), {"Alpha beta"}),
        (compare("IsLessThanOrEqualTo", START, "2026-12-03T11:00:00Z"), {"Alpha beta", "Beta"}),
        (compare("IsEqualTo", "calendar:IsAllDayEvent", "0"), {"Alpha beta", "Beta", "Gamma"}),
        (compare("IsEqualTo", "calendar:AppointmentSequenceNumber", "0"), {"Alpha beta", "Beta", "Gamma"}),
        (contains("item:Subject", "BETA"), {"Alpha beta", "Beta"}),
        (contains("item:Subject", "BETA", comparison="Exact"), set()),
        (contains("item:Subject", "bet", "Prefixed"), {"Beta"}),
        (contains("item:Subject", "bet", "PrefixOnWords"), {"Alpha beta", "Beta"}),
        (contains("item:Subject", "gamma", "FullString"), {"Gamma"}),
        (contains("item:Body", "agenda"), {"Alpha beta", "Beta", "Gamma"}),
        (contains("calendar:Organizer", "olga"), {"Alpha beta", "Beta", "Gamma"}),
        (f'<t:Exists><t:FieldURI FieldURI="{START}"/></t:Exists>', {"Alpha beta", "Beta", "Gamma"}),
        (
            '<t:Not><t:Exists><t:FieldURI FieldURI="calendar:RecurrenceId"/></t:Exists></t:Not>',
            {"Alpha beta", "Beta", "Gamma"},
        ),
        (f"<t:Not>{contains('item:Subject', 'beta')}</t:Not>", {"Gamma"}),
        (
            f"<t:And>{contains('item:Subject', 'beta')}{compare('IsGreaterThan', START, '2026-12-03T10:00:00Z')}</t:And>",
            {"Beta"},
        ),
        (
            f"<t:Or>{compare('IsEqualTo', 'item:Subject', 'Gamma')}{compare('IsEqualTo', 'item:Subject', 'Beta')}</t:Or>",
            {"Beta", "Gamma"},
        ),
        (
            compare("IsLessThan", START, "").replace('<t:Constant Value=""/>', '<t:FieldURI FieldURI="calendar:End"/>'),
            {"Alpha beta", "Beta", "Gamma"},
        ),
    ],
)
async def test_a_restriction_lets_through_what_it_says(svc: RawClient, restriction: str, subjects: set[str]) -> None:
    reply = await svc.call(find(restriction), ORGANIZER)
    assert reply.codes == ["NoError"]
    assert {e.text for e in reply.all("//t:Subject")} == subjects


async def test_the_clean_global_object_id_finds_a_meeting_in_any_mailbox(svc: RawClient) -> None:
    item = svc.sim.exchange.items(EQUIPMENT, "calendar")[1]
    assert isinstance(item, CalendarItem)
    goid = base64.b64encode(item.meeting.clean_goid).decode()
    for mailbox in (EQUIPMENT, ORGANIZER):
        reply = await svc.call(find(compare("IsEqualTo", GOID_PATH, goid)), mailbox)
        assert [e.text for e in reply.all("//t:Subject")] == [item.subject]
    inbox = await svc.call(find(compare("IsEqualTo", GOID_PATH, goid), folder="inbox"), EQUIPMENT)
    assert len(inbox.all("//t:MeetingRequest")) == 1


@pytest.mark.parametrize(
    ("restriction", "code"),
    [
        (compare("IsEqualTo", "calendar:RequiredAttendees", "x"), "NoError"),
        (compare("IsEqualTo", "calendar:Resources", "x"), "ErrorUnsupportedPathForQuery"),
        (compare("IsGreaterThan", START, "yesterday"), "ErrorInvalidRestriction"),
        (compare("IsEqualTo", GOID_PATH, "%%%"), "ErrorInvalidExtendedPropertyValue"),
        ("<t:Not>" * 40 + compare("IsEqualTo", "item:Subject", "x") + "</t:Not>" * 40, "ErrorRestrictionTooComplex"),
    ],
)
async def test_what_cannot_be_compared_is_an_error_and_no_empty_answer(
    svc: RawClient, restriction: str, code: str
) -> None:
    assert (await svc.call(find(restriction), ORGANIZER)).codes == [code]


async def test_pages_follow_one_another_in_the_order_asked_for(svc: RawClient) -> None:
    order = (
        f'<m:SortOrder><t:FieldOrder Order="Descending"><t:FieldURI FieldURI="{START}"/></t:FieldOrder></m:SortOrder>'
    )
    seen: list[str | None] = []
    for offset in (0, 2):
        view = f'<m:IndexedPageItemView MaxEntriesReturned="2" Offset="{offset}" BasePoint="Beginning"/>'
        reply = await svc.call(find(view=view, order=order), ORGANIZER)
        (root,) = reply.all("//m:RootFolder")
        assert root.get("TotalItemsInView") == "3"
        assert root.get("IncludesLastItemInRange") == ("false" if offset == 0 else "true")
        seen += [e.text for e in reply.all("//t:Subject")]
    assert seen == ["Gamma", "Beta", "Alpha beta"]


async def test_a_calendar_view_gives_what_overlaps_its_window(svc: RawClient) -> None:
    view = '<m:CalendarView StartDate="2026-12-03T09:30:00Z" EndDate="2026-12-03T11:30:00Z"/>'
    reply = await svc.call(find(view=view), EQUIPMENT)
    assert [e.text for e in reply.all("//t:Subject")] == ["Alpha beta", "Beta"]
    reply = await svc.call(find(view=view, folder="inbox"), EQUIPMENT)
    assert reply.codes == ["ErrorCalendarFolderIsInvalidForCalendarView"]


async def test_the_body_comes_in_the_form_asked_for(svc: RawClient) -> None:
    item = svc.sim.exchange.items(EQUIPMENT, "calendar")[0]
    body = '<t:FieldURI FieldURI="item:Body"/>'
    html = await svc.call(get_item(item.id, more=body, body="HTML"), EQUIPMENT)
    assert "<p>Agenda</p>" in html.text("//t:Body")
    text = await svc.call(get_item(item.id, more=body, body="Text"), EQUIPMENT)
    assert text.text("//t:Body") == "Agenda"
    assert text.all("//t:Body")[0].get("BodyType") == "Text"


async def test_folders_come_with_their_counts_and_sync_once(svc: RawClient) -> None:
    shape = "<m:FolderShape><t:BaseShape>AllProperties</t:BaseShape></m:FolderShape>"
    ids = '<m:FolderIds><t:DistinguishedFolderId Id="calendar"/><t:DistinguishedFolderId Id="inbox"/></m:FolderIds>'
    reply = await svc.call(f"<m:GetFolder>{shape}{ids}</m:GetFolder>", EQUIPMENT)
    assert reply.text("//t:CalendarFolder/t:TotalCount") == "3"
    assert reply.text("//t:Folder/t:UnreadCount") == "3"
    first = await svc.call(f"<m:SyncFolderHierarchy>{shape}</m:SyncFolderHierarchy>", EQUIPMENT)
    assert len(first.all("//t:Create")) >= 6
    again = f"<m:SyncFolderHierarchy>{shape}<m:SyncState>{first.text('//m:SyncState')}</m:SyncState></m:SyncFolderHierarchy>"
    assert not (await svc.call(again, EQUIPMENT)).all("//t:Create")
    assert (await svc.call(again, ORGANIZER)).codes == ["ErrorInvalidSyncStateData"]


async def test_nobody_by_that_name_is_an_error(svc: RawClient) -> None:
    ask = '<m:ResolveNames ReturnFullContactData="false"><m:UnresolvedEntry>/o=Nobody</m:UnresolvedEntry></m:ResolveNames>'
    assert (await svc.call(ask, EQUIPMENT)).codes == ["ErrorNameResolutionNoResults"]


def test_html_becomes_text_with_its_lines_and_links() -> None:
    html = "<html><head><style>p{}</style></head><body><p>One<br>two</p><p>See <a href='https://x.test'>here</a></p></body>"
    assert html_to_text(html).split("\r\n") == ["One", "two", "See here<https://x.test>"]
    assert html_to_text("<div>" * 200 + "deep") == "deep"
    assert html_to_text("<div>" * 50_000 + "too deep") == ""
    assert html_to_text("") == ""
    assert html_to_text("<!-- only -->") == ""


def test_text_becomes_html_and_means_the_same() -> None:
    text = "a < b\n  indented\nhttps://x.test/?a=1&b=2"
    assert html_to_text(text_to_html(text)).split("\r\n") == ["a < b", "indented", "https://x.test/?a=1&b=2"]
    assert as_kind(Body(text, "Text"), "Best") == ("Text", text)
    assert as_kind(Body("<p>x</p>", "HTML"), "Best")[1].startswith("<html>")
