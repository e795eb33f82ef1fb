"""UpdateItem: what can be set, removed and appended, and what follows for the meeting."""

import base64
from collections.abc import AsyncIterator

import httpx2
import pytest

from greenroom.simulator.model import CalendarItem
from support.ews_raw import RawClient, get_item, meeting
from support.simulator import ATTENDEE, EQUIPMENT, ORGANIZER, RunningSimulator, simulator_in_loop

MARKER = '<t:ExtendedFieldURI PropertySetId="c11ff724-aa03-4555-9952-8fa248a11c3e" PropertyName="marker" PropertyType="String"/>'


@pytest.fixture
async def svc() -> AsyncIterator[RawClient]:
    async with simulator_in_loop() as sim, httpx2.AsyncClient(verify=False) as http:
        yield RawClient(sim, http)


async def invite(svc: RawClient) -> tuple[str, str]:
    reply = await svc.call(meeting(), ORGANIZER)
    return reply.ids("CalendarItem")[0]


def update(
    item: tuple[str, str], *changes: str, send: str = "SendToNone", resolution: str = "NeverOverwrite", key: bool = True
) -> str:
    change_key = f' ChangeKey="{item[1]}"' if key else ""
    return (
        f'<m:UpdateItem ConflictResolution="{resolution}" MessageDisposition="SaveOnly" '
        f'SendMeetingInvitationsOrCancellations="{send}"><m:ItemChanges><t:ItemChange><t:ItemId Id="{item[0]}"'
        f"{change_key}/><t:Updates>{''.join(changes)}</t:Updates></t:ItemChange></m:ItemChanges></m:UpdateItem>"
    )


def put(uri: str, element: str, kind: str = "SetItemField") -> str:
    path = uri if uri.startswith("<") else f'<t:FieldURI FieldURI="{uri}"/>'
    return f"<t:{kind}>{path}<t:CalendarItem>{element}</t:CalendarItem></t:{kind}>"


def drop(uri: str) -> str:
    path = uri if uri.startswith("<") else f'<t:FieldURI FieldURI="{uri}"/>'
    return f"<t:DeleteItemField>{path}</t:DeleteItemField>"


def own(sim: RunningSimulator) -> CalendarItem:
    (item,) = sim.exchange.items(ORGANIZER, "calendar")
    assert isinstance(item, CalendarItem)
    return item


def copy(sim: RunningSimulator) -> CalendarItem:
    (item,) = sim.exchange.items(EQUIPMENT, "calendar")
    assert isinstance(item, CalendarItem)
    return item


async def test_body_and_location_change_without_telling_anybody(svc: RawClient) -> None:
    item = await invite(svc)
    body = put("item:Body", '<t:Body BodyType="HTML">&lt;p&gt;Join here&lt;/p&gt;</t:Body>')
    reply = await svc.call(update(item, body, put("calendar:Location", "<t:Location>VMR 1</t:Location>")), ORGANIZER)
    assert reply.codes == ["NoError"]
    assert reply.ids("CalendarItem")[0][1] != item[1]
    assert (own(svc.sim).body.content, own(svc.sim).meeting.location) == ("<p>Join here</p>", "VMR 1")
    assert copy(svc.sim).meeting.location == "Room 4"


async def test_sending_carries_the_change_to_the_attendees(svc: RawClient) -> None:
    item = await invite(svc)
    reply = await svc.call(
        update(item, put("calendar:Location", "<t:Location>VMR 1</t:Location>"), send="SendToAllAndSaveCopy"), ORGANIZER
    )
    assert reply.codes == ["NoError"]
    assert copy(svc.sim).meeting.location == "VMR 1"


async def test_a_stale_change_key_is_a_conflict_unless_overwriting_is_asked_for(svc: RawClient) -> None:
    item = await invite(svc)
    change = put("item:Subject", "<t:Subject>New</t:Subject>")
    assert (await svc.call(update(item, change), ORGANIZER)).codes == ["NoError"]
    assert (await svc.call(update(item, change), ORGANIZER)).codes == ["ErrorIrresolvableConflict"]
    for resolution in ("AutoResolve", "AlwaysOverwrite"):
        assert (await svc.call(update(item, change, resolution=resolution), ORGANIZER)).codes == ["NoError"]


async def test_text_is_appended_to_the_body(svc: RawClient) -> None:
    item = await invite(svc)
    more = put("item:Body", '<t:Body BodyType="HTML">&lt;p&gt;more&lt;/p&gt;</t:Body>', "AppendToItemField")
    assert (await svc.call(update(item, more), ORGANIZER)).codes == ["NoError"]
    assert own(svc.sim).body.content == "<p>Agenda</p><p>more</p>"
    wrong = put("item:Subject", "<t:Subject>x</t:Subject>", "AppendToItemField")
    assert (await svc.call(update(item, wrong, key=False), ORGANIZER)).codes == ["ErrorInvalidPropertyAppend"]


