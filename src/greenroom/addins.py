"""Opens the Outlook add-ins that the configuration names: with `assembly`, `calendars` and `rooms`, what knows who does what.

```
 settings ──▶ Addins ──▶ pages (web/addin_pages), manifests (web/addin_manifest), API (web/addin_api), sign-in (web/addin_sign_in)
                            tokens: web/identity    reservations: scheduler/reserving    own rooms: scheduler/personal
```
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from fastapi import APIRouter

from greenroom.addin.texts import AddinTexts
from greenroom.scheduler.integration import Integration
from greenroom.scheduler.personal import OwnRooms
from greenroom.scheduler.reserving import Allowance, Reservations
from greenroom.settings import Integration as IntegrationSettings
from greenroom.settings import Settings
from greenroom.settings.addin import Addin, AddinEntra
from greenroom.storage import Storage
from greenroom.web.addin_api import AddinDesk, addin_api_router
from greenroom.web.addin_config import AddinPages, NestedSignIn, OidcSignIn
from greenroom.web.addin_manifest import addin_manifest_router
from greenroom.web.addin_manifest_store import StoredManifests
from greenroom.web.addin_pages import addin_pages_router
from greenroom.web.addin_problems import RefusalLog
from greenroom.web.addin_sign_in import sign_in_router
from greenroom.web.identity.checks import oidc_provider, token_check
from greenroom.web.identity.contract import TokenCheck
from greenroom.web.identity.redeeming import OidcSignIn as CodeRedeemer

Clock = Callable[[], datetime]


def texts_of(entry: IntegrationSettings) -> AddinTexts:
    """Return what the add-in of an integration says, with the administrator's words in it."""
    return AddinTexts(entry.texts.folder)


class Addins:
    """The add-ins of one process. Connects to nothing before the first token comes; `close` closes what was connected."""

    def __init__(self, settings: Settings, integrations: Sequence[Integration], storage: Storage, clock: Clock) -> None:
        self._settings = settings
        self._storage = storage
        self._clock = clock
        self._texts = {entry.number: texts_of(entry) for entry, _ in _with_addin(settings)}
        self._providers = {
            entry.number: oidc_provider(addin.oidc, clock=clock)
            for entry, addin in _with_addin(settings)
            if addin.oidc is not None
        }
        self._checks = {entry.number: self._check(entry, addin) for entry, addin in _with_addin(settings)}
        self._built = {integration.number: integration for integration in integrations}

    def routers(self) -> list[APIRouter]:
        """Return the routes of all of them; none where there is no add-in."""
        if not self._checks:
            return []
        words = {number: texts.everything() for number, texts in self._texts.items()}
        public_url = self._settings.service.public_url
        redeemers = {number: CodeRedeemer(provider, public_url) for number, provider in self._providers.items()}
        return [
            addin_api_router(dict(self._desks()), self._storage, self._clock, origin=public_url),
            sign_in_router(redeemers, RefusalLog(self._storage, self._clock), self._clock),
            addin_manifest_router(StoredManifests(self._settings, words, self._storage, self._clock)),
            addin_pages_router(
                {entry.number: self._pages(entry, addin) for entry, addin in _with_addin(self._settings)}
            ),
        ]

    async def close(self) -> None:
        """Close connections."""
        for check in self._checks.values():
            await check.close()

    def _check(self, entry: IntegrationSettings, addin: Addin) -> TokenCheck:
        return token_check(
            addin,
            public_url=self._settings.service.public_url,
            integration_number=entry.number,
            clock=self._clock,
            provider=self._providers.get(entry.number),
            proxy=None if addin.entra is None else addin.entra.proxy,
        )

    def _desks(self) -> Iterator[tuple[int, AddinDesk]]:
        for entry, addin in _with_addin(self._settings):
            integration = self._built[entry.number]
            allowance = Allowance(addin.unclaimed, timedelta(days=addin.keep_days), addin.ahead)
            personal = None
            if addin.personal_rooms is not None:
                personal = OwnRooms(integration, self._clock, host_pin=addin.personal_rooms.host_pin)
            yield (
                entry.number,
                AddinDesk(
                    check=self._checks[entry.number],
                    reserving=Reservations(integration, self._storage, self._clock, allowance),
                    personal=personal,
                    mailbox=entry.mailbox,
                    mailbox_name=addin.mailbox_name or entry.mailbox,
                    per_minute=addin.per_minute,
                ),
            )

    def _pages(self, entry: IntegrationSettings, addin: Addin) -> AddinPages:
        return AddinPages(
            name=entry.name,
            base=self._settings.service.public_url,
            mailbox=entry.mailbox,
            mailbox_name=addin.mailbox_name or entry.mailbox,
            prefix=entry.ticket_prefix,
            texts=self._texts[entry.number],
            office_js_url=addin.office_js_url,
            ajax_url=addin.ajax_url,
            frame_ancestors=addin.frame_ancestors,
            place=addin.place,
            ahead=addin.ahead,
            personal_rooms=addin.personal_rooms is not None,
            naa=None if addin.entra is None else _nested(addin.entra),
            sso=addin.entra is not None and addin.entra.legacy_sso,
            exchange=addin.exchange_tokens is not None,
            oidc=self._oidc(entry.number, addin),
            help=addin.support_url,
        )

    def _oidc(self, number: int, addin: Addin) -> OidcSignIn | None:
        if addin.oidc is None:
            return None
        provider = self._providers[number]

        async def authorize_url() -> str | None:
            addresses = await provider.oidc_addresses()
            return None if addresses is None else addresses.authorize_url

        return OidcSignIn(
            authorize_url,
            addin.oidc.client_id,
            addin.oidc.scopes,
            CodeRedeemer(provider, self._settings.service.public_url).redirect_uri,
            addin.oidc.resource,
        )


def _with_addin(settings: Settings) -> Iterator[tuple[IntegrationSettings, Addin]]:
    return ((entry, entry.addin) for entry in settings.integration if entry.addin is not None)


def _nested(entra: AddinEntra) -> NestedSignIn:
    """Return what the page asks Entra for: a token for our own API, never for Microsoft's."""
    uri = entra.application_id_uri or f"api://{entra.api_client_id or entra.client_id}"
    # People of several tenants cannot be told apart before they sign in; the server then takes only the listed ones.
    tenant = entra.tenants[0] if len(entra.tenants) == 1 else "organizations"
    return NestedSignIn(entra.client_id, f"{entra.login_url}/{tenant}", (f"{uri}/{entra.scope}",))
