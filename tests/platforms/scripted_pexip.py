"""A Management Node that says what a test told it to, without a network, and remembers what it was asked."""

import json
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import httpx2

from greenroom.platforms.pexip.management import Basic, Credential, ManagementApi, ManagementSettings, NodeLimits
from greenroom.platforms.pexip.management.budget import RequestBudget

URL = "https://pexip.example.com"
CONFERENCES = "/api/admin/configuration/v1/conference/"
ALIASES = "/api/admin/configuration/v1/conference_alias/"
RUNNING = "/api/admin/status/v1/conference/"
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Seen:
    """A request as it came: path and query apart, the query in its order."""

    method: str
    path: str
    query: list[tuple[str, str]]
    raw: str
    headers: httpx2.Headers
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.content.decode()))

    def __getitem__(self, name: str) -> str:
        return dict(self.query)[name]


Answering = Callable[[Seen], httpx2.Response] | httpx2.Response | Exception


class Node(httpx2.AsyncBaseTransport):
    """Answers in the order given; the last answer of all is given again where `forever`."""

    def __init__(self, *answers: Answering, forever: bool = False) -> None:
        self.answers = deque(answers)
        self.forever = forever
        self.seen: list[Seen] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        raw = request.url.raw_path.decode()
        path, _, query = raw.partition("?")
        seen = Seen(
            request.method,
            path,
            parse_qsl(query, keep_blank_values=True),
            f"{request.url.scheme}://{request.url.netloc.decode()}{raw}",
            request.headers,
            await request.aread(),
        )
        self.seen.append(seen)
        answer = self.answers[0] if self.forever and len(self.answers) == 1 else self.answers.popleft()
        if isinstance(answer, Exception):
            raise answer
        told = answer(seen) if callable(answer) else answer
        return httpx2.Response(told.status_code, headers=told.headers, stream=told.stream)  # each is read once


class Time:
    """A clock that goes on only when told to."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def passes(self, **span: float) -> None:
        self.now += timedelta(**span)

    def seconds(self) -> float:
        return self.now.timestamp()


def limits(clock: Time) -> NodeLimits:
    """Limits whose budget heeds the test's clock, for calls that never have to wait."""
    return NodeLimits(clock, RequestBudget(clock=clock.seconds))


def client(
    node: httpx2.AsyncBaseTransport | None,
    credential: Credential | None = None,
    *,
    clock: Time | None = None,
    shared: NodeLimits | None = None,
    page: int = 1000,
    **settings: Any,
) -> ManagementApi:
    """A client of a scripted node; without one it would go to the network."""
    clock = clock or Time()
    wanted = ManagementSettings(**{"url": URL, "credential": credential or Basic("api", "secret"), **settings})
    return ManagementApi(wanted, shared or limits(clock), lane="one", clock=clock, transport=node, page=page)


def answer(status: int = 200, body: Any = None, **headers: str) -> httpx2.Response:
    """An answer with JSON, or with bytes as they are, or with nothing."""
    content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx2.Response(status, headers={k.replace("_", "-"): v for k, v in headers.items()}, content=content)


def created(path: str) -> httpx2.Response:
    return answer(201, location=path)


def conference(number: int = 1, *aliases: str, **fields: Any) -> dict[str, Any]:
    """A conference as the API tells it."""
    uri = f"{CONFERENCES}{number}/"
    told = [alias(number * 10 + place, text, number) for place, text in enumerate(aliases)]
    common = {"id": number, "resource_uri": uri, "name": f"Room {number}", "tag": "", "aliases": told}
    return {**common, "service_type": "conference", "ivr_theme": None, "participant_limit": None, **fields}


def alias(number: int, text: str, of: int = 1) -> dict[str, Any]:
    uri, owner = f"{ALIASES}{number}/", f"{CONFERENCES}{of}/"
    return {"id": number, "resource_uri": uri, "alias": text, "description": "", "conference": owner}


def page(objects: Iterable[Any], *, total: int | None = None, offset: int = 0, limit: int = 1000, **meta: Any) -> Any:
    """One page of a list, the only one where no total is given."""
    told = list(objects)
    common = {"limit": limit, "offset": offset, "total_count": len(told) if total is None else total}
    return {"meta": {**common, "next": None, "previous": None, **meta}, "objects": told}


def listed(*objects: Any, limit: int = 1000) -> httpx2.Response:
    """An answer with a list of one page."""
    return answer(200, page(objects, limit=limit))


class Listing:
    """Answers any page of a list that a test may change meanwhile."""

    def __init__(self, objects: list[Any], most: int = 10_000) -> None:
        self.objects = objects
        self.most = most

    def __call__(self, seen: Seen) -> httpx2.Response:
        asked = dict(seen.query)
        limit, offset = min(int(asked["limit"]), self.most), int(asked["offset"])
        end = offset + limit
        more = f"{seen.path}?limit={limit}&offset={end}" if end < len(self.objects) else None
        found = page(self.objects[offset:end], total=len(self.objects), offset=offset, limit=limit, next=more)
        return answer(200, found)
