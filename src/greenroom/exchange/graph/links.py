"""Where requests may go: the root of Graph, and links within it that an answer named. A token is worth a mailbox."""

import re

import httpx2

from greenroom.exchange.errors import MisconfiguredError

_LONGEST_LINK = 16_384
_VERSION = "/v1.0"
_DOTS = re.compile(r"/(?:\.|%2e){1,2}(?:[/?#]|$)", re.IGNORECASE)
_ORDINARY = re.compile(r"[!-\[\]-~]+")
_PORTS = {"http": 80, "https": 443}


class Root:
    """The root of Graph in one cloud. Raises MisconfiguredError for one that would show tokens to the network."""

    def __init__(self, graph: str) -> None:
        self.origin = origin(graph, "the address of Microsoft Graph")
        self.url = f"{graph.rstrip('/')}{_VERSION}/"

    @property
    def host(self) -> str:
        """Host (and port, if unusual) for sentences and logs."""
        return shown(self.origin)

    def within(self, link: object) -> str:
        """Return a link of an answer if it leads nowhere but below this root; raises MisconfiguredError otherwise."""
        if isinstance(link, str) and len(link) <= _LONGEST_LINK and _ORDINARY.fullmatch(link):
            try:
                url = httpx2.URL(link)
            except (httpx2.InvalidURL, ValueError):
                url = None
            if (
                url is not None
                and not url.userinfo
                and "@" not in link.split("/v1.0/", 1)[0]
                and _origin_of(url) == self.origin
                and link.lower().startswith(f"{url.scheme}://")
                and url.raw_path.startswith(_VERSION.encode() + b"/")
                and not _DOTS.search(link)
            ):
                return link
        raise MisconfiguredError(
            f"{self.host} named a next page that lies elsewhere; not followed, for the token would go along",
            hint="somebody on the way changes answers: look for a proxy in front of Microsoft Graph, and tell who runs it",
            code="foreign-link",
        )


Origin = tuple[str, str, int]


def origin(address: str, what: str) -> Origin:
    """Return scheme, host and port of a root without a path; https, or http on this computer alone.

    Raises MisconfiguredError naming `what` it is.
    """
    try:
        url = httpx2.URL(address)
    except (httpx2.InvalidURL, TypeError, ValueError):
        url = httpx2.URL("")
    found = _origin_of(url)
    if found is None or url.userinfo or url.query or url.fragment or url.path.strip("/"):
        raise MisconfiguredError(f"{what} is not the root of a web address", hint="write it like https://host")
    if found[0] == "http" and not is_loopback(found[1]):
        raise MisconfiguredError(
            f"{what} is plain http, which would show secrets and tokens to the network", hint="write https://"
        )
    return found


def shown(place: Origin) -> str:
    """Return host, and port where it is not the usual one."""
    scheme, host, port = place
    return host if port == _PORTS[scheme] else f"{host}:{port}"


def origin_of(address: str) -> Origin | None:
    """Return scheme, host and port of any address, None where it has none."""
    try:
        url = httpx2.URL(address)
    except (httpx2.InvalidURL, TypeError, ValueError):
        return None
    return None if url.userinfo else _origin_of(url)


def is_loopback(host: str) -> bool:
    """Whether this names this computer, without asking a name service."""
    return host in ("localhost", "127.0.0.1", "::1")


def _origin_of(url: httpx2.URL) -> Origin | None:
    if url.scheme not in _PORTS or not url.host:
        return None
    return url.scheme, url.host.lower(), _PORTS[url.scheme] if url.port is None else url.port
