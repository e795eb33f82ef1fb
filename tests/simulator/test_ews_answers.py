"""What the EWS face answers to plain SOAP: batches, meetings and their answers, errors where Exchange has them."""

import base64
from collections.abc import AsyncIterator

import httpx2
import pytest

from greenroom.simulator.model import CalendarItem
from support.ews_raw import GOID_PATH, RawClient, answer, get_item, meeting, soap, sync
from support.simulator import ATTENDEE, EQUIPMENT, ORGANIZER, SERVICE, RunningSimulator, simulator_in_loop


@pytest.fixture
async def sim() -> AsyncIterator[RunningSimulator]:
    async with simulator_in_loop() as running:
        yield running


@pytest.fixture
async def svc(sim: RunningSimulator) -> AsyncIterator[RawClient]:
    async with httpx2.AsyncClient(verify=False) as http:
        yield RawClient(sim, http)


def as_person(svc: RawClient, login: str) -> RawClient:
    return RawClient(svc.sim, svc.http, login)


async def invite(svc: RawClient, *, hour: int = 9) -> str:
    reply = await as_person(svc, ORGANIZER).call(meeting(hour=hour))
    assert reply.codes == ["NoError"]
    return reply.ids("CalendarItem")[0][0]


async def received(svc: RawClient, folder: str = "calendar") -> list[str]:
    reply = await svc.call(sync(folder), EQUIPMENT)
    return [e.get("Id", "") for e in reply.all("//t:Create/*/t:ItemId")]


async def test_every_property_that_can_be_asked_for_comes_in_a_valid_reply(svc: RawClient) -> None:
    await invite(svc)
    for folder in ("calendar", "inbox"):
        (item_id,) = await received(svc, folder)
        for base in ("IdOnly", "Default", "AllProperties"):
            reply = await svc.call(get_item(item_id, base=base, more=GOID_PATH), EQUIPMENT)
            assert reply.codes == ["NoError"]
            goid = base64.b64decode(reply.text("//t:ExtendedProperty/t:Value"))
            assert goid == svc.sim.exchange.items(EQUIPMENT, "calendar")[0].meeting.clean_goid  # type: ignore[attr-defined]  # a calendar item


async def test_sync_brings_everything_but_the_body_of_a_new_meeting(svc: RawClient) -> None:
    await invite(svc)
    more = "".join(
        f'<t:FieldURI FieldURI="{uri}"/>'
        for uri in ("item:Subject", "item:Body", "calendar:Start", "calendar:Organizer", "calendar:UID")
    )
    reply = await svc.call(sync("calendar", more=more + GOID_PATH), EQUIPMENT)
    assert reply.text("//t:CalendarItem/t:Subject") == "Made up"
    assert reply.text("//t:Organizer/t:Mailbox/t:EmailAddress") == ORGANIZER
    assert reply.all("//t:ExtendedProperty")
    assert not reply.all("//t:Body")


async def test_sync_leaves_out_what_is_to_be_ignored_and_goes_on_from_its_state(svc: RawClient) -> None:
    for hour in range(8, 13):
        await invite(svc, hour=hour)
    first = await svc.call(sync("calendar", most=3), EQUIPMENT)
    assert first.text("//m:IncludesLastItemInRange") == "false"
    second = await svc.call(sync("calendar", first.text("//m:SyncState")), EQUIPMENT)
    assert second.text("//m:IncludesLastItemInRange") == "true"
    assert len(first.all("//t:Create")) + len(second.all("//t:Create")) == 5
    await invite(svc)
    ignored = f'<t:ItemId Id="{svc.sim.exchange.items(EQUIPMENT, "calendar")[-1].id}"/>'
    third = await svc.call(sync("calendar", second.text("//m:SyncState"), ignore=ignored), EQUIPMENT)
    assert not third.all("//t:Create")


