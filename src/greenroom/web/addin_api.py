"""The API that the Outlook add-in asks: `/addin/api/v1/...`, JSON, a token in every request, no cookies, no other sites.

What is asked costs more and more on its way, and each step is only for what came through the one before:

```
 our own page? ─▶ a token at all? ─▶ JSON, of bounded size and time ─▶ as described? ─▶ not too many bad tokens from there?
   ─▶ a good token ─▶ not too often for this person ─▶ done
```

What is refused is written down (`addin_problems`); whoever asked learns a code and an id. What can be asked stands in
`addin_operations`, and is described for programs at `/addin/api/v1/openapi.json`.
"""

import json
import re
import traceback
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import structlog
from fastapi import APIRouter
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from greenroom.storage import Storage
from greenroom.web.addin_contract import NoSuchRoomError, NotPossibleError, TicketGoneError, TooManyUnclaimedError
from greenroom.web.addin_limits import BadTokens, Buckets
from greenroom.web.addin_models import Asked, ReserveRequest
from greenroom.web.addin_openapi import openapi_document
from greenroom.web.addin_operations import BASE, OPERATIONS, AddinDesk, Done, Operation
from greenroom.web.addin_problems import ProblemError, RefusalLog, correlation_id, problem_response
from greenroom.web.hooks import Desk as Reader
from greenroom.web.hooks import UnwantedError
from greenroom.web.identity.contract import Caller, IdentityUnavailableError, Refusal, TokenRefusedError

__all__ = ["AddinDesk", "addin_api_router"]

log = structlog.get_logger(__name__)

LARGEST: Final = 16 * 1024
"""The largest body that is read, in bytes."""

_ELSE = 10
_LATER = 5.0
_BUSY = 429
_LONGEST_DETAIL = 500
_SCHEMES = frozenset({"bearer", "exchange"})
_OURS = frozenset({"same-origin", "none"})
_CHALLENGE = {"WWW-Authenticate": "Bearer, Exchange"}
_CLOSE = {"Connection": "close"}  # the rest of the body is not waited for
_NO_STORE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_NUMBER = re.compile(r"[0-9]{1,5}")
_PORTS = {"http": 80, "https": 443}


def addin_api_router(
    desks: Mapping[int, AddinDesk],
    storage: Storage,
    clock: Callable[[], datetime],
    *,
    origin: str | None = None,
    bad_tokens: BadTokens | None = None,
) -> APIRouter:
    """Make the routes. `desks` are found by the number of their integration; `clock` gives aware UTC times.

    `origin` (the public address) is whose pages may ask, where a browser does not say so itself; without it, pages of the host
    that the request names. `storage` keeps what was refused, `bad_tokens` counts them by address.
    """
    ours = None if origin is None else _origin(origin)
    door = _Door(desks, RefusalLog(storage, clock), clock, ours, bad_tokens or BadTokens())
    router = APIRouter()
    for path in dict.fromkeys(operation.path for operation in OPERATIONS):
        mine = {operation.method: operation for operation in OPERATIONS if operation.path == path}
        router.routes.append(Route(BASE + path, _Endpoint(door, mine), include_in_schema=False))
    document = json.dumps(openapi_document(desks)).encode()
    router.routes.append(Route(f"{BASE}/openapi.json", _Document(door, document), include_in_schema=False))
    return router


class _Endpoint:
    """One path, whatever is done to it."""

    def __init__(self, door: "_Door", operations: Mapping[str, Operation]) -> None:
        self._door = door
        self._operations = operations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._door.answer(Request(scope, receive), self._operations)
        await response(scope, receive, send)


class _Document:
    """The description of the API, for everybody."""

    def __init__(self, door: "_Door", document: bytes) -> None:
        self._door = door
        self._document = document

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] in {"GET", "HEAD"}:
            response = Response(self._document, headers=_NO_STORE, media_type="application/json")
            if scope["method"] == "HEAD":
                response.body = b""
        else:
            response = await self._door.refuse(_unknown_method("GET, HEAD"), 0)
        await response(scope, receive, send)


