"""What the shells of the simulator have, how they refuse, and that they are those of the reference."""

import contextlib
import json
from pathlib import Path
from typing import Any

import httpx2
import pytest

from greenroom.simulator import Exchange, snapshot
from greenroom.simulator.app import create_simulator_app
from greenroom.simulator.clock import SimulatorClock
from greenroom.simulator.management import CmdletError, Management
from greenroom.simulator.management.cmdlet import EXCHANGE, ONLY_GRAPH, SHELLS, TABLE
from support.administrator import ADA, BEN, SECRET, SERVICE, VMR, Administrator, at_work
from support.powershell.cmdlets import known
from support.powershell.shells import NAMES

MANIFEST = b"""<?xml version="1.0"?><OfficeApp xmlns="http://schemas.microsoft.com/office/appforoffice/1.1">
<Id>0F2A9A4E-9C4B-4E0B-8F5D-0A3D5D6A7B81</Id><Version>1.0.0.0</Version><DisplayName DefaultValue="Rooms"/></OfficeApp>"""


@pytest.fixture
def admin() -> Administrator:
    return at_work()


@pytest.mark.parametrize("name", sorted(TABLE))
def test_cmdlets_and_parameters_are_those_of_the_reference(name: str) -> None:
    mine, names = TABLE[name], {str(short): long for short, long in NAMES.items()}
    listed = {one.lower(): of for one, of in known().items()}.get(name)
    if listed is None:
        assert mine.shells == ONLY_GRAPH, "only of Microsoft Graph there is more than our scripts use"
        return
    assert mine.shells == {names[shell] for shell in listed.shells}
    for parameter in mine.parameters:
        assert parameter in listed.kinds
        elsewhere = {shell for shell, names in listed.only.items() if parameter in names}
        if elsewhere:
            assert mine.only.get(parameter, mine.shells) <= {names[shell] for shell in elsewhere}


def test_unknown_cmdlets_parameters_and_values_are_refused_and_not_silenced(admin: Administrator) -> None:
    assert admin.refused("Get-Nothing") == "CommandNotFoundException"
    assert admin.refused("Get-Mailbox", Nothing=1) == "NamedParameterNotFound"
    assert admin.refused("Get-Mailbox", Nothing=1, ErrorAction="SilentlyContinue") == "NamedParameterNotFound"
    assert admin.refused("Get-CalendarProcessing") == "MissingMandatoryParameter"
    kind = "ParameterArgumentTransformationError"
    for bad in ({"DeleteComments": "no"}, {"AutomateProcessing": "Always"}, {"BookingWindowInDays": "many"}):
        assert admin.refused("Set-CalendarProcessing", ADA, **bad) == kind
    assert admin.refused("Get-Mailbox", identity=ADA, identitY=ADA) == "ParameterAlreadyBound"
    assert Management(admin.exchange).run("get-mailbox", {"IDENTITY": ADA})


def test_an_error_of_the_work_can_be_silenced(admin: Administrator) -> None:
    assert admin.refused("Get-Mailbox", VMR) == "ManagementObjectNotFoundException"
    assert admin.does("Get-Mailbox", VMR, ErrorAction="SilentlyContinue") == []


def test_each_shell_has_its_own_cmdlets_and_parameters(admin: Administrator) -> None:
    server = Administrator(admin.exchange, shell="exchange-server")
    online = Administrator(admin.exchange, shell="exchange-online")
    graph = Administrator(admin.exchange, shell="graph")
    assert online.refused("Get-WebServicesVirtualDirectory") == "CommandNotFoundException"
    assert server.refused("Get-ServicePrincipal") == "CommandNotFoundException"
    assert graph.refused("Get-Mailbox") == "CommandNotFoundException"
    assert server.refused("Set-CalendarProcessing", ADA, RemoveCanceledMeetings=True) == "NamedParameterNotFound"
    assert online.refused("Get-Mailbox", ADA, DomainController="dc") == "NamedParameterNotFound"
    assert server.does("Get-Mailbox", ADA, DomainController="dc")
    assert SHELLS >= EXCHANGE


def test_what_if_does_nothing(admin: Administrator) -> None:
    assert admin.does("New-Mailbox", Name="x", Equipment=True, WhatIf=True) == []
    assert admin.refused("Get-Mailbox", "x")
    assert admin.refused("Get-Mailbox", ADA, WhatIf=True) == "NamedParameterNotFound"


def test_whoever_is_no_administrator_has_no_cmdlets(admin: Administrator) -> None:
    person = Administrator(admin.exchange, by=ADA)
    assert person.refused("New-Mailbox", Name="x", Equipment=True) == "CommandNotFoundException"
    assert person.refused("Get-MgApplication") == "Authorization_RequestDenied"
    boss = Administrator(admin.exchange, by=f"Administrator@{ADA.partition('@')[2]}")
    assert boss.does("Get-Mailbox", ADA)


