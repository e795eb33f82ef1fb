"""Series over plain SOAP: what a master tells of its occurrences, and each of them opened, changed, answered, deleted."""

import base64
import re
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import httpx2
import pytest

from greenroom.simulator.ics_zones import zone_from_rules
from greenroom.simulator.model import Attendee, Body, CalendarItem, MeetingDraft, Person
from greenroom.simulator.recurrence import Daily, Recurrence, Weekly
from greenroom.simulator.zone_blob import write_zone
from greenroom.simulator.zone_years import eras
from greenroom.simulator.zones import find
from support import custom_zone
from support.ews_raw import RawClient, Reply, answer, get_item
from support.simulator import EQUIPMENT, ORGANIZER, simulator_in_loop

START = datetime(2026, 12, 2, 8, tzinfo=UTC)
HOUR, WEEK = timedelta(hours=1), timedelta(days=7)
SECOND, THIRD, FOURTH = (START + number * WEEK for number in (1, 2, 3))
WEEKLY = Recurrence(Weekly(1, ("Wednesday",)), START.date(), count=5)
BERLIN = "W. Europe Standard Time"


@pytest.fixture
async def svc() -> AsyncIterator[RawClient]:
    async with simulator_in_loop() as sim, httpx2.AsyncClient(verify=False) as http:
        yield RawClient(sim, http)


def invite(svc: RawClient, **more: object) -> CalendarItem:
    draft: MeetingDraft = {
        "subject": "Series",
        "body": Body("All of them"),
        "start": START,
        "end": START + HOUR,
        "start_zone": BERLIN,
        "recurrence": WEEKLY,
        "attendees": (Attendee(Person(EQUIPMENT), "resource"),),
    }
    whole: MeetingDraft = {**draft, **more}  # type: ignore[typeddict-item]  # the pieces of a draft
    return svc.sim.exchange.create_meeting(ORGANIZER, whole, "SendToAllAndSaveCopy")


def move(svc: RawClient, item: CalendarItem, original: datetime = SECOND) -> None:
    draft: MeetingDraft = {"start": original + 2 * HOUR, "subject": "Special", "body": Body("Only this")}
    svc.sim.exchange.update_occurrence(ORGANIZER, item.id, original, draft, send="SendOnlyToAll")


def copy(svc: RawClient) -> CalendarItem:
    (item,) = svc.sim.exchange.items(EQUIPMENT, "calendar")
    assert isinstance(item, CalendarItem)
    return item


def by_id(element: str) -> str:
    return (
        "<m:GetItem><m:ItemShape><t:BaseShape>AllProperties</t:BaseShape></m:ItemShape>"
        f"<m:ItemIds>{element}</m:ItemIds></m:GetItem>"
    )


def numbered(item: CalendarItem, number: int) -> str:
    return f'<t:OccurrenceItemId RecurringMasterId="{item.id}" InstanceIndex="{number}"/>'


def instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def texts(reply: Reply, *names: str) -> list[str]:
    return [reply.text(f"//t:CalendarItem/t:{name}") for name in names]


async def test_a_master_tells_its_ends_its_exceptions_and_what_is_missing(svc: RawClient) -> None:
    item = invite(svc)
    move(svc, item)
    svc.sim.exchange.delete_occurrence(ORGANIZER, item.id, START, send="SendOnlyToAll")
    reply = await svc.call(get_item(copy(svc).id, base="AllProperties"), EQUIPMENT)
    found = {
        name: [(e.findtext("{*}OriginalStart"), e.findtext("{*}Start"), e.findtext("{*}End")) for e in reply.all(path)]
        for name, path in (
            ("first", "//t:FirstOccurrence"),
            ("last", "//t:LastOccurrence"),
            ("modified", "//t:ModifiedOccurrences/t:Occurrence"),
        )
    }
    moved = (instant(SECOND), instant(SECOND + 2 * HOUR), instant(SECOND + 3 * HOUR))
    last = START + 4 * WEEK
    assert found["first"] == found["modified"] == [moved]
    assert found["last"] == [(instant(last), instant(last), instant(last + HOUR))]
    assert [e.findtext("{*}Start") for e in reply.all("//t:DeletedOccurrence")] == [instant(START)]
    assert texts(reply, "CalendarItemType", "IsRecurring") == ["RecurringMaster", "true"]


