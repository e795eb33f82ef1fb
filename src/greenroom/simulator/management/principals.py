"""Applications as Exchange Online knows them: New-, Get-, Set-, Remove-ServicePrincipal, Test-ServicePrincipalAuthorization."""

from __future__ import annotations

from dataclasses import replace

from greenroom.simulator import rights
from greenroom.simulator.management.cmdlet import (
    ONLY_ONLINE,
    TEXT,
    Desk,
    Given,
    Thing,
    cmdlet,
    exists,
    not_found,
)
from greenroom.simulator.management.lookup import mailbox_of
from greenroom.simulator.organisation import Principal


def find_principal(desk: Desk, identity: str) -> Principal | None:
    """By application id, object id or display name."""
    wanted = identity.strip().lower()
    for one in desk.rights.principals.values():
        if wanted in (one.app_id.lower(), one.object_id.lower(), one.name.lower()):
            return one
    return None


def principal(desk: Desk, identity: str) -> Principal:
    """The same. Raises `CmdletError`."""
    known = find_principal(desk, identity)
    if known is None:
        raise not_found("service principal", identity)
    return known


def _thing(one: Principal) -> Thing:
    return {
        "Identity": one.object_id,
        "AppId": one.app_id,
        "ObjectId": one.object_id,
        "ServiceId": one.object_id,
        "DisplayName": one.name,
        "Name": one.object_id,
        "Sid": None,
    }


@cmdlet(
    "New-ServicePrincipal",
    parameters={"AppId": TEXT, "ObjectId": TEXT, "ServiceId": TEXT, "DisplayName": TEXT},
    shells=ONLY_ONLINE,
)
def new_principal(desk: Desk, given: Given) -> list[Thing]:
    """Make an application known to Exchange. It does not check the object id: with a wrong one, rights have no effect."""
    app_id = given.need("AppId")
    object_id = given.get("ObjectId") or given.get("ServiceId") or given.need("ObjectId")
    if find_principal(desk, app_id) or find_principal(desk, object_id):
        raise exists("service principal", app_id)
    one = Principal(app_id, object_id, given.get("DisplayName") or "")
    desk.rights.principals[object_id.lower()] = one
    return [_thing(one)]


@cmdlet("Get-ServicePrincipal", parameters={"Identity": TEXT}, shells=ONLY_ONLINE)
def get_principal(desk: Desk, given: Given) -> list[Thing]:
    """One, or all."""
    if given.get("Identity") is not None:
        return [_thing(principal(desk, given["Identity"]))]
    return [_thing(one) for one in desk.rights.principals.values()]


@cmdlet("Set-ServicePrincipal", parameters={"Identity": TEXT, "DisplayName": TEXT}, shells=ONLY_ONLINE)
def set_principal(desk: Desk, given: Given) -> list[Thing]:
    """Rename one."""
    one = principal(desk, given.need("Identity"))
    desk.rights.principals[one.object_id.lower()] = replace(one, name=given.get("DisplayName") or one.name)
    return []


@cmdlet("Remove-ServicePrincipal", parameters={"Identity": TEXT}, shells=ONLY_ONLINE)
def remove_principal(desk: Desk, given: Given) -> list[Thing]:
    """Make Exchange forget an application, with the roles it had."""
    one = principal(desk, given.need("Identity"))
    del desk.rights.principals[one.object_id.lower()]
    for key, assignment in list(desk.rights.assignments.items()):
        if assignment.assignee_kind == "ServicePrincipal" and assignment.assignee == one.object_id:
            del desk.rights.assignments[key]
    return []


@cmdlet("Test-ServicePrincipalAuthorization", parameters={"Identity": TEXT, "Resource": TEXT}, shells=ONLY_ONLINE)
def test_authorization(desk: Desk, given: Given) -> list[Thing]:
    """Which roles an application has, and whether a mailbox is within each; caches are passed by. Grants of Entra are not told."""
    one = principal(desk, given.need("Identity"))
    mailbox = mailbox_of(desk, given["Resource"]) if given.get("Resource") else None
    found = []
    for assignment in desk.rights.assignments.values():
        if assignment.assignee_kind != "ServicePrincipal" or assignment.assignee != one.object_id:
            continue
        inside: object = "Not Run"
        if mailbox is not None:
            inside = assignment.enabled and rights.covers(desk.exchange.site, desk.rights, assignment, mailbox)
        found.append(
            {
                "RoleName": assignment.role,
                "GrantedPermissions": assignment.role.removeprefix("Application "),
                "AllowedResourceScope": assignment.scope or assignment.group or "Organization",
                "ScopeType": "CustomRecipientScope"
                if assignment.scope
                else "Group"
                if assignment.group
                else "Organization",
                "InScope": inside,
            }
        )
    return found