def test_a_mailbox_is_made_found_by_all_its_names_changed_and_removed(admin: Administrator) -> None:
    made = admin.gets("New-Mailbox", Name="Greenroom", PrimarySmtpAddress=VMR, Equipment=True)
    assert made["RecipientTypeDetails"] == "EquipmentMailbox"
    for name in (VMR, VMR.upper(), "greenroom", made["DistinguishedName"], made["Guid"], "vmr"):
        assert admin.gets("Get-Mailbox", name)["PrimarySmtpAddress"] == VMR
    assert admin.refused("New-Mailbox", Name="Other", PrimarySmtpAddress=VMR, Equipment=True).startswith("ADObject")
    mark = {"CustomAttribute1": "Greenroom test", "DisplayName": "Rooms", "HiddenFromAddressListsEnabled": True}
    admin.does("Set-Mailbox", VMR, **mark)
    assert mark.items() <= admin.gets("Get-Mailbox", VMR).items()
    assert admin.exchange.resolve_names("Rooms") == []
    assert admin.exchange.resolve_names(VMR) == []
    assert admin.refused("Set-Mailbox", VMR, PrimarySmtpAddress="other@greenroom.example")
    admin.does("Set-Mailbox", VMR, CustomAttribute1=None)
    assert not admin.gets("Get-Mailbox", VMR)["CustomAttribute1"]
    admin.does("Remove-Mailbox", VMR, Confirm=False)
    assert admin.exchange.find_mailbox(VMR) is None
    admin.makes_mailbox()
    assert admin.exchange.items(VMR, "calendar") == []


@pytest.mark.parametrize("bad", ["no address", "@greenroom.example", "a@b", "a b@c.example", "a,b@c.example"])
def test_a_mailbox_needs_an_address_that_is_one(admin: Administrator, bad: str) -> None:
    assert admin.refused("New-Mailbox", Name="x", PrimarySmtpAddress=bad, Equipment=True) == "DataValidationException"


def test_a_service_account_signs_in_by_both_its_names(admin: Administrator) -> None:
    assert admin.refused("New-Mailbox", Name="Service", UserPrincipalName=SERVICE) == "MissingMandatoryParameter"
    admin.makes_service()
    for login in (SERVICE, "svc"):
        account = admin.exchange.authenticate(login, SECRET)
        assert account is not None
        assert account.mailbox == SERVICE


def test_language_and_time_zone_are_set(admin: Administrator) -> None:
    admin.makes_mailbox()
    assert admin.gets("Get-MailboxRegionalConfiguration", VMR)["TimeZone"] is None
    admin.does(
        "Set-MailboxRegionalConfiguration", VMR, Language="en-US", TimeZone="UTC", LocalizeDefaultFolderName=True
    )
    told = admin.gets("Get-MailboxRegionalConfiguration", VMR)
    assert (told["Language"], told["TimeZone"]) == ("en-US", "UTC")
    assert admin.refused("Set-MailboxRegionalConfiguration", VMR, TimeZone="Mars") == "DataValidationException"


def test_calendar_processing_begins_with_the_defaults_and_every_value_comes_back(admin: Administrator) -> None:
    admin.makes_mailbox()
    told = admin.gets("Get-CalendarProcessing", VMR)
    defaults = {
        "AutomateProcessing": "AutoAccept",
        "DeleteComments": True,
        "AllowConflicts": False,
        "ResourceDelegates": [],
    }
    assert defaults.items() <= told.items()
    assert (told["BookingWindowInDays"], told["MaximumDurationInMinutes"]) == (180, 1440)
    other: dict[str, Any] = {}
    for name, value in told.items():
        if isinstance(value, bool):
            other[name] = not value
    other |= {"BookingWindowInDays": 1080, "MaximumDurationInMinutes": 0, "AutomateProcessing": "AutoUpdate"}
    other |= {"ResourceDelegates": [ADA], "BookingType": "Reserved", "AdditionalResponse": "Hello"}
    admin.does("Set-CalendarProcessing", VMR, **other)
    assert other.items() <= admin.gets("Get-CalendarProcessing", VMR).items()
    assert admin.refused("Set-CalendarProcessing", VMR, BookingWindowInDays=1081)
    assert admin.refused("Set-CalendarProcessing", ADA, AutomateProcessing="AutoAccept")


