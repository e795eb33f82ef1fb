"""A door in front of a simulator's EWS face that signs in connections, as IIS does: NTLM, or Negotiate with Kerberos.

::

    with ntlm_users(tmp_path, monkeypatch, {"SIM\\svc": PASSWORD}):
        door = Door(ntlm_acceptor(), tls=of_this_machine(tmp_path), protection="required")
        async with simulator_in_loop(door=door) as sim: ...
        door.tries       # what became of every proof somebody sent

What a door accepts is proven by a real acceptor (`spnego.server`); whether a proof belongs to this TLS channel the door judges
by itself, by the certificate it believes to stand behind. `behind` is another one where somebody in front ends the TLS.
"""

import asyncio
import base64
import hashlib
import struct
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

import pytest
import spnego
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from spnego import ContextProxy, NegotiateOptions
from spnego._ntlm_raw.messages import Authenticate, AvId, NTClientChallengeV2
from spnego.channel_bindings import GssChannelBindings
from spnego.exceptions import BadBindingsError
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from greenroom.simulator.auth import PROVEN
from greenroom.simulator.ews_face import EWS_PATH
from support.certificates import Identity

Protection = Literal["none", "allowed", "required"]
"""Extended Protection: whether a proof must be bound to the channel (required), or at least not to another one (allowed)."""
Outcome = Literal["in", "wrong", "locked", "expired", "unbound", "bound elsewhere"]
_CONNECTION = "connection"
_NTLM_NO_BINDING = bytes(16)


@dataclass(frozen=True)
class Acceptor:
    """The server's side of a way to sign in.

    `context` makes a fresh context, for a channel that has to be bound to (None: nobody looks). `bound` reads from a last token
    to which channel it is bound, as the MD5 of the channel's structure, if the context itself cannot be asked to judge.
    """

    scheme: Literal["NTLM", "Negotiate"]
    context: Callable[[GssChannelBindings | None], ContextProxy]
    bound: Callable[[bytes], bytes | None] | None = None


@dataclass(frozen=True)
class Try:
    """One proof that was sent: whose, as they called themselves, and what became of it."""

    user: str
    outcome: Outcome


@dataclass
class Door:
    """What a door is and has seen. `offers` is what it names, other than the way itself to have something else refused."""

    acceptor: Acceptor
    tls: Identity | None = None
    protection: Protection = "none"
    behind: Identity | None = None
    offers: tuple[str, ...] | None = None
    keeps: bool = True
    lock_after: int | None = None
    expired: set[str] = field(default_factory=set)
    locked: set[str] = field(default_factory=set)
    tries: list[Try] = field(default_factory=list)
    connections: int = 0
    requests: int = 0
    legs: int = 0
    _wrong: Counter[str] = field(default_factory=Counter)
    _era: int = 0

    def outcomes(self) -> Counter[str]:
        """How often each thing has become of a proof."""
        return Counter(one.outcome for one in self.tries)

    def reset(self, **changed: Any) -> None:
        """Be another door at the same place, with the same way and the same TLS; everybody has to sign in anew."""
        kept = {"acceptor": self.acceptor, "tls": self.tls, "_era": self._era + 1}
        fresh = type(self)(**{**kept, **changed})
        for one in fields(self):
            setattr(self, one.name, getattr(fresh, one.name))

    def forget_connections(self) -> None:
        """Ask everybody to sign in again, as a restarted application pool does."""
        self._era += 1

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """Put the door in front of an application."""
        return _Guarded(self, app)

    def protocol(self) -> type[H11Protocol]:
        """uvicorn's protocol, which gives each connection a place to be remembered in."""
        door = self

        class PerConnection(H11Protocol):
            def connection_made(self, transport: Any) -> None:
                door.connections += 1
                self.app_state = {**self.app_state, _CONNECTION: _Connection(door._era)}
                super().connection_made(transport)

        return PerConnection

    def expected(self) -> bytes | None:
        """The application data of the channel that this door believes to be in front of it."""
        identity = self.behind or self.tls
        if identity is None or self.protection == "none":
            return None
        certificate = x509.load_pem_x509_certificate(identity.certificate.read_bytes())
        assert certificate.signature_hash_algorithm is not None
        name = certificate.signature_hash_algorithm.name
        return b"tls-server-end-point:" + hashlib.new(name, certificate.public_bytes(Encoding.DER)).digest()

    def judge(self, context: ContextProxy, token: bytes, error: Exception | None) -> Try:
        """Say what becomes of a last token."""
        user = (context.client_principal or "") if error is None else _named(token)
        name = login_of(user).casefold()
        bound_elsewhere = isinstance(error, BadBindingsError)
        outcome: Outcome = "in"
        if name in self.locked:
            outcome = "locked"
        elif error is not None and not bound_elsewhere:
            outcome = "wrong"
            self._wrong[name] += 1
            if self.lock_after is not None and self._wrong[name] >= self.lock_after:
                self.locked.add(name)
        elif name in self.expired:
            outcome = "expired"
        else:
            outcome = "bound elsewhere" if bound_elsewhere else self._bound(token)
        return Try(user, outcome)

    def _bound(self, token: bytes) -> Outcome:
        data = self.expected()
        if data is None or self.acceptor.bound is None:
            return "in"
        given = self.acceptor.bound(token)
        if given in (None, _NTLM_NO_BINDING):
            return "unbound" if self.protection == "required" else "in"
        # The structure of RFC 2744, 3.11, with empty addresses, as MS-NLMP 2.2.2.1 wants it hashed.
        wanted = hashlib.md5(struct.pack("<5I", 0, 0, 0, 0, len(data)) + data, usedforsecurity=False).digest()
        return "in" if given == wanted else "bound elsewhere"


