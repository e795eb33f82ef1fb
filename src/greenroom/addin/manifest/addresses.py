"""The addresses of a manifest: https, one origin, and the pane's without a query."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from greenroom.addin.manifest.elements import Element
from greenroom.addin.manifest.findings import (
    Finding,
    child,
    child_or_self,
    children,
    error,
    name_of,
    text_of,
    warning,
    within,
)

_ADDRESSES = ("IconUrl", "HighResolutionIconUrl", "SupportUrl", "SourceLocation", "Url", "Image")
_LONGEST = 2048
_LONGEST_DOMAIN = 250
_THIS_COMPUTER = frozenset({"localhost", "127.0.0.1", "::1"})


def check_addresses(root: Element) -> Iterator[Finding]:
    """Check every address there is."""
    for one, attribute in _addresses(root):
        yield from _check_address(one, one.get(attribute) or "")
    yield from _check_pane(root)
    yield from _check_domains(root)
    origin = pane_origin(root)
    if origin:
        yield from _check_origins(root, origin)


def pane_address(root: Element) -> str:
    """The address that Exchange's identity tokens are made out to: that of the first form."""
    found = child(root, "FormSettings", "Form", "DesktopSettings", "SourceLocation")
    return "" if found is None else found.get("DefaultValue") or ""


def pane_origin(root: Element) -> str:
    """Whose add-in this is: scheme, host and port of the pane; empty if that is no address."""
    return origin_of(pane_address(root))


def origin_of(address: str) -> str:
    """Scheme, host and port of an address, as browsers compare them; empty if it is none."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        return ""
    if not host or parts.scheme not in {"http", "https"} or "@" in parts.netloc:
        return ""
    host = f"[{host}]" if ":" in host else host
    usual = port is None or port == {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" if usual else f"{parts.scheme}://{host}:{port}"


def host_of(origin: str) -> str:
    """The host of an origin, without its port."""
    return urlsplit(origin).hostname or ""


def _addresses(root: Element) -> Iterator[tuple[Element, str]]:
    for one in within(root, *_ADDRESSES, "VersionOverrides"):
        if name_of(one) == "VersionOverrides":
            yield from _addresses(one)
        elif one.get("resid") is None:
            yield one, "DefaultValue"
            yield from ((other, "Value") for other in children(one, "Override"))


def _check_address(at: Element, address: str) -> Iterator[Finding]:
    origin = origin_of(address)
    if not origin or any(character.isspace() for character in address):
        yield error("address", at, "This is not a web address.", "an https address")
    elif origin.startswith("http:") and host_of(origin) in _THIS_COMPUTER:
        what = "This is http to this computer, which only a demonstration can open."
        yield warning("https", at, what, "https")
    elif origin.startswith("http:"):
        yield error("https", at, "This is http, which Outlook does not load.", "https")
    if len(address) > _LONGEST:
        yield error("address", at, f"The address has {len(address)} characters.", f"at most {_LONGEST}")


def _check_pane(root: Element) -> Iterator[Finding]:
    for form in within(child_or_self(root, "FormSettings"), "SourceLocation"):
        address = form.get("DefaultValue") or ""
        if "?" in address or "#" in address:
            what = "The pane's address has a query or a fragment: Exchange makes its tokens out to the whole of it."
            yield error("source-query", form, what, address.partition("?")[0].partition("#")[0])


def _check_domains(root: Element) -> Iterator[Finding]:
    seen: set[str] = set()
    for one in children(child_or_self(root, "AppDomains"), "AppDomain"):
        domain = text_of(one)
        if origin_of(domain) != domain.lower() or len(domain) > _LONGEST_DOMAIN:
            right = "an address such as https://login.example.org, without a path or a slash at its end"
            yield error("app-domain", one, "This is not an origin.", right)
        elif domain.startswith("http:") and host_of(domain) not in _THIS_COMPUTER:
            yield error("https", one, "This is http, which Outlook does not open.", "https")
        elif domain == pane_origin(root):
            yield warning("app-domain", one, "This is the add-in's own host.", "hosts besides its own only")
        elif domain in seen:
            yield warning("app-domain", one, "This host comes a second time.", "each host once")
        seen.add(domain)


def _check_origins(root: Element, origin: str) -> Iterator[Finding]:
    """Pages and scripts come from the pane's own origin: another one's are not trusted and get no tokens."""
    for one, attribute in _addresses(root):
        other = origin_of(one.get(attribute) or "")
        if name_of(one) in {"Url", "SourceLocation"} and other and other != origin:
            yield error("origin", one, "This page is not on the pane's host.", origin)
