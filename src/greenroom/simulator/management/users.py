"""Users in Entra, and what they let applications do in their name (-MgUser, -MgOauth2PermissionGrant).

A delegated grant is kept and told again: at the sign-in page of the simulator a user consents by allowing.
"""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Final

from greenroom.simulator import ids, rights
from greenroom.simulator.management.cmdlet import (
    BOOL,
    LIST,
    ONLY_GRAPH,
    SWITCH,
    TEXT,
    Desk,
    Given,
    Thing,
    cmdlet,
    one_of,
)
from greenroom.simulator.management.entra import missing, principal, refused
from greenroom.simulator.organisation import UserConsent

if TYPE_CHECKING:
    from greenroom.simulator.model import Mailbox

_NAMESPACE: Final = uuid.UUID("8d5f3a52-4c0e-4f0a-9a3c-6f6f6c1f2b77")
_FILTER: Final = re.compile(r"\s*(mail|userPrincipalName|displayName)\s+eq\s+'((?:[^']|'')*)'\s*", re.IGNORECASE)


def _thing(desk: Desk, mailbox: Mailbox) -> Thing:
    site = desk.exchange.site
    logins = [name for name, one in site.directory.logins.items() if one.account.mailbox == mailbox.address]
    return {
        "Id": ids.mailbox_guid(mailbox.address),
        "DisplayName": mailbox.name,
        "Mail": mailbox.address,
        "UserPrincipalName": next((one for one in logins if "@" in one), mailbox.address),
        "AccountEnabled": not rights.recipient(site, mailbox).sign_in_blocked,
    }


def _user(desk: Desk, identity: str) -> Mailbox:
    for mailbox in desk.exchange.mailboxes():
        thing = _thing(desk, mailbox)
        if identity.lower() in (thing["Id"], str(thing["UserPrincipalName"]).lower()):
            return mailbox
    raise missing(identity)


@cmdlet(
    "Get-MgUser",
    parameters={"UserId": TEXT, "Filter": TEXT, "Property": LIST, "All": SWITCH},
    shells=ONLY_GRAPH,
)
def get_user(desk: Desk, given: Given) -> list[Thing]:
    """One user by id or principal name, or those that fit a filter. AccountEnabled is told only to who asks for it."""
    if given.get("UserId"):
        found = [_thing(desk, _user(desk, given["UserId"]))]
    else:
        found = _chosen([_thing(desk, mailbox) for mailbox in desk.exchange.mailboxes()], given.get("Filter"))
    wanted = {name.lower() for name in given.get("Property") or ("Id", "DisplayName", "Mail", "UserPrincipalName")}
    return [{name: value if name.lower() in wanted else None for name, value in one.items()} for one in found]


def _chosen(things: list[Thing], wanted: str | None) -> list[Thing]:
    if not wanted:
        return things
    match = _FILTER.fullmatch(wanted)
    if match is None:
        raise refused("Invalid filter clause: only mail, userPrincipalName and displayName can be compared, with eq.")
    name = {"mail": "Mail", "userprincipalname": "UserPrincipalName"}.get(match[1].lower(), "DisplayName")
    value = match[2].replace("''", "'").lower()
    return [one for one in things if str(one[name]).lower() == value]


@cmdlet(
    "Update-MgUser",
    parameters={"UserId": TEXT, "AccountEnabled": BOOL, "DisplayName": TEXT},
    shells=ONLY_GRAPH,
)
def update_user(desk: Desk, given: Given) -> list[Thing]:
    """Let a user sign in, or block that; or rename one."""
    mailbox = _user(desk, given.need("UserId"))
    if "AccountEnabled" in given:
        rights.recipient(desk.exchange.site, mailbox).sign_in_blocked = not given["AccountEnabled"]
    mailbox.name = given.get("DisplayName") or mailbox.name
    return []


def _grant_thing(key: str, one: UserConsent) -> Thing:
    return {
        "Id": key,
        "ClientId": one.principal,
        "ConsentType": "Principal" if one.user else "AllPrincipals",
        "PrincipalId": one.user,
        "ResourceId": one.resource,
        "Scope": one.scope,
    }


@cmdlet(
    "New-MgOauth2PermissionGrant",
    parameters={
        "ClientId": TEXT,
        "ConsentType": one_of("Principal", "AllPrincipals"),
        "PrincipalId": TEXT,
        "ResourceId": TEXT,
        "Scope": TEXT,
    },
    shells=ONLY_GRAPH,
)
def new_grant(desk: Desk, given: Given) -> list[Thing]:
    """Consent for a user, or for everybody, to what an application may do in their name."""
    whose = principal(desk, given.need("ClientId"))["Id"]
    resource = principal(desk, given.need("ResourceId"))["Id"]
    user = None
    if given.need("ConsentType") == "Principal":
        user = ids.mailbox_guid(_user(desk, given.need("PrincipalId")).address)
    elif given.get("PrincipalId"):
        raise refused("PrincipalId must be empty where ConsentType is AllPrincipals.")
    one = UserConsent(whose, resource, given.need("Scope"), user)
    key = str(uuid.uuid5(_NAMESPACE, f"{whose}/{resource}/{user}"))
    if key in desk.organisation.user_consents:
        raise refused("Permission entry already exists.")
    desk.organisation.user_consents[key] = one
    return [_grant_thing(key, one)]


@cmdlet(
    "Get-MgServicePrincipalOauth2PermissionGrant",
    parameters={"ServicePrincipalId": TEXT, "All": SWITCH},
    shells=ONLY_GRAPH,
)
def get_grants(desk: Desk, given: Given) -> list[Thing]:
    """What was consented to for an application."""
    whose = principal(desk, given.need("ServicePrincipalId"))["Id"]
    known = desk.organisation.user_consents.items()
    return [_grant_thing(key, one) for key, one in known if one.principal == whose]
