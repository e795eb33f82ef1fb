"""Identity providers of the add-in: whether their documents load from here and have keys."""

from collections.abc import Awaitable, Callable

from greenroom.doctor.contract import Check, Finding
from greenroom.doctor.findings import About
from greenroom.settings import Integration
from greenroom.settings.addin import Addin, AddinEntra
from greenroom.web.identity.contract import IdentityUnavailableError
from greenroom.web.identity.fetching import Fetcher, same_host
from greenroom.web.identity.keys import Keys, keys_of_exchange, keys_of_jwks, some

NAME = "identity"
_WHY = "Nobody gets a room from the add-in while tokens cannot be checked."
_SENTENCES = {
    "unreachable": ("cannot be reached", "Have the firewall let this computer pass."),
    "timeout": ("does not answer in time", "Have the firewall let this computer pass."),
    "tls": ("shows a certificate that is not trusted here", "Name its authority's certificate in ca_file."),
    "ca-file": ("cannot be asked: ca_file cannot be used", "Correct ca_file: a readable PEM file with certificates."),
    "redirected": ("redirects to another place, which is not followed", "Write the address it leads to."),
    "unreadable": ("is no such document", "Correct the address."),
    "no-keys": ("has no keys that can be used", "Correct the address or the tenant; see what the provider signs with."),
    "foreign-keys": (
        "names keys on another host, or none",
        "Correct metadata_url: keys must be on the provider's own host.",
    ),
}


def identity_checks(entry: Integration, addin: Addin, needs: Callable[[str], tuple[str, ...]]) -> list[Check]:
    """Make a check for each document. `needs` tells for an address which checks come before."""
    where = f"integration[{entry.name}].addin"
    found = []
    for tenant in addin.entra.tenants if addin.entra is not None else ():
        assert addin.entra is not None, "it has tenants"
        found.append(_entra(addin.entra, tenant, f"{where}.entra", needs))
    if addin.exchange_tokens is not None:
        ca_file = addin.exchange_tokens.ca_file
        for url in addin.exchange_tokens.metadata_urls:

            async def exchange(url: str = url) -> Keys:
                fetcher = Fetcher(ca_file)
                try:
                    return some(keys_of_exchange(await fetcher.get(url)))
                finally:
                    await fetcher.close()

            found.append(_check(url, exchange, f"{where}.exchange_tokens", needs(url)))
    if addin.oidc is not None:
        oidc = addin.oidc

        async def provider() -> Keys:
            fetcher = Fetcher(oidc.ca_file)
            try:
                keys = same_host((await fetcher.get(oidc.metadata_url)).get("jwks_uri"), oidc.metadata_url)
                if keys is None:
                    raise IdentityUnavailableError("foreign-keys")
                return some(keys_of_jwks(await fetcher.get(keys)))
            finally:
                await fetcher.close()

        found.append(_check(oidc.metadata_url, provider, f"{where}.oidc", needs(oidc.metadata_url)))
    return found


def entra_keys(entra: AddinEntra, tenant: str) -> str:
    """Return where the keys of a tenant are."""
    return f"{entra.login_url}/{tenant}/discovery/v2.0/keys"


def _entra(entra: AddinEntra, tenant: str, where: str, needs: Callable[[str], tuple[str, ...]]) -> Check:
    url = entra_keys(entra, tenant)

    async def keys() -> Keys:
        fetcher = Fetcher(entra.ca_file, proxy=entra.proxy)
        try:
            return some(keys_of_jwks(await fetcher.get(url), tenant=tenant))
        finally:
            await fetcher.close()

    return _check(url, keys, where, needs(url))


def _check(url: str, load: Callable[[], Awaitable[Keys]], where: str, needs: tuple[str, ...]) -> Check:
    about = About(NAME, url)

    async def look() -> list[Finding]:
        try:
            keys = await load()
        except IdentityUnavailableError as error:
            code = str(error)
            said, mend = _SENTENCES.get(code, (f"cannot be used ({code})", "Correct the address, or try again."))
            return [about.wrong(f"{url} {said}.", _WHY, f"{mend} It stands in {where}.")]
        return [about.well(f"It loads and has keys ({len(keys)}).")]

    return Check(NAME, url, look, needs=needs)
