"""The places of the organizer's meeting, as one text and as the list it is.

Source: Graph v1.0, event (`locations`; writing `location` drops all other locations), resource type location. Places that are
there stay as they came, with their coordinates and addresses; only what is new is added.
"""

from collections.abc import Mapping, Sequence
from typing import Any

_BETWEEN = "; "
_LONGEST_NAME = 255
MOST = 100

Place = Mapping[str, Any]


def places_of(raw: Any) -> tuple[Place, ...]:
    """Return the named places of an event as it came; a single `location` counts where there is no list."""
    if not isinstance(raw, dict):
        return ()
    listed = raw.get("locations")
    found = listed[:MOST] if isinstance(listed, list) else []
    if not found and isinstance(raw.get("location"), dict):
        found = [raw["location"]]
    return tuple(one for one in found if isinstance(one, dict) and _name(one))


def text_of(places: Sequence[Place]) -> str:
    """Return the places as one text, as other protocols show them."""
    return _BETWEEN.join(_name(place) for place in places)


def changed(places: Sequence[Place], wanted: str) -> list[Place]:
    """Return the list that reads as `wanted`: known places are kept as they are, in the order of the text; new ones are named."""
    left = list(places)
    result: list[Place] = []
    rest = wanted.strip()
    while rest and len(result) < MOST:
        known = max(
            (place for place in left if _begins(rest, _name(place))), key=lambda place: len(_name(place)), default=None
        )
        if known is None:
            name, _, rest = rest.partition(_BETWEEN)
            if name.strip():
                result.append({"displayName": name.strip()[:_LONGEST_NAME], "locationType": "default"})
        else:
            left.remove(known)
            result.append(known)
            rest = rest[len(_name(known)) :].removeprefix(_BETWEEN)
    return result


def _begins(text: str, name: str) -> bool:
    return text == name or text.startswith(name + _BETWEEN)


def _name(place: Place) -> str:
    name = place.get("displayName")
    return name if isinstance(name, str) and name.strip() else ""
