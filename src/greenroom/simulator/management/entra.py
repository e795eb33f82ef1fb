"""Applications in Entra, as the Microsoft Graph modules of PowerShell show them (-MgApplication, -MgServicePrincipal).

Filters are `displayName eq '...'` and `appId eq '...'` alone. Sources: the reference of Microsoft.Graph.Applications; ids of
permissions: "Microsoft Graph permissions reference".
"""

from __future__ import annotations

import base64
import re
import uuid
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from greenroom.simulator.applications import Application
from greenroom.simulator.management.cmdlet import (
    ANYTHING,
    LIST,
    ONLY_GRAPH,
    SWITCH,
    TEXT,
    CmdletError,
    Desk,
    Given,
    Thing,
    cmdlet,
    octets,
)
from greenroom.simulator.organisation import Consent, Registration
from greenroom.simulator.rights import CONSENT_CALENDARS, CONSENT_EWS

if TYPE_CHECKING:
    from collections.abc import Iterable

GRAPH_APP: Final = "00000003-0000-0000-c000-000000000000"
EXCHANGE_APP: Final = "00000002-0000-0ff1-ce00-000000000000"
_ROLES: Final = {
    GRAPH_APP: ("Microsoft Graph", {CONSENT_CALENDARS: "Calendars.ReadWrite"}),
    EXCHANGE_APP: ("Office 365 Exchange Online", {CONSENT_EWS: "full_access_as_app"}),
}
_NAMESPACE: Final = uuid.UUID("0f7e0c26-0b6f-4a53-9a5e-3f1f6b7f0a11")
_FILTER: Final = re.compile(r"\s*(displayName|appId)\s+eq\s+'((?:[^']|'')*)'\s*", re.IGNORECASE)


def _id(*parts: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, "/".join(parts)))


def missing(identity: object) -> CmdletError:
    """Graph's way to say that there is no such object."""
    text = f"Resource '{identity}' does not exist or one of its queried reference-property objects are not present."
    return CmdletError("ObjectNotFound", text, "Request_ResourceNotFound")


def refused(text: str) -> CmdletError:
    """Graph's way to say that a request makes no sense."""
    return CmdletError("InvalidArgument", text, "Request_BadRequest")


def registrations(desk: Desk) -> list[Registration]:
    """Every application of the tenant; those that a seed registered have an enterprise application of their own."""
    known = desk.organisation.registrations
    for key, application in desk.exchange.site.directory.applications.items():
        if key not in known:
            made = Registration(application.client_id, _id("app", key), application.client_id, _id("sp", key))
            known[key] = made
            if application.scope is None:  # a seed that lets it open everything has granted just that
                whose = _id("sp", key)
                one = Consent(_id("consent", whose, CONSENT_CALENDARS), whose, _id("sp", GRAPH_APP), CONSENT_CALENDARS)
                desk.rights.consents[one.id] = one
    return list(known.values())


def _thing(one: Registration) -> Thing:
    return {
        "Id": one.object_id,
        "AppId": one.app_id,
        "DisplayName": one.name,
        "SignInAudience": one.audience,
        "KeyCredentials": [{**key, "Key": None} for key in one.keys],
        "PasswordCredentials": [dict(secret) for secret in one.secrets],
        "Notes": one.notes,
        "IdentifierUris": list(one.uris),
        **{name: one.more.get(name, default) for name, default in _KEPT.items()},
    }


def _principal_thing(one: Registration) -> Thing:
    return {
        "Id": one.principal,
        "AppId": one.app_id,
        "DisplayName": one.name,
        "ServicePrincipalType": "Application",
        "AccountEnabled": True,
        "AppRoles": [],
    }


def _first_party(app_id: str) -> Thing:
    name, roles = _ROLES[app_id]
    return {
        "Id": _id("sp", app_id),
        "AppId": app_id,
        "DisplayName": name,
        "ServicePrincipalType": "Application",
        "AccountEnabled": True,
        "AppRoles": [
            {"Id": role, "Value": value, "AllowedMemberTypes": ["Application"], "IsEnabled": True}
            for role, value in roles.items()
        ],
    }


