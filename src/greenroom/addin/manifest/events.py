"""The check before sending, and single sign-on: what came after the published schema."""

from collections.abc import Iterator

from greenroom.addin.manifest.addresses import host_of, pane_origin
from greenroom.addin.manifest.elements import Element
from greenroom.addin.manifest.findings import Finding, child, children, error, kind_of, text_of, warning, within
from greenroom.addin.manifest.head import is_guid

_ON_SEND = "OnAppointmentSend"
_MODES = ("PromptUser", "SoftBlock", "Block")


def check_events(overrides: Element) -> Iterator[Finding]:
    """Check event handlers and their runtimes in one `VersionOverrides`."""
    runtimes = {one.get("resid"): one for one in within(overrides, "Runtime")}
    for one in runtimes.values():
        override = child(one, "Override")
        if override is None or override.get("type") != "javascript":
            what = "Classic Outlook on Windows finds no script to run."
            yield error("runtime", one, what, 'an Override with type="javascript"')
    points = [one for one in within(overrides, "ExtensionPoint") if kind_of(one) == "LaunchEvent"]
    for point in points:
        source = child(point, "SourceLocation")
        if source is not None and source.get("resid") not in runtimes:
            yield error("runtime", source, "There is no runtime for this page.", "a Runtime of the same resid")
    if runtimes and not points:
        yield error("runtime", next(iter(runtimes.values())), "Nothing starts this runtime.", "a LaunchEvent, or none")
    yield from _check_handlers([one for point in points for one in within(point, "LaunchEvent")])


def _check_handlers(events: list[Element]) -> Iterator[Finding]:
    sending = 0
    for one in events:
        mode, kind = one.get("SendMode"), one.get("Type") or ""
        if not one.get("FunctionName") or not kind:
            yield error("launch-event", one, "It does not say which event calls what.", "Type and FunctionName")
        sending += kind == _ON_SEND
        if kind == _ON_SEND and sending > 1:
            yield error("launch-event", one, f"{_ON_SEND} comes a second time.", f"one {_ON_SEND}")
        if mode is not None and mode not in _MODES:
            yield error("send-mode", one, "Outlook knows no such send mode.", " or ".join(_MODES[:2]))
        elif mode == _MODES[-1]:
            what = "Nobody could send a meeting while the add-in's pages cannot be loaded."
            yield warning("send-mode", one, what, " or ".join(_MODES[:2]))
        elif mode is not None and not kind.endswith("Send"):
            yield error("send-mode", one, "This event does not hold back what is sent.", "no SendMode")
        elif mode is None and kind == _ON_SEND:
            yield warning("send-mode", one, "Without a mode Outlook takes SoftBlock.", 'SendMode="SoftBlock"')


def check_single_sign_on(overrides: Element, root: Element) -> Iterator[Finding]:
    """Check `WebApplicationInfo`, without which Office's older sign-on gives no token."""
    for one in children(overrides, "WebApplicationInfo"):
        identity, resource = child(one, "Id"), child(one, "Resource")
        if identity is not None and not is_guid(text_of(identity)):
            yield error("sso", identity, "The application's id is not a GUID.", "the application (client) id")
        if identity is not None and resource is not None:
            wanted = f"api://{host_of(pane_origin(root))}/{text_of(identity)}"
            if text_of(resource).lower() != wanted.lower():
                what = "Office gives tokens only for an Application ID URI that names the add-in's host."
                yield warning("sso", resource, what, wanted)
