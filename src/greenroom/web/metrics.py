"""How every mailbox is doing, for Prometheus: `GET /metrics`, in its text format.

All of it is read from the database when it is asked for, so that it does not matter which process is asked. Names of integrations,
states, kinds and codes are all that stands in it: no subject, no person, no address. Whoever is not of `service.metrics_from` finds
no such page.

Source: Prometheus, "Exposition formats" (text format 0.0.4) and "Metric and label naming".
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_network

import structlog
from fastapi import APIRouter, Request
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.exceptions import HTTPException
from starlette.responses import Response

from greenroom import __version__
from greenroom.meetings.record import State
from greenroom.storage import MailboxState, Storage, StorageError
from greenroom.web.policy_callers import address_of

log = structlog.get_logger(__name__)

_KEPT = 5.0
"""So many seconds an answer is given again: asking often costs no more than asking now and then."""
_LATELY = timedelta(hours=24)
_MOST_ALARMS = 1_000


@dataclass(frozen=True, slots=True)
class Watched:
    """One integration, as it is told apart in metrics: its number and its name; and the mailbox, which is not told."""

    number: int
    name: str
    mailbox: str


@dataclass(frozen=True, slots=True)
class _Measured:
    """What the database says of one integration."""

    name: str
    mailbox: MailboxState
    meetings: Mapping[State, int]
    drifts: Mapping[str, int]


@dataclass(frozen=True, slots=True, eq=False)  # a registry keeps its collectors by identity
class _Snapshot(Collector):
    """Everything at one moment; alarms are counted by integration ("" for the whole process) and code."""

    now: datetime
    measured: Sequence[_Measured]
    alarms: Mapping[tuple[str, str], int]
    kinds: frozenset[str]

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics."""
        yield InfoMetricFamily("greenroom_build", "The version of Greenroom that answers.", {"version": __version__})
        for name, about, value in _GAUGES:
            family = GaugeMetricFamily(name, about, labels=["integration"])
            for one in self.measured:
                if (number := value(one, self.now)) is not None:
                    family.add_metric([one.name], number)
            yield family
        yield self._labelled(
            "greenroom_meetings",
            "Meetings that are remembered, by state.",
            "state",
            ((one.name, state.value, number) for one in self.measured for state, number in one.meetings.items()),
        )
        yield self._labelled(
            "greenroom_drift",
            "Disagreements of calendar, database and platform that the last comparison found, by kind; none before the first one.",
            "kind",
            (
                (one.name, kind, one.drifts.get(kind, 0))
                for one in self.measured
                if one.mailbox.drift_at is not None
                for kind in self.kinds.union(one.drifts)
            ),
        )
        yield self._labelled(
            "greenroom_alarms",
            "Incidents of the last 24 hours, by code; those of no integration have an empty one.",
            "code",
            ((integration, code, number) for (integration, code), number in self.alarms.items()),
        )

    def _labelled(self, name: str, about: str, label: str, samples: Iterator[tuple[str, str, int]]) -> Metric:
        family = GaugeMetricFamily(name, about, labels=["integration", label])
        for integration, value, number in sorted(samples):
            family.add_metric([integration, value], number)
        return family