def _chosen(things: Iterable[Thing], wanted: str | None) -> list[Thing]:
    if not wanted:
        return list(things)
    match = _FILTER.fullmatch(wanted)
    if match is None:
        raise refused("Invalid filter clause: only displayName and appId can be compared, with eq.")
    name = "AppId" if match[1].lower() == "appid" else "DisplayName"
    value = match[2].replace("''", "'").lower()
    return [one for one in things if str(one[name]).lower() == value]


def _registered(desk: Desk, object_id: str) -> Registration:
    known = next((one for one in registrations(desk) if one.object_id.lower() == object_id.lower()), None)
    if known is None:
        raise missing(object_id)
    return known


_KEPT: Final[dict[str, object]] = {
    "RequiredResourceAccess": [],
    "PublicClient": {"RedirectUris": []},
    "Spa": {"RedirectUris": []},
    "Web": {"RedirectUris": []},
    "Api": {},
    "IsFallbackPublicClient": False,
    "GroupMembershipClaims": None,
    "OptionalClaims": {},
    "Tags": [],
}
"""Kept and told again."""
_APPLICATION: Final = {
    "DisplayName": TEXT,
    "SignInAudience": TEXT,
    "KeyCredentials": ANYTHING,
    "IdentifierUris": LIST,
    "Notes": TEXT,
    **dict.fromkeys(_KEPT, ANYTHING),
}


def _dicts(value: Any) -> tuple[dict[str, object], ...]:
    given = [value] if isinstance(value, dict) else value
    if not isinstance(given, list | tuple) or not all(isinstance(one, dict) for one in given):
        raise refused("The value must be a collection of objects.")
    return tuple(dict(one) for one in given)


def _apply(desk: Desk, one: Registration, given: Given) -> None:
    if given.get("KeyCredentials") is not None:
        one.keys = _dicts(given["KeyCredentials"])
        _trust(desk, one)
    if "IdentifierUris" in given:
        one.uris = given["IdentifierUris"]
    for name in _KEPT:
        if name in given:
            one.more[name] = given[name]
    one.notes = given.get("Notes", one.notes)
    known = desk.exchange.application(one.app_id)
    if known is not None and "IsFallbackPublicClient" in given:
        desk.exchange.add_application(replace(known, public=bool(given["IsFallbackPublicClient"])))
    one.name = given.get("DisplayName") or one.name
    one.audience = given.get("SignInAudience") or one.audience


def _trust(desk: Desk, one: Registration) -> None:
    """Let the token endpoint take what the certificate signs: its bytes, their base64, or PEM text. More than one is not kept."""
    if not one.keys:
        return
    key = one.keys[0].get("Key")
    if not isinstance(key, str) or "BEGIN CERTIFICATE" not in key:
        try:
            encoded = base64.encodebytes(octets(key)).decode()
        except ValueError:
            raise refused("Key credential value is invalid.") from None
        key = f"-----BEGIN CERTIFICATE-----\n{encoded}-----END CERTIFICATE-----\n"
    known = desk.exchange.application(one.app_id)
    assert known is not None, "a registration has an application"
    desk.exchange.add_application(replace(known, certificate=key))


@cmdlet("New-MgApplication", parameters=_APPLICATION, shells=ONLY_GRAPH)
def new_application(desk: Desk, given: Given) -> list[Thing]:
    """Register an application. It may open nothing, and cannot sign in before it has an enterprise application and a proof."""
    registrations(desk)
    number = str(len(desk.organisation.registrations))
    name = given.need("DisplayName")
    app_id = str(uuid.UUID(bytes=desk.exchange.site.random(16), version=4))
    one = Registration(app_id, _id("app", app_id, number), name)
    desk.exchange.add_application(Application(app_id, scope=()))
    desk.organisation.registrations[app_id] = one
    _apply(desk, one, given)
    return [_thing(one)]


@cmdlet("Get-MgApplication", parameters={"ApplicationId": TEXT, "Filter": TEXT, "All": SWITCH}, shells=ONLY_GRAPH)
def get_application(desk: Desk, given: Given) -> list[Thing]:
    """One registration by its object id, or those that fit a filter."""
    if given.get("ApplicationId"):
        return [_thing(_registered(desk, given["ApplicationId"]))]
    return _chosen((_thing(one) for one in registrations(desk)), given.get("Filter"))


