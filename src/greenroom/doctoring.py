"""Puts the doctor's checks together for one configuration. Like `assembly` and `recovering` it may name adapters.

```
 configuration, texts ─┐
 disk, clock, database ─┤
 the ways to all web addresses (name, proxy, TLS, clock) ─▶ Exchange ─▶ marks, mailbox
                                                        ├─▶ platform, policy door
                                                        └─▶ service, add-in, identity providers
```
Checks of a mailbox stand where `_exchange` makes those of an integration, with `needs=(SIGN_IN, RIGHTS)`.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from greenroom.addin.manifest import Profile, WordingError, digest_of
from greenroom.addins import texts_of
from greenroom.calendars import SIDES, CalendarError, Calendars, cloud_of
from greenroom.doctor.addin import addin_check
from greenroom.doctor.attended import attended_check
from greenroom.doctor.blocking import in_thread
from greenroom.doctor.calendar import calendar_check
from greenroom.doctor.contract import Check, Explain, Finding
from greenroom.doctor.database import database_checks, sqlite_file
from greenroom.doctor.disk import disk_check, folders
from greenroom.doctor.exchange import (
    credential_check,
    ends_check,
    sign_in_check,
    watcher_check,
)
from greenroom.doctor.findings import About
from greenroom.doctor.identity import entra_keys, identity_checks
from greenroom.doctor.mailbox import kind_check
from greenroom.doctor.obstacles import End
from greenroom.doctor.organizers import organizers_check, scope_check, sides_of
from greenroom.doctor.platform import platform_check
from greenroom.doctor.policy_door import policy_check
from greenroom.doctor.policy_port import port_check
from greenroom.doctor.reach import reach_check
from greenroom.doctor.service import service_check
from greenroom.doctor.way import Place
from greenroom.doctor.zone_data import zones_check
from greenroom.exchange.ews import EwsMailbox
from greenroom.exchange.graph.settings import CLOUDS
from greenroom.integrations import text_problems
from greenroom.rooms import Platforms
from greenroom.settings import Integration, OverEws, OverGraph, Settings
from greenroom.storage import Storage, StorageError
from greenroom.web.addin_manifest_settings import manifest_settings

Clock = Callable[[], datetime]
_KERBEROS_SKEW = timedelta(minutes=5)
_NO_MAIL = "No invitation is seen and none is answered without it."
_NO_ROOMS = "Meetings wait for their rooms until it can be used."
_NO_PEOPLE = "Nobody gets a room from the add-in while tokens cannot be checked."
_ONLY_HERE = (
    ". If browsers elsewhere get there and only this computer does not, as behind some routers: write the inner address of "
    "what stands in front of Greenroom, and this name, into /etc/hosts"
)
_NO_VISITORS = "Join pages, the add-in and call-time questions of Pexip come in there."


@asynccontextmanager
async def open_checks(
    settings: Settings, clock: Clock, explain: Explain, *, only: str | None = None, organizers: Sequence[str] = ()
) -> AsyncIterator[list[Check]]:
    """Open all that the checks need, for every integration or the named one. Connects to nothing before they are done.

    `organizers` are people whose calendars are tried besides those of who booked lately.
    """
    entry = None if only is None else settings.named(only)
    chosen = settings if entry is None else settings.model_copy(update={"integration": (entry,)})
    storage: Storage | None = None
    platforms: Platforms | None = None
    wrong: list[Finding] = []
    try:
        storage = Storage.open(chosen.storage.url.get_secret_value())
        platforms = Platforms(chosen, storage, clock)
    except StorageError as error:
        told = explain.storage(error)
        wrong.append(About("database", "storage.url").wrong(told.what, "Nothing starts without it.", told.mend))
    calendars = Calendars(chosen, clock, storage)
    try:
        doctor = _Doctor(chosen, clock, explain, calendars, storage, platforms)
        doctor.organizers = organizers
        yield [*map(_already, wrong), *doctor.checks()]
    finally:
        await calendars.close()
        if platforms is not None:
            await platforms.close()
        if storage is not None:
            await storage.close()


class _Doctor:
    def __init__(  # noqa: PLR0917 (all that is open, and nothing of it optional)
        self,
        settings: Settings,
        clock: Clock,
        explain: Explain,
        calendars: Calendars,
        storage: Storage | None,
        platforms: Platforms | None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._explain = explain
        self._calendars = calendars
        self._storage = storage
        self._platforms = platforms
        self.organizers: Sequence[str] = ()
        self._file = sqlite_file(settings.storage.url.get_secret_value())
        self._database = f"database@{'PostgreSQL' if self._file is None else self._file}"
        self._ends = {end.place: end for end in reversed(list(_ends(settings)))}  # the first one of a place counts

    def checks(self) -> Iterator[Check]:
        """All of them: what others need comes first."""
        yield from (_texts(entry) for entry in self._settings.integration)
        yield from (disk_check(folder) for folder in folders(self._file))
        yield zones_check(self._clock)
        if self._storage is not None:
            yield from database_checks(self._storage, self._file, self._explain)
        yield from (reach_check(end, self._clock) for end in reversed(self._ends.values()))
        for entry in self._settings.integration:
            yield from self._integration(entry)
        public = self._settings.service.public_url
        yield service_check(self._settings.service, self._needs(public))
        if (port := port_check(self._settings, self._clock)) is not None:
            yield port

    def _integration(self, entry: Integration) -> Iterator[Check]:
        yield from self._exchange(entry)
        if self._storage is None or self._platforms is None:
            return
        yield attended_check(entry, self._storage, self._clock, (self._database,))
        management = None if entry.pexip is None else entry.pexip.management
        needs = () if management is None else self._needs(management.url)
        needs = (*needs, self._database)  # which the platform looks at, too
        yield platform_check(entry, self._platforms.open(entry), self._explain, needs, alone=entry.pexip is None)
        yield from self._web(entry)

    def _exchange(self, entry: Integration) -> Iterator[Check]:
        """The checks of an integration's Exchange, and of the second one of a hybrid organisation."""
        try:
            mailbox, elsewhere = self._calendars.open(entry), self._calendars.open_elsewhere(entry)
        except CalendarError as error:
            where = f"integration[{error.integration}].{error.side}"
            about = About("config-exchange", entry.name)
            yield _already(about.wrong(f"{where}: {error.error}.", _NO_MAIL, error.error.hint or f"Look at {where}."))
            return
        for side, exchange, there in zip(SIDES, (entry.exchange, entry.organizers), (mailbox, elsewhere), strict=True):
            if exchange is None or there is None:
                continue
            version = _version_of(there)
            yield sign_in_check(entry, side, there, self._explain, version=version, needs=self._needs_of(exchange))
            until = self._calendars.expires_at(entry.name, side)
            yield from _there(credential_check(entry, side, until, self._clock))
            if exchange.protocol == "ews":
                yield from _there(ends_check(entry, side, exchange.url, self._clock))
        yield self._remembering(watcher_check(entry, mailbox, self._storage, self._clock))
        yield kind_check(entry)
        yield self._remembering(calendar_check(entry, mailbox, self._storage, self._explain, self._clock))
        sides = sides_of(mailbox, elsewhere)
        organizers = organizers_check(entry, sides, self._storage, self._explain, self._clock, named=self.organizers)
        yield self._remembering(organizers)
        yield scope_check(entry)

    def _web(self, entry: Integration) -> Iterator[Check]:
        service, public = self._settings.service, self._needs(self._settings.service.public_url)
        policy = None if entry.pexip is None else entry.pexip.policy
        if policy is not None and service.policy_listener is None:
            yield policy_check(entry, policy, service.public_url, public)
        if entry.addin is None:
            return
        profile = Profile.EXCHANGE_ONPREM if entry.exchange.protocol == "ews" else Profile.EXCHANGE_ONLINE
        try:
            manifest = manifest_settings(self._settings, entry, profile, texts_of(entry).everything())
            digest_of(manifest)  # which tells a text that is missing
        except WordingError as error:
            about = About("config-addin", entry.name)
            mend = "Correct the add-in's texts: greenroom config check"
            yield _already(about.wrong(f"The add-in's manifest cannot be written: {error}.", "Outlook needs it.", mend))
        else:
            yield addin_check(entry, manifest, public)
        yield from identity_checks(entry, entry.addin, self._needs)

    def _remembering(self, check: Check) -> Check:
        """Let a check that asks the database wait for that of the database: one that hangs must hang nothing else."""
        return replace(check, needs=(*check.needs, self._database))

    def _needs_of(self, exchange: OverEws | OverGraph) -> tuple[str, ...]:
        return tuple(need for end in _ends_of(exchange, "", "") for need in self._ends[end.place].needs)

    def _needs(self, url: str) -> tuple[str, ...]:
        """What comes before anything is asked at an address, be it reached in one way or in several."""
        host = Place.of(url)
        there = (end for end in self._ends.values() if (end.place.host, end.place.port) == (host.host, host.port))
        return tuple(dict.fromkeys(need for end in there for need in end.needs))


