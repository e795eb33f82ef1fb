"""Who may ask for a room: people who prove with a token that they belong to the organisation. Nobody anonymous.

Every kind of token has a module of its own; all give a `Caller`, or raise `TokenRefusedError` with a reason that an
administrator can look up. No address is ever taken from a token.
"""

from greenroom.web.identity.contract import Caller, IdentityUnavailableError, Refusal, TokenCheck, TokenRefusedError

__all__ = ["Caller", "IdentityUnavailableError", "Refusal", "TokenCheck", "TokenRefusedError"]