async def test_an_endless_series_has_no_last_occurrence(svc: RawClient) -> None:
    invite(svc, recurrence=Recurrence(Daily(1), START.date()))
    reply = await svc.call(get_item(copy(svc).id, base="AllProperties"), EQUIPMENT)
    assert len(reply.all("//t:FirstOccurrence")) == 1
    assert reply.all("//t:LastOccurrence") == []


async def test_an_exception_is_read_by_its_own_id_and_answered_by_it(svc: RawClient) -> None:
    item = invite(svc)
    svc.sim.exchange.respond(EQUIPMENT, copy(svc).id, "Accept")
    move(svc, item)
    master = await svc.call(get_item(copy(svc).id, base="AllProperties"), EQUIPMENT)
    (ident,) = [e.get("Id") for e in master.all("//t:ModifiedOccurrences/t:Occurrence/t:ItemId")]
    assert ident is not None
    reply = await svc.call(get_item(ident, base="AllProperties", body="Text"), EQUIPMENT)
    assert texts(reply, "Subject", "Body", "CalendarItemType", "MyResponseType", "UID") == [
        "Special", "Only this", "Exception", "NoResponseReceived", item.meeting.uid,
    ]  # fmt: skip
    assert texts(reply, "RecurrenceId", "Start", "IsRecurring") == [
        instant(SECOND), instant(SECOND + 2 * HOUR), "true",
    ]  # fmt: skip
    assert reply.all("//t:AppointmentReplyTime | //t:Recurrence | //t:ModifiedOccurrences") == []
    assert reply.ids("CalendarItem") == [(ident, copy(svc).change_key)]
    answered = await svc.call(answer("AcceptItem", ident), EQUIPMENT)
    assert answered.codes == ["NoError"]
    assert answered.ids("CalendarItem") == [(ident, copy(svc).change_key)]
    reply = await svc.call(get_item(ident, base="AllProperties"), EQUIPMENT)
    assert texts(reply, "MyResponseType") == ["Accept"]
    assert len(reply.all("//t:AppointmentReplyTime")) == 1
    assert copy(svc).my_response == "Accept"
    (master_id,) = (await svc.call(by_id(f'<t:RecurringMasterItemId OccurrenceId="{ident}"/>'), EQUIPMENT)).ids(
        "CalendarItem"
    )
    assert master_id[0] == copy(svc).id


async def test_declining_an_occurrence_takes_it_out(svc: RawClient) -> None:
    invite(svc)
    (found,) = (await svc.call(by_id(numbered(copy(svc), 2)), EQUIPMENT)).ids("CalendarItem")
    reply = await svc.call(answer("DeclineItem", found[0]), EQUIPMENT)
    assert reply.codes == ["NoError"]
    assert [one.start for one in copy(svc).meeting.deleted] == [SECOND]
    assert (await svc.call(get_item(found[0]), EQUIPMENT)).codes == ["ErrorItemNotFound"]
    assert (await svc.call(by_id(numbered(copy(svc), 2)), EQUIPMENT)).codes == [
        "ErrorCalendarOccurrenceIsDeletedFromRecurrence"
    ]


async def test_occurrences_are_counted_from_one(svc: RawClient) -> None:
    item = invite(svc)
    move(svc, item, THIRD)
    mine = copy(svc)
    reply = await svc.call(by_id(numbered(mine, 1) + numbered(mine, 3) + numbered(mine, 6)), EQUIPMENT)
    assert [e.text for e in reply.all("//t:CalendarItemType")] == ["Occurrence", "Exception"]
    assert [e.text for e in reply.all("//t:OriginalStart")] == [instant(START), instant(THIRD)]
    assert reply.codes[2] == "ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange"


