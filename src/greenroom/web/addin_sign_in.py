"""`POST /addin/api/v1/sign-in`: the page's sign-in window brings a code of the OpenID Connect provider, and gets an access token.

Whoever asks is nobody yet, so it is bounded in every way: in size, in time, in number for each address and altogether. Nothing is
kept, and neither codes nor tokens are ever logged. What is asked is JSON: {integration, code, verifier, redirect_uri?}; what is
answered {access_token, expires_in}, or a problem (RFC 9457) with a code: "invalid-request", "no-such-integration", "not-allowed",
"too-many", "token-refused" (the provider does not take the code: sign in again), "unavailable".
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from greenroom.outside import parse_json
from greenroom.web.addin_limits import site_of
from greenroom.web.addin_problems import Code, ProblemError, RefusalLog, correlation_id, problem_response
from greenroom.web.hooks import Desk as Reader
from greenroom.web.hooks import UnwantedError
from greenroom.web.identity import CodeRefusedError, IdentityUnavailableError, Redeemed

PATH = "/addin/api/v1/sign-in"
LARGEST = 16 * 1024
"""The largest body that is read, in bytes."""

_AT_ONCE = 32
_BUSY = 429
_REMEMBERED = 5_000
_MINUTE = timedelta(minutes=1)
_CODE = re.compile(r"[\x21-\x7e]{1,8192}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")  # RFC 7636 4.1
_MEMBERS = frozenset({"integration", "code", "verifier", "redirect_uri"})
_LATER = 30.0
_KIND = "sign-in"


class CodeRedeemer(Protocol):
    """Exchanges codes of one provider; `greenroom.web.identity.OidcSignIn` is one."""

    @property
    def redirect_uri(self) -> str:
        """The only address codes are made out to."""
        ...

    async def redeem(self, code: str, verifier: str) -> Redeemed:
        """Exchange a code. Raises CodeRefusedError or IdentityUnavailableError."""
        ...


@dataclass(frozen=True, slots=True)
class _Asked:
    integration: int
    code: str = field(repr=False)
    verifier: str = field(repr=False)
    redirect_uri: str | None = None


def sign_in_router(
    redeemers: Mapping[int, CodeRedeemer],
    refusals: RefusalLog,
    clock: Callable[[], datetime],
    *,
    per_minute: int = 60,
    at_once: int = _AT_ONCE,
    patience: float = 5.0,
) -> APIRouter:
    """Make the route. `redeemers` are found by the number of their integration; `clock` gives aware UTC times.

    What a provider refuses, and that it cannot be reached, is written down in `refusals`: `greenroom explain` finds it.

    `per_minute` bounds one address (of IPv6 one /64), behind which may be a whole organisation; `at_once` bounds all together,
    and `patience` is for how many seconds a body is waited for.
    """
    router = APIRouter()
    desk = _Desk(redeemers, clock, per_minute, _Places(at_once), Reader(largest=LARGEST, patience=patience))

    @router.post(PATH, include_in_schema=False)
    async def sign_in(request: Request) -> Response:
        """Exchange a code for an access token."""
        try:
            redeemed = await desk.answer(request)
        except ProblemError as problem:
            correlation = correlation_id()
            if problem.kind == _KIND:
                await refusals.note(problem, request.state.integration, correlation)
            return problem_response(problem, correlation)
        answer = {"access_token": redeemed.access_token, "expires_in": redeemed.expires_in}
        return JSONResponse(answer, headers={"Cache-Control": "no-store", "Pragma": "no-cache"})

    return router


class _Places:
    """So many at once; there is no queue."""

    def __init__(self, most: int) -> None:
        self._free = most

    @contextmanager
    def place(self) -> Iterator[None]:
        """Take a place for the time of a block. Raises ProblemError where there is none."""
        if self._free <= 0:
            raise ProblemError(503, "unavailable", "Too many sign-ins at once; try again.", after=_LATER)
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1


class _Desk:
    def __init__(
        self,
        redeemers: Mapping[int, CodeRedeemer],
        clock: Callable[[], datetime],
        per_minute: int,
        redeeming: _Places,
        reader: Reader,
    ) -> None:
        self._redeemers = redeemers
        self._clock = clock
        self._per_minute = per_minute
        self._redeeming = redeeming
        self._reader = reader
        self._counts: OrderedDict[str, tuple[datetime, int]] = OrderedDict()

    async def answer(self, request: Request) -> Redeemed:
        """Redeem what a request asks for. Raises ProblemError."""
        self._count(request.client.host if request.client is not None else "")
        _check_is_our_page(request, self._redeemers)
        try:
            asked = _asked(await self._reader.read(request))
        except UnwantedError as error:
            code: Code = "too-many" if error.status == _BUSY else "invalid-request"
            raise ProblemError(error.status, code, headers={"Connection": "close"}) from None
        request.state.integration = asked.integration
        with self._redeeming.place():
            return await self._redeemed(asked)

    async def _redeemed(self, asked: _Asked) -> Redeemed:
        redeemer = self._redeemers.get(asked.integration)
        if redeemer is None:
            raise ProblemError(404, "no-such-integration")
        if asked.redirect_uri not in (None, redeemer.redirect_uri):
            raise ProblemError(422, "invalid-request", "redirect_uri is not that of this add-in.")
        try:
            return await redeemer.redeem(asked.code, asked.verifier)
        except CodeRefusedError as error:
            raise ProblemError(401, "token-refused", "Sign in again.", kind=_KIND, reason=str(error)) from None
        except IdentityUnavailableError as error:
            what = "The sign-in service does not answer."
            raise ProblemError(503, "unavailable", what, kind=_KIND, reason=str(error), after=_LATER) from None

    def _count(self, address: str) -> None:
        """Count a request at its address. Raises ProblemError where that was one too many within a minute."""
        now, site = self._clock(), site_of(address)
        since, count = self._counts.pop(site, (now, 0))
        if abs(now - since) >= _MINUTE:
            since, count = now, 0
        self._counts[site] = (since, count + 1)
        if len(self._counts) > _REMEMBERED:
            self._counts.popitem(last=False)
        if count >= self._per_minute:
            after = (since + _MINUTE - now).total_seconds()
            raise ProblemError(429, "too-many", "Try again in a minute.", after=after)


def _check_is_our_page(request: Request, redeemers: Mapping[int, CodeRedeemer]) -> None:
    """Refuse what a browser says another site sends; others do not send these headers. Raises ProblemError."""
    origins = {_origin(redeemer.redirect_uri) for redeemer in redeemers.values()}
    origin = request.headers.get("origin")
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise ProblemError(403, "not-allowed")
    if origin is not None and origin.lower() not in origins:
        raise ProblemError(403, "not-allowed")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" or "content-encoding" in request.headers:
        raise ProblemError(415, "invalid-request", "application/json is expected.")


def _asked(body: bytes) -> _Asked:
    document: Any = None
    try:
        document = parse_json(body)
    except ValueError:
        raise ProblemError(400, "invalid-request", "This is no JSON.") from None
    if not isinstance(document, dict):
        raise ProblemError(422, "invalid-request", "An object is expected.")
    integration, code, verifier = (document.get(name) for name in ("integration", "code", "verifier"))
    redirect = document.get("redirect_uri")
    wrong = [
        name
        for name, right in (
            ("integration", isinstance(integration, int) and not isinstance(integration, bool)),
            ("code", isinstance(code, str) and _CODE.fullmatch(code) is not None),
            ("verifier", isinstance(verifier, str) and _VERIFIER.fullmatch(verifier) is not None),
            ("redirect_uri", redirect is None or isinstance(redirect, str)),
            ("another member", _MEMBERS.issuperset(document)),
        )
        if not right
    ]
    if wrong:
        raise ProblemError(422, "invalid-request", f"Not as expected: {', '.join(wrong)}.")
    return _Asked(int(integration or 0), str(code), str(verifier), redirect)


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}".lower()