class _Door:
    def __init__(
        self,
        desks: Mapping[int, AddinDesk],
        refusals: RefusalLog,
        clock: Callable[[], datetime],
        origin: str | None,
        bad_tokens: BadTokens,
    ) -> None:
        self._desks = desks
        self._refusals = refusals
        self._clock = clock
        self._origin = origin
        self._reader = Reader(largest=LARGEST)
        self._people = Buckets()
        self._bad_tokens = bad_tokens

    async def answer(self, request: Request, operations: Mapping[str, Operation]) -> Response:
        """Answer a request, whatever it is."""
        try:
            return await self._answered(request, operations)
        except ProblemError as error:
            problem = error
        except Exception as error:  # noqa: BLE001 (it is logged, without its text, which may hold what was sent)
            where = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{Path(where.filename).name}:{where.lineno}"
            log.error("addin.failed", error=type(error).__name__, where=place)  # noqa: TRY400
            problem = ProblemError(500, "unavailable", kind="fault", reason=type(error).__name__, private=place)
        return await self.refuse(problem, getattr(request.state, "integration", 0))

    async def refuse(self, problem: ProblemError, integration: int) -> Response:
        """Write down that a request was refused, and answer so."""
        correlation = correlation_id()
        await self._refusals.note(problem, integration, correlation)
        return problem_response(problem, correlation)

    async def _answered(self, request: Request, operations: Mapping[str, Operation]) -> Response:
        operation = operations.get(request.method)
        if operation is None:
            raise _unknown_method(", ".join(operations))
        self._check_is_our_page(request)
        authorization = _authorization(request)
        asked = await self._asked(request, operation)
        request.state.integration = asked.integration  # from here on it is known whose refusal it would be
        status, answer = await self._done(request, operation, asked, authorization)
        if answer is None:
            return Response(status_code=status, headers=_NO_STORE)
        return Response(answer.model_dump_json(), status, _NO_STORE, media_type="application/json")

    def _check_is_our_page(self, request: Request) -> None:
        """Refuse what a browser says another site's page sends; others do not send these headers. Raises ProblemError."""
        site = request.headers.get("sec-fetch-site")
        if site is not None and site not in _OURS:
            raise ProblemError(403, "not-allowed", "Not for pages of other sites.", kind="origin", reason="cross-site")
        origin = request.headers.get("origin")
        if site is None and origin is not None and _origin(origin) != (self._origin or _origin(str(request.base_url))):
            raise ProblemError(403, "not-allowed", "Not for pages of other sites.", kind="origin", reason="foreign")

    async def _asked(self, request: Request, operation: Operation) -> Asked:
        if operation.method == "GET":
            return _asked_in_query(request, operation.asks)
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json" or "content-encoding" in request.headers:
            raise ProblemError(415, "invalid-request", "application/json is expected.", reason="media-type")
        try:
            body = await self._reader.read(request)
        except UnwantedError as error:
            if error.status == _BUSY:
                raise ProblemError(503, "unavailable", reason="readers", after=_LATER, headers=_CLOSE) from None
            raise ProblemError(error.status, "invalid-request", reason="body", headers=_CLOSE) from None
        try:
            return operation.asks.model_validate_json(body, strict=True)
        except ValidationError as error:
            raise _not_as_described(error) from None

    async def _done(self, request: Request, operation: Operation, asked: Asked, authorization: str) -> Done:
        desk = self._desks.get(asked.integration)
        if desk is None:
            raise ProblemError(404, "no-such-integration")
        caller = await self._caller(request, desk, authorization)
        self._count(operation, asked, desk, caller)
        _tell(operation, asked, caller)
        try:
            return await operation.do(desk, caller, asked)
        except TooManyUnclaimedError:
            told = "Use or remove some of the rooms you asked for."
            raise ProblemError(409, "too-many-unclaimed", told, kind="limit", private=f"person {caller.user}") from None
        except TicketGoneError as error:
            raise ProblemError(410, "ticket-gone", kind="ticket", reason=error.reason, told=error.reason) from None
        except NoSuchRoomError:
            raise ProblemError(404, "no-such-room", kind="room") from None
        except NotPossibleError as error:
            after = _LATER if error.after is None else error.after.total_seconds()
            raise ProblemError(503, "unavailable", kind="unavailable", reason=error.code, after=after) from None

    async def _caller(self, request: Request, desk: AddinDesk, authorization: str) -> Caller:
        now, address = self._clock(), "" if request.client is None else request.client.host
        if wait := self._bad_tokens.wait(address, authorization, now):
            raise ProblemError(429, "too-many", kind="address", reason="bad-tokens", after=wait, quiet=True)
        try:
            caller = await desk.check.check(authorization)
        except TokenRefusedError as error:
            if error.reason is Refusal.NOT_A_MEMBER:
                raise _refused(error, 403, "not-allowed", authorization) from None
            self._bad_tokens.mistaken(address, authorization, now)
            raise _refused(error, 401, "token-refused", authorization) from None
        except IdentityUnavailableError as error:
            after = _LATER if error.after is None else error.after.total_seconds()
            raise ProblemError(503, "unavailable", kind="identity", reason=str(error), after=after) from None
        self._bad_tokens.proved(address, authorization)
        return caller

    def _count(self, operation: Operation, asked: Asked, desk: AddinDesk, caller: Caller) -> None:
        """Count what a person asks for. Raises ProblemError (429)."""
        key, now = (asked.integration, caller.user), self._clock()
        if operation.rooms is None:
            wait = self._people.take((*key, "else"), 1, desk.per_minute * _ELSE, now)
        else:
            wait = self._people.take(key, operation.rooms(asked), desk.per_minute, now)
        if wait:
            raise ProblemError(
                429, "too-many", kind="limit", reason="per-minute", private=f"person {caller.user}", after=wait
            )


