"""All rules for one manifest, and what can be said of two."""

from collections.abc import Iterator, Mapping
from itertools import combinations, islice

from greenroom.addin.manifest.addresses import check_addresses, pane_address
from greenroom.addin.manifest.elements import Element
from greenroom.addin.manifest.events import check_events, check_single_sign_on
from greenroom.addin.manifest.findings import (
    Finding,
    child,
    child_or_self,
    error,
    kind_of,
    name_of,
    of_file,
    text_of,
    warning,
    within,
)
from greenroom.addin.manifest.head import check_head
from greenroom.addin.manifest.order import check_order
from greenroom.addin.manifest.pictures import check_icons, check_pictures
from greenroom.addin.manifest.reading import read_manifest
from greenroom.addin.manifest.references import check_references
from greenroom.addin.manifest.surfaces import check_repeated, check_surfaces
from greenroom.addin.manifest.versions import Version, parse_version

MOST = 200
"""So many findings are told of one file: nobody reads more, and a file may be wrong all over on purpose."""


def check_manifest(content: bytes) -> list[Finding]:
    """Check one file by our own rules; nothing is fetched. What makes it unreadable is the only finding then."""
    root = read_manifest(content)
    if isinstance(root, Finding):
        return [root]
    return sorted(islice(_all(root), MOST), key=lambda one: (one.line, one.path, one.code))


def _all(root: Element) -> Iterator[Finding]:
    yield from check_order(root)
    yield from check_head(root)
    yield from check_addresses(root)
    yield from check_pictures(root)
    older = child(root, "VersionOverrides")
    if older is None:
        what = "There are no version overrides, and so no buttons."
        yield error("overrides-nested", root, what, "VersionOverridesV1_0 with 1.1 as its last child")
        return
    yield from check_repeated(older)
    newer = child(older, "VersionOverrides")
    for overrides in (older,) if newer is None else (older, newer):
        yield from check_references(overrides)
        yield from check_surfaces(overrides)
        yield from check_icons(overrides)
        yield from check_events(overrides)
        yield from check_single_sign_on(overrides, root)


def check_successor(content: bytes, previous: bytes) -> list[Finding]:
    """Check whether a manifest can take the place of one that is installed: the same id, a version that rose, what to approve."""
    new, old = read_manifest(content), read_manifest(previous)
    if isinstance(old, Finding):
        return [of_file("previous", f"The file before cannot be compared: {old.what}", old.right)]
    return [] if isinstance(new, Finding) else list(_successor(new, old))


def _successor(new: Element, old: Element) -> Iterator[Finding]:
    if _said(new, "Id").lower() != _said(old, "Id").lower():
        what = "The id is another one: it is installed besides the add-in before, not in its place."
        yield error("id-changed", child_or_self(new, "Id"), what, _said(old, "Id"))
    before, after = _version(old), _version(new)
    if before is not None and after is not None:
        at = child_or_self(new, "Version")
        if after < before or (after == before and _content(new) != _content(old)):
            what = f"The version is {_said(new, 'Version')}, and that before was {_said(old, 'Version')}."
            yield error("version-not-risen", at, what, "a higher version: else Outlook keeps the one before")
    if _said(new, "Permissions") != _said(old, "Permissions"):
        what = f"The permission was {_said(old, 'Permissions')}: the change has to be approved again."
        yield warning(
            "consent", child_or_self(new, "Permissions"), what, "approve it, or people stay on the one before"
        )
    if _events(new) - _events(old):
        what = "Events are new, which have to be approved: until then none of them works."
        yield warning("consent", new, what, "approve it where the add-in is installed")
    if _application(new) != _application(old):
        what = "The application of single sign-on is another one, which has to be approved."
        yield warning("consent", new, what, "approve it where the add-in is installed")
    if pane_address(new) != pane_address(old):
        what = "The pane's address changed, and with it whom Exchange's identity tokens are made out to."
        yield warning("audience", new, what, "the same address, unless the service has moved")


def check_environments(manifests: Mapping[str, bytes]) -> dict[str, list[Finding]]:
    """Compare files with each other: two add-ins, or two environments, must not have one id, or they replace each other."""
    roots = {
        name: root
        for name, root in ((n, read_manifest(c)) for n, c in manifests.items())
        if not isinstance(root, Finding)
    }
    found: dict[str, list[Finding]] = {name: [] for name in manifests}
    for (first, one), (second, other) in combinations(roots.items(), 2):
        if _said(one, "Id").lower() == _said(other, "Id").lower() and pane_address(one) != pane_address(other):
            what = f"The id is that of {first}, whose pane is elsewhere: one add-in takes the other's place."
            finding = error("same-id", child_or_self(other, "Id"), what, "an id of its own for every environment")
            found[second].append(finding)
    return found


def _said(root: Element, name: str) -> str:
    element = child(root, name)
    return "" if element is None else text_of(element)


def _version(root: Element) -> Version | None:
    return parse_version(_said(root, "Version"))


def _content(root: Element) -> list[tuple[str, str, tuple[tuple[str, str], ...]]]:
    """All that a manifest says but its version, in an order that does not depend on how it is spaced."""
    mark = f"?v={_said(root, 'Version')}"
    told = []
    for one in root.iter():
        if name_of(one) == "Version" and one.getparent() is root:
            continue
        attributes = sorted((str(name), str(value).removesuffix(mark)) for name, value in one.attrib.items())
        told.append((one.tag, text_of(one), tuple(attributes)))
    return told


def _newest(root: Element) -> Element:
    return child_or_self(root, "VersionOverrides", "VersionOverrides")


def _events(root: Element) -> set[str]:
    points = (one for one in within(_newest(root), "ExtensionPoint") if kind_of(one) == "LaunchEvent")
    return {one.get("Type") or "" for point in points for one in within(point, "LaunchEvent")}


def _application(root: Element) -> tuple[str, ...]:
    found = child(_newest(root), "WebApplicationInfo")
    return () if found is None else tuple(text_of(one) for one in within(found) if text_of(one))
