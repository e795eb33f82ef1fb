"""What the login host's refusals mean where a user signs in, or what a user left is renewed. Pure: codes in, an error out.

Sources: "Microsoft Entra authentication and authorization error codes"; RFC 6749 5.2; RFC 8628 3.5. Only codes are used.
"""

from collections.abc import Mapping
from typing import Final

from greenroom.exchange.errors import ExchangeError, MisconfiguredError, SignInError
from greenroom.exchange.graph.entra_errors import LATER
from greenroom.exchange.tokens.contract import SignInLostError

_CHANGED = "its password was changed or has expired, or its sessions were revoked"
_EXPIRED = "it has expired"
_UNUSED = "it was not used for too long and has expired"
_FACTOR = (
    "the directory asks for a further factor now; where that must not be, except the account in Conditional Access"
)
_POLICY = "Conditional Access blocks the account, or the computer that Greenroom is on"
_LOST: Final[Mapping[int, str]] = {
    50173: _CHANGED,
    50132: _CHANGED,
    50133: _CHANGED,
    50055: _CHANGED,
    50144: _CHANGED,
    50089: _EXPIRED,
    70008: _EXPIRED,
    70043: _EXPIRED,
    700084: _EXPIRED,
    700081: _EXPIRED,
    700082: _UNUSED,
    70000: "the directory does not know it any more",
    50076: _FACTOR,
    50078: _FACTOR,
    50079: _FACTOR,
    50072: _FACTOR,
    50074: _FACTOR,
    50158: _FACTOR,
    53000: _POLICY,
    53001: _POLICY,
    53002: _POLICY,
    53003: _POLICY,
    50057: "the account is disabled",
    50053: "the account is locked, or its sign-ins look like an attack",
    50034: "the account is not in this directory any more",
    500341: "the account was deleted",
    50020: "the account is not of this directory",
    50105: "the account is not assigned to the application",
}
_MISCONFIGURED: Final[Mapping[int, tuple[str, str]]] = {
    65001: (
        "nobody has consented to what the application asks for",
        "grant admin consent for EWS.AccessAsUser.All at the application's API permissions in Entra",
    ),
    7000218: (
        "the application is registered as a confidential client, which has to show a secret or certificate",
        "set client_secret or certificate_file, or allow public client flows at the application's Authentication page in Entra",
    ),
    50011: (
        "the application is not registered for a browser that comes back to this computer",
        "add http://localhost as a redirect URI of mobile and desktop applications, or sign in by --device-code",
    ),
}
_DECLINED = "the sign-in was declined, so nobody is signed in"
_DEVICE: Final[Mapping[str, str]] = {
    "authorization_declined": _DECLINED,
    "access_denied": _DECLINED,
    "expired_token": "the code ran out before anybody entered it: begin again",
    "code_expired": "the code ran out before anybody entered it: begin again",
    "bad_verification_code": "the directory does not know this code any more: begin again",
}
_BY_NUMBER: Final[Mapping[int, str]] = {
    65004: _DECLINED,
    70020: _DEVICE["expired_token"],
    54005: "the code was used already, and what it gave was lost on the way: begin again",
}


def of_user(number: int, word: str) -> ExchangeError | None:
    """Say what a refusal means by Entra's number (0: none) and OAuth's word; None where it is none that users alone get."""
    code = f"AADSTS{number}" if number else word
    if number in LATER:
        return None
    if number in _MISCONFIGURED:
        what, hint = _MISCONFIGURED[number]
        return MisconfiguredError(f"{what} ({code})", hint=hint, code=code)
    if said := _BY_NUMBER.get(number) or _DEVICE.get(word):
        return SignInError(f"{said} ({code})", code=code)
    if number in _LOST or word in ("invalid_grant", "interaction_required", "consent_required", "login_required"):
        why = _LOST.get(number, "the directory does not take it any more")
        return SignInLostError(f"the sign-in of the service account does not hold: {why} ({code})", code=code)
    return None


def of_browser(word: str) -> ExchangeError:
    """Say what the error means with which a browser came back (RFC 6749 4.1.2.1)."""
    if word == "access_denied":
        return SignInError(f"{_DECLINED} ({word})", code=word)
    sentence = f"the browser came back without a sign-in ({word}): look at the application's sign-in log in Entra"
    return SignInError(sentence, code=word)
