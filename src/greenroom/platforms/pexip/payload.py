"""What Pexip is told of a room: the fields of the management API's conference resource. Pure.

Names, lengths and choices are those of the published schema (`configuration/v1/conference`); the rules for two PINs, which the
schema does not tell, are the product's: a host PIN where guests are allowed, both of the same length or both ending with `#`,
and not the same.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from greenroom.meetings.room import RoomSpec
from greenroom.platforms.errors import RoomRefusedError
from greenroom.platforms.pexip.management import Conference
from greenroom.platforms.pexip.names import LONGEST, names, one_line
from greenroom.platforms.pexip.policy.wording import mail_address
from greenroom.platforms.pexip.style import PexipSettings, RoomStyle

LINKS = {
    "theme": "ivr_theme",
    "host_identity_provider_group": "host_identity_provider_group",
    "guest_identity_provider_group": "guest_identity_provider_group",
}
"""What a style names and a conference points to: the style's attribute, and the field that holds an address."""
_LONGEST_ALIAS = 250
_PIN = re.compile(r"[0-9]{3,19}[0-9#]", re.ASCII)
_ALIAS = re.compile(r"\S(?:[^\x00-\x1f\x7f]*\S)?")
_CLEARED = ("pin", "guest_pin", "primary_owner_email_address")


def check(spec: RoomSpec) -> None:
    """Raise RoomRefusedError if Pexip would never accept this room, whatever else is there."""
    for alias in aliases(spec):
        if len(alias) > _LONGEST_ALIAS:
            raise RoomRefusedError("alias: too-long")
        if not _ALIAS.fullmatch(alias):
            raise RoomRefusedError("alias: not-an-alias")
    host, guest = spec.host_pin, spec.guest_pin
    for field, pin in (("pin", host), ("guest_pin", guest)):
        if pin is not None and not _PIN.fullmatch(pin):
            raise RoomRefusedError(f"{field}: not-a-pin")
    if host is None or guest is None:
        return
    if host == guest:
        raise RoomRefusedError("guest_pin: same-as-pin")
    if host.endswith("#") != guest.endswith("#") or (len(host) != len(guest) and not host.endswith("#")):
        raise RoomRefusedError("guest_pin: other-length")


def aliases(spec: RoomSpec) -> tuple[str, ...]:
    """What people dial: the alias and the numeric one, which may be the same."""
    same = spec.alias.name.casefold() == spec.alias.numeric.casefold()
    return (spec.alias.name,) if same else (spec.alias.name, spec.alias.numeric)


def alias_description(settings: PexipSettings) -> str:
    """Mark the aliases that are ours on a conference of ours; it tells no content, as directories may show it."""
    return one_line(settings.tag_prefix)


def payload(
    spec: RoomSpec, settings: PexipSettings, uris: Mapping[str, str], name: str | None = None
) -> dict[str, Any]:
    """Return a new conference. `uris` has the address for each of the `LINKS` fields the style names."""
    told = {k: v for k, v in _wanted(spec, settings, uris).items() if v != "" or k not in _CLEARED}
    described = alias_description(settings)
    return {
        "name": names(spec, policy=settings.policy)[0] if name is None else name,
        "service_type": "conference",
        **told,
        "aliases": [{"alias": alias, "description": described} for alias in aliases(spec)],
    }


def changed(spec: RoomSpec, settings: PexipSettings, uris: Mapping[str, str], there: Conference) -> dict[str, Any]:
    """Return the fields that have to change, without name and aliases. A PIN that is not shown is told again."""
    wanted = _wanted(spec, settings, uris)
    return {name: value for name, value in wanted.items() if _read(there, name) != value}


def fingerprint(spec: RoomSpec, settings: PexipSettings) -> str:
    """Hash of all that Pexip is told of a room; where it is the same, nothing needs to be told."""
    style = settings.style
    named = {field: name for attribute, field in LINKS.items() if (name := getattr(style, attribute)) is not None}
    text = json.dumps(payload(spec, settings, named), sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _wanted(spec: RoomSpec, settings: PexipSettings, uris: Mapping[str, str]) -> dict[str, Any]:
    return {
        "description": one_line(spec.description, LONGEST),
        "tag": settings.tag(spec.mark),
        "primary_owner_email_address": mail_address(spec.owner) or "",
        **_pins(spec),
        **_style(settings.style),
        **uris,
    }


def _pins(spec: RoomSpec) -> dict[str, Any]:
    """Tell the PINs: with a host's PIN there are hosts and guests; with the guests' alone, everybody uses that."""
    if spec.host_pin is not None:
        return {"pin": spec.host_pin, "guest_pin": spec.guest_pin or "", "allow_guests": True}
    return {"pin": spec.guest_pin or "", "guest_pin": "", "allow_guests": False}


def _style(style: RoomStyle) -> dict[str, Any]:
    said = {one.name: getattr(style, one.name) for one in fields(style) if one.name not in LINKS}
    return {name: value for name, value in said.items() if value is not None}


def _read(there: Conference, field: str) -> Any:
    """Return a field as it would be written: what it points to may be told in full."""
    value = there.fields.get(field)
    if isinstance(value, Mapping):
        return value.get("resource_uri")
    return "" if value is None and field in _CLEARED else value
