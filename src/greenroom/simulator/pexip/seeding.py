"""Filling the platform from plain data: things it is configured with, and what an existing scheduler leaves behind.

A seed is a JSON object; every entry may have a ``key`` by which later ones name it, and everything else are fields of the
resource. In fields that point to something, a key (``"@key"``) or an address may stand::

    {"ivr_theme": [{"key": "blue", "name": "Blue"}],
     "identity_provider_group": [{"name": "Staff"}], "media_library_playlist": [{"name": "Too early"}],
     "system_location": [{"name": "London"}], "end_user": [{"primary_email_address": "ada@greenroom.example"}],
     "ms_exchange_connector": [{"key": "old", "name": "Exchange", "addin_server_domain": "join.greenroom.example",
                                "room_mailbox_email_address": "vmr@greenroom.example", "scheduled_alias_prefix": "88"}],
     "conference": [{"name": "Ada's room", "aliases": [{"alias": "ada@greenroom.example"}, {"alias": "1001"}], "pin": "1234",
                     "allow_guests": true, "primary_owner_email_address": "ada@greenroom.example", "ivr_theme": "@blue"}],
     "meetings": [{"connector": "@old", "name": "Weekly (Ada)", "subject": "Weekly", "number": 88123456,
                   "alias": "88123456@greenroom.example", "uuid": "…", "owner": "ada@greenroom.example",
                   "uid": "0400…", "item": "AAMk…", "series": true, "times": [["2026-12-01T10:00:00Z", "2026-12-01T11:00:00Z"]],
                   "used": true}]}

A meeting makes a conference with its two aliases, the ``scheduled_alias``, one ``scheduled_conference`` for every one of its
``times``, and with ``series`` a ``recurring_conference``. One that is not ``used`` is only a reservation. Writable fields only;
a seed is not held to the limit of requests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from greenroom.simulator.pexip.fields import CONFIGURATION
from greenroom.simulator.pexip.refusals import RefusedError
from greenroom.simulator.seeding import SeedError

if TYPE_CHECKING:
    from greenroom.simulator.pexip.platform import Pexip

_ORDER: Final = (
    "ivr_theme",
    "identity_provider_group",
    "media_library_playlist",
    "system_location",
    "end_user",
    "ms_exchange_connector",
    "exchange_domain",
    "conference",
    "conference_alias",
    "scheduled_alias",
    "recurring_conference",
    "scheduled_conference",
)
_MEETING: Final = {
    "key": str,
    "connector": str,
    "name": str,
    "subject": str,
    "number": int,
    "alias": str,
    "uuid": str,
    "owner": str,
    "uid": str,
    "item": str,
    "series": bool,
    "depleted": bool,
    "times": list,
    "used": bool,
}


def seed(pexip: Pexip, data: Mapping[str, Any]) -> dict[str, str]:
    """Make everything a seed says, or nothing; returns the addresses by key. Raises SeedError naming the entry."""
    if not isinstance(data, Mapping):
        raise SeedError("a seed is an object")
    if unknown := set(data) - {*_ORDER, "meetings"}:
        raise SeedError(f"unknown entry {min(unknown)}; there are {', '.join((*_ORDER, 'meetings'))}")
    named: dict[str, str] = {}
    with pexip.store.transaction():
        for name in _ORDER:
            for at, entry in enumerate(_entries(data, name)):
                _made(pexip, named, name, entry, f"{name}[{at}]")
        for at, entry in enumerate(_entries(data, "meetings")):
            _meeting(pexip, named, entry, f"meetings[{at}]")
    return named


def _entries(data: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    entries = data.get(name, [])
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise SeedError(f"{name} is not a list of objects")
    return entries


def _made(pexip: Pexip, named: dict[str, str], name: str, entry: Mapping[str, Any], where: str) -> str:
    fields = {key: _named(named, value, where) for key, value in entry.items() if key != "key"}
    try:
        number = pexip.objects.create(name, fields)
    except RefusedError as refused:
        raise SeedError(f"{where}: {refused.body}") from None
    address = f"{CONFIGURATION[name].path}{number}/"
    if isinstance(entry.get("key"), str):
        named[entry["key"]] = address
    return address


def _named(named: Mapping[str, str], value: Any, where: str) -> Any:
    if not (isinstance(value, str) and value.startswith("@")):
        return value
    if value[1:] not in named:
        raise SeedError(f"{where}: nothing is called {value}")
    return named[value[1:]]


def _meeting(pexip: Pexip, named: dict[str, str], entry: Mapping[str, Any], where: str) -> None:
    for name, value in entry.items():
        if name not in _MEETING or not isinstance(value, _MEETING[name]):
            raise SeedError(f"{where}: {name} is unknown or has the wrong type")
    if missing := {"connector", "number", "alias"} - set(entry):
        raise SeedError(f"{where}: {min(missing)} is missing")
    key, uid, subject = entry.get("key", where), entry.get("uid", ""), entry.get("subject", "")
    used, item = entry.get("used", True), entry.get("item", "item")
    reserved = {
        "key": f"{key}.alias",
        "exchange_connector": entry["connector"],
        "alias": entry["alias"],
        "alias_number": entry["number"],
        "numeric_alias": str(entry["number"]),
        "is_used": used,
        "ews_item_uid": uid or None,
    }
    if "uuid" in entry:
        reserved["uuid"] = entry["uuid"]
    alias = _made(pexip, named, "scheduled_alias", reserved, where)
    if not used:
        return
    owner = entry.get("owner", "")
    about = f"Scheduled Conference booked by {owner}"
    room = {
        "key": f"{key}.conference",
        "name": entry.get("name", subject or str(entry["number"])),
        "description": about,
        "primary_owner_email_address": owner,
        "aliases": [{"alias": text, "description": about} for text in (entry["alias"], str(entry["number"]))],
    }
    shared = {
        "conference": _made(pexip, named, "conference", room, where),
        "scheduled_alias": alias,
        "subject": subject,
    }
    if entry.get("series", False):
        series = {**shared, "key": f"{key}.series", "ews_item_id": item, "current_index": len(entry.get("times", []))}
        series["is_depleted"] = entry.get("depleted", False)
        shared["recurring_conference"] = _made(pexip, named, "recurring_conference", series, where)
    for at, times in enumerate(entry.get("times", [])):
        if not isinstance(times, list) or len(times) != len(("start", "end")):
            raise SeedError(f"{where}: times[{at}] is not a start and an end")
        dated = {**shared, "start_time": times[0], "end_time": times[1], "ews_item_uid": uid}
        dated["ews_item_id"] = f"{item}-{at}" if entry.get("series", False) else item
        _made(pexip, named, "scheduled_conference", dated, where)
