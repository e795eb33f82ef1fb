"""Signing in by NTLM version 2 (MS-NLMP), bound to the TLS channel."""

import os
from typing import Final

import spnego
from spnego import ContextProxy, NegotiateOptions
from spnego.channel_bindings import GssChannelBindings

from greenroom.exchange.errors import MisconfiguredError
from greenroom.exchange.ews.auth import SignInGuard, mark_of
from greenroom.exchange.ews.negotiate import NegotiateAuth

_LEVEL: Final = "LM_COMPAT_LEVEL"
_VERSION_2 = frozenset({"3", "4", "5"})


def ntlm(username: str, password: str, *, guard: SignInGuard | None = None) -> NegotiateAuth:
    """Return a way to sign in as `user@domain` or with a domain and a backslash before the name."""

    def context(host: str, binding: GssChannelBindings | None) -> ContextProxy:
        # pyspnego answers by version 1, which can be broken within hours, if the environment says so.
        if os.environ.get(_LEVEL, "3") not in _VERSION_2:
            sentence = f"{_LEVEL} in the environment asks for NTLM version 1, which is not safe and not used"
            raise MisconfiguredError(sentence, hint=f"take {_LEVEL} out of the service's environment", code="ntlm-v1")
        return spnego.client(
            username,
            password,
            hostname=host,
            service="HTTP",
            channel_bindings=binding,
            protocol="ntlm",
            options=NegotiateOptions.use_ntlm,  # whatever GSSAPI this machine has
        )

    return NegotiateAuth(context, scheme="NTLM", mark=mark_of("ntlm", username, password), guard=guard)