async def test_many_answers_go_in_one_request_and_one_failure_spoils_none_of_the_others(svc: RawClient) -> None:
    for hour in (9, 11):
        await invite(svc, hour=hour)
    good = await received(svc)
    mine = await svc.call(get_item(good[0]), EQUIPMENT)
    assert mine.codes == ["NoError"]
    await svc.call(
        f'<m:DeleteItem DeleteType="HardDelete" SendMeetingCancellations="SendToNone"><m:ItemIds><t:ItemId Id="{good[0]}"/>'
        "</m:ItemIds></m:DeleteItem>",
        EQUIPMENT,
    )
    reply = await svc.call(answer("AcceptItem", good[1], good[0], "AAMkAGI="), EQUIPMENT)
    assert reply.codes == ["NoError", "ErrorItemNotFound", "ErrorInvalidIdMalformed"]
    assert len(reply.ids("CalendarItem")) == 1
    (item,) = svc.sim.exchange.items(EQUIPMENT, "calendar")
    assert isinstance(item, CalendarItem)
    assert item.my_response == "Accept"


async def test_the_disposition_says_whether_an_answer_is_sent_and_kept(svc: RawClient) -> None:
    await invite(svc)
    (item_id,) = await received(svc)
    for disposition, sent, kept in (("SaveOnly", 0, 0), ("SendOnly", 1, 0), ("SendAndSaveCopy", 2, 1)):
        reply = await svc.call(answer("AcceptItem", item_id, disposition=disposition), EQUIPMENT)
        assert reply.codes == ["NoError"]
        assert len(svc.sim.exchange.items(ORGANIZER, "inbox")) == sent
        assert len(svc.sim.exchange.items(EQUIPMENT, "sentitems")) == kept


async def test_the_request_can_be_answered_instead_of_the_calendar_item(svc: RawClient) -> None:
    await invite(svc)
    (request_id,) = await received(svc, "inbox")
    reply = await svc.call(answer("TentativelyAcceptItem", request_id), EQUIPMENT)
    assert reply.codes == ["NoError"]
    assert reply.ids("MeetingResponse")


async def test_the_organizer_cannot_accept_and_an_attendee_cannot_cancel(svc: RawClient) -> None:
    own = await invite(svc)
    reply = await svc.call(answer("AcceptItem", own), ORGANIZER)
    assert reply.codes == ["ErrorCalendarIsOrganizerForAccept"]
    (copy,) = await received(svc)
    cancel = (
        '<m:CreateItem MessageDisposition="SendAndSaveCopy"><m:Items><t:CancelCalendarItem>'
        f'<t:ReferenceItemId Id="{copy}"/></t:CancelCalendarItem></m:Items></m:CreateItem>'
    )
    assert (await svc.call(cancel, EQUIPMENT)).codes == ["ErrorCalendarIsNotOrganizer"]
    reply = await svc.call(cancel.replace(copy, own), ORGANIZER)
    assert reply.codes == ["NoError"]
    (message_id, _) = (await svc.call(get_item(*(await received(svc, "inbox"))), EQUIPMENT)).ids("MeetingCancellation")[
        0
    ]
    removal = (
        '<m:CreateItem MessageDisposition="SaveOnly"><m:Items><t:RemoveItem>'
        f'<t:ReferenceItemId Id="{message_id}"/></t:RemoveItem></m:Items></m:CreateItem>'
    )
    assert (await svc.call(removal, EQUIPMENT)).codes == ["NoError"]
    assert await received(svc) == []


async def test_others_items_and_folders_are_closed_without_a_right(svc: RawClient) -> None:
    own = await invite(svc)
    attendee = as_person(svc, ATTENDEE)
    assert (await attendee.call(get_item(own))).codes == ["ErrorAccessDenied"]
    assert (await svc.call(get_item(own))).codes == ["ErrorAccessDenied"]
    assert (await svc.call(get_item(own), EQUIPMENT)).codes == ["ErrorAccessDenied"]
    folder = (
        "<m:GetFolder><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape><m:FolderIds><t:DistinguishedFolderId "
        f'Id="calendar"><t:Mailbox><t:EmailAddress>{ORGANIZER}</t:EmailAddress></t:Mailbox></t:DistinguishedFolderId>'
        "</m:FolderIds></m:GetFolder>"
    )
    assert (await attendee.call(folder)).codes == ["ErrorAccessDenied"]
    svc.sim.face.grant_access(ATTENDEE, ORGANIZER)
    assert (await attendee.call(folder)).codes == ["NoError"]
    assert (await attendee.call(get_item(own))).codes == ["NoError"]


