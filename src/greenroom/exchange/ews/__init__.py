"""Exchange Server over EWS: a client of our own, since the dozen operations needed are the heart of the product.

What is said and what is understood are pure functions over bytes and values (`envelope`, `items`, `sync`, `replies`, `search`,
`updates`, `streaming`, `answers`); `transport` is the only module that touches the network. Everything from a server is
hostile input: bounded, without entities, in any order. New ways to sign in go into `auth` and need no change elsewhere.
"""

from greenroom.exchange.ews.auth import Auth, BasicAuth, BearerAuth, Credentials, SignInGuard
from greenroom.exchange.ews.mailbox import EwsMailbox
from greenroom.exchange.ews.settings import EwsSettings

__all__ = ["Auth", "BasicAuth", "BearerAuth", "Credentials", "EwsMailbox", "EwsSettings", "SignInGuard"]
