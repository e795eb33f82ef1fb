"""Locations. The store has one text; Graph has several locations, whose structure is kept beside the text that joins them."""

from __future__ import annotations

import json
from typing import Any, Final

from greenroom.simulator.graph.call import GraphError
from greenroom.simulator.graph.errors import unreadable
from greenroom.simulator.graph.fields import choice, items, members, text
from greenroom.simulator.model import CalendarItem, PropertyTag

LOCATIONS: Final = PropertyTag("String", set_id="0f6a8a4e-7d2c-4b0e-9c55-9a4d1e6b7c21", name="GraphLocations")
SEPARATOR: Final = "; "
_MOST: Final = 50
_FARTHEST: Final = 1e9
_TYPES: Final = {
    name.lower(): name
    for name in (
        "default", "conferenceRoom", "homeAddress", "businessAddress", "geoCoordinates", "streetAddress", "hotel",
        "restaurant", "localBusiness", "postalAddress",
    )
}  # fmt: skip
_ID_TYPES: Final = {name.lower(): name for name in ("unknown", "locationStore", "directory", "private", "bing")}
_ADDRESS: Final = ("street", "city", "state", "countryOrRegion", "postalCode")
_COORDINATES: Final = ("accuracy", "altitude", "altitudeAccuracy", "latitude", "longitude")


def location(item: CalendarItem) -> dict[str, Any]:
    """`location`: the only one, or the text that joins them all."""
    several = locations(item)
    return several[0] if len(several) == 1 else _named(item.meeting.location)


def locations(item: CalendarItem) -> list[dict[str, Any]]:
    """`locations`, with their structure where it is known and still fits the text (another face may have changed it)."""
    joined = item.meeting.location
    kept = item.extended.get(LOCATIONS)
    if isinstance(kept, str):
        known = _known(kept)
        if known and join(known) == joined:
            return known
    return [_named(name) for name in joined.split(SEPARATOR) if name]


def _known(kept: str) -> list[dict[str, Any]]:
    """What `kept` wrote, read like any other input: another face lets clients write any extended property."""
    try:
        return read_all(json.loads(kept))
    except (ValueError, RecursionError, GraphError):
        return []


def join(several: list[dict[str, Any]]) -> str:
    """The text of several locations."""
    return SEPARATOR.join(one["displayName"] for one in several if one["displayName"])


def kept(several: list[dict[str, Any]]) -> str:
    """Their structure as it is kept."""
    return json.dumps(several)


def _named(name: str) -> dict[str, Any]:
    named: dict[str, Any] = {"displayName": name, "locationType": "default"}
    return named | ({"uniqueId": name, "uniqueIdType": "private"} if name else {"uniqueIdType": "unknown"})


def read(value: Any, name: str = "location") -> dict[str, Any]:
    """Read a location; null is an empty one. Raises GraphError (400)."""
    if value is None:
        return _named("")
    parts = members(value, name)
    found = _named(text(parts.get("displayName"), "displayName"))
    for key in ("locationUri", "locationEmailAddress", "uniqueId"):
        if parts.get(key) is not None:
            found[key] = text(parts[key], key)
    if parts.get("locationType") is not None:
        found["locationType"] = choice(parts["locationType"], "locationType", _TYPES)
    if parts.get("uniqueIdType") is not None:
        found["uniqueIdType"] = choice(parts["uniqueIdType"], "uniqueIdType", _ID_TYPES)
    if parts.get("address") is not None:
        given = members(parts["address"], "address")
        found["address"] = {key: text(given[key], key) for key in _ADDRESS if given.get(key) is not None}
    if parts.get("coordinates") is not None:
        given = members(parts["coordinates"], "coordinates")
        found["coordinates"] = {key: _degrees(given[key], key) for key in _COORDINATES if given.get(key) is not None}
    return found


def read_all(value: Any) -> list[dict[str, Any]]:
    """Read a collection of locations. Raises GraphError (400)."""
    found = [read(one, "locations") for one in items(value, "locations")]
    if len(found) > _MOST:
        raise unreadable("There are too many locations.")
    return [one for one in found if one["displayName"]]


def _degrees(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > _FARTHEST:
        raise unreadable(f"A number was expected for '{name}'.")
    return value
