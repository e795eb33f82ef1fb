"""One request to Graph on its way to the operation that answers it, and the answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from greenroom.simulator.exchange import Exchange


@dataclass(frozen=True, slots=True)
class App:
    """An application registered in the tenant. `scope` are the mailboxes RBAC lets it into (lower case); None: all."""

    client_id: str
    scope: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Preferences:
    """What the `Prefer` headers ask for."""

    immutable_ids: bool = False
    time_zone: str = "UTC"
    body_type: str = "html"
    unsafe_html: bool = False
    page_size: int | None = None  # odata.maxpagesize


@dataclass(slots=True)
class GraphCall:
    """A request that passed sign-in. `mailbox` is the primary address of the user in the path ("" where there is none).

    `path` holds the values of the route's placeholders, `query` the decoded options ("$filter" and so on), `headers` lower-case
    names, `body` the parsed JSON or None, `base` the address of the service ("http://127.0.0.1:8025/v1.0") for links and contexts.
    """

    exchange: Exchange
    app: App
    mailbox: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    base: str
    prefer: Preferences = field(default_factory=Preferences)


@dataclass(slots=True)
class GraphReply:
    """What to answer; `body` is turned into JSON, None is an empty answer."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


class GraphError(Exception):
    """A refusal in Graph's form: `{"error": {"code": ..., "message": ...}}`."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})


@dataclass(frozen=True, slots=True)
class Route:
    """An operation: its method, its address below /v1.0 with placeholders, its name for counters and faults, and its answer.

    `sends` says whether a call may send a message, which Exchange Online counts per minute; it is told the call.
    Placeholders are one segment each: "users/{user}/events/{id}/accept". `{user}` is resolved by the face.
    """

    method: str
    template: str
    operation: str
    answer: Callable[[GraphCall], GraphReply | Awaitable[GraphReply]]
    sends: Callable[[GraphCall], bool] | None = None
