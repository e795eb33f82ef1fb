"""Opens what signs in to EWS by OAuth: applications, and service accounts, whose sign-in is kept in the database.

Like `calendars` it may name adapters. What is kept is sealed with the integration's ticket keys (`greenroom.storage.ring_seal`).
"""

import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time
from typing import Literal
from urllib.parse import urlsplit

import structlog

from greenroom.exchange.errors import MisconfiguredError, TryLaterError
from greenroom.exchange.graph.settings import CLOUDS, Cloud, TokenSource
from greenroom.exchange.graph.sign_in import Certificate, Secret, open_tokens
from greenroom.exchange.tokens import Grant, KeptSignIn, Registration, ServiceAccountTokens, UserSignIn
from greenroom.settings import EwsExchange, Integration, OverEws, OverGraph
from greenroom.settings.exchange import EwsOrganizers
from greenroom.settings.signing_in import OAuth
from greenroom.storage import Alarm, Storage, StorageError
from greenroom.storage.errors import StorageVersionError
from greenroom.storage.ring_seal import RingSealError, key_of, seal, unseal
from greenroom.storage.sign_ins import StoredSignIn

log = structlog.get_logger(__name__)

Side = Literal["exchange", "organizers"]
LOST = "sign-in-lost"
"""Code of the alarm about a service account that must sign in again."""


def oauth_of(entry: Integration, side: Side) -> tuple[OverEws, OAuth] | None:
    """Return the Exchange of a side and how it is signed in to, if that is by OAuth over EWS."""
    there = entry.exchange if side == "exchange" else entry.organizers
    if not isinstance(there, EwsExchange | EwsOrganizers) or there.auth != "oauth" or there.oauth is None:
        return None
    return there, there.oauth


def is_service_account(entry: Integration, side: Side) -> bool:
    """Whether somebody has to sign in by hand for a side."""
    found = oauth_of(entry, side)
    return found is not None and found[1].account == "service-account"


def open_application(there: OverEws, oauth: OAuth, clock: Callable[[], datetime]) -> TokenSource:
    """Return the tokens of an application; raises MisconfiguredError."""
    proof = proof_in(oauth)
    if proof is None:
        raise MisconfiguredError("nothing here signs in", hint="set certificate_file or client_secret")
    return open_tokens(
        proof,
        tenant=oauth.tenant,
        client_id=oauth.client_id,
        cloud=Cloud(_login(oauth), ""),
        ca_file=there.ca_file,
        proxy=oauth.proxy,
        resource=_resource(there, oauth),
        clock=clock,
    )


def open_user(there: OverEws, oauth: OAuth, clock: Callable[[], datetime]) -> UserSignIn:
    """Return the way in which a service account signs in; raises MisconfiguredError."""
    return UserSignIn(registration_of(there, oauth), clock)


def registration_of(there: OverEws, oauth: OAuth) -> Registration:
    """Return the application through which a service account signs in."""
    return Registration(
        login=_login(oauth),
        tenant=oauth.tenant,
        client_id=oauth.client_id,
        resource=_resource(there, oauth),
        proof=proof_in(oauth),
        ca_file=there.ca_file,
        proxy=oauth.proxy,
    )


def open_service_account(
    entry: Integration, side: Side, storage: Storage | None, clock: Callable[[], datetime]
) -> ServiceAccountTokens:
    """Return the tokens of a side's service account (see `is_service_account`); raises MisconfiguredError."""
    found = oauth_of(entry, side)
    if found is None:
        raise ValueError("this side signs in otherwise")
    return ServiceAccountTokens(open_user(*found, clock), StoredKeeper(entry, side, storage, clock), clock)


