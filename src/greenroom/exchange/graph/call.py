"""One request to Graph and what comes of it, as values: the adapter's pure parts make and read these, `transport` sends them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from greenroom.exchange.errors import ExchangeError, ItemBrokenError

_GONE = frozenset({"ErrorItemNotFound", "ItemNotFound", "ResourceNotFound", "itemNotFound"})
_ELSEWHERE = frozenset(
    {
        "MailboxNotEnabledForRESTAPI",
        "MailboxNotSupportedForRESTAPI",
        "ErrorInvalidUser",
        "Request_ResourceNotFound",
        "ErrorNonExistentMailbox",
        "MailboxNotFound",
        "MailboxNotHostedInExchangeOnline",
    }
)
_NOT_FOUND = (404, 410)


def path(*segments: str) -> str:
    """Join segments to the path of a call, each percent-encoded: ids are case-sensitive and may hold `/`, `+` and `=`.

    Raises ItemBrokenError for a segment that would lead to another place than it says (nothing, or dots alone).
    """
    if any(not segment.strip(".") for segment in segments):
        raise ItemBrokenError("an id of Exchange cannot stand in an address", code="odd-id")
    return "/".join(quote(segment, safe="@") for segment in segments)


@dataclass(frozen=True, slots=True)
class Call:
    """One request to Graph.

    `operation` is its name for logs, `path` comes from `path()` and is below /v1.0, `mailbox` is the one whose limits it counts
    for ("" for subscriptions). Every call asks for immutable ids; `prefer` holds what else is preferred. A call that `writes`
    is never repeated by the transport; one that `sends` makes the mailbox send a message, which Exchange Online counts.
    """

    operation: str
    method: str
    path: str
    mailbox: str
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    prefer: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    writes: bool = False
    sends: bool = False

    def target(self) -> str:
        """Return path and query as they stand behind the root."""
        return f"{self.path}?{urlencode(self.query, quote_via=quote, safe='$,')}" if self.query else self.path


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx: `body` is the parsed JSON (None for an empty one), `headers` have lower-case names."""

    status: int
    body: Any = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class RefusedError(ExchangeError):
    """Graph refused the request for what stands in it or for its item (a 4xx); nothing happened.

    `code` is Graph's error code, `http-<status>` where it told none. Some are told apart by `gone` and `elsewhere`; 412 means
    that the item changed since the ETag given, 409 that it exists or is being changed.
    """

    def __init__(self, message: str, *, status: int, code: str = "", mailbox: str | None = None) -> None:
        """Keep the HTTP status beside the code."""
        super().__init__(message, code=code, mailbox=mailbox)
        self.status = status

    @property
    def elsewhere(self) -> bool:
        """Whether the mailbox is not in Exchange Online: on-premises, unknown, or no mailbox at all."""
        return self.status in _NOT_FOUND and self.code in _ELSEWHERE

    @property
    def gone(self) -> bool:
        """Whether the item is no longer there, while its mailbox is."""
        return self.status in _NOT_FOUND and self.code in _GONE
