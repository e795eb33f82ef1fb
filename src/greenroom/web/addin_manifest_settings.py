"""From the configuration to what a manifest is written from."""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from greenroom.addin.manifest import ManifestSettings, Profile, SendMode, SingleSignOn, addin_id
from greenroom.settings import Integration, Settings
from greenroom.settings.addin import Addin

_MODES = {"off": None, "ask": SendMode.ASK, "hold": SendMode.HOLD}


class NoAddinError(ValueError):
    """The integration has no [integration.addin]."""


def manifest_settings(
    settings: Settings, integration: Integration, profile: Profile, words: Mapping[str, Mapping[str, str]]
) -> ManifestSettings:
    """Return what the manifest of an integration says; `words` are the add-in's texts by language and key.

    Raises NoAddinError.
    """
    addin = integration.addin
    if addin is None:
        raise NoAddinError(integration.name)
    public_url = settings.service.public_url
    return ManifestSettings(
        profile=profile,
        id=addin.id or addin_id(public_url, integration.mailbox),
        public_url=public_url,
        integration=integration.number,
        provider=addin.provider,
        support_url=addin.support_url or f"{public_url}/",
        words=words,
        permission=addin.permission,
        send_mode=_MODES[addin.send_check],
        mobile=addin.mobile,
        app_domains=tuple(dict.fromkeys(_domains(addin))),
        single_sign_on=_single_sign_on(addin),
    )


def _domains(addin: Addin) -> Iterator[str]:
    """Where people are sent to sign in, and what the administrator adds."""
    if addin.entra is not None:
        yield _origin(addin.entra.login_url)
    if addin.oidc is not None:
        yield _origin(addin.oidc.metadata_url)
    yield from (f"https://{host}" for host in addin.app_domains)


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}".lower()


def _single_sign_on(addin: Addin) -> SingleSignOn | None:
    if addin.entra is None or not addin.entra.legacy_sso:
        return None
    application = addin.entra.api_client_id or addin.entra.client_id
    return SingleSignOn(application, addin.entra.application_id_uri or f"api://{application}")