async def test_attendees_are_replaced_role_by_role(svc: RawClient) -> None:
    item = await invite(svc)
    person = f"<t:Attendee><t:Mailbox><t:EmailAddress>{ATTENDEE}</t:EmailAddress></t:Mailbox></t:Attendee>"
    added = put("calendar:RequiredAttendees", f"<t:RequiredAttendees>{person}</t:RequiredAttendees>")
    reply = await svc.call(update(item, added, send="SendToAllAndSaveCopy"), ORGANIZER)
    assert reply.codes == ["NoError"]
    assert {a.person.address for a in own(svc.sim).meeting.attendees} == {ATTENDEE, EQUIPMENT}
    assert len(svc.sim.exchange.items(ATTENDEE, "calendar")) == 1
    gone = update(reply.ids("CalendarItem")[0], drop("calendar:Resources"), send="SendToAllAndSaveCopy")
    assert (await svc.call(gone, ORGANIZER)).codes == ["NoError"]
    assert {a.person.address for a in own(svc.sim).meeting.attendees} == {ATTENDEE}
    assert copy(svc.sim).meeting.is_cancelled


async def test_a_time_without_offset_is_meant_in_the_zone_that_comes_with_it(svc: RawClient) -> None:
    item = await invite(svc)
    zone = '<t:StartTimeZone Id="W. Europe Standard Time"/>'
    reply = await svc.call(
        update(
            item,
            put("calendar:Start", "<t:Start>2026-12-03T14:00:00</t:Start>"),
            put("calendar:End", "<t:End>2026-12-03T15:00:00</t:End>"),
            put("calendar:StartTimeZone", zone),
            send="SendToAllAndSaveCopy",
        ),
        ORGANIZER,
    )
    assert reply.codes == ["NoError"]
    assert copy(svc.sim).meeting.start.isoformat() == "2026-12-03T13:00:00+00:00"
    assert copy(svc.sim).meeting.sequence == 1
    zones = "".join(f'<t:FieldURI FieldURI="calendar:{n}"/>' for n in ("StartTimeZone", "StartWallClock", "Start"))
    seen = await svc.call(get_item(copy(svc.sim).id, more=zones), EQUIPMENT)
    assert seen.all("//t:StartTimeZone")[0].get("Id") == "W. Europe Standard Time"
    assert seen.text("//t:StartWallClock") == "2026-12-03T14:00:00"
    assert seen.text("//t:Start") == "2026-12-03T13:00:00Z"


async def test_an_extended_property_is_set_found_again_and_removed(svc: RawClient) -> None:
    item = await invite(svc)
    value = f"<t:ExtendedProperty>{MARKER}<t:Value>v1;900123</t:Value></t:ExtendedProperty>"
    assert (await svc.call(update(item, put(MARKER, value)), ORGANIZER)).codes == ["NoError"]
    seen = await svc.call(get_item(item[0], more=MARKER), ORGANIZER)
    assert seen.text("//t:ExtendedProperty/t:Value") == "v1;900123"
    assert (await svc.call(update(item, drop(MARKER), key=False), ORGANIZER)).codes == ["NoError"]
    assert not (await svc.call(get_item(item[0], more=MARKER), ORGANIZER)).all("//t:ExtendedProperty")
    binary = MARKER.replace("String", "Binary")
    wrong = put(binary, f"<t:ExtendedProperty>{binary}<t:Value>no base64!</t:Value></t:ExtendedProperty>")
    assert (await svc.call(update(item, wrong, key=False), ORGANIZER)).codes == ["ErrorInvalidExtendedPropertyValue"]
    right = wrong.replace("no base64!", base64.b64encode(b"bytes").decode())
    assert (await svc.call(update(item, right, key=False), ORGANIZER)).codes == ["NoError"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (
            put("calendar:Start", "<t:Start>2026-12-09T14:00:00Z</t:Start>"),
            "ErrorCalendarEndDateIsEarlierThanStartDate",
        ),
        (put("calendar:Start", "<t:Location>elsewhere</t:Location>"), "ErrorUpdatePropertyMismatch"),
        (put("calendar:IsCancelled", "<t:IsCancelled>true</t:IsCancelled>"), "ErrorInvalidPropertySet"),
        (drop("calendar:Start"), "ErrorInvalidPropertyDelete"),
    ],
)
async def test_what_cannot_be_changed_says_so_and_changes_nothing(svc: RawClient, change: str, code: str) -> None:
    item = await invite(svc)
    assert (await svc.call(update(item, change), ORGANIZER)).codes == [code]
    assert own(svc.sim).change_key == item[1]