class StoredKeeper:
    """A service account's sign-in in the database. `storage` is None where there is no database: nobody signed in then."""

    def __init__(self, entry: Integration, side: Side, storage: Storage | None, clock: Callable[[], datetime]) -> None:
        self._entry = entry
        self._side = side
        self._storage = storage
        self._clock = clock
        self._seal = Seal(entry, side)

    async def read(self) -> KeptSignIn:
        """Return what is kept, sealed anew if another key is the current one by now."""
        stored = await self._stored()
        kept = self._opened(stored)
        if key_of(stored.sealed) != self._entry.ticket_keys[0].id:
            sealed = self._seal.close(kept.refresh_token, stored.account)
            async with self._reaching() as storage, storage.work() as work:
                done = (
                    await work.sign_ins.renew(stored, sealed, stored.renewed_at) if stored.refused_at is None else False
                )
            if done:
                log.info("sign-in.sealed-anew", integration=self._entry.name, side=self._side)
                return await self.read()
        return kept

    async def renewed(self, before: KeptSignIn, refresh_token: str) -> None:
        """Keep another refresh token in the place of the one before."""
        stored = await self._stored()
        if _mark(stored) != before.mark:
            return
        if refresh_token == before.refresh_token and before.refused_at is None:
            return
        sealed = self._seal.close(refresh_token, stored.account)
        async with self._reaching() as storage, storage.work() as work:
            await work.sign_ins.renew(stored, sealed, self._clock())

    async def refused(self, before: KeptSignIn, code: str) -> None:
        """Note a refusal, and tell it as an alarm."""
        stored, now = await self._stored(), self._clock()
        if _mark(stored) != before.mark:
            return
        subject = f"{before.account} ({code})" if code else before.account
        async with self._reaching() as storage, storage.work() as work:
            if await work.sign_ins.refuse(stored, now):
                await work.alarms.note([Alarm(self._entry.number, LOST, subject, 1, now, now)])

    async def _stored(self) -> StoredSignIn:
        async with self._reaching() as storage, storage.reading() as work:
            stored = await work.sign_ins.get(self._entry.number, self._side)
        if stored is None:
            raise self._nobody()
        return stored

    def _opened(self, stored: StoredSignIn) -> KeptSignIn:
        try:
            refresh_token = self._seal.open(stored)
        except RingSealError as error:
            sealed_by = "another key" if error.key_id is None else f"key {error.key_id}, which is another or not here"
            raise MisconfiguredError(
                f"what renews the tokens of the service account cannot be opened: it is sealed with {sealed_by}",
                hint=f"restart the service if ticket keys were changed while it ran; else {_lower(self._step())}",
                code="sign-in-sealed",
            ) from None
        except OtherApplicationError:
            raise MisconfiguredError(
                "the service account signed in for another application, tenant or resource than the configuration names now",
                hint=self._step(),
                code="other-application",
            ) from None
        return KeptSignIn(
            stored.account, _mark(stored), stored.signed_in_at.isoformat(), refresh_token, stored.refused_at
        )

    def _nobody(self) -> MisconfiguredError:
        return MisconfiguredError(
            "nobody has signed in for the service account yet", hint=self._step(), code="not-signed-in"
        )

    def _step(self) -> str:
        return f"Run `greenroom signin --integration {self._entry.name} --side {self._side}`."

    @asynccontextmanager
    async def _reaching(self) -> AsyncIterator[Storage]:
        """Give the database; one that is not there, or has none of our tables, knows nobody who signed in."""
        if self._storage is None or not self._storage.exists:
            raise self._nobody()
        try:
            yield self._storage
        except StorageVersionError:
            raise self._nobody() from None
        except StorageError as error:
            raise TryLaterError(
                f"the sign-in of the service account cannot be read: {error}", code="database"
            ) from None


class OtherApplicationError(Exception):
    """What is sealed belongs to another application, tenant or resource than the configuration names."""


class Seal:
    """Seals what renews a service account's tokens: the ticket keys open it, for this side and account alone."""

    def __init__(self, entry: Integration, side: Side) -> None:
        found = oauth_of(entry, side)
        if found is None:
            raise ValueError("this side signs in otherwise")
        there, oauth = found
        self._where = [_login(oauth), oauth.tenant, oauth.client_id, _resource(there, oauth)]
        self._purpose = f"greenroom sign-in 1, integration {entry.number}, {side}, of "
        self._current = entry.ticket_keys[0]
        self._ring = {key.id: key.key for key in entry.ticket_keys}

    def close(self, refresh_token: str, account: str) -> str:
        """Seal a refresh token."""
        text = json.dumps({"at": self._where, "refresh_token": refresh_token}).encode()
        return seal(text, self._current.id, self._current.key, self._purpose + account)

    def open(self, stored: StoredSignIn) -> str:
        """Return the refresh token. Raises RingSealError, OtherApplicationError."""
        text = unseal(stored.sealed, self._ring, self._purpose + stored.account)
        told = json.loads(text)
        if told["at"] != self._where:
            raise OtherApplicationError
        return str(told["refresh_token"])


async def keep_grant(storage: Storage, entry: Integration, side: Side, grant: Grant, now: datetime) -> None:
    """Keep what somebody's sign-in gave, in the place of an earlier one. Raises StorageError."""
    sealed = Seal(entry, side).close(grant.refresh_token, grant.account)
    async with storage.work() as work:
        await work.sign_ins.put(StoredSignIn(entry.number, side, grant.account, sealed, now, now))


def _mark(stored: StoredSignIn) -> str:
    return hashlib.sha256(stored.sealed.encode()).hexdigest()


def _login(oauth: OAuth) -> str:
    return oauth.login_url or "" if oauth.cloud == "custom" else CLOUDS[oauth.cloud].login


def _resource(there: OverEws, oauth: OAuth) -> str:
    return (oauth.resource or f"https://{urlsplit(there.url).netloc}").rstrip("/")


def proof_in(given: OAuth | OverGraph) -> Certificate | Secret | None:
    """Return the certificate or secret that settings name; None where they name neither."""
    if given.certificate_file is not None:
        password = given.certificate_password
        passphrase = "" if password is None else password.get_secret_value()
        return Certificate(given.certificate_file, given.certificate_key_file, passphrase)
    if given.client_secret is None:
        return None
    day = given.client_secret_expires
    return Secret(given.client_secret.get_secret_value(), None if day is None else datetime.combine(day, time(), UTC))


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def problem_of(sealed: Seal, stored: StoredSignIn | None) -> str:
    """Say in a word what is wrong with what is kept, as far as that can be seen without asking anybody; empty for nothing."""
    if stored is None:
        return "not-signed-in"
    try:
        sealed.open(stored)
    except RingSealError:
        return "sign-in-sealed"
    except OtherApplicationError:
        return "other-application"
    return "sign-in-lost" if stored.refused_at is not None else ""