async def test_ids_of_the_wrong_kind_are_named(svc: RawClient) -> None:
    item = invite(svc, recurrence=None)
    reply = await svc.call(by_id(numbered(item, 1) + f'<t:RecurringMasterItemId OccurrenceId="{item.id}"/>'), ORGANIZER)
    assert reply.codes == ["ErrorCalendarCannotUseIdForRecurringMasterId", "ErrorCalendarCannotUseIdForOccurrenceId"]


def update(ident: str, uri: str, element: str, *, send: str = "SendToAllAndSaveCopy") -> str:
    return (
        f'<m:UpdateItem ConflictResolution="AlwaysOverwrite" SendMeetingInvitationsOrCancellations="{send}">'
        f"<m:ItemChanges><t:ItemChange>{ident}<t:Updates><t:SetItemField>"
        f'<t:FieldURI FieldURI="{uri}"/><t:CalendarItem>{element}</t:CalendarItem></t:SetItemField></t:Updates>'
        "</t:ItemChange></m:ItemChanges></m:UpdateItem>"
    )


async def test_an_organizer_changes_one_occurrence_and_sends_that_alone(svc: RawClient) -> None:
    item = invite(svc)
    body = '<t:Body BodyType="HTML">&lt;p&gt;Join here&lt;/p&gt;</t:Body>'
    reply = await svc.call(update(numbered(item, 2), "item:Body", body), ORGANIZER)
    assert reply.codes == ["NoError"]
    shown = await svc.call(get_item(reply.ids("CalendarItem")[0][0], base="AllProperties"), ORGANIZER)
    assert texts(shown, "CalendarItemType", "OriginalStart", "MyResponseType") == [
        "Exception", instant(SECOND), "Organizer",
    ]  # fmt: skip
    assert "Join here" in shown.text("//t:Body")
    (change,) = copy(svc).meeting.modified
    assert change.body == Body("<p>Join here</p>", "HTML")
    assert copy(svc).body == Body("All of them")
    request = svc.sim.exchange.items(EQUIPMENT, "inbox")[-1]
    more = '<t:FieldURI FieldURI="meeting:AssociatedCalendarItemId"/><t:FieldURI FieldURI="calendar:MyResponseType"/>'
    message = await svc.call(get_item(request.id, more=more), EQUIPMENT)
    (leads_to,) = [e.get("Id") for e in message.all("//t:AssociatedCalendarItemId")]
    assert leads_to is not None
    associated = await svc.call(get_item(leads_to, base="AllProperties"), EQUIPMENT)
    assert texts(associated, "CalendarItemType", "RecurrenceId") == ["Exception", instant(SECOND)]


async def test_an_organizer_deletes_and_cancels_single_occurrences(svc: RawClient) -> None:
    item = invite(svc)
    delete = (
        '<m:DeleteItem DeleteType="MoveToDeletedItems" SendMeetingCancellations="SendToAllAndSaveCopy">'
        f"<m:ItemIds>{numbered(item, 2)}</m:ItemIds></m:DeleteItem>"
    )
    assert (await svc.call(delete, ORGANIZER)).codes == ["NoError"]
    (third,) = (await svc.call(by_id(numbered(item, 3)), ORGANIZER)).ids("CalendarItem")
    cancel = (
        '<m:CreateItem MessageDisposition="SendAndSaveCopy"><m:Items><t:CancelCalendarItem>'
        f'<t:ReferenceItemId Id="{third[0]}" ChangeKey="{third[1]}"/><t:NewBodyContent BodyType="Text">Off'
        "</t:NewBodyContent></t:CancelCalendarItem></m:Items></m:CreateItem>"
    )
    assert (await svc.call(cancel, ORGANIZER)).codes == ["NoError"]
    assert [one.start for one in copy(svc).meeting.deleted] == [SECOND, THIRD]
    assert len(svc.sim.exchange.items(EQUIPMENT, "inbox")) == 3


