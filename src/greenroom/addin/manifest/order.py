"""Are all elements where they belong: known, in order, often enough, in the right namespace?"""

from collections.abc import Iterator

from greenroom.addin.manifest.elements import Element
from greenroom.addin.manifest.findings import Finding, children, error, kind_of, name_of, namespace_of
from greenroom.addin.manifest.names import BASE, BASIC_TYPES, OVERRIDES_1_0, OVERRIDES_1_1
from greenroom.addin.manifest.shapes import BASIC, OPEN, SHAPES, Place

_TYPES = {OVERRIDES_1_0: "VersionOverridesV1_0", OVERRIDES_1_1: "VersionOverridesV1_1"}


def check_order(root: Element) -> Iterator[Finding]:
    """Look at every element."""
    waiting = [root]
    while waiting:
        parent = waiting.pop()
        yield from _check_children(parent)
        inside = [one for one in children(parent) if name_of(one) not in OPEN]
        for one in inside:
            yield from _check_namespace(one, parent)
        waiting += reversed(inside)


def _check_children(parent: Element) -> Iterator[Finding]:
    order = _shape_of(parent)
    places = {place.name: number for number, place in enumerate(order)}
    allowed = ", ".join(place.name for place in order) or "no elements"
    seen: dict[str, int] = {}
    latest = -1
    for one in children(parent):
        name = name_of(one)
        place = places.get(name)
        if place is None:
            yield error("unknown-element", one, f"{name} is not a valid child of {name_of(parent)}.", allowed)
            continue
        seen[name] = seen.get(name, 0) + 1
        if place < latest:
            behind = order[latest].name
            yield error("order", one, f"{name} comes after {behind}.", f"this order: {allowed}")
        latest = max(latest, place)
        if seen[name] > 1 and not order[place].many:
            yield error("too-many", one, f"This is {name} number {seen[name]} here.", f"one {name}")
    yield from (_missing(parent, place) for place in order if place.needed and place.name not in seen)


def _missing(parent: Element, place: Place) -> Finding:
    return error("missing-element", parent, f"{place.name} is missing.", f"a {place.name} in {name_of(parent)}")


def _shape_of(element: Element) -> tuple[Place, ...]:
    name, parent = name_of(element), element.getparent()
    above = "" if parent is None else name_of(parent)
    for key in (f"{name}:{kind_of(element)}", f"{above}/{name}", name):
        if key in SHAPES:
            return SHAPES[key]
    return ()


def _check_namespace(element: Element, parent: Element) -> Iterator[Finding]:
    """Base names are in the base's namespace, overrides' in theirs, and resources and sets in that of basic types."""
    name, found, above = name_of(element), namespace_of(element), namespace_of(parent)
    if name == "VersionOverrides":
        wanted = OVERRIDES_1_0 if above == BASE else OVERRIDES_1_1
    elif above == BASIC_TYPES or (above in _TYPES and name in BASIC):
        wanted = BASIC_TYPES
    else:
        wanted = above
    if found != wanted:
        yield error("namespace", element, f"{name} is in the namespace {found or '(none)'}.", wanted)
    elif name == "VersionOverrides" and kind_of(element) != _TYPES[wanted]:
        what = f"The xsi:type is {kind_of(element) or 'missing'}."
        yield error("overrides-type", element, what, f"{_TYPES[wanted]} for the namespace {wanted}")
