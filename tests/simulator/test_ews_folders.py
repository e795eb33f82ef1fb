"""What the simulated EWS keeps with the calendar folder: named strings, told and changed as Exchange does."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from greenroom.exchange.ews import envelope, streaming
from greenroom.simulator.ews.notifications import events_envelope
from support.ews_raw import RawClient
from support.ews_schema import validate_body
from support.simulator import ATTENDEE, EQUIPMENT, simulator_in_loop

NAME = 'DistinguishedPropertySetId="PublicStrings" PropertyName="Greenroom-Watcher" PropertyType="String"'
BY_GUID = NAME.replace(
    'DistinguishedPropertySetId="PublicStrings"', 'PropertySetId="00020329-0000-0000-C000-000000000046"'
)
FIELD = f"<t:ExtendedFieldURI {NAME}/>"

RENAME = (
    '<t:SetFolderField><t:FieldURI FieldURI="folder:DisplayName"/><t:CalendarFolder>'
    "<t:DisplayName>x</t:DisplayName></t:CalendarFolder></t:SetFolderField>"
)


@pytest.fixture
async def svc() -> AsyncIterator[RawClient]:
    async with simulator_in_loop() as sim, httpx2.AsyncClient(verify=False) as http:
        yield RawClient(sim, http)


def update(change: str, *, folder: str = "calendar", owner: str = "") -> str:
    whose = f"<t:Mailbox><t:EmailAddress>{owner}</t:EmailAddress></t:Mailbox>" if owner else ""
    return (
        f'<m:UpdateFolder><m:FolderChanges><t:FolderChange><t:DistinguishedFolderId Id="{folder}">{whose}'
        f"</t:DistinguishedFolderId><t:Updates>{change}</t:Updates></t:FolderChange></m:FolderChanges></m:UpdateFolder>"
    )


def put(value: str, name: str = NAME) -> str:
    field = f"<t:ExtendedFieldURI {name}/>"
    return (
        f"<t:SetFolderField>{field}<t:CalendarFolder><t:ExtendedProperty>{field}<t:Value>{value}</t:Value>"
        "</t:ExtendedProperty></t:CalendarFolder></t:SetFolderField>"
    )


def get(*fields: str, folder: str = "calendar") -> str:
    return (
        "<m:GetFolder><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape><t:AdditionalProperties>"
        f"{''.join(fields)}</t:AdditionalProperties></m:FolderShape><m:FolderIds>"
        f'<t:DistinguishedFolderId Id="{folder}"/></m:FolderIds></m:GetFolder>'
    )


async def test_a_named_string_is_given_where_it_is_named_however_its_set_is(svc: RawClient) -> None:
    before = await svc.call(get(FIELD), EQUIPMENT)
    assert not before.all("//t:ExtendedProperty")
    assert (await svc.call(update(put("here")), EQUIPMENT)).codes == ["NoError"]
    for field in (FIELD, f"<t:ExtendedFieldURI {BY_GUID}/>"):
        assert (await svc.call(get(field), EQUIPMENT)).text("//t:Value") == "here"
    other = await svc.call(
        get(FIELD.replace("Watcher", "Contender"), '<t:FieldURI FieldURI="folder:DisplayName"/>'), EQUIPMENT
    )
    assert not other.all("//t:ExtendedProperty")
    assert other.text("//t:DisplayName") == "Calendar"
    assert not (await svc.call(get(FIELD, folder="inbox"), EQUIPMENT)).all("//t:ExtendedProperty")
    after = await svc.call(get(FIELD), EQUIPMENT)
    keys = [reply.all("//t:FolderId")[0].get("ChangeKey") for reply in (before, after)]
    assert keys[0] != keys[1]


async def test_taking_a_string_away_takes_no_other(svc: RawClient) -> None:
    second = NAME.replace("Watcher", "Contender")
    await svc.call(update(put("one") + put("two", second)), EQUIPMENT)
    gone = await svc.call(update(f"<t:DeleteFolderField>{FIELD}</t:DeleteFolderField>"), EQUIPMENT)
    assert gone.codes == ["NoError"]
    assert svc.sim.exchange.folder_properties(EQUIPMENT) == {"Greenroom-Contender": "two"}


@pytest.mark.parametrize(
    ("change", "folder", "code"),
    [
        (put("x"), "inbox", "ErrorInvalidPropertySet"),
        (put("x").replace("PublicStrings", "Common"), "calendar", "ErrorInvalidPropertySet"),
        (put("1").replace('"String"', '"Integer"'), "calendar", "ErrorInvalidPropertySet"),
        (put("x").replace("Watcher", "Other", 1), "calendar", "ErrorUpdatePropertyMismatch"),
        (
            RENAME,
            "calendar",
            "ErrorInvalidPropertySet",
        ),
    ],
    ids=["another folder", "another set", "another type", "two names", "another property"],
)
async def test_what_is_not_kept_is_refused(svc: RawClient, change: str, folder: str, code: str) -> None:
    assert (await svc.call(update(change, folder=folder), EQUIPMENT)).codes == [code]
    assert not svc.sim.exchange.folder_properties(EQUIPMENT)


async def test_only_who_may_open_the_mailbox_changes_its_folder(svc: RawClient) -> None:
    assert (await svc.call(update(put("x"), owner=EQUIPMENT), ATTENDEE)).codes == ["ErrorAccessDenied"]
    svc.sim.exchange.mailbox(EQUIPMENT).folders_locked = True
    assert (await svc.call(update(put("x")), EQUIPMENT)).codes == ["ErrorAccessDenied"]
    assert (await svc.call(get(FIELD), EQUIPMENT)).codes == ["NoError"]


async def test_whether_folders_are_locked_is_set_while_the_simulator_runs(svc: RawClient) -> None:
    async with httpx2.AsyncClient() as http:
        for locked, codes in ((True, ["ErrorAccessDenied"]), (False, ["NoError"])):
            options = {"folders_locked": {EQUIPMENT: locked}}
            assert (await http.post(f"{svc.sim.url}/control/options", json=options)).status_code == 200
            assert (await svc.call(update(put("x")), EQUIPMENT)).codes == codes
        wrong = {"folders_locked": {EQUIPMENT: "yes"}}
        assert (await http.post(f"{svc.sim.url}/control/options", json=wrong)).status_code == 400


async def test_a_changed_folder_is_told_to_subscribers_and_no_reason_to_look(svc: RawClient) -> None:
    subscription = svc.sim.exchange.subscribe(EQUIPMENT, ["calendar"], ["ModifiedEvent"])
    await svc.call(update(put("x")), EQUIPMENT)
    data = events_envelope(subscription.id, subscription.drain())
    validate_body(data)
    assert b"FolderId" in data
    assert not streaming.read_news(envelope.read(data), mailbox=EQUIPMENT).events
