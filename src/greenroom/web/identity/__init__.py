"""Who may ask for a room: people who prove with a token that they belong to the organisation. Nobody anonymous.

Every kind of token has a module of its own; all give a `Caller`, or raise `TokenRefusedError` with a reason that an
administrator can look up. A token never says where keys come from: no address in it is ever opened.
"""

from greenroom.web.identity.checks import oidc_provider, page_address, token_check
from greenroom.web.identity.contract import Caller, IdentityUnavailableError, Refusal, TokenCheck, TokenRefusedError
from greenroom.web.identity.oidc import OidcAddresses, OidcProvider
from greenroom.web.identity.redeeming import CodeRefusedError, OidcSignIn, Redeemed

__all__ = [
    "Caller",
    "CodeRefusedError",
    "IdentityUnavailableError",
    "OidcAddresses",
    "OidcProvider",
    "OidcSignIn",
    "Redeemed",
    "Refusal",
    "TokenCheck",
    "TokenRefusedError",
    "oidc_provider",
    "page_address",
    "token_check",
]
