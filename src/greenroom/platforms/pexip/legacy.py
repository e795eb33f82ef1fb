"""The objects of the product's own scheduler for Exchange, read from JSON that anybody may have made. Pure.

Names and types are those of the published schema: `ms_exchange_connector`, `scheduled_alias`, `scheduled_conference`,
`recurring_conference`, and `conference` with its aliases. What cannot be understood is None, never half of a value; secrets of a
connector are not looked at. Times without an offset are in UTC.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from greenroom.meetings.legacy import LegacyAlias, LegacyConnector, LegacyRoom, LegacyUse
from greenroom.meetings.meeting import MeetingKey
from greenroom.platforms.pexip.management import addresses

CONNECTOR: Final = "ms_exchange_connector"
ALIAS: Final = "scheduled_alias"
OCCURRENCE: Final = "scheduled_conference"
SERIES: Final = "recurring_conference"
ROOM: Final = "conference"

_Told = Mapping[str, Any]
_LONGEST: Final = 250
_LONGEST_UID: Final = 2000
_MOST_DIGITS: Final = 64
_MOST_ALIASES: Final = 1000
_PLAIN = re.compile(r"[!-~]+")
_ROOMS: Final = frozenset({"conference", "lecture"})
_MARK = re.compile(r"[0-9a-f]{32}")
_TEMPLATE = re.compile(r"[a-z_]{1,80}_template|reject_single_meeting_past")


def read_alias(told: _Told) -> LegacyAlias | None:
    """Read a `scheduled_alias`; one whose alias or numeric alias nobody could dial is None."""
    ref, name, numeric = _item(told.get("resource_uri"), ALIAS), _text(told, "alias"), _text(told, "numeric_alias")
    uuid = _uuid(told.get("uuid"))
    if ref is None or uuid is None or not _PLAIN.fullmatch(name) or not _is_number(numeric):
        return None
    return LegacyAlias(
        ref=ref,
        uuid=uuid,
        name=name,
        numeric=numeric,
        owner=_related(told.get("exchange_connector"), CONNECTOR) or "",
        used=told.get("is_used") is True,
        key=_key(told.get("ews_item_uid")),
        created_at=_moment(told.get("creation_time")),
        deleted_at=_moment(told.get("conference_deletion_time")),
    )


def read_room(told: _Told, tag_start: str) -> LegacyRoom | None:
    """Read a `conference` with the aliases in it; a tag that begins with `tag_start` is ours."""
    ref = _item(told.get("resource_uri"), ROOM)
    aliases = told.get("aliases")
    if ref is None or not isinstance(aliases, list | None):
        return None
    dials = (_text(one, "alias") for one in (aliases or [])[:_MOST_ALIASES] if isinstance(one, Mapping))
    mark, claimed = read_tag(told, tag_start)
    return LegacyRoom(
        ref=ref,
        aliases=frozenset(dial.lower() for dial in dials if dial),
        mark=mark,
        claimed=claimed,
        dialled=_text(told, "service_type") in _ROOMS,
    )


def read_tag(told: _Told, tag_start: str) -> tuple[str | None, bool]:
    """Return our mark in the tag of a conference, and whether somebody else's tag is there instead."""
    tag = told.get("tag")
    if tag in (None, ""):
        return None, False
    mark = tag.removeprefix(tag_start) if isinstance(tag, str) and tag.startswith(tag_start) else ""
    return (mark, False) if _MARK.fullmatch(mark) else (None, True)


def read_use(told: _Told) -> LegacyUse | None:
    """Read a `scheduled_conference`: one occurrence with its end."""
    room, end = _related(told.get("conference"), ROOM), _moment(told.get("end_time"))
    if room is None or end is None:
        return None
    return LegacyUse(room, _related(told.get("scheduled_alias"), ALIAS), _key(told.get("ews_item_uid")), end)


def read_series(told: _Told, now: datetime) -> LegacyUse | None:
    """Read a `recurring_conference`; one of which all occurrences were made already adds nothing to them: it is over `now`."""
    room = _related(told.get("conference"), ROOM)
    if room is None:
        return None
    depleted = told.get("is_depleted") is True
    return LegacyUse(room, _related(told.get("scheduled_alias"), ALIAS), None, now if depleted else None)


def read_connector(told: _Told, names: Mapping[str, str]) -> LegacyConnector | None:
    """Read a `ms_exchange_connector`; `names` are those of themes and identity provider groups by their addresses."""
    ref = _item(told.get("resource_uri"), CONNECTOR)
    if ref is None:
        return None
    usual = LegacyConnector(ref, "", "")
    texts = ((name, told.get(name)) for name in sorted(filter(_is_template, told)))
    return LegacyConnector(
        ref=ref,
        name=_text(told, "name"),
        mailbox=_text(told, "room_mailbox_email_address").strip().lower(),
        prefix=_text(told, "scheduled_alias_prefix"),
        digits=_whole(told, "scheduled_alias_suffix_length", usual.digits),
        domain=_text(told, "scheduled_alias_domain").lower(),
        before=_whole(told, "meeting_buffer_before", usual.before),
        after=_whole(told, "meeting_buffer_after", usual.after),
        theme=_named(told.get("ivr_theme"), names),
        identity_provider_group=_named(told.get("host_identity_provider_group"), names),
        non_idp_participants=_text(told, "non_idp_participants") or None,
        rooms_enabled=told.get("enable_dynamic_vmrs") is not False,
        templates={name: len(text) for name, text in texts if isinstance(text, str) and text.strip()},
    )


def name_of(told: _Told) -> tuple[str, str] | None:
    """Return address and name of a theme or an identity provider group."""
    ref, name = told.get("resource_uri"), _text(told, "name")
    return (ref, name) if isinstance(ref, str) and name else None


def _named(value: object, names: Mapping[str, str]) -> str | None:
    if isinstance(value, Mapping):
        return _text(value, "name") or names.get(str(value.get("resource_uri")))
    return names.get(value) if isinstance(value, str) else None


def _is_template(name: object) -> bool:
    return isinstance(name, str) and _TEMPLATE.fullmatch(name) is not None


def _item(value: object, resource: str) -> str | None:
    try:
        return addresses.item(value, resource)
    except ValueError:
        return None


def _related(value: object, resource: str) -> str | None:
    return _item(value.get("resource_uri") if isinstance(value, Mapping) else value, resource)


def _text(told: _Told, name: str) -> str:
    value = told.get(name)
    return value if isinstance(value, str) and len(value) <= _LONGEST and value.isprintable() else ""


def _whole(told: _Told, name: str, usual: int) -> int:
    value = told.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10**6 else usual


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS


def _uuid(value: object) -> str | None:
    try:
        return str(UUID(value)) if isinstance(value, str) else None
    except ValueError:
        return None


def _key(value: object) -> MeetingKey | None:
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST_UID or not value.isprintable():
        return None
    return MeetingKey.of_uid(value).clean


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
