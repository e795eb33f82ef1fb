"""Signing in a connection in several legs, by a context of pyspnego: the HTTP side of NTLM and of Kerberos (RFC 4559).

Every request first goes without credentials: a connection that has signed in answers it, and any other says over which TLS
channel it runs and what the server offers. Only then a context is made, bound to that very channel. The whole request goes out
with each leg; IIS looks at it with the last.
"""

import asyncio
import base64
import binascii
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Final, Literal, TypeVar

import httpx2
from spnego import ContextProxy
from spnego.channel_bindings import GssChannelBindings
from spnego.exceptions import SpnegoError

from greenroom.exchange.errors import ExchangeError, SignInError
from greenroom.exchange.ews.auth import Credentials, SignInGuard
from greenroom.exchange.ews.channel import Channel, channel_of
from greenroom.exchange.failures import BrokenConnectionError

T = TypeVar("T")
Scheme = Literal["NTLM", "Negotiate"]
Contexts = Callable[[str, GssChannelBindings | None], ContextProxy]
"""Makes a fresh context for a host and a channel's binding. Called in a thread of its own; may raise ExchangeError."""
Explain = Callable[[SpnegoError, str], ExchangeError]
"""Says what an error of a context means; the text is the host."""

NOT_OFFERED: Final = "not-offered"
NO_CHALLENGE: Final = "no-challenge"
_UNAUTHORIZED = 401
_MOST_LEGS = 6
_LONGEST_TOKEN = 64 * 1024
_LONGEST_REFUSAL = 256 * 1024
_CHALLENGE = re.compile(r"(?:^|,)\s*([A-Za-z][A-Za-z0-9-]{0,20})(?:\s+([A-Za-z0-9+/=]+))?\s*(?=,|$)")
_NAMED = re.compile(r"(?:^|,)\s*([A-Za-z][A-Za-z0-9-]{0,20})(?=\s|,|$)")
_MOST_NAMED = 8


class NegotiateAuth:
    """Signs in by contexts of one protocol under one HTTP scheme.

    `mark` is a digest of the credentials. `explain` says what an error of a context means: without it, that the sign-in failed.
    """

    connection_bound = True

    def __init__(
        self,
        contexts: Contexts,
        *,
        scheme: Scheme,
        mark: str,
        guard: SignInGuard | None = None,
        explain: Explain | None = None,
    ) -> None:
        self.guard = guard or SignInGuard()
        self._credentials = Credentials(_Legs(contexts, scheme, explain or _unexplained), mark)

    async def credentials(self) -> Credentials:
        """Return the flow; contexts are made when a connection asks for them."""
        return self._credentials


@dataclass(frozen=True, slots=True)
class _Legs(httpx2.Auth):
    contexts: Contexts = field(repr=False)
    scheme: Scheme
    explain: Explain = field(repr=False)

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        """Send the request as often as it takes. Raises SignInError for a refusal, BrokenConnectionError for a lost handshake."""
        request.headers.pop("Authorization", None)
        host = request.url.netloc.decode("ascii")
        response = yield request
        if response.status_code != _UNAUTHORIZED:
            return
        _bound(response)
        offered = _offered(response)
        if self.scheme.lower() not in {name.lower() for name in offered}:
            raise _not_offered(host, self.scheme, offered)
        channel = channel_of(response)
        context = await self._working(host, lambda: self.contexts(request.url.host, channel.binding))
        given: bytes | None = None
        for leg in range(_MOST_LEGS):
            proof = await self._step(host, context, given, channel)
            if proof is None:
                break
            line, bound_to = _line(response), channel
            request.headers["Authorization"] = f"{self.scheme} {base64.b64encode(proof).decode()}"
            response = yield request
            if response.status_code != _UNAUTHORIZED:
                return
            _bound(response)
            given, channel = _token(response, self.scheme), channel_of(response)
            # The first leg may go over any connection with the same certificate: there is nothing yet to go on from.
            moved = _line(response) is not line and (leg > 0 or channel.thumbprint != bound_to.thumbprint)
            if moved and (context.complete or given is None):
                raise _not_kept(host, self.scheme)
            if given is None and not context.complete and self.scheme == "NTLM":
                raise _no_challenge(host)
            if given is None or context.complete:
                break
            if response.headers.get("connection", "").lower() == "close":
                raise _not_kept(host, self.scheme)
        raise _refused(host, self.scheme, channel)

    async def _step(self, host: str, context: ContextProxy, given: bytes | None, channel: Channel) -> bytes | None:
        return await self._working(host, lambda: context.step(given, channel_bindings=channel.binding))

    async def _working(self, host: str, work: Callable[[], T]) -> T:
        """Work in a thread, since Kerberos asks over the network; what a server sent may break a context in any way."""
        try:
            return await asyncio.to_thread(work)
        except ExchangeError:
            raise
        except SpnegoError as error:
            raise self.explain(error, host) from None
        except Exception as error:  # noqa: BLE001  hostile bytes raise whatever they like; the kind is told
            sentence = f"the sign-in to {host} broke off: what it sent cannot be understood ({type(error).__name__})"
            raise SignInError(sentence, code="bad-challenge") from None