@dataclass
class _Connection:
    era: int
    context: ContextProxy | None = None
    login: str | None = None


class _Guarded:
    """ASGI: lets through who has proven themselves over this connection."""

    def __init__(self, door: Door, app: ASGIApp) -> None:
        self.door = door
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != EWS_PATH:
            await self.app(scope, receive, send)
            return
        door, connection = self.door, scope["state"][_CONNECTION]
        door.requests += 1
        if connection.era != door._era:
            connection.era, connection.login, connection.context = door._era, None, None
        given = next((v.decode() for k, v in scope["headers"] if k == b"authorization"), "")
        scheme, _, value = given.partition(" ")
        reply: bytes | None = None
        if scheme.casefold() == door.acceptor.scheme.casefold() and value:
            reply = await self._leg(connection, base64.b64decode(value))
        elif given:
            connection.login = connection.context = None
        if connection.login is not None:
            await self.app({**scope, PROVEN: connection.login}, receive, send)
            return
        await _drained(receive)
        await self._refuse(send, reply)

    async def _leg(self, connection: _Connection, token: bytes) -> bytes | None:
        self.door.legs += 1
        connection.login = None
        if connection.context is None or token.startswith(b"NTLMSSP\0\1"):
            connection.context = self.door.acceptor.context(_binding(self.door.expected()))
        context, error = connection.context, None
        try:
            reply = await asyncio.to_thread(context.step, token)
        except Exception as caught:  # noqa: BLE001  hostile tokens raise whatever they like; all are refused
            reply, error = None, caught
        if error is None and not context.complete:
            return reply
        found = self.door.judge(context, token, error)
        self.door.tries.append(found)
        connection.context = None
        connection.login = login_of(found.user) if found.outcome == "in" else None
        return None

    async def _refuse(self, send: Send, reply: bytes | None) -> None:
        scheme = self.door.acceptor.scheme
        if reply is None:
            offers = [name.encode() for name in (self.door.offers or (scheme,))]
        else:
            offers = [f"{scheme} {base64.b64encode(reply).decode()}".encode()]
        headers = [(b"www-authenticate", offer) for offer in offers] + [(b"content-length", b"7")]
        if not self.door.keeps:
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": 401, "headers": headers})
        await send({"type": "http.response.body", "body": b"refused"})


async def _drained(receive: Receive) -> None:
    while True:
        message = await receive()
        if message["type"] != "http.request" or not message.get("more_body"):
            return


def _binding(data: bytes | None) -> GssChannelBindings | None:
    return None if data is None else GssChannelBindings(application_data=data)


def login_of(user: str) -> str:
    r"""The login of ``DOMAIN\login``, ``login@domain`` or ``login@REALM``."""
    return user.rpartition("\\")[2].partition("@")[0]


def _named(token: bytes) -> str:
    try:
        return Authenticate.unpack(token).user_name or ""
    except (ValueError, KeyError, struct.error):  # a Kerberos token names nobody in the clear
        return ""


def ntlm_acceptor() -> Acceptor:
    """Accepts those in the file that `ntlm_users` has written."""
    return Acceptor(
        "NTLM",
        lambda _: spnego.server(protocol="ntlm", options=NegotiateOptions.use_ntlm),
        bound=_ntlm_bound,
    )


def _ntlm_bound(token: bytes) -> bytes | None:
    response = Authenticate.unpack(token).nt_challenge_response
    assert response is not None
    if len(response) <= 24:
        return None  # version 1 knows no bindings
    pairs = NTClientChallengeV2.unpack(response[16:]).av_pairs
    found: bytes | None = pairs.get(AvId.channel_bindings)
    return found


def ntlm_users(folder: Path, patch: pytest.MonkeyPatch, users: Mapping[str, str]) -> None:
    r"""Name those whom NTLM accepts, as ``DOMAIN\login`` or ``login@domain``, with their passwords."""
    file = folder / "ntlm-users"
    lines = [":".join([*user.rpartition("\\")[::2], password]) for user, password in users.items()]
    file.write_text("\n".join(lines), encoding="utf-8")
    patch.setenv("NTLM_USER_FILE", str(file))
