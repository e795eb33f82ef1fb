"""Add-ins given to the organisation: New-, Get-, Set-, Remove-App."""

from __future__ import annotations

import re
from typing import Final

from lxml import etree

from greenroom.simulator.management.cmdlet import (
    ANYTHING,
    BOOL,
    EXCHANGE,
    LIST,
    SWITCH,
    TEXT,
    Desk,
    Given,
    Thing,
    cmdlet,
    exists,
    invalid,
    not_found,
    octets,
    one_of,
)
from greenroom.simulator.management.lookup import mailbox_of
from greenroom.simulator.organisation import AddIn

_MOST_BYTES: Final = 256 * 1024
_OFFICE: Final = "{http://schemas.microsoft.com/office/appforoffice/1.1}"
_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_STATES: Final = one_of("Enabled", "Disabled", "AlwaysEnabled")
_AUDIENCE: Final = one_of("Everyone", "SpecificUsers")


def _thing(one: AddIn) -> Thing:
    return {
        "Identity": one.app_id,
        "AppId": one.app_id,
        "DisplayName": one.name,
        "AppVersion": one.version,
        "Type": "Private",
        "Scope": "Organization",
        "Enabled": one.enabled,
        "DefaultStateForUser": one.default_state,
        "ProvidedTo": one.provided_to,
        "UserList": list(one.users),
        "ManifestXml": one.manifest,
    }


def _read(data: bytes) -> AddIn:
    if len(data) > _MOST_BYTES:
        raise invalid("The manifest is larger than 256 KB.")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError:
        raise invalid("The manifest is no valid XML.") from None
    if root.tag != f"{_OFFICE}OfficeApp" or b"<!DOCTYPE" in data[:4096]:
        raise invalid("The manifest is none of an Office add-in.")
    name = root.find(f"{_OFFICE}DisplayName")
    app_id = (root.findtext(f"{_OFFICE}Id") or "").strip()
    if not _GUID.fullmatch(app_id) or name is None:
        raise invalid("The manifest has no valid id, or no name.")
    version = (root.findtext(f"{_OFFICE}Version") or "").strip()
    return AddIn(app_id.lower(), name.get("DefaultValue", ""), version, manifest=data.decode("utf-8", "replace"))


def _find(desk: Desk, identity: str) -> AddIn:
    known = desk.organisation.add_ins.get(identity.rpartition("\\")[2].lower())
    if known is None:
        raise not_found("app", identity)
    return known


def _only_organisation(given: Given) -> None:
    if not given.get("OrganizationApp"):
        raise invalid("Apps of single mailboxes are not kept here: -OrganizationApp is missing.")


_AUDIENCE_PARAMETERS: Final = {
    "OrganizationApp": SWITCH,
    "Enabled": BOOL,
    "DefaultStateForUser": _STATES,
    "ProvidedTo": _AUDIENCE,
    "UserList": LIST,
}


def _apply(desk: Desk, one: AddIn, given: Given) -> None:
    one.enabled = given.get("Enabled", one.enabled)
    one.default_state = given.get("DefaultStateForUser", one.default_state)
    one.provided_to = given.get("ProvidedTo", one.provided_to)
    if "UserList" in given:
        one.users = tuple(mailbox_of(desk, user).address for user in given["UserList"])
    if one.provided_to == "SpecificUsers" and not one.users:
        raise invalid("UserList is needed where ProvidedTo is SpecificUsers.")


@cmdlet("New-App", parameters={"FileData": ANYTHING, **_AUDIENCE_PARAMETERS}, shells=EXCHANGE)
def new_app(desk: Desk, given: Given) -> list[Thing]:
    """Give an add-in to the organisation. A newer version of one that is there takes its place."""
    _only_organisation(given)
    try:
        one = _read(octets(given.need("FileData")))
    except ValueError:
        raise invalid("FileData is not a manifest file.") from None
    known = desk.organisation.add_ins.get(one.app_id)
    if known is not None and _number(one.version) <= _number(known.version):
        raise exists("app", one.app_id)
    _apply(desk, one, given)
    desk.organisation.add_ins[one.app_id] = one
    return [_thing(one)]


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isascii() and part.isdigit())


@cmdlet("Get-App", parameters={"Identity": TEXT, "OrganizationApp": SWITCH}, shells=EXCHANGE)
def get_app(desk: Desk, given: Given) -> list[Thing]:
    """One add-in of the organisation, or all."""
    _only_organisation(given)
    if given.get("Identity") is not None:
        return [_thing(_find(desk, given["Identity"]))]
    return [_thing(one) for one in desk.organisation.add_ins.values()]


@cmdlet("Set-App", parameters={"Identity": TEXT, **_AUDIENCE_PARAMETERS}, shells=EXCHANGE)
def set_app(desk: Desk, given: Given) -> list[Thing]:
    """Change who gets an add-in."""
    _only_organisation(given)
    _apply(desk, _find(desk, given.need("Identity")), given)
    return []


@cmdlet("Remove-App", parameters={"Identity": TEXT, "OrganizationApp": SWITCH}, shells=EXCHANGE)
def remove_app(desk: Desk, given: Given) -> list[Thing]:
    """Take an add-in away."""
    _only_organisation(given)
    del desk.organisation.add_ins[_find(desk, given.need("Identity")).app_id]
    return []
