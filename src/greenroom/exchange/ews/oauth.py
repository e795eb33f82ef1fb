"""Signing in to EWS with tokens that are fetched: of an application, or of a service account.

A token that worked and is refused is renewed, once; one that never worked is not at once, since the next would not work either.
After the guard's pause another is tried: a right that was given meanwhile is in new tokens only.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Protocol

import httpx2

from greenroom.exchange.ews.auth import Credentials, SignInGuard, mark_of
from greenroom.exchange.ews.diagnostics import token_refused

_UNAUTHORIZED = 401
_REFUSED = (_UNAUTHORIZED, 403)


class TokenSource(Protocol):
    """Gives access tokens for EWS; `fresh` asks for a new one. Raises SignInError, MisconfiguredError, TryLaterError."""

    async def token(self, *, fresh: bool = False) -> str:
        """Return a token that can stand in a header."""
        ...


class TokenAuth:
    """Tokens of one identity. `identity` changes when what they come from is replaced, so that a refusal is forgotten then."""

    connection_bound = False

    def __init__(self, tokens: TokenSource, identity: Callable[[], str], *, guard: SignInGuard | None = None) -> None:
        self.guard = guard or SignInGuard()
        self._tokens = tokens
        self._identity = identity
        self._turn = asyncio.Lock()
        self._works = self._refused = ""

    async def credentials(self) -> Credentials:
        """Return the token of now."""
        token = await self._tokens.token()
        return Credentials(_Bearer(token, self), mark_of("oauth", self._identity()))

    def worked(self, token: str) -> None:
        """Remember the token that Exchange took last."""
        self._works = token

    def failed(self, token: str) -> None:
        """Remember the token that Exchange refused last."""
        self._refused = token

    async def instead_of(self, token: str) -> str:
        """Return this token, or another if Exchange has refused it before."""
        if token != self._refused:
            return token
        async with self._turn:
            now = await self._tokens.token()
            return now if now != self._refused else await self._tokens.token(fresh=True)

    async def after(self, refused: str) -> str | None:
        """Return the token to try once more with after this one was refused; None if another will not do either."""
        async with self._turn:
            now = await self._tokens.token()
            if now != refused:
                return now
            if refused != self._works:
                return None
            return await self._tokens.token(fresh=True)


class _Bearer(httpx2.Auth):
    def __init__(self, token: str, owner: TokenAuth) -> None:
        self._token = token
        self._owner = owner

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        sent = await self._owner.instead_of(self._token)
        request.headers["Authorization"] = f"Bearer {sent}"
        response = yield request
        if response.status_code == _UNAUTHORIZED and (other := await self._owner.after(sent)) is not None:
            response.headers.pop("content-encoding", None)
            if isinstance(response.stream, httpx2.AsyncByteStream):
                response.stream = _Unread(response.stream)
            sent = other
            request.headers["Authorization"] = f"Bearer {sent}"
            response = yield request
        if response.status_code not in _REFUSED:
            self._owner.worked(sent)
            return
        if response.status_code == _UNAUTHORIZED:
            self._owner.failed(sent)
        said, offered = response.headers.get("x-ms-diagnostics", ""), response.headers.get_list("www-authenticate")
        if (error := token_refused(response.status_code, request.url.host, said, offered)) is not None:
            raise error


class _Unread(httpx2.AsyncByteStream):
    """A refusal's text, which the client would read before it asks again, however long it is."""

    def __init__(self, parts: httpx2.AsyncByteStream) -> None:
        self._parts = parts

    async def __aiter__(self) -> AsyncIterator[bytes]:
        nothing: tuple[bytes, ...] = ()
        for part in nothing:
            yield part

    async def aclose(self) -> None:
        await self._parts.aclose()