async def test_a_delegate_makes_a_meeting_in_the_principals_calendar(svc: RawClient) -> None:
    svc.sim.face.grant_access(ATTENDEE, ORGANIZER)
    target = (
        f'<m:SavedItemFolderId><t:DistinguishedFolderId Id="calendar"><t:Mailbox><t:EmailAddress>{ORGANIZER}'
        "</t:EmailAddress></t:Mailbox></t:DistinguishedFolderId></m:SavedItemFolderId><m:Items>"
    )
    reply = await as_person(svc, ATTENDEE).call(meeting().replace("<m:Items>", target))
    assert reply.codes == ["NoError"]
    (request,) = svc.sim.exchange.items(EQUIPMENT, "inbox")
    assert request.author is not None
    assert request.sender is not None
    assert (request.author.address, request.sender.address) == (ORGANIZER, ATTENDEE)


@pytest.mark.parametrize(
    ("impersonate", "code"),
    [("nobody@sim.test", "ErrorNonExistentMailbox"), (ATTENDEE, "ErrorImpersonateUserDenied")],
)
async def test_impersonation_fails_as_a_soap_fault_with_its_code(svc: RawClient, impersonate: str, code: str) -> None:
    svc.sim.exchange.grant_impersonation(SERVICE, [EQUIPMENT])
    reply = await svc.call(sync("inbox"), impersonate)
    assert (reply.status, reply.codes) == (500, [code])
    assert reply.text("//faultcode") == f"a:{code}"


@pytest.mark.parametrize("kind", ["PrimarySmtpAddress", "SmtpAddress", "PrincipalName"])
async def test_impersonation_takes_an_address_of_each_kind(svc: RawClient, kind: str) -> None:
    reply = await svc.send(soap(sync("inbox"), impersonate=EQUIPMENT, kind=kind))
    assert reply.codes == ["NoError"]


async def test_an_account_without_a_mailbox_must_name_one(svc: RawClient) -> None:
    assert (await svc.call(sync("inbox"))).codes == ["ErrorMissingEmailAddress"]


@pytest.mark.parametrize("state", ["AgACARdAAAAAAAIBlmcAAAAA", "not base64!", "H4sIAAA="])
async def test_a_foreign_sync_state_is_refused(svc: RawClient, state: str) -> None:
    assert (await svc.call(sync("inbox", state), EQUIPMENT)).codes == ["ErrorInvalidSyncStateData"]


async def test_a_sync_state_of_another_folder_is_refused(svc: RawClient) -> None:
    state = (await svc.call(sync("inbox"), EQUIPMENT)).text("//m:SyncState")
    assert (await svc.call(sync("calendar", state), EQUIPMENT)).codes == ["ErrorInvalidSyncStateData"]


async def test_a_path_that_does_not_exist_fails_the_schema(svc: RawClient) -> None:
    own = await invite(svc)
    reply = await svc.call(get_item(own, more='<t:FieldURI FieldURI="calendar:Mood"/>'), ORGANIZER)
    assert (reply.status, reply.codes) == (500, ["ErrorSchemaValidation"])
    reply = await svc.call(get_item(own, more='<t:FieldURI FieldURI="folder:DisplayName"/>'), ORGANIZER)
    assert (reply.status, reply.codes) == (200, ["ErrorInvalidPropertyRequest"])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"<a/>",
        soap("<m:GetItem/>"),
        soap("<m:MakeCoffee/>"),
        soap(""),
        soap('<m:GetItem xmlns:m="urn:other"/>'),
        soap(sync("inbox", most=600)),
        soap(sync("inbox")).replace(b"Exchange2013_SP1", b"Exchange1999"),
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + soap("<m:GetItem>&x;</m:GetItem>")[38:],
        soap(meeting()).replace(b"&lt;p&gt;Agenda&lt;/p&gt;", b"<p>Agenda</p>"),
        b"<a>" * 100_000,
    ],
)
async def test_a_request_that_is_none_gets_a_fault_and_harms_nothing(svc: RawClient, body: bytes) -> None:
    reply = await as_person(svc, ORGANIZER).send(body)
    assert reply.status == 500
    assert reply.codes[0] in ("ErrorSchemaValidation", "ErrorInvalidRequest", "ErrorInvalidServerVersion")
    assert b"root:" not in reply.content
    await invite(svc)