def _authorization(request: Request) -> str:
    values = request.headers.getlist("authorization")
    if not values:
        raise ProblemError(401, "token-missing", kind="none", reason=Refusal.MISSING.value, headers=_CHALLENGE)
    if len(values) > 1:
        error = TokenRefusedError(Refusal.MALFORMED, "more than one Authorization header")
        raise _refused(error, 401, "token-refused", "")
    return values[0]


def _refused(error: TokenRefusedError, status: int, code: str, authorization: str) -> ProblemError:
    scheme = authorization.partition(" ")[0].lower()
    return ProblemError(
        status,
        "not-allowed" if code == "not-allowed" else "token-refused",
        kind=scheme if scheme in _SCHEMES else "other",
        reason=error.reason.value,
        private=error.detail,
        headers=_CHALLENGE if status == 401 else None,  # noqa: PLR2004  what every client knows
    )


def _asked_in_query(request: Request, model: type[Asked]) -> Asked:
    given = request.query_params.getlist("integration")
    if len(given) != 1 or not _NUMBER.fullmatch(given[0]):
        raise ProblemError(422, "invalid-request", "integration: a number is expected.", reason="query")
    try:
        return model(integration=int(given[0]))
    except ValidationError as error:
        raise _not_as_described(error) from None


def _not_as_described(error: ValidationError) -> ProblemError:
    """Say what is wrong, without a value that was sent."""
    wrong = error.errors(include_url=False, include_context=False, include_input=False)
    if any(one["type"] == "json_invalid" for one in wrong):
        return ProblemError(400, "invalid-request", "This is no JSON.", reason="json")
    told = "; ".join(f"{'.'.join(str(part) for part in one['loc']) or 'body'}: {one['msg']}" for one in wrong)
    return ProblemError(422, "invalid-request", told[:_LONGEST_DETAIL], reason="values")


def _unknown_method(allowed: str) -> ProblemError:
    return ProblemError(405, "invalid-request", reason="method", headers={"Allow": allowed}, quiet=True)


def _tell(operation: Operation, asked: Asked, caller: Caller) -> None:
    hints: dict[str, object] = {}
    if isinstance(asked, ReserveRequest):
        hints = {"delegate": asked.delegate, "series": asked.series}
        if asked.client is not None:
            hints["client"] = repr(asked.client)[:120]
    log.debug("addin.asked", operation=operation.name, integration=asked.integration, person=caller.user, **hints)


def _origin(address: str) -> str:
    """Spell an origin as browsers do; what is none equals none."""
    try:
        parts = urlsplit(address)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return "none"
    return f"{parts.scheme}://{parts.hostname}:{port}".lower()