def view(start: datetime, end: datetime, most: int = 100) -> str:
    return (
        '<m:FindItem Traversal="Shallow"><m:ItemShape><t:BaseShape>Default</t:BaseShape><t:AdditionalProperties>'
        '<t:FieldURI FieldURI="calendar:OriginalStart"/><t:FieldURI FieldURI="calendar:RecurrenceId"/>'
        '<t:FieldURI FieldURI="calendar:MyResponseType"/></t:AdditionalProperties></m:ItemShape>'
        f'<m:CalendarView MaxEntriesReturned="{most}" StartDate="{instant(start)}" EndDate="{instant(end)}"/>'
        '<m:ParentFolderIds><t:DistinguishedFolderId Id="calendar"/></m:ParentFolderIds></m:FindItem>'
    )


async def test_a_calendar_view_expands_series(svc: RawClient) -> None:
    item = invite(svc)
    single = invite(svc, recurrence=None, subject="Alone", start=SECOND + 5 * HOUR, end=SECOND + 6 * HOUR)
    move(svc, item)
    svc.sim.exchange.delete_occurrence(ORGANIZER, item.id, THIRD)
    reply = await svc.call(view(START + HOUR, FOURTH + WEEK), ORGANIZER)
    assert [e.text for e in reply.all("//t:CalendarItemType")] == ["Exception", "Single", "Occurrence"]
    assert [e.text for e in reply.all("//t:Start")] == [
        instant(SECOND + 2 * HOUR), instant(SECOND + 5 * HOUR), instant(FOURTH),
    ]  # fmt: skip
    assert [e.text for e in reply.all("//t:OriginalStart")] == [instant(SECOND), instant(FOURTH)]
    idents = [ident for ident, _ in reply.ids("CalendarItem")]
    assert idents[1] == single.id
    opened = await svc.call(get_item(*idents, base="AllProperties"), ORGANIZER)
    assert [e.text for e in opened.all("//t:Subject")] == ["Special", "Alone", "Series"]
    cut = await svc.call(view(START, FOURTH + WEEK, 2), ORGANIZER)
    (folder,) = cut.all("//m:RootFolder")
    assert (folder.get("TotalItemsInView"), folder.get("IncludesLastItemInRange")) == ("4", "false")
    long = await svc.call(view(START, START + timedelta(days=800)), ORGANIZER)
    assert long.codes == ["ErrorCalendarViewRangeTooBig"]


# --- zones --------------------------------------------------------------------------------------------------------


def definition(reply: Reply) -> dict[str, str]:
    """What a StartTimeZone says, by kind of period: offset, and month/weekday/which/time of its beginning."""
    (zone,) = reply.all("//t:StartTimeZone")
    said = {}
    for period in zone.iterfind("{*}Periods/{*}Period"):
        said[period.get("Id", "")] = period.get("Bias", "")
    found = {}
    for day in zone.iterfind("{*}TransitionsGroups/{*}TransitionsGroup/{*}RecurringDayTransition"):
        target = day.findtext("{*}To") or ""
        parts = [day.findtext(f"{{*}}{name}") or "" for name in ("Month", "DayOfWeek", "Occurrence", "TimeOffset")]
        found[target.rpartition("-")[2]] = " ".join([said[target], *parts])
    return {"id": zone.get("Id", ""), "name": zone.get("Name", ""), **found}


async def test_a_zone_nobody_knows_by_name_comes_with_its_definition(svc: RawClient) -> None:
    invite(svc, start_zone=custom_zone.NAME, zone_rules=custom_zone.VTIMEZONE)
    reply = await svc.call(get_item(copy(svc).id, base="AllProperties"), EQUIPMENT)
    assert definition(reply) == {
        "id": custom_zone.NAME,
        "name": "",
        "Daylight": "-PT150M 4 Saturday 2 PT1380M",
        "Standard": "-PT90M 9 Saturday 3 PT60M",
    }
    blob = reply_blob(await svc.call(get_item(copy(svc).id, more=extended(0x8260) + extended(0x825E)), EQUIPMENT))
    zone = zone_from_rules(custom_zone.VTIMEZONE)
    assert zone is not None
    assert blob == [
        write_zone(custom_zone.NAME, zone, 2026, recurring=True),
        write_zone(custom_zone.NAME, zone, 2026, recurring=False),
    ]


