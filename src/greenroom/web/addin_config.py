"""What the add-in's pages are told: `config.json`, public and without a secret."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from greenroom.addin.assets import MSAL, Assets
from greenroom.addin.texts import AddinTexts

API: Final = "/addin/api/v1"


@dataclass(frozen=True, slots=True)
class NestedSignIn:
    """Nested app authentication: the page's own application at Microsoft, and what it asks a token for."""

    client_id: str
    authority: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OidcSignIn:
    """An OpenID Connect provider. `authorize_url` returns its authorization endpoint, None while that is not known."""

    authorize_url: Callable[[], Awaitable[str | None]]
    client_id: str
    scopes: tuple[str, ...]
    redirect_uri: str
    resource: str | None = None


@dataclass(frozen=True, slots=True)
class AddinPages:
    """What the pages of one integration know. `base` is the public origin, without a slash at its end."""

    name: str
    base: str
    mailbox: str
    mailbox_name: str
    prefix: str
    texts: AddinTexts = field(repr=False)
    office_js_url: str
    ajax_url: str | None = None
    frame_ancestors: tuple[str, ...] = ()
    place: str = "end"
    ahead: int = 0
    personal_rooms: bool = False
    naa: NestedSignIn | None = None
    sso: bool = False
    exchange: bool = False
    oidc: OidcSignIn | None = None
    help: str | None = None


async def config_of(number: int, addin: AddinPages, assets: Assets, asked: str) -> dict[str, Any]:
    """Return what the pages of an integration are told, with the texts of the language that `asked` (a tag) comes to."""
    language = addin.texts.choose(asked)
    told: dict[str, Any] = {
        "integration": number,
        "name": addin.name,
        "version": assets.version,
        "mailbox": {"address": addin.mailbox, "name": addin.mailbox_name},
        "prefix": addin.prefix,
        "place": addin.place,
        "ahead": addin.ahead,
        "personal_rooms": addin.personal_rooms,
        "api": API,
        "sign_in": _ways(number, addin),
        "msal": assets.address(MSAL) if addin.naa is not None and MSAL in assets else None,
        "help": addin.help,
        "languages": list(addin.texts.languages),
        "language": language,
        "texts": {language: dict(addin.texts.of(language))},
    }
    if addin.oidc is not None:
        told["oidc"] = {
            "authorize_url": await addin.oidc.authorize_url(),
            "client_id": addin.oidc.client_id,
            "scopes": list(addin.oidc.scopes),
            "resource": addin.oidc.resource,
            "redirect_uri": addin.oidc.redirect_uri,
        }
    return told


def _ways(number: int, addin: AddinPages) -> list[dict[str, Any]]:
    """Return the ways to sign in, in the order in which a page tries them."""
    ways: list[dict[str, Any]] = []
    if addin.naa is not None:
        ways.append(
            {
                "kind": "naa",
                "client_id": addin.naa.client_id,
                "authority": addin.naa.authority,
                "scopes": list(addin.naa.scopes),
            }
        )
    if addin.sso:
        ways.append({"kind": "sso"})
    if addin.exchange:
        ways.append({"kind": "exchange"})
    if addin.oidc is not None:
        ways.append({"kind": "oidc", "page": f"/addin/{number}/sign-in.html"})
    return ways