def test_groups_have_direct_members(admin: Administrator) -> None:
    made = admin.gets("New-DistributionGroup", Name="People, all", Type="Security", Members=[ADA])
    assert made["DistinguishedName"].startswith("CN=People\\, all,")
    admin.does("Add-DistributionGroupMember", "People, all", Member="Ben Lindqvist")
    assert admin.refused("Add-DistributionGroupMember", "People, all", Member=BEN) == "MemberAlreadyExistsException"
    members = admin.does("Get-DistributionGroupMember", "People, all")
    assert [one["PrimarySmtpAddress"] for one in members] == [ADA, BEN]
    admin.does("Remove-DistributionGroupMember", "People, all", Member=ADA)
    assert admin.refused("Remove-DistributionGroupMember", "People, all", Member=ADA)
    assert admin.refused("New-DistributionGroup", Name="people, ALL") == "ADObjectAlreadyExistsException"
    admin.does("Remove-DistributionGroup", made["DistinguishedName"])
    assert admin.does("Get-DistributionGroup") == []


def test_an_add_in_comes_by_its_manifest_and_only_a_newer_one_replaces_it(admin: Administrator) -> None:
    about: dict[str, Any] = {"OrganizationApp": True, "FileData": list(MANIFEST), "DefaultStateForUser": "Enabled"}
    made = admin.gets("New-App", **about)
    assert (made["DisplayName"], made["AppVersion"], made["DefaultStateForUser"]) == ("Rooms", "1.0.0.0", "Enabled")
    assert admin.refused("New-App", **about) == "ADObjectAlreadyExistsException"
    admin.does("New-App", **about | {"FileData": list(MANIFEST.replace(b"1.0.0.0", b"1.0.10.0"))})
    assert admin.gets("Get-App", made["AppId"], OrganizationApp=True)["AppVersion"] == "1.0.10.0"
    admin.does("Remove-App", made["AppId"], OrganizationApp=True)
    assert admin.does("Get-App", OrganizationApp=True) == []
    doctype = MANIFEST.replace(b"<OfficeApp", b'<!DOCTYPE OfficeApp [<!ENTITY a "b">]><OfficeApp')
    for bad in (b"", b"<a/>", b"\xff", doctype, MANIFEST.replace(b"0F2A9A4E", b"")):
        assert admin.refused("New-App", **about | {"FileData": list(bad)})


def test_what_administrators_set_is_kept_in_a_snapshot(admin: Administrator, tmp_path: Path) -> None:
    admin.makes_mailbox(AllowConflicts=True)
    admin.makes_service()
    admin.does("New-ManagementScope", Name="s", RecipientRestrictionFilter=f"PrimarySmtpAddress -eq '{VMR}'")
    admin.does(
        "New-ManagementRoleAssignment", Role="ApplicationImpersonation", User=SERVICE, CustomRecipientWriteScope="s"
    )
    admin.does("New-MgApplication", DisplayName="Rooms", Api={"a": [1, {"b": None}]})
    snapshot.save(admin.exchange, tmp_path / "kept")
    again = Administrator(snapshot.load(tmp_path / "kept", admin.exchange.clock))
    for cmdlet in ("Get-Mailbox", "Get-ManagementRoleAssignment", "Get-ManagementScope", "Get-OrganizationConfig"):
        assert again.does(cmdlet) == admin.does(cmdlet)
    assert again.gets("Get-CalendarProcessing", VMR) == admin.gets("Get-CalendarProcessing", VMR)
    assert again.gets("Get-MgApplication")["DisplayName"] == "Rooms"
    assert again.exchange.may_impersonate(SERVICE, VMR)


async def test_the_control_door_runs_cmdlets() -> None:
    app = create_simulator_app(Exchange(SimulatorClock()))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://127.0.0.1") as http:

        async def run(**order: Any) -> tuple[int, Any]:
            answer = await http.post("/control/cmdlet", json=order)
            return answer.status_code, answer.json()

        status, made = await run(cmdlet="New-DistributionGroup", parameters={"Name": "x"}, shell="exchange-server")
        assert (status, made["objects"][0]["Name"]) == (200, "x")
        status, said = await run(cmdlet="Get-Mailbox", parameters={"Identity": "x@y.example"})
        assert (status, said["error"]["category"], said["error"]["binding"]) == (400, "ObjectNotFound", False)
        assert (await run(cmdlet="Get-Mailbox", shell="bash"))[0] == 400
        assert (await run(cmdlet=7))[0] == 400
        assert (await http.post("/control/options", json={"message_rate": 0})).status_code == 400
        assert (await http.post("/control/options", json={"rights_cached_seconds": 1800})).status_code == 200
        assert app.face.exchange.site.organisation.rights_cached_seconds == 1800


def test_every_object_can_be_told_as_json(admin: Administrator) -> None:
    admin.makes_mailbox(ResourceDelegates=[ADA])
    management = Management(admin.exchange)
    for mine in TABLE.values():
        if mine.name.startswith("Get-"):
            given = {name: ADA for name in ("Identity", "UserId") if name in mine.parameters}
            with contextlib.suppress(CmdletError):  # some need more than a name
                json.dumps(management.run(mine.name, given))