async def test_a_known_zone_has_its_name_of_windows(svc: RawClient) -> None:
    invite(svc)
    reply = await svc.call(get_item(copy(svc).id, base="AllProperties"), EQUIPMENT)
    assert definition(reply) == {
        "id": BERLIN,
        "name": BERLIN,
        "Daylight": "-PT120M 3 Sunday -1 PT120M",
        "Standard": "-PT60M 10 Sunday -1 PT180M",
    }


async def test_a_single_meeting_has_no_zone_of_a_series(svc: RawClient) -> None:
    invite(svc, recurrence=None)
    reply = await svc.call(get_item(copy(svc).id, more=extended(0x8260)), EQUIPMENT)
    assert reply_blob(reply) == []


def extended(number: int) -> str:
    return (
        '<t:ExtendedFieldURI PropertySetId="00062002-0000-0000-C000-000000000046" '
        f'PropertyId="{number}" PropertyType="Binary"/>'
    )


def reply_blob(reply: Reply) -> list[bytes]:
    return [base64.b64decode(e.text or "") for e in reply.all("//t:ExtendedProperty/t:Value")]


PACIFIC = """
    02 01 30 00 02 00 15 00 50 00 61 00 63 00 69 00 66 00 69 00 63 00 20 00 53 00 74 00 61 00 6E 00 64 00 61 00 72 00 64 00
    20 00 54 00 69 00 6D 00 65 00 02 00
    02 01 3E 00 03 00 41 06 00 00 00 00 00 00 00 00 00 00 00 00 00 00 E0 01 00 00 00 00 00 00 C4 FF FF FF
    00 00 0A 00 00 00 05 00 02 00 00 00 00 00 00 00 00 00 04 00 00 00 01 00 02 00 00 00 00 00 00 00
    02 01 3E 00 00 00 D7 07 00 00 00 00 00 00 00 00 00 00 00 00 00 00 E0 01 00 00 00 00 00 00 C4 FF FF FF
    00 00 0B 00 00 00 01 00 02 00 00 00 00 00 00 00 00 00 03 00 00 00 02 00 02 00 00 00 00 00 00 00
"""
"""The example of MS-OXOCAL 4.1.4, but for the rule that is marked and the year in which the first one begins."""


def test_the_binary_zone_is_laid_out_as_specified() -> None:
    zone = find("Pacific Standard Time")
    assert zone is not None
    assert write_zone("Pacific Standard Time", zone, 2006, recurring=True) == bytes.fromhex(re.sub(r"\s", "", PACIFIC))


@pytest.mark.parametrize(
    ("name", "year", "count"),
    [
        ("Etc/UTC", 2026, 1),
        ("Europe/Berlin", 2026, 1),
        ("Asia/Kathmandu", 2026, 1),
        ("America/New_York", 2005, 2),  # the rule of 2007
        ("Europe/Istanbul", 2014, 4),  # two odd years, one that gave summer time up, all after it
    ],
)
def test_the_years_of_a_zone_fall_into_eras(name: str, year: int, count: int) -> None:
    zone = find(name)
    assert zone is not None
    found = eras(zone, year)
    assert len(found) == count
    assert found[0].year == year
    assert not found[-1].changes


def test_a_whole_year_is_told_right_by_its_era() -> None:
    for name in ("Europe/Berlin", "Australia/Sydney", "America/Sao_Paulo", "Africa/Casablanca", "Asia/Tehran"):
        zone = find(name)
        assert zone is not None
        era = eras(zone, 2021)[0]
        offsets = {era.january, *(one.offset for one in era.switches), *(one.offset for one in era.changes)}
        days = (datetime(2021, 1, 2, tzinfo=UTC) + timedelta(days=number) for number in range(363))
        assert {day.astimezone(zone).utcoffset() for day in days} == offsets
        assert date(2021, 1, 1) - timedelta(days=1) <= era.begins.date() <= date(2021, 1, 1)
