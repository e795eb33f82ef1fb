"""Our own pictures that a manifest names: are they there, and of the size it says? Others would have to be fetched."""

import re
import struct
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from urllib.parse import urlsplit

from greenroom.addin.manifest.elements import Element
from greenroom.addin.manifest.findings import Finding, child, children, error, within
from greenroom.addin.manifest.names import HIGH_RESOLUTION_SIZE, ICON_SIZE, ICONS

_HEAD = struct.Struct(">8sI4sII")


def check_pictures(root: Element) -> Iterator[Finding]:
    """Check the add-in's own two pictures."""
    for name, size in (("IconUrl", ICON_SIZE), ("HighResolutionIconUrl", HIGH_RESOLUTION_SIZE)):
        element = child(root, name)
        if element is not None:
            yield from _check_picture(element, element.get("DefaultValue") or "", size)


def check_icons(overrides: Element) -> Iterator[Finding]:
    """Check the pictures of buttons in one `VersionOverrides`."""
    images = child(overrides, "Resources", "Images")
    addresses = {} if images is None else {one.get("id"): one.get("DefaultValue") or "" for one in children(images)}
    seen: set[tuple[str | None, int]] = set()
    for one in (one for icons in within(overrides, "Icon") for one in children(icons, "Image")):
        size, scale = one.get("size") or "", one.get("scale") or "1"
        if not (re.fullmatch("[0-9]{1,4}", size) and re.fullmatch("[0-9]", scale)):
            continue
        resid, width = one.get("resid"), int(size) * int(scale)
        if (resid, width) not in seen:
            yield from _check_picture(one, addresses.get(resid, ""), width)
        seen.add((resid, width))


@cache
def _widths() -> dict[str, int]:
    """The pictures that there are, and how many pixels wide each is."""
    folder = files("greenroom.addin") / "static" / "icons"
    heads = {
        one.name: _HEAD.unpack(one.read_bytes()[: _HEAD.size]) for one in folder.iterdir() if one.name.endswith(".png")
    }
    return {name: int(width) for name, (_, _, _, width, _) in heads.items()}


def width_of(name: str) -> int | None:
    """How many pixels wide a picture of ours is; None if there is none of that name."""
    return _widths().get(name)


def _check_picture(at: Element, address: str, size: int) -> Iterator[Finding]:
    try:
        path = urlsplit(address).path
    except ValueError:  # told as an address
        return
    if not path.startswith(ICONS):
        return
    width = width_of(path.removeprefix(ICONS))
    if width is None:
        yield error("picture", at, "Greenroom has no such picture.", f"one of those below {ICONS}")
    elif width != size:
        yield error("picture", at, f"The picture is {width} pixels wide.", f"{size} pixels")
