"""What the scripts for Microsoft 365 do, in which order, and what they never do."""

import re
from dataclasses import replace

import pytest

from greenroom.setup.contract import Preparation, Script
from greenroom.setup.installation import Installation
from greenroom.setup.mailbox import EquipmentMailbox
from greenroom.setup.microsoft_365 import Microsoft365, microsoft_365
from greenroom.setup.powershell import UnsafeValueError
from greenroom.setup.service_account import ServiceAccount, service_account

HOUSE = Installation("production", "vmr@example.org", "https://meet.example.org")
ONE = Microsoft365(installation=HOUSE, tenant="example.onmicrosoft.com", delegate="anna@example.org")
OLD = ServiceAccount(installation=HOUSE, tenant="example.onmicrosoft.com", delegate="anna@example.org")
CLIENT = "11111111-2222-3333-4444-555555555555"


def slugs(preparation: Preparation) -> list[str]:
    return [re.sub(r"^\d\d-(.*)\.ps1$", r"\1", script.name) for script in preparation.scripts]


def script(preparation: Preparation, slug: str) -> Script:
    return preparation.scripts[slugs(preparation).index(slug)]


def cmdlets(body: str) -> list[str]:
    """Names of all cmdlets that are called, in their order."""
    code = "\n".join(line for line in body.splitlines() if not line.lstrip().startswith("#"))
    return re.findall(r"(?:^|[=|]) *([A-Z][a-z]+-[A-Za-z0-9]+)\b", re.sub(r"'(?:[^']|'')*'", "''", code), re.MULTILINE)


def test_steps_come_in_order_and_are_undone_in_reverse() -> None:
    assert slugs(microsoft_365(ONE)) == [
        "application",
        "equipment-mailbox",
        "scope",
        "view-mailbox",
        "add-in",
        "verify-application",
        "verify",
        "undo-add-in",
        "undo-exchange",
        "undo-application",
    ]


def test_what_is_made_is_removed_and_the_last_thing_first() -> None:
    preparation = microsoft_365(ONE)
    made = [name for one in preparation.scripts[:5] for name in cmdlets(one.body) if name.startswith(("New-", "Add-"))]
    undone = [name for one in preparation.scripts[7:] for name in cmdlets(one.body) if name.startswith("Remove-")]
    assert list(dict.fromkeys(made)) == [
        "New-MgApplication",
        "New-MgServicePrincipal",
        "New-Mailbox",
        "New-ServicePrincipal",
        "New-DistributionGroup",
        "Add-DistributionGroupMember",
        "New-ManagementRoleAssignment",
        "Add-MailboxPermission",
    ]
    assert undone == [
        "Remove-MgApplication",  # of the add-in
        "Remove-MailboxPermission",
        "Remove-ManagementRoleAssignment",
        "Remove-DistributionGroup",
        "Remove-ServicePrincipal",
        "Remove-Mailbox",
        "Remove-MgApplication",
    ]


def test_no_script_gives_a_right_over_the_whole_organisation() -> None:
    for preparation in (microsoft_365(ONE), microsoft_365(replace(ONE, organizers=True, client_id=CLIENT))):
        called = {name for one in preparation.scripts for name in cmdlets(one.body)}
        assert not called & {"New-MgServicePrincipalAppRoleAssignment", "New-MgOauth2PermissionGrant"}
        assert "RequiredResourceAccess" not in script(preparation, "application").body
        grant = script(preparation, "scope").body
        assert grant.count("New-ManagementRoleAssignment @") == 1
        assert "RecipientGroupScope = 'Greenroom production scope'" in grant


def test_the_check_fails_loudly_if_there_is_one() -> None:
    preparation = microsoft_365(ONE)
    in_entra = script(preparation, "verify-application").body
    assert in_entra.index("Get-MgServicePrincipalAppRoleAssignment") < in_entra.index(
        "throw 'This application has permissions"
    )
    in_exchange = script(preparation, "verify").body
    assert "$right.ScopeType -eq 'Organization'" in in_exchange


def test_what_only_looks_changes_nothing() -> None:
    for preparation in (microsoft_365(ONE), service_account(OLD)):
        for one in preparation.scripts:
            changing = [
                name for name in cmdlets(one.body) if name.split("-")[0] in {"New", "Add", "Set", "Update", "Remove"}
            ]
            changing = [name for name in changing if name not in {"Set-StrictMode", "Set-Content"}]
            assert bool(changing) is one.changes, one.name