async def test_without_the_official_schema_requests_are_still_checked() -> None:
    async with simulator_in_loop(check_requests=False) as sim, httpx2.AsyncClient(verify=False) as http:
        person = RawClient(sim, http, ORGANIZER)
        for broken in ("<m:GetItem/>", "<m:CreateItem/>", "<m:FindItem/>", "<m:UpdateItem/>", "<m:MoveItem/>"):
            reply = await person.call(broken)
            assert reply.status in (200, 500), broken
        reply = await person.call(meeting(more="<t:Mood>bright</t:Mood>"))
        assert reply.codes == ["ErrorSchemaValidation"]
        sim.invalid.clear()  # replies to requests without items have none, which the schema does not allow


async def test_too_large_a_request_is_refused(svc: RawClient) -> None:
    assert (await svc.send(b" " * (17 * 1024 * 1024))).status == 413


async def test_the_attributes_exchange_demands_are_demanded(svc: RawClient) -> None:
    own = await invite(svc)
    without = meeting().replace(' SendMeetingInvitations="SendToAllAndSaveCopy"', "")
    assert (await svc.call(without, ORGANIZER)).codes == ["ErrorSendMeetingInvitationsRequired"]
    deletion = f'<m:DeleteItem DeleteType="HardDelete"><m:ItemIds><t:ItemId Id="{own}"/></m:ItemIds></m:DeleteItem>'
    assert (await svc.call(deletion, ORGANIZER)).codes == ["ErrorSendMeetingCancellationsRequired"]


async def test_moving_gives_a_new_id_and_deleting_ends_it(svc: RawClient) -> None:
    await invite(svc)
    (request,) = await received(svc, "inbox")
    move = (
        '<m:MoveItem><m:ToFolderId><t:DistinguishedFolderId Id="deleteditems"/></m:ToFolderId><m:ItemIds>'
        f'<t:ItemId Id="{request}"/></m:ItemIds></m:MoveItem>'
    )
    moved = (await svc.call(move, EQUIPMENT)).ids("MeetingRequest")[0][0]
    assert moved != request
    assert (await svc.call(get_item(request), EQUIPMENT)).codes == ["ErrorItemNotFound"]
    assert (await svc.call(get_item(moved), EQUIPMENT)).codes == ["NoError"]


async def test_the_reply_tells_version_time_and_affinity(svc: RawClient) -> None:
    reply = await svc.call(sync("inbox"), EQUIPMENT, **{"X-PreferServerAffinity": "true"})
    (version,) = reply.all("//*[local-name()='ServerVersionInfo']")
    assert (version.get("MajorVersion"), version.get("MinorVersion")) == ("15", "2")
    assert reply.headers["Set-Cookie"].startswith("X-BackEndOverrideCookie=")
    assert reply.headers["Date"].endswith("GMT")
    assert len(reply.headers.get_list("Date")) == 1


async def test_the_anchor_is_watched(svc: RawClient) -> None:
    await svc.call(sync("inbox"), EQUIPMENT)
    assert svc.sim.counters.snapshot()["anchor_mismatches"] == {}
    await svc.call(sync("inbox"), EQUIPMENT, **{"X-AnchorMailbox": ORGANIZER})
    await svc.send(soap(sync("inbox"), impersonate=EQUIPMENT))
    assert svc.sim.counters.snapshot()["anchor_mismatches"] == {EQUIPMENT: 2}


async def test_calls_are_counted_by_operation_mailbox_account_and_minute(svc: RawClient) -> None:
    await invite(svc)
    await received(svc)
    counts = svc.sim.counters.snapshot()
    assert counts["operations"] == {"CreateItem": 1, "SyncFolderItems": 1}
    assert counts["mailboxes"] == {ORGANIZER: {"CreateItem": 1}, EQUIPMENT: {"SyncFolderItems": 1}}
    assert counts["accounts"] == {ORGANIZER: {"CreateItem": 1}, SERVICE: {"SyncFolderItems": 1}}
    assert sum(counts["minutes"].values()) == 2
    assert counts["codes"] == {"NoError": 2}
    svc.sim.counters.reset()
    assert svc.sim.counters.snapshot()["total"] == 0
