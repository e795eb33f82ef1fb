"""Who may open what, over both faces: impersonation with scopes, full access, RBAC for Applications, consents, caches."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from greenroom.simulator import opath, seeding
from greenroom.simulator.clock import SimulatorClock
from greenroom.simulator.management.entra import GRAPH_APP
from greenroom.simulator.rights import CONSENT_CALENDARS
from support.administrator import ADA, BEN, CARLA, SECRET, SERVICE, VMR, Administrator, at_work
from support.doors import Doors, doors_of
from support.simulator import CLIENT_ID

CALENDARS = "Application Calendars.ReadWrite"
PEOPLE = "Schedulers"
DENIED, OPEN = (403, "ErrorAccessDenied"), (200, "")


@pytest.fixture
def admin() -> Administrator:
    made = at_work()
    made.makes_mailbox(AutomateProcessing="AutoUpdate")
    made.makes_service()
    made.does("Set-WebServicesVirtualDirectory", "EX01\\EWS (Default Web Site)", BasicAuthentication=True)
    return made


@pytest.fixture
async def doors(admin: Administrator) -> AsyncIterator[Doors]:
    async with doors_of(admin.exchange) as opened:
        yield opened


def assigns(admin: Administrator, **more: Any) -> None:
    admin.does("New-ManagementRoleAssignment", Name="may", Role="ApplicationImpersonation", User=SERVICE, **more)


def registers(admin: Administrator, *, right_id: bool = True) -> tuple[str, str]:
    """Make an application that has nothing yet; returns its client id and the object id that Exchange knows it by."""
    made = admin.gets("New-MgApplication", DisplayName="Greenroom")
    principal = admin.gets("New-MgServicePrincipal", AppId=made["AppId"])
    object_id = principal["Id"] if right_id else made["Id"]
    admin.does("New-ServicePrincipal", AppId=made["AppId"], ObjectId=object_id, DisplayName="Greenroom")
    return made["AppId"], object_id


async def reached(doors: Doors) -> list[str]:
    """Whose calendars the service account may open."""
    people = (VMR, ADA, BEN)
    codes = {one: await doors.opens(SERVICE, SECRET, one) for one in people}
    assert set(codes.values()) <= {"NoError", "ErrorImpersonateUserDenied"}
    return [one for one in people if codes[one] == "NoError"]


async def test_without_a_role_nobody_may_be_impersonated(doors: Doors) -> None:
    assert await reached(doors) == []


async def test_a_role_without_a_scope_is_over_everybody_and_can_be_taken_back(
    admin: Administrator, doors: Doors
) -> None:
    assigns(admin)
    assert await reached(doors) == [VMR, ADA, BEN]
    admin.does("Set-ManagementRoleAssignment", "may", Enabled=False)
    assert await reached(doors) == []
    admin.does("Set-ManagementRoleAssignment", "may", Enabled=True)
    admin.does("Remove-ManagementRoleAssignment", "may", Confirm=False)
    assert await reached(doors) == []
    assert admin.does("Get-ManagementRoleAssignment", RoleAssignee=SERVICE) == []


async def test_a_scope_is_over_one_mailbox_or_over_the_direct_members_of_a_group(
    admin: Administrator, doors: Doors
) -> None:
    group = admin.gets("New-DistributionGroup", Name=PEOPLE, Members=[ADA])
    admin.does("New-ManagementScope", Name="one", RecipientRestrictionFilter=f"EmailAddresses -eq '{VMR}'")
    assigns(admin, CustomRecipientWriteScope="one")
    assert await reached(doors) == [VMR]
    wanted = f"MemberOfGroup -eq '{group['DistinguishedName']}'"
    admin.does("Set-ManagementScope", "one", RecipientRestrictionFilter=wanted)
    assert admin.gets("Get-ManagementScope", "one")["RecipientFilter"] == wanted
    assert await reached(doors) == [ADA]
    admin.does("Add-DistributionGroupMember", PEOPLE, Member=VMR)
    assert await reached(doors) == [VMR, ADA]
    assert admin.refused("Remove-ManagementScope", "one") == "ManagementScopeInUse"
    admin.does("Remove-DistributionGroup", PEOPLE)
    assert await reached(doors) == []


async def test_a_role_of_a_security_group_is_that_of_its_members(admin: Administrator, doors: Doors) -> None:
    admin.does("New-DistributionGroup", Name="Mail", Members=[SERVICE])
    order = {"Role": "ApplicationImpersonation", "SecurityGroup": "Mail"}
    assert admin.refused("New-ManagementRoleAssignment", **order) == "InvalidArgument"
    admin.does("Remove-DistributionGroup", "Mail")
    admin.does("New-DistributionGroup", Name="Mail", Type="Security", Members=[SERVICE])
    admin.does("New-ManagementRoleAssignment", Role="ApplicationImpersonation", SecurityGroup="Mail")
    assert await reached(doors) == [VMR, ADA, BEN]


async def test_rights_count_as_late_as_they_are_cached(admin: Administrator, doors: Doors) -> None:
    clock = admin.exchange.clock
    assert isinstance(clock, SimulatorClock)
    admin.exchange.site.organisation.rights_cached_seconds = 1800
    assigns(admin)
    clock.advance(timedelta(minutes=20))
    assert await reached(doors) == []
    admin.does("Set-ManagementRoleAssignment", "may", Enabled=False)
    clock.advance(timedelta(minutes=11))
    assert await reached(doors) == [VMR, ADA, BEN]
    clock.advance(timedelta(minutes=20))
    assert await reached(doors) == []


async def test_full_access_opens_a_mailbox_to_a_delegate(admin: Administrator, doors: Doors) -> None:
    folder = (
        "<m:GetFolder><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape><m:FolderIds>"
        f'<t:DistinguishedFolderId Id="calendar"><t:Mailbox><t:EmailAddress>{VMR}</t:EmailAddress></t:Mailbox>'
        "</t:DistinguishedFolderId></m:FolderIds></m:GetFolder>"
    )

    async def code() -> str:
        return (await doors.ews(SERVICE, SECRET, operation=folder)).codes[0]

    assert await code() == "ErrorAccessDenied"
    admin.does("Add-MailboxPermission", VMR, User=SERVICE, AccessRights=["FullAccess"], AutoMapping=False)
    assert await code() == "NoError"
    assert [one["User"] for one in admin.does("Get-MailboxPermission", VMR, User=SERVICE)] == [SERVICE]
    assert admin.does("Get-MailboxPermission", VMR, User=ADA) == []
    admin.does("Remove-MailboxPermission", VMR, User=SERVICE, AccessRights=["FullAccess"], Confirm=False)
    assert await code() == "ErrorAccessDenied"
    assert admin.refused("Add-MailboxPermission", VMR, User=SERVICE, AccessRights=["ReadPermission"])


async def test_an_application_opens_only_what_its_scope_has(admin: Administrator, doors: Doors) -> None:
    client, object_id = registers(admin)
    assert await doors.graph(client, VMR) == DENIED
    admin.does("New-DistributionGroup", Name=PEOPLE, Type="Security", Members=[VMR])
    order = {"Name": "calendars", "App": object_id, "Role": CALENDARS, "RecipientGroupScope": PEOPLE}
    admin.does("New-ManagementRoleAssignment", **order)
    assert [await doors.graph(client, one) for one in (VMR, ADA)] == [OPEN, DENIED]
    found = {one: admin.gets("Test-ServicePrincipalAuthorization", client, Resource=one) for one in (VMR, ADA)}
    assert [found[one]["InScope"] for one in (VMR, ADA)] == [True, False]
    admin.does("Remove-ServicePrincipal", client, Confirm=False)
    assert await doors.graph(client, VMR) == DENIED
    assert admin.does("Get-ManagementRoleAssignment") == []


async def test_a_role_for_mail_opens_no_calendar(admin: Administrator, doors: Doors) -> None:
    client, object_id = registers(admin)
    admin.does("New-ManagementRoleAssignment", App=object_id, Role="Application Mail.ReadWrite")
    assert await doors.graph(client, VMR) == DENIED


async def test_a_right_of_entra_adds_up_whatever_the_scope_says(admin: Administrator, doors: Doors) -> None:
    client, object_id = registers(admin)
    admin.does("New-ManagementScope", Name="one", RecipientRestrictionFilter=f"PrimarySmtpAddress -eq '{VMR}'")
    admin.does("New-ManagementRoleAssignment", App=client, Role=CALENDARS, CustomResourceScope="one")
    assert await doors.graph(client, ADA) == DENIED
    graph = admin.gets("Get-MgServicePrincipal", Filter=f"appId eq '{GRAPH_APP}'")
    order = {"ServicePrincipalId": object_id, "PrincipalId": object_id, "ResourceId": graph["Id"]}
    granted = admin.gets("New-MgServicePrincipalAppRoleAssignment", AppRoleId=CONSENT_CALENDARS, **order)
    assert await doors.graph(client, ADA) == OPEN
    told = admin.gets("Get-MgServicePrincipalAppRoleAssignment", ServicePrincipalId=object_id, All=True)
    assert told["ResourceDisplayName"] == "Microsoft Graph"
    back = {"ServicePrincipalId": object_id, "AppRoleAssignmentId": granted["Id"]}
    admin.does("Remove-MgServicePrincipalAppRoleAssignment", **back)
    assert [await doors.graph(client, one) for one in (VMR, ADA)] == [OPEN, DENIED]


async def test_what_a_seed_lets_an_application_open_is_a_right_of_entra(admin: Administrator, doors: Doors) -> None:
    seeding.add_application(admin.exchange, {"client_id": CLIENT_ID, "secret": "s"})
    assert await doors.graph(CLIENT_ID, VMR) == OPEN
    principal = admin.gets("Get-MgServicePrincipal", Filter=f"appId eq '{CLIENT_ID}'")["Id"]
    granted = admin.gets("Get-MgServicePrincipalAppRoleAssignment", ServicePrincipalId=principal)
    back = {"ServicePrincipalId": principal, "AppRoleAssignmentId": granted["Id"]}
    admin.does("Remove-MgServicePrincipalAppRoleAssignment", **back)
    assert await doors.graph(CLIENT_ID, VMR) == DENIED


async def test_with_the_registrations_object_id_a_role_has_no_effect(admin: Administrator, doors: Doors) -> None:
    client, wrong = registers(admin, right_id=False)
    admin.does("New-ManagementRoleAssignment", App=wrong, Role=CALENDARS)
    assert await doors.graph(client, VMR) == DENIED


async def test_an_application_signs_in_when_it_has_a_proof_and_an_enterprise_application(
    admin: Administrator, doors: Doors
) -> None:
    made = admin.gets("New-MgApplication", DisplayName="Greenroom")
    secret = admin.gets("Add-MgApplicationPassword", ApplicationId=made["Id"])["SecretText"]
    assert "AADSTS7000229" in (await doors.token(made["AppId"], secret)).json()["error_description"]
    admin.does("New-MgServicePrincipal", AppId=made["AppId"])
    assert (await doors.token(made["AppId"], secret)).status_code == 200
    admin.does("Remove-MgApplication", ApplicationId=made["Id"], Confirm=False)
    assert "AADSTS700016" in (await doors.token(made["AppId"], secret)).json()["error_description"]


def test_impersonation_is_given_to_users_only_and_no_more_in_exchange_online(admin: Administrator) -> None:
    client, _ = registers(admin)
    order = {"Role": "ApplicationImpersonation"}
    assert admin.refused("New-ManagementRoleAssignment", App=client, **order) == "InvalidArgument"
    assert admin.refused("New-ManagementRoleAssignment", User=SERVICE, Role=CALENDARS) == "InvalidArgument"
    assert admin.refused("New-ManagementRoleAssignment", **order) == "AmbiguousParameterSet"
    online = Administrator(admin.exchange, shell="exchange-online")
    assert online.refused("New-ManagementRoleAssignment", User=SERVICE, **order) == "RoleRetired"


@pytest.mark.parametrize(
    ("text", "whom"),
    [
        (f"PrimarySmtpAddress -eq '{VMR}'", [VMR]),
        (f"PrimarySmtpAddress -eq \"{VMR.upper()}\" -or Alias -like 'be*'", [BEN, VMR]),
        ("RecipientTypeDetails -eq 'UserMailbox' -and -not (Name -like 'B*' -or Name -like '*Reyes')", [ADA]),
        ("CustomAttribute1 -eq 'it''s (ours)'", [CARLA]),
        ("Alias -ne 'ada' -and Alias -notlike '*e*' -and Alias -notlike 'c*'", [VMR]),
        ("Alias -eq '*'", []),
    ],
    ids=["address", "or", "not", "quotes", "ne", "star"],
)
def test_filters_choose_recipients(admin: Administrator, text: str, whom: list[str]) -> None:
    admin.does("Set-Mailbox", CARLA, CustomAttribute1="it's (ours)")
    admin.does("New-ManagementScope", Name="s", RecipientRestrictionFilter=text)
    assigns(admin, CustomRecipientWriteScope="s")
    people = (ADA, BEN, CARLA, VMR)
    assert [one for one in people if admin.exchange.may_impersonate(SERVICE, one)] == whom


@pytest.mark.parametrize(
    "text",
    ["", "Name", "Name -eq", "Name -eq x", "Name -is 'x'", "Colour -eq 'x'", "(Name -eq 'x'", "Name -eq 'x' Name", "'x' -eq Name",
     "(" * 50 + "Name -eq 'x'" + ")" * 50, "Name -eq 'x' -or " * 300 + "Name -eq 'x'", "Name -eq 'x' ; Get-Mailbox", "Name -eq 'x"],
    ids=["none", "name", "half", "bare", "operator", "property", "open", "two", "turned", "deep", "long", "semicolon", "quote"],
)  # fmt: skip
def test_what_is_no_filter_is_refused(admin: Administrator, text: str) -> None:
    with pytest.raises(opath.FilterError):
        opath.parse(text)
    given = {"Name": "s", "RecipientRestrictionFilter": text}
    assert admin.refused("New-ManagementScope", **given) in ("ParsingException", "MissingMandatoryParameter")
