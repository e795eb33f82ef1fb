"""Buttons and the places where they show: ids, icons, functions, the phone's one button; and that 1.1 repeats all of 1.0."""

from collections.abc import Iterator

from greenroom.addin.manifest.elements import Element
from greenroom.addin.manifest.findings import (
    Finding,
    child,
    children,
    error,
    kind_of,
    name_of,
    text_of,
    warning,
    within,
)
from greenroom.addin.manifest.names import PHONE_SCALES, PHONE_SIZES, REQUIRED_SIZES

_ORGANIZER = "AppointmentOrganizerCommandSurface"
_PHONE = "MobileOnlineMeetingCommandSurface"
_COMMANDS = frozenset(
    {"MessageReadCommandSurface", "MessageComposeCommandSurface", _ORGANIZER, "AppointmentAttendeeCommandSurface"}
)
_DESKTOP = _COMMANDS | {"LaunchEvent", "Module"}
_KNOWN_SIZES = REQUIRED_SIZES | {20, 24, 40, 48, 64}
_PHONE_IMAGES = frozenset((size, scale) for size in PHONE_SIZES for scale in PHONE_SCALES)
_LONGEST_ID = 125


def check_surfaces(overrides: Element) -> Iterator[Finding]:
    """Check one `VersionOverrides`."""
    newer = kind_of(overrides) == "VersionOverridesV1_1"
    if child(overrides, "Hosts", "Host", "DesktopFormFactor") is None:
        yield error("surface", overrides, "Nothing is for computers here.", "a MailHost with a DesktopFormFactor")
    for factor in within(overrides, "DesktopFormFactor", "MobileFormFactor"):
        yield from _check_factor(factor, newer=newer)
    if not newer:
        for one in within(overrides, "MobileFormFactor", "Runtimes", "SupportsSharedFolders", "ExtendedPermissions"):
            yield error("too-new", one, f"{name_of(one)} is not known to version 1.0.", "in VersionOverridesV1_1 only")
    for pinning in within(overrides, "SupportsPinning"):
        yield warning("pinning", pinning, "Panes cannot be pinned in appointments.", "no SupportsPinning")


def check_repeated(older: Element) -> Iterator[Finding]:
    """Check that nested overrides repeat what is in their parent: nothing is inherited."""
    newer = child(older, "VersionOverrides")
    if newer is None:
        what = "Overrides 1.1 are missing, without which nothing shows in shared calendars or on phones."
        yield warning("overrides-nested", older, what, "VersionOverridesV1_1 as the last child")
        return
    repeated = {_surface(one) for one in within(newer, "ExtensionPoint")}
    for one in within(older, "ExtensionPoint"):
        if _surface(one) not in repeated:
            what = f"{kind_of(one)} is in overrides 1.0 and not in those nested in them."
            yield error("not-repeated", one, what, "all of 1.0 again in 1.1, which inherits nothing")
    functions = {text_of(one) for one in within(newer, "FunctionName")}
    for one in within(older, "FunctionName"):
        if text_of(one) not in functions:
            what = "The function of this button is in overrides 1.0 and not in those nested in them."
            yield error("not-repeated", one, what, "all of 1.0 again in 1.1, which inherits nothing")


def _surface(point: Element) -> tuple[str, str]:
    factor = point.getparent()
    return ("" if factor is None else name_of(factor), kind_of(point))


def _check_factor(factor: Element, *, newer: bool) -> Iterator[Finding]:
    phone = name_of(factor) == "MobileFormFactor"
    allowed = {_PHONE} if phone else _DESKTOP if newer else _COMMANDS
    for point in children(factor, "ExtensionPoint"):
        if kind_of(point) not in allowed:
            right = ", ".join(sorted(allowed))
            yield error("extension-point", point, f"{kind_of(point) or 'No type'} is no place here.", right)
    functions = list(within(factor, "FunctionName"))
    if functions and child(factor, "FunctionFile") is None:
        yield error("function-file", functions[0], "A function is called, and no page has it.", "a FunctionFile")
    yield from _check_ids(factor)
    for control in within(factor, "Control", "Item"):
        yield from _check_control(control, phone=phone)
    for shared in children(factor, "SupportsSharedFolders"):
        if text_of(shared) not in {"true", "false"}:
            yield error("shared-folders", shared, "This is neither true nor false.", "true")


def _check_ids(factor: Element) -> Iterator[Finding]:
    seen: set[str] = set()
    for one in within(factor, "Control", "Item", "Group", "CustomTab"):
        identity = one.get("id") or ""
        if not 1 <= len(identity) <= _LONGEST_ID:
            yield error("control-id", one, f"The id has {len(identity)} characters.", f"1 to {_LONGEST_ID}")
        elif identity in seen:
            yield error("control-id", one, f"The id {identity} is given a second time.", "each id once")
        seen.add(identity)


def _check_control(control: Element, *, phone: bool) -> Iterator[Finding]:
    kind, action, icons = kind_of(control), child(control, "Action"), child(control, "Icon")
    if name_of(control) == "Control" and (kind == "MobileButton") != phone:
        right = "MobileButton on phones" if phone else "Button or Menu"
        yield error("control", control, f"A control of type {kind or '(none)'} is not for here.", right)
    if phone and action is not None and kind_of(action) != "ExecuteFunction":
        yield error("mobile-action", action, "A phone cannot show a pane for a meeting.", "ExecuteFunction")
    elif action is not None and kind_of(action) not in {"ExecuteFunction", "ShowTaskpane"}:
        yield error("action", action, "The action has no known type.", "ExecuteFunction or ShowTaskpane")
    if icons is None:
        return
    images = [(_number(one, "size"), _number(one, "scale")) for one in children(icons, "Image")]
    if phone:
        lacking = _PHONE_IMAGES - set(images)
        if lacking:
            size, scale = min(lacking)
            what = f"The picture of size {size} at scale {scale} is missing."
            yield error("mobile-icons", icons, what, "25, 32 and 48 at the scales 1, 2 and 3")
        if kind_of(icons) != "MobileIconList":
            yield error("mobile-icons", icons, "The list has no type.", 'xsi:type="bt:MobileIconList"')
        return
    sizes = {size for size, _ in images}
    if REQUIRED_SIZES - sizes:
        what = f"A picture of size {min(REQUIRED_SIZES - sizes)} is missing."
        yield error("icons", icons, what, "16, 32 and 80 at least")
    if sizes - _KNOWN_SIZES:
        what = "There is a picture of a size that Outlook does not know."
        yield warning("icons", icons, what, ", ".join(map(str, sorted(_KNOWN_SIZES))))


def _number(element: Element, attribute: str) -> int:
    written = element.get(attribute) or ""
    return int(written) if written.isascii() and written.isdigit() and len(written) < 6 else 0  # noqa: PLR2004 - bounded