def _stamp(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()


def _lag(mailbox: MailboxState, now: datetime) -> float | None:
    age = mailbox.lag(now)
    return None if age is None else age.total_seconds()


def _is_attended(mailbox: MailboxState, now: datetime) -> bool:
    return mailbox.claimed_by is not None and mailbox.claimed_until is not None and mailbox.claimed_until > now


_GAUGES: Sequence[tuple[str, str, Callable[[_Measured, datetime], float | None]]] = (
    (
        "greenroom_attended",
        "Whether a process attends the mailbox (1) or none does (0).",
        lambda one, now: float(_is_attended(one.mailbox, now)),
    ),
    (
        "greenroom_last_success_timestamp_seconds",
        "When the last good pass over the mailbox ended, in seconds since 1970; none before the first one.",
        lambda one, _now: _stamp(one.mailbox.last_success_at),
    ),
    (
        "greenroom_lag_seconds",
        "How many seconds old the oldest change can be at most that was not handled yet: the time since the last good pass.",
        lambda one, now: _lag(one.mailbox, now),
    ),
    (
        "greenroom_backlog_meetings",
        "Meetings that are being caught up with, those that are done included; 0 when there is no backlog.",
        lambda one, _now: one.mailbox.backlog_total or 0,
    ),
    (
        "greenroom_backlog_done",
        "How many meetings of the backlog are done.",
        lambda one, _now: one.mailbox.backlog_done or 0,
    ),
    (
        "greenroom_replies_waiting",
        "Replies that wait in line, because Exchange lets a mailbox send only so many messages a minute.",
        lambda one, _now: one.mailbox.waiting_replies or 0,
    ),
    (
        "greenroom_defective_meetings",
        "Meetings whose room cannot be made for now and is tried again.",
        lambda one, _now: one.meetings.get(State.DEFECTIVE, 0),
    ),
    (
        "greenroom_drift_timestamp_seconds",
        "When calendar, database and platform were last compared, in seconds since 1970; none before the first time.",
        lambda one, _now: _stamp(one.mailbox.drift_at),
    ),
    (
        "greenroom_credential_expiry_timestamp_seconds",
        "When the secret or certificate that signs in to Exchange runs out, in seconds since 1970; none where that is not known.",
        lambda one, _now: _stamp(one.mailbox.credential_expires_at),
    ),
)


class Metrics:
    """Writes the metrics of some integrations. `kinds` are those of drift, told also where there is none of it.

    `clock` gives aware UTC times.
    """

    def __init__(
        self,
        storage: Storage,
        watched: Sequence[Watched],
        clock: Callable[[], datetime],
        *,
        kinds: Iterable[str] = (),
        kept: float = _KEPT,
    ) -> None:
        self._storage = storage
        self._watched = tuple(watched)
        self._clock = clock
        self._kinds = frozenset(kinds)
        self._kept = kept
        self._reading = asyncio.Lock()
        self._text = b""
        self._read_at: float | None = None

    async def text(self) -> bytes:
        """Return the text that Prometheus reads, at most a few seconds old. Raises StorageError."""
        async with self._reading:
            time = asyncio.get_running_loop().time()
            if self._read_at is None or time - self._read_at >= self._kept:
                registry = CollectorRegistry(auto_describe=False)
                registry.register(await self._snapshot())
                self._text, self._read_at = generate_latest(registry), time
            return self._text

    async def _snapshot(self) -> _Snapshot:
        now, names = self._clock(), {one.number: one.name for one in self._watched}
        async with self._storage.reading() as work:
            measured = [
                _Measured(
                    one.name,
                    await work.mailboxes.get(one.mailbox),
                    await work.meetings.counts(one.number),
                    await work.drifts.counts(one.number),
                )
                for one in self._watched
            ]
            alarms = await work.alarms.since(now - _LATELY, _MOST_ALARMS)
        told = Counter((names.get(alarm.integration, ""), alarm.code) for alarm in alarms)
        return _Snapshot(now, measured, told, self._kinds)


def metrics_router(metrics: Metrics, networks: Sequence[str]) -> APIRouter:
    """Make the route. `networks` are those whose visitors may read it; for all others there is no such page."""
    router = APIRouter()
    known = [ip_network(network) for network in networks]

    @router.api_route("/metrics", methods=["GET", "HEAD"])
    async def tell(request: Request) -> Response:
        """Tell how every mailbox is doing."""
        address = None if request.client is None else address_of(request.client.host)
        if address is None or not any(address in network for network in known):
            raise HTTPException(404)
        try:
            text = await metrics.text()
        except StorageError as error:
            log.warning("metrics not read", problem=str(error))
            return Response("the database cannot be read\n", 503, media_type="text/plain")
        return Response(text, headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    return router