@cmdlet("Update-MgApplication", parameters={"ApplicationId": TEXT, **_APPLICATION}, shells=ONLY_GRAPH)
def update_application(desk: Desk, given: Given) -> list[Thing]:
    """Change a registration, or give it a certificate."""
    _apply(desk, _registered(desk, given.need("ApplicationId")), given)
    return []


@cmdlet("Remove-MgApplication", parameters={"ApplicationId": TEXT}, shells=ONLY_GRAPH)
def remove_application(desk: Desk, given: Given) -> list[Thing]:
    """Delete a registration, with its enterprise application and what was granted to it."""
    one = _registered(desk, given.need("ApplicationId"))
    _forget(desk, one)
    del desk.organisation.registrations[one.app_id.lower()]
    desk.exchange.site.directory.applications.pop(one.app_id.lower(), None)
    return []


def _forget(desk: Desk, one: Registration) -> None:
    consents = desk.rights.consents
    for key in [key for key, consent in consents.items() if consent.principal == one.principal]:
        del consents[key]
    granted = desk.organisation.user_consents
    for key in [key for key, consent in granted.items() if consent.principal == one.principal]:
        del granted[key]
    one.principal = None


@cmdlet(
    "Add-MgApplicationPassword",
    parameters={"ApplicationId": TEXT, "PasswordCredential": ANYTHING},
    shells=ONLY_GRAPH,
)
def add_password(desk: Desk, given: Given) -> list[Thing]:
    """Give an application a secret, which is told this once."""
    one = _registered(desk, given.need("ApplicationId"))
    known = desk.exchange.application(one.app_id)
    assert known is not None, "a registration has an application"
    secret = desk.exchange.site.random(24).hex()
    expires = desk.exchange.clock() + timedelta(days=730)
    desk.exchange.add_application(replace(known, secret=secret, secret_expires=expires))
    about: Thing = {"KeyId": _id("secret", one.app_id, secret), "EndDateTime": expires.isoformat(), "Hint": secret[:3]}
    one.secrets = (*one.secrets, about)
    return [{**about, "SecretText": secret}]


@cmdlet("New-MgServicePrincipal", parameters={"AppId": TEXT, "DisplayName": TEXT, "Tags": LIST}, shells=ONLY_GRAPH)
def new_principal(desk: Desk, given: Given) -> list[Thing]:
    """Make the enterprise application of a registration."""
    app_id = given.need("AppId").lower()
    one = next((one for one in registrations(desk) if one.app_id.lower() == app_id), None)
    if one is None:
        raise refused("The appId does not reference a valid application object.")
    if one.principal is not None:
        text = "The service principal cannot be created because the service principal name is already in use."
        raise CmdletError("ResourceExists", text, "Request_MultipleObjectsWithSameKeyValue")
    one.principal = _id("sp", app_id)
    return [_principal_thing(one)]


def principals(desk: Desk) -> list[Thing]:
    """Every enterprise application: Microsoft's own, then ours."""
    own = [_principal_thing(one) for one in registrations(desk) if one.principal is not None]
    return [*(_first_party(app_id) for app_id in _ROLES), *own]


def principal(desk: Desk, object_id: str) -> Thing:
    """One by its object id. Raises `CmdletError`."""
    known = next((one for one in principals(desk) if one["Id"].lower() == object_id.lower()), None)
    if known is None:
        raise missing(object_id)
    return known


@cmdlet(
    "Get-MgServicePrincipal", parameters={"ServicePrincipalId": TEXT, "Filter": TEXT, "All": SWITCH}, shells=ONLY_GRAPH
)
def get_principal(desk: Desk, given: Given) -> list[Thing]:
    """One enterprise application by its object id, or those that fit a filter; Microsoft's own are among them."""
    if given.get("ServicePrincipalId"):
        return [principal(desk, given["ServicePrincipalId"])]
    return _chosen(principals(desk), given.get("Filter"))


@cmdlet("Remove-MgServicePrincipal", parameters={"ServicePrincipalId": TEXT}, shells=ONLY_GRAPH)
def remove_principal(desk: Desk, given: Given) -> list[Thing]:
    """Delete an enterprise application."""
    wanted = given.need("ServicePrincipalId").lower()
    one = next((one for one in registrations(desk) if (one.principal or "").lower() == wanted), None)
    if one is None:
        raise missing(wanted)
    _forget(desk, one)
    return []


