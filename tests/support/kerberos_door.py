"""What stands behind a `Door` of an Exchange that is asked by Kerberos: GSSAPI's acceptor with the key of a keytab."""

import base64
import contextlib
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import spnego
from spnego import ContextProxy, NegotiateOptions
from spnego.channel_bindings import GssChannelBindings
from spnego.exceptions import BadBindingsError

from support.negotiating import Acceptor

_CHANNEL_BOUND = 0x800  # GSS_C_CHANNEL_BOUND_FLAG
_FAKED = """
import base64, sys, gssapi, spnego
from spnego.exceptions import SpnegoError
gssapi.SecurityContext.__DEFER_STEP_ERRORS__ = False
for line in sys.stdin:
    context = spnego.server(protocol="kerberos", options=spnego.NegotiateOptions.use_gssapi)
    try:
        context.step(base64.b64decode(line))
        print("in", context.client_principal, flush=True)
    except SpnegoError as error:
        print("out", base64.b64encode(getattr(error.base_error, "token", None) or b"").decode(), flush=True)
"""


def kerberos_acceptor(patch: pytest.MonkeyPatch, keytab: Path, *, required: bool = False) -> Acceptor:
    """Accept tickets for the keys of a keytab; with `required` only those that are bound to the channel."""
    _environment(patch, keytab)

    def context(binding: GssChannelBindings | None) -> ContextProxy:
        made = spnego.server(
            protocol="kerberos", options=NegotiateOptions.use_gssapi, channel_bindings=binding, service="HTTP"
        )
        return cast("ContextProxy", _Accepting(made, required=required))

    return Acceptor("Negotiate", context)


@contextlib.contextmanager
def elsewhen_acceptor(patch: pytest.MonkeyPatch, keytab: Path, shift: str) -> Iterator[Acceptor]:
    """Accept by another clock, in a process of its own; what it has to say of a refusal is sent on."""
    _environment(patch, keytab)
    command = ["faketime", "-f", shift, sys.executable, "-c", _FAKED]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Acceptor("Negotiate", lambda _: cast("ContextProxy", _Elsewhen(process)))
    finally:
        process.communicate(timeout=10)  # the end of what it reads is its end


def _environment(patch: pytest.MonkeyPatch, keytab: Path) -> None:
    patch.setenv("KRB5_KTNAME", f"FILE:{keytab}")
    patch.setenv("KRB5RCACHENAME", "none:")
    # Raise an error at once, also where there is a token for the other side that tells it.
    patch.setattr(importlib.import_module("gssapi").SecurityContext, "__DEFER_STEP_ERRORS__", False)


class _Accepting:
    """An acceptor that may want to be bound: GSSAPI alone accepts also who says nothing of a channel."""

    def __init__(self, context: Any, *, required: bool) -> None:
        self._context = context
        self._required = required

    @property
    def complete(self) -> bool:
        return bool(self._context.complete)

    @property
    def client_principal(self) -> str:
        """A user principal name stays whole here; Active Directory puts the account's own name in its place."""
        return str(self._context.client_principal).replace("\\@", "@")

    def step(self, token: bytes) -> bytes | None:
        reply: bytes | None = self._context.step(token)
        if self._required and not int(self._context._context.actual_flags) & _CHANNEL_BOUND:
            raise BadBindingsError
        return reply


class _Elsewhen:
    """An acceptor whose refusals are answers: the first step replies what the process said, the second one ends."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.complete = False
        self.client_principal: str | None = None

    def step(self, token: bytes) -> bytes | None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(base64.b64encode(token).decode() + "\n")
        self._process.stdin.flush()
        word, _, rest = self._process.stdout.readline().strip().partition(" ")
        self.complete, self.client_principal = word == "in", rest
        return None if self.complete else base64.b64decode(rest)
