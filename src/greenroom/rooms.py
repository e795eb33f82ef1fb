"""Opens the platforms that the configuration names: with `assembly` and `calendars`, the only places that know an adapter by name.

What several integrations share is kept here: the limits of each Management Node, and the policy server's memory.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_network

from greenroom.platforms.contract import Platform
from greenroom.platforms.embedded import EmbeddedPlatform
from greenroom.platforms.pexip.management import (
    Basic,
    Credential,
    ManagementApi,
    ManagementSettings,
    NodeLimits,
    OAuth2,
    RequestBudget,
)
from greenroom.platforms.pexip.platform import PexipPlatform
from greenroom.platforms.pexip.policy import ClosedAnswers, Desk, Directory, Follower, PolicySettings
from greenroom.platforms.pexip.style import PexipSettings, Provisioning, RoomStyle
from greenroom.settings import Integration, Settings
from greenroom.settings.pexip import Pexip, PexipManagement, PexipPolicy
from greenroom.storage import RoomFeed, RoomStore, Storage
from greenroom.web.policy_callers import PolicyCaller
from greenroom.web.policy_guard import GuessLimits

Clock = Callable[[], datetime]


def pexip_settings(entry: Integration, pexip: Pexip) -> PexipSettings:
    """Return the same as values of the adapter."""
    return PexipSettings(
        integration=entry.number,
        tag_prefix=pexip.tag_prefix,
        provisioning=Provisioning(pexip.makes_rooms),
        policy=pexip.policy is not None,
        lead=timedelta(minutes=pexip.lead),
        grace=timedelta(minutes=pexip.grace),
        latency=timedelta(seconds=pexip.replication_seconds),
        alias_quarantine=timedelta(days=pexip.alias_quarantine),
        domains=frozenset(pexip.domains),
        style=RoomStyle(**pexip.rooms.model_dump()),
    )


@dataclass(slots=True)
class PolicyServer:
    """What answers policy requests in this process: who may ask, what is answered, and how it is kept current."""

    desk: Desk
    follower: Follower
    callers: tuple[PolicyCaller, ...]
    limits: GuessLimits


class Platforms:
    """All platforms of one process. `policy` is there if an integration is to be asked at call time.

    Connects to nothing by itself. `close` closes what is not closed with a platform.
    """

    def __init__(self, settings: Settings, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock
        self._limits: dict[str, NodeLimits] = {}
        self._share = _shares(settings)
        self._apis: list[ManagementApi] = []
        self.policy = _policy_server(settings, storage, clock)

    def open(self, entry: Integration) -> Platform:
        """Open the platform of an integration."""
        if entry.pexip is None or entry.platform.kind != "pexip":
            return EmbeddedPlatform(RoomStore(self._storage, entry.number, self._clock))
        settings = pexip_settings(entry, entry.pexip)
        store = RoomStore(self._storage, entry.number, self._clock, settings.alias_quarantine, changed=self._changed)
        return PexipPlatform(settings, store, self.open_management(entry), self._clock)

    def open_management(self, entry: Integration) -> ManagementApi | None:
        """Open the management API of an integration's Pexip; None where it has none. It is closed with everything else."""
        management = None if entry.pexip is None else entry.pexip.management
        if management is None:
            return None
        settings = ManagementSettings(
            management.url,
            _credential(management),
            management.ca_file,
            timedelta(seconds=management.timeout_seconds),
            management.proxy,
        )
        if management.url not in self._limits:
            budget = RequestBudget(self._share[management.url])
            self._limits[management.url] = NodeLimits(self._clock, budget)
        api = ManagementApi(settings, self._limits[management.url], lane=entry.name, clock=self._clock)
        self._apis.append(api)
        return api

    async def run(self) -> None:
        """Keep the policy server's memory current until cancelled."""
        if self.policy is not None:
            await self.policy.follower.run()

    async def close(self) -> None:
        """Close all connections to Management Nodes."""
        for api in self._apis:
            with suppress(asyncio.CancelledError):
                await api.close()

    def _changed(self) -> None:
        if self.policy is not None:
            self.policy.follower.poke()


def _policy_server(settings: Settings, storage: Storage, clock: Clock) -> PolicyServer | None:
    asked = [(entry, entry.pexip, entry.pexip.policy) for entry in settings.integration if entry.pexip is not None]
    members = [(entry, pexip, policy) for entry, pexip, policy in asked if policy is not None]
    if not members:
        return None
    directory = Directory(
        [
            PolicySettings(
                pexip_settings(entry, pexip),
                entry.alias.plan,
                ClosedAnswers(policy.early_playlist, policy.over_playlist),
            )
            for entry, pexip, policy in members
        ]
    )
    follower = Follower(RoomFeed(storage), directory, clock)
    policies = [policy for _, _, policy in members]
    return PolicyServer(
        Desk(directory, follower),
        follower,
        tuple(_callers((entry.number, policy) for entry, _, policy in members)),
        # One guard for all, so that nobody guesses at one integration after the other: the strictest counts.
        GuessLimits(
            per_caller=min(policy.guesses_per_caller for policy in policies),
            per_address=min(policy.guesses_per_address for policy in policies),
            pause=timedelta(minutes=max(policy.pause_minutes for policy in policies)),
        ),
    )


def _callers(members: Iterable[tuple[int, PexipPolicy]]) -> Iterable[PolicyCaller]:
    for number, policy in members:
        assert policy.password is not None, "the settings were checked"
        networks = tuple(ip_network(network) for network in policy.networks)
        yield PolicyCaller(policy.username, policy.password, frozenset({number}), networks)


def _credential(management: PexipManagement) -> Credential:
    if management.username is not None and management.password is not None:
        return Basic(management.username, management.password.get_secret_value())
    assert management.client_id is not None, "the settings were checked"
    assert management.private_key is not None, "the settings were checked"
    key = management.private_key.get_secret_value().encode()
    return OAuth2(management.client_id, key, audience=management.token_audience)


def _shares(settings: Settings) -> dict[str, int]:
    """Return how many requests a minute each node gets; of integrations that say differently, what the most careful one says."""
    shares: dict[str, int] = {}
    for entry in settings.integration:
        if entry.pexip is not None and entry.pexip.management is not None:
            management = entry.pexip.management
            shares[management.url] = min(management.requests_per_minute, shares.get(management.url, 1000))
    return shares
