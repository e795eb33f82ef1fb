"""Tokens of people: a service account signs in once, by hand, and what it leaves renews its tokens for as long as it holds.

`UserSignIn` speaks the protocol (device code, or a browser that comes back to `Listener`), `ServiceAccountTokens` gives tokens
from what a `Keeper` keeps. Tokens of applications come from `greenroom.exchange.graph.sign_in`, whose way to the login host this
room shares.
"""

from greenroom.exchange.tokens.contract import Grant, Keeper, KeptSignIn, Registration, SignInLostError
from greenroom.exchange.tokens.service_account import ServiceAccountTokens
from greenroom.exchange.tokens.user import BrowserFlow, DeviceCode, UserSignIn

__all__ = [
    "BrowserFlow",
    "DeviceCode",
    "Grant",
    "Keeper",
    "KeptSignIn",
    "Registration",
    "ServiceAccountTokens",
    "SignInLostError",
    "UserSignIn",
]