def _already(finding: Finding) -> Check:
    """A check that was done when things were opened."""

    async def look() -> list[Finding]:
        return [finding]

    return Check(finding.check, finding.subject, look)


def _there(check: Check | None) -> Iterator[Check]:
    if check is not None:
        yield check


def _texts(entry: Integration) -> Check:
    about = About("config-texts", entry.name)

    async def look() -> list[Finding]:
        wrong = await in_thread(lambda: text_problems(entry))
        why, mend = "The packaged text stands in for it.", "Correct the file; all that is wrong: greenroom config check"
        return [about.wrong(f"{one.file}:{one.line}: {one.problem}", why, mend) for one in wrong[:5]] or [
            about.well("The texts are right.")
        ]

    return Check("config-texts", entry.name, look)


def _version_of(there: object) -> Callable[[], str | None]:
    return (lambda: there.server_version) if isinstance(there, EwsMailbox) else (lambda: None)


def _ends(settings: Settings) -> Iterator[End]:
    """Every web address that we, or others for us, speak to; what stands in a setting of its own comes first."""
    for entry in settings.integration:
        where = f"integration[{entry.name}]"
        yield from _ends_of(entry.exchange, f"{where}.exchange", _NO_MAIL)
        if entry.organizers is not None:
            yield from _ends_of(entry.organizers, f"{where}.organizers", _NO_MAIL)
        management = None if entry.pexip is None else entry.pexip.management
        if management is not None:
            key = f"{where}.pexip.management"
            place = _place(management.url, management.ca_file, management.proxy)
            yield End(
                place, "Pexip's Management Node", f"{key}.url", f"{key}.ca_file", f"{key}.proxy", matters=_NO_ROOMS
            )
        yield from _ends_of_addin(entry, f"{where}.addin")
    public = _place(settings.service.public_url)
    yield End(public, "the public address", "service.public_url", matters=_NO_VISITORS, unless=_ONLY_HERE)


