"""What the management API tells, as values, read from JSON that anybody may have made. Pure.

What cannot be right raises GarbledAnswerError: an alias that is overlooked would be given to somebody else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from greenroom.platforms.pexip.management import addresses
from greenroom.platforms.pexip.management.errors import GarbledAnswerError

CONFERENCE: Final = "conference"
ALIAS: Final = "conference_alias"
_LONGEST = 64 * 1024
_DEEPEST = 8
_MOST_PARTS = 20_000


@dataclass(frozen=True, slots=True)
class ConferenceAlias:
    """What people dial to get into a conference. `uri` and `conference` are addresses of items."""

    uri: str
    alias: str
    conference: str
    description: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Conference:
    """A conference as it was read. Empty text and None are as Pexip tells them; PINs may be masked.

    `theme` and the identity provider groups are addresses of items. `fields` holds all that was told, by field name.
    """

    uri: str
    name: str = field(repr=False)
    description: str = field(repr=False)
    tag: str
    aliases: tuple[ConferenceAlias, ...]
    owner: str = field(repr=False)
    pin: str = field(repr=False)
    guest_pin: str = field(repr=False)
    allow_guests: bool
    service_type: str
    theme: str | None
    host_identity_provider_group: str | None
    guest_identity_provider_group: str | None
    non_idp_participants: str
    participant_limit: int | None
    sync_tag: str
    fields: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Running:
    """Which conferences have somebody in them now, by name and by tag."""

    names: frozenset[str] = field(repr=False)
    tags: frozenset[str]


def conference(told: Any) -> Conference:
    """Read one conference; raises GarbledAnswerError."""
    told = bounded(told)
    uri = _item(told, CONFERENCE)
    aliases = told.get("aliases")
    if not isinstance(aliases, list | None):
        raise GarbledAnswerError("odd-aliases")
    read = tuple(alias(part) for part in aliases or ())
    if any(part.conference != uri for part in read):
        raise GarbledAnswerError("odd-aliases")
    limit = told.get("participant_limit")
    return Conference(
        uri=uri,
        name=_text(told, "name"),
        description=_text(told, "description"),
        tag=_text(told, "tag"),
        aliases=read,
        owner=_text(told, "primary_owner_email_address"),
        pin=_text(told, "pin"),
        guest_pin=_text(told, "guest_pin"),
        allow_guests=told.get("allow_guests") is True,
        service_type=_text(told, "service_type"),
        theme=_related(told, "ivr_theme"),
        host_identity_provider_group=_related(told, "host_identity_provider_group"),
        guest_identity_provider_group=_related(told, "guest_identity_provider_group"),
        non_idp_participants=_text(told, "non_idp_participants"),
        participant_limit=limit if isinstance(limit, int) and not isinstance(limit, bool) else None,
        sync_tag=_text(told, "sync_tag"),
        fields=MappingProxyType(told),
    )


def alias(told: Any) -> ConferenceAlias:
    """Read one alias; raises GarbledAnswerError."""
    told = bounded(told)
    text, owner = _text(told, "alias"), _related(told, "conference")
    try:
        owner = addresses.item(owner, CONFERENCE)
    except ValueError:
        raise GarbledAnswerError("odd-alias") from None
    if not text:
        raise GarbledAnswerError("odd-alias")
    return ConferenceAlias(_item(told, ALIAS), text, owner, _text(told, "description"))


def bounded(told: Any) -> dict[str, Any]:
    """Return an object of an answer if it is one of a sensible size; raises GarbledAnswerError."""
    waiting, parts = [(told, 0)], 0
    while waiting:
        part, depth = waiting.pop()
        parts += 1
        if depth > _DEEPEST or parts > _MOST_PARTS or (isinstance(part, str) and len(part) > _LONGEST):
            raise GarbledAnswerError("odd-object")
        if isinstance(part, dict):
            waiting.extend((inner, depth + 1) for inner in (*part, *part.values()))
        elif isinstance(part, list):
            waiting.extend((inner, depth + 1) for inner in part)
    if not isinstance(told, dict):
        raise GarbledAnswerError("odd-object")
    return told


def _item(told: Mapping[str, Any], resource: str) -> str:
    try:
        return addresses.item(told.get("resource_uri"), resource)
    except ValueError:
        raise GarbledAnswerError("odd-object") from None


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise GarbledAnswerError("odd-field")
    return value


def _related(told: Mapping[str, Any], name: str) -> str | None:
    """Return the address of a related item, which is told as an address or as the item itself."""
    value = told.get(name)
    if isinstance(value, dict):
        value = value.get("resource_uri")
    return value if isinstance(value, str) and value else None