def test_a_managed_identity_needs_no_application_but_its_id() -> None:
    with pytest.raises(UnsafeValueError, match="client_id"):
        replace(ONE, credential="managed-identity")
    preparation = microsoft_365(replace(ONE, credential="managed-identity", client_id=CLIENT))
    assert "application" not in slugs(preparation)
    assert "undo-application" not in slugs(preparation)


def test_an_application_that_was_there_before_is_not_removed() -> None:
    preparation = microsoft_365(replace(ONE, client_id=CLIENT))
    assert "undo-application" not in slugs(preparation)
    assert "New-MgApplication" not in cmdlets(script(preparation, "application").body)


def test_a_test_installation_never_gets_the_mailbox_of_production() -> None:
    test = replace(HOUSE, environment="test")
    with pytest.raises(UnsafeValueError, match="mailbox"):
        microsoft_365(replace(ONE, installation=test, production="VMR@example.org"))
    assert "'Greenroom test'" in script(microsoft_365(replace(ONE, installation=test)), "equipment-mailbox").body


def test_a_name_of_ones_own_says_test_where_it_is_one() -> None:
    box = EquipmentMailbox(installation=replace(HOUSE, environment="test"), protocol="graph", cloud=True, name="Rooms")
    assert box.title == "Rooms (test)"
    assert replace(box, installation=HOUSE).title == "Rooms"


def test_over_graph_processing_is_never_off() -> None:
    with pytest.raises(UnsafeValueError, match="processing"):
        EquipmentMailbox(installation=HOUSE, protocol="graph", cloud=True, processing="None")


def test_quotes_in_names_are_doubled_for_the_filter_and_for_the_script() -> None:
    odd = replace(HOUSE, mailbox="o'neil@example.org")
    body = script(service_account(replace(OLD, installation=odd)), "account").body
    assert "-Filter 'mail eq ''o''''neil@example.org'''" in body


def test_the_old_way_names_its_end_before_all_else() -> None:
    preparation = service_account(OLD)
    assert preparation.warning.startswith("This ends on 2027-04-01")
    assert "2026-10-01" in preparation.warning
    assert "microsoft-365" in preparation.warning


def test_the_old_way_adds_itself_to_a_list_and_keeps_what_is_there() -> None:
    preparation = service_account(replace(OLD, client_id=CLIENT))
    body = script(preparation, "allow-ews").body
    assert cmdlets(body).count("Set-OrganizationConfig") == 2
    assert body.index("Get-OrganizationConfig") < body.index("$all = (@($others, $clientId) -join ',')")
    assert body.index("-EwsAllowedAppIDs $all") < body.index("-EwsEnabled:$true")  # in this order nobody else is let in


def test_another_account_gets_the_mailbox_and_its_name_and_loses_them_again() -> None:
    preparation = service_account(replace(OLD, account="greenroom@example.org"))
    assert slugs(preparation)[:4] == ["application", "equipment-mailbox", "account", "rights"]
    made = [name for name in cmdlets(script(preparation, "rights").body) if name.startswith("Add-")]
    assert made == ["Add-MailboxPermission", "Add-RecipientPermission"]
    undone = [name for name in cmdlets(script(preparation, "undo-exchange").body) if name.startswith("Remove-")]
    assert undone == [
        "Remove-MailboxPermission",
        "Remove-RecipientPermission",
        "Remove-MailboxPermission",
        "Remove-Mailbox",
    ]
    assert "streaming = false" in preparation.settings


def test_the_mailboxs_own_account_needs_no_rights() -> None:
    for account in ("", "VMR@example.org"):
        assert "rights" not in slugs(service_account(replace(OLD, account=account)))


def test_the_old_way_consents_for_one_account_alone() -> None:
    body = script(service_account(OLD), "account").body
    assert "ConsentType = 'Principal'" in body
    assert "'AllPrincipals'" not in body.partition("New-MgOauth2PermissionGrant")[2]


def test_no_secret_is_asked_for_or_written() -> None:
    for preparation in (microsoft_365(ONE), service_account(OLD)):
        for one in preparation.scripts:
            assert not re.search(r"AsSecureString|PasswordProfile|PasswordCredential|AsPlainText", one.body)