def _ends_of(exchange: OverEws | OverGraph, where: str, matters: str) -> Iterator[End]:
    ca_key, proxy_key = f"{where}.ca_file", f"{where}.proxy"
    if exchange.protocol == "graph":
        cloud, key = cloud_of(exchange), f"{where}.cloud"
        ways = [(cloud.graph, "Microsoft Graph")]
        if exchange.managed_identity is None:  # whose tokens come from this machine itself
            ways.insert(0, (cloud.login, "Microsoft's sign-in"))
        for url, what in ways:
            yield End(_place(url, exchange.ca_file, exchange.proxy), what, key, ca_key, proxy_key, matters=matters)
        return
    place = _place(exchange.url, exchange.ca_file)
    if exchange.auth == "kerberos":
        why = "Kerberos takes tickets only while the clocks agree to five minutes."
        yield End(place, "Exchange", f"{where}.url", ca_key, skew=_KERBEROS_SKEW, skew_why=why, matters=matters)
    else:
        yield End(place, "Exchange", f"{where}.url", ca_key, matters=matters)
    if exchange.auth == "oauth" and exchange.oauth is not None:
        oauth, key = exchange.oauth, f"{where}.oauth"
        url = oauth.login_url or "" if oauth.cloud == "custom" else CLOUDS[oauth.cloud].login
        login = _place(url, exchange.ca_file, oauth.proxy)
        yield End(login, "where tokens come from", f"{key}.login_url", ca_key, f"{key}.proxy", matters=matters)


def _ends_of_addin(entry: Integration, where: str) -> Iterator[End]:
    addin = entry.addin
    if addin is None:
        return
    if addin.entra is not None:
        entra, key = addin.entra, f"{where}.entra"
        place = _place(entra_keys(entra, entra.tenants[0]), entra.ca_file, entra.proxy)
        yield End(place, "Microsoft Entra", f"{key}.login_url", f"{key}.ca_file", f"{key}.proxy", matters=_NO_PEOPLE)
    if addin.exchange_tokens is not None:
        tokens, key = addin.exchange_tokens, f"{where}.exchange_tokens"
        for url in tokens.metadata_urls:
            place = _place(url, tokens.ca_file)
            yield End(place, "Exchange's metadata", f"{key}.metadata_urls", f"{key}.ca_file", matters=_NO_PEOPLE)
    if addin.oidc is not None:
        place, key = _place(addin.oidc.metadata_url, addin.oidc.ca_file), f"{where}.oidc"
        yield End(place, "the identity provider", f"{key}.metadata_url", f"{key}.ca_file", matters=_NO_PEOPLE)


def _place(url: str, ca_file: Path | None = None, proxy: str | None = None) -> Place:
    return Place.of(url, ca_file=ca_file, proxy=proxy)