def _unexplained(error: SpnegoError, host: str) -> ExchangeError:
    return SignInError(f"the sign-in to {host} broke off ({type(error).__name__})", code="bad-challenge")


def _not_offered(host: str, scheme: str, offered: list[str]) -> SignInError:
    what = f"it offers {', '.join(offered)}" if offered else "it offers no way at all"
    return SignInError(f"{host} does not offer to sign in by {scheme} ({what})", code=NOT_OFFERED)


def _no_challenge(host: str) -> SignInError:
    sentence = f"{host} broke off the sign-in by NTLM before the password came into play"
    return SignInError(sentence, code=NO_CHALLENGE)


def _not_kept(host: str, scheme: str) -> BrokenConnectionError:
    sentence = (
        f"{host} did not keep the connection while signing in by {scheme}: a proxy or load balancer in front of Exchange must "
        "keep each connection to one server"
    )
    return BrokenConnectionError(sentence, code="not-kept")


def _refused(host: str, scheme: str, channel: Channel) -> SignInError:
    seen = f" over the certificate with thumbprint {channel.thumbprint}" if channel.thumbprint else ""
    return SignInError(f"{host} refused the sign-in by {scheme}{seen}", code=f"http-{_UNAUTHORIZED}")


def _offered(response: httpx2.Response) -> list[str]:
    """Name the schemes a server offers: one to a header, as IIS writes them, or several with commas between."""
    lines = response.headers.get_list("www-authenticate")[:_MOST_NAMED]
    names = [name for line in lines for name in _NAMED.findall(line[:_LONGEST_TOKEN])]
    return list(dict.fromkeys(names))[:_MOST_NAMED]


def _token(response: httpx2.Response, scheme: str) -> bytes | None:
    for line in response.headers.get_list("www-authenticate")[:_MOST_NAMED]:
        for name, value in _CHALLENGE.findall(line[:_LONGEST_TOKEN]):
            if name.lower() == scheme.lower() and value:
                try:
                    return base64.b64decode(value, validate=True)
                except binascii.Error:
                    return b""  # a context says what it thinks of that
    return None


def _line(response: httpx2.Response) -> object:
    """Return what stands for the connection a response came over; None where nobody knows (a test's transport)."""
    return response.extensions.get("network_stream")


class _Bounded(httpx2.AsyncByteStream):
    def __init__(self, parts: httpx2.AsyncByteStream) -> None:
        self._parts = parts

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for part in self._parts:
            size += len(part)
            if size > _LONGEST_REFUSAL:
                raise httpx2.RemoteProtocolError("a refusal that is too long")
            yield part

    async def aclose(self) -> None:
        await self._parts.aclose()


def _bound(response: httpx2.Response) -> None:
    """Keep a refusal's text, which the client reads before the next leg or the next try, short and as it was sent."""
    response.headers.pop("content-encoding", None)
    if isinstance(response.stream, httpx2.AsyncByteStream):
        response.stream = _Bounded(response.stream)
