"""Addresses of the management API: its root, its lists, its items, and what a next page may be called. Pure.

Every path ends with a slash. DELETE on a list removes all of it, so only what is surely one item is ever deleted or changed.
"""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

import httpx2

from greenroom.platforms.errors import PlatformMisconfiguredError

CONFIGURATION = "/api/admin/configuration/v1/"
STATUS = "/api/admin/status/v1/"
TOKEN = "/oauth/token/"  # noqa: S105  a path

_ITEM = re.compile(r"/api/admin/configuration/v1/([a-z][a-z0-9_]{0,63})/([1-9][0-9]{0,17})/")
_RESOURCE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_ORDINARY = re.compile(r"[!-\[\]-~]+")
_LONGEST = 16_384
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Root:
    """The root of a node: `url` has no slash at its end."""

    url: str
    host: str
    encrypted: bool


def root(address: str, what: str = "url") -> Root:
    """Read the root of a node; raises PlatformMisconfiguredError for one that would show credentials to the network."""
    url = _parsed(address)
    if url is None or url.userinfo or url.query or url.fragment or url.path.strip("/"):
        raise PlatformMisconfiguredError("bad-url", hint=f"write {what} like https://host")
    _check_secret(url, what)
    port = url.port or _PORTS[url.scheme]
    name = f"[{url.host}]" if ":" in url.host else url.host
    host = name if port == _PORTS[url.scheme] else f"{name}:{port}"
    return Root(f"{url.scheme}://{host}", host, url.scheme == "https")


def endpoint(address: str, what: str) -> Root:
    """Read a whole address, such as that for tokens; raises PlatformMisconfiguredError like `root`."""
    url = _parsed(address)
    if url is None or url.userinfo or url.fragment or not _ORDINARY.fullmatch(address):
        raise PlatformMisconfiguredError("bad-url", hint=f"write {what} like https://host{TOKEN}")
    _check_secret(url, what)
    return Root(address, url.host, url.scheme == "https")


def configuration(resource: str) -> str:
    """Return the path of a list of the configuration; ValueError for what cannot be a resource."""
    if not _RESOURCE.fullmatch(resource):
        raise ValueError("not the name of a resource")
    return f"{CONFIGURATION}{resource}/"


def item(address: object, *resources: str) -> str:
    """Return the address of one item of one of these resources unchanged; ValueError for anything else, above all a list."""
    found = _ITEM.fullmatch(address) if isinstance(address, str) else None
    if found is None or found[1] not in resources:
        raise ValueError("not the address of one item of " + " or ".join(resources))
    return found[0]


def located(address: object, resource: str) -> str | None:
    """Return the path in a Location header that leads to one item of this resource, whatever host it names; None otherwise."""
    if not isinstance(address, str) or len(address) > _LONGEST:
        return None
    try:
        return item(urlsplit(address).path, resource)
    except ValueError:
        return None


def follows(link: object, path: str, here: Root) -> int | None:
    """Return the offset of the next page if `link` leads to the same list of the same node; None for any other link."""
    if not isinstance(link, str) or len(link) > _LONGEST or not _ORDINARY.fullmatch(link):
        return None
    try:
        parts = urlsplit(link)
        query = dict(parse_qsl(parts.query, max_num_fields=100))
    except ValueError:
        return None
    origin = f"{parts.scheme}://{parts.netloc}" if parts.scheme or parts.netloc else here.url
    offset = query.get("offset", "")
    if origin.lower() != here.url.lower() or parts.path != path or not re.fullmatch(r"[0-9]{1,9}", offset):
        return None
    return int(offset)


def _parsed(address: str) -> httpx2.URL | None:
    try:
        url = httpx2.URL(address)
    except (httpx2.InvalidURL, TypeError, ValueError):
        return None
    return url if url.scheme in _PORTS and url.host and (url.port is None or 0 < url.port < 1 << 16) else None


def _check_secret(url: httpx2.URL, what: str) -> None:
    if url.scheme == "http" and url.host.lower() not in ("localhost", "127.0.0.1", "::1"):
        raise PlatformMisconfiguredError(
            "plain-http", hint=f"{what} would show the password to the network: use https://"
        )