def _consent_thing(desk: Desk, one: Consent) -> Thing:
    names = {thing["Id"]: thing["DisplayName"] for thing in principals(desk)}
    return {
        "Id": one.id,
        "AppRoleId": one.role,
        "PrincipalId": one.principal,
        "PrincipalDisplayName": names.get(one.principal),
        "PrincipalType": "ServicePrincipal",
        "ResourceId": one.resource,
        "ResourceDisplayName": names.get(one.resource),
    }


@cmdlet(
    "Get-MgServicePrincipalAppRoleAssignment",
    parameters={"ServicePrincipalId": TEXT, "AppRoleAssignmentId": TEXT, "All": SWITCH},
    shells=ONLY_GRAPH,
)
def get_consents(desk: Desk, given: Given) -> list[Thing]:
    """The application permissions that were granted tenant-wide."""
    whose = principal(desk, given.need("ServicePrincipalId"))["Id"]
    found = [one for one in desk.rights.consents.values() if one.principal == whose]
    if given.get("AppRoleAssignmentId"):
        found = [one for one in found if one.id == given["AppRoleAssignmentId"]]
    return [_consent_thing(desk, one) for one in found]


@cmdlet(
    "New-MgServicePrincipalAppRoleAssignment",
    parameters={"ServicePrincipalId": TEXT, "PrincipalId": TEXT, "ResourceId": TEXT, "AppRoleId": TEXT},
    shells=ONLY_GRAPH,
)
def new_consent(desk: Desk, given: Given) -> list[Thing]:
    """Grant an application permission, for the whole tenant."""
    whose = principal(desk, given.need("ServicePrincipalId"))["Id"]
    resource, role = principal(desk, given.need("ResourceId")), given.need("AppRoleId").lower()
    if whose != given.need("PrincipalId"):
        raise refused("PrincipalId must be the service principal that is named.")
    if role not in {one["Id"] for one in resource["AppRoles"]}:
        raise refused("Permission being assigned was not found on application.")
    one = Consent(_id("consent", whose, role), whose, resource["Id"], role)
    if one.id in desk.rights.consents:
        raise refused("Permission being assigned already exists on the object.")
    desk.rights.consents[one.id] = one
    return [_consent_thing(desk, one)]


@cmdlet(
    "Remove-MgServicePrincipalAppRoleAssignment",
    parameters={"ServicePrincipalId": TEXT, "AppRoleAssignmentId": TEXT},
    shells=ONLY_GRAPH,
)
def remove_consent(desk: Desk, given: Given) -> list[Thing]:
    """Take a permission back."""
    identity = given.need("AppRoleAssignmentId")
    consent = desk.rights.consents.pop(identity, None)
    if consent is None:
        raise missing(identity)
    one = next((one for one in registrations(desk) if one.principal == consent.principal), None)
    known = None if one is None else desk.exchange.application(one.app_id)
    if known is not None and known.scope is None and consent.role == CONSENT_CALENDARS:
        desk.exchange.add_application(replace(known, scope=()))
    return []


_CONNECT: Final = {
    "Scopes": LIST,
    "TenantId": TEXT,
    "ClientId": TEXT,
    "Environment": TEXT,
    "ContextScope": TEXT,
    "UseDeviceCode": SWITCH,
    "NoWelcome": SWITCH,
}


@cmdlet("Get-MgContext", parameters={}, shells=ONLY_GRAPH)
def get_context(desk: Desk, given: Given) -> list[Thing]:  # noqa: ARG001 - it takes nothing
    """In which tenant the session is."""
    return [{"TenantId": desk.exchange.site.tenant, "Environment": "Global", "AuthType": "Delegated"}]


@cmdlet("Connect-MgGraph", parameters=_CONNECT, shells=ONLY_GRAPH)
def connect(desk: Desk, given: Given) -> list[Thing]:  # noqa: ARG001 - whoever is here is connected
    """Nothing: whoever is here is connected."""
    return []


@cmdlet("Disconnect-MgGraph", parameters={}, shells=ONLY_GRAPH)
def disconnect(desk: Desk, given: Given) -> list[Thing]:  # noqa: ARG001 - as above
    """Nothing."""
    return []
