"""What a refusal of the token endpoint means, by Entra's own codes. Pure: status and parsed body in, an error out.

Source: "Microsoft Entra authentication and authorization error codes". Only codes are used: `error_description` may quote what
was sent, and names people's tenants.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from greenroom.exchange.backoff import retry_after
from greenroom.exchange.errors import ExchangeError, MisconfiguredError, SignInError, TryLaterError

_AADSTS = re.compile(r"AADSTS(\d{2,12})\b")
_OAUTH = re.compile(r"[a-z][a-z_]{0,39}")

_NO_APPLICATION = (
    "the application is not known in this directory",
    "check tenant and client_id, which the script that registers the application tells",
)
_NO_TENANT = (
    "there is no such directory (tenant)",
    "check tenant: its id or a domain of it, and that cloud is the one it is in",
)
_NO_RESOURCE = frozenset({500011, 70011, 1002012})
_RESOURCE_HINT = "set resource to an address that Exchange has in the directory, usually https:// and the host of url"
_NO_GRAPH = "this directory does not know this Microsoft Graph", "check that cloud is the one the directory is in"
_MISCONFIGURED: Final[Mapping[int, tuple[str, str]]] = {
    700016: _NO_APPLICATION,
    7000229: _NO_APPLICATION,
    650052: _NO_APPLICATION,
    90002: _NO_TENANT,
    900021: _NO_TENANT,
    900023: _NO_TENANT,
    90013: ("the sign-in is not as Entra wants it", "check client_id and tenant"),
    90019: _NO_TENANT,
    500011: _NO_GRAPH,
    70011: _NO_GRAPH,
    1002012: _NO_GRAPH,
    7000112: ("the application is disabled", "enable the enterprise application in Entra"),
}
_SIGN_IN: Final[Mapping[int, str]] = {
    7000215: "the client secret is wrong: set the secret's value (not its id), as it was shown when it was made",
    7000222: "the client secret has run out: make a new one in Entra and set it here",
    700027: "the certificate is not known to the application, or not the one of this key: upload it to the application in Entra",
    7000214: "the certificate is not known to the application: upload it to the application in Entra",
    700030: "the certificate is not valid for this application: upload a new one to the application in Entra",
    7000277: "the certificate is not valid for this application: upload a new one to the application in Entra",
    700024: "the assertion is out of its time: check the clock of this computer, and that the token file is renewed",
    70021: "the application trusts no such federated token: compare its issuer, subject and audience with the federated credential",
    700211: "the application does not trust the issuer of the federated token: compare it with the federated credential",
    700212: "the application does not trust the audience of the federated token: compare it with the federated credential",
    700213: "the application does not trust the subject of the federated token: compare it with the federated credential",
    53003: "Conditional Access blocks the application: except it in the policy for workload identities, or this computer",
    530035: "security defaults or Conditional Access block the application: look at its sign-in log in Entra",
    50105: "the application is not assigned: look at the enterprise application in Entra",
    50196: "Entra found the application asking in a loop: look for a second service with this application",
}
LATER: Final = frozenset({90020, 90024, 90033, 90034, 90043, 50177, 90006, 90014, 90085})
"""Faults that pass, whatever word of OAuth stands with them."""
_BUSY = (408, 429)
_SERVER = 500


def refusal(
    status: int, headers: Mapping[str, str], told: Any, host: str, now: datetime, *, resource: str = ""
) -> ExchangeError:
    """Say what an answer other than 200 means; `told` is its parsed body (None where it is no JSON), headers are lower-case.

    `resource` is what a token was wanted for, if that is not Graph.
    """
    number, oauth = codes_of(told)
    code = f"AADSTS{number}" if number else oauth or f"http-{status}"
    if (
        status in _BUSY
        or status >= _SERVER
        or number in LATER
        or oauth in ("temporarily_unavailable", "server_error", "slow_down")
    ):
        wait = retry_after(headers.get("retry-after"), now)
        return TryLaterError(f"{host} gives no tokens just now (HTTP {status}, {code})", after=wait, code=code)
    if resource and number in _NO_RESOURCE:
        return MisconfiguredError(f"the directory does not know {resource} ({code})", hint=_RESOURCE_HINT, code=code)
    if number in _MISCONFIGURED or (not number and not oauth):
        what, hint = _MISCONFIGURED.get(number, (f"{host} is not a place that gives tokens", "check cloud and proxy"))
        return MisconfiguredError(f"{what} ({code})", hint=hint, code=code)
    if number in _SIGN_IN:
        return SignInError(f"{_SIGN_IN[number]} ({code})", code=code)
    if oauth in (
        "invalid_request",
        "invalid_scope",
        "invalid_resource",
        "unauthorized_client",
        "unsupported_grant_type",
    ):
        hint = f"look at the application's sign-in log in Entra, and for {code} in its list of error codes"
        return MisconfiguredError(f"{host} does not take this application's sign-in ({code})", hint=hint, code=code)
    sentence = f"{host} refused the application's sign-in ({code}): look at its sign-in log in Entra"
    return SignInError(sentence, code=code)


def codes_of(told: Any) -> tuple[int, str]:
    """Return Entra's number and OAuth's word (RFC 6749 5.2), 0 and empty where there are none."""
    if not isinstance(told, dict):
        return 0, ""
    numbers = told.get("error_codes")
    first = numbers[0] if isinstance(numbers, list) and numbers else None
    number = first if isinstance(first, int) and not isinstance(first, bool) and 0 < first < 10**12 else 0
    description = told.get("error_description")
    if not number and isinstance(description, str) and (match := _AADSTS.search(description[:200])):
        number = int(match[1])
    word = told.get("error")
    return number, word if isinstance(word, str) and _OAUTH.fullmatch(word) else ""
