"""A Graph that knows only subscriptions, without a network: for what a well-behaved one never does, and at a clock's mercy."""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from exchange.scripted import Clock
from greenroom.exchange.errors import ExchangeError
from greenroom.exchange.graph.call import Answer, Call, RefusedError
from greenroom.exchange.graph.intake import GraphIntake
from greenroom.exchange.graph.settings import GraphSettings
from greenroom.exchange.graph.wakeups import Wakeups
from greenroom.exchange.notifications import Taken
from support.notified import TENANT, entry, lifecycle, posted

if TYPE_CHECKING:
    from greenroom.exchange.contract import Hint

MAILBOX = "vmr@example.test"
HOOK = "https://greenroom.example.test/hooks/graph/main"
NEXT = "https://graph.example.test/v1.0/subscriptions?$skiptoken="


class NoTokens:
    """Nothing is signed in to."""

    expires_at = None

    async def token(self, *, fresh: bool = False) -> str:
        return ""

    async def close(self) -> None:
        return


def settings(url: str = HOOK) -> GraphSettings:
    return GraphSettings(
        MAILBOX, TENANT, NoTokens(), notification_url=url, lifecycle_url=url + "/lifecycle" if url else ""
    )


@dataclass
class FakeGraph:
    """Holds subscriptions. `wrong` are errors to raise, by operation, the first for the next call; None is a success."""

    clock: Clock
    grants: timedelta = timedelta(minutes=10_080)
    page: int = 100
    held: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[Call] = field(default_factory=list)
    wrong: defaultdict[str, list[ExchangeError | None]] = field(default_factory=lambda: defaultdict(list))
    before_answer: Callable[[Call], Awaitable[None]] | None = None

    async def call(self, call: Call) -> Answer:
        self.asked.append(call)
        await asyncio.sleep(0)
        if self.wrong[call.operation] and (error := self.wrong[call.operation].pop(0)) is not None:
            raise error
        answer = self._answer(call)
        if self.before_answer is not None:
            await self.before_answer(call)
        return answer

    async def follow(self, link: str, like: Call) -> Answer:
        assert link.startswith(NEXT)
        return self._page(int(link.removeprefix(NEXT)))

    def count(self, operation: str) -> int:
        return sum(call.operation == operation for call in self.asked)

    def add(self, resource: str = f"users/{MAILBOX}/events", url: str = HOOK) -> str:
        ident = str(uuid.uuid4())
        self.held[ident] = {
            "id": ident,
            "resource": resource,
            "changeType": "created,updated,deleted",
            "notificationUrl": url,
            "clientState": None,
            "expirationDateTime": _text(self.clock() + timedelta(days=3)),
        }
        return ident

    @property
    def only(self) -> dict[str, Any]:
        (found,) = self.held.values()
        return found

    def _answer(self, call: Call) -> Answer:
        ident = call.path.partition("/")[2]
        match call.operation:
            case "ListSubscriptions":
                return self._page(0)
            case "CreateSubscription":
                return Answer(201, self._create(dict(call.body or {})))
            case "RenewSubscription":
                if ident not in self.held:
                    raise RefusedError("gone", status=404, code="ResourceNotFound")
                assert call.body is not None
                self.held[ident]["expirationDateTime"] = self._grant(call.body["expirationDateTime"])
                return Answer(200, self.held[ident])
            case "DeleteSubscription":
                if self.held.pop(ident, None) is None:
                    raise RefusedError("gone", status=404, code="ResourceNotFound")
                return Answer(204, None)
        raise AssertionError(call.operation)

    def _create(self, body: dict[str, Any]) -> dict[str, Any]:
        same = [one for one in self.held.values() if one["resource"] == body["resource"]]
        if same:
            raise RefusedError("there is one", status=409, code="ExtensionError")
        ident = str(uuid.uuid4())
        self.held[ident] = body | {"id": ident, "expirationDateTime": self._grant(body["expirationDateTime"])}
        return self.held[ident]

    def _grant(self, wanted: str) -> str:
        longest = self.clock() + self.grants
        if datetime.fromisoformat(wanted) > longest:
            raise RefusedError("too long", status=400, code="InvalidRequest")
        return _text(datetime.fromisoformat(wanted))

    def _page(self, start: int) -> Answer:
        everything = list(self.held.values())
        body: dict[str, Any] = {"value": everything[start : start + self.page]}
        if start + self.page < len(everything):
            body["@odata.nextLink"] = f"{NEXT}{start + self.page}"
        return Answer(200, body)


class Woken:
    """A Greenroom that is woken by a `FakeGraph`: collects its hints."""

    def __init__(self, graph: FakeGraph, clock: Clock, url: str = HOOK, **options: Any) -> None:
        self.graph = graph
        self.clock = clock
        self.intake = GraphIntake(TENANT, clock=clock)
        quick: dict[str, Any] = {"pauses": (0.01, 0.02), "long_pauses": (60.0,), "tick": 0.01}
        self.wakeups = Wakeups(graph, settings(url), self.intake, clock, **quick | options)
        self.hints: list[Hint] = []
        self.closed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._versions = 0

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._listen())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _listen(self) -> None:
        async for hint in self.wakeups.hints():
            self.hints.append(hint)
        self.closed.set()

    async def made(self, times: int = 1) -> dict[str, Any]:
        """Wait until so many subscriptions were made in all, and one is held."""
        await until(lambda: self.graph.count("CreateSubscription") >= times and self.wakeups._held is not None)
        return self.graph.only

    def changed(self, **said: Any) -> Taken:
        """Post a fresh notification of a change, as Graph would."""
        held = self.graph.only
        self._versions += 1
        data = {"id": "AAMk", "@odata.etag": str(self._versions)}
        said = {"subscriptionId": held["id"], "resourceData": data} | said
        return self.intake.take(posted(entry(held["clientState"], **said)))

    def told(self, event: str) -> Taken:
        """Post a lifecycle event."""
        held = self.graph.only
        self._versions += 1
        life = lifecycle(held["clientState"], event, subscriptionId=held["id"], id=str(self._versions))
        return self.intake.take(posted(life))


async def until(condition: Callable[[], bool], *, seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  what is waited for has no event
            await asyncio.sleep(0.005)


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.0000000Z")
