"""What every request passes: nothing from other sites, nothing too big, and headers that keep pages to themselves."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_UPLOAD = 2_000_000  # bytes of one request
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:{origins}; connect-src 'self'; "
    "frame-src 'self'{origins}; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
)
_OK = 200
_SAFE = {"GET", "HEAD", "OPTIONS"}


def is_from_elsewhere(headers: Headers) -> bool:
    """Whether a browser sent this request for another site's page (cross-site request forgery).

    Browsers say so in Sec-Fetch-Site, older ones in Origin; a request with neither comes from no page at all.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower()


class Guard:
    """ASGI middleware; see the module. Pages may frame those of `origins`, besides their own."""

    def __init__(self, app: ASGIApp, origins: Sequence[str] = ()) -> None:
        self._app = app
        self._policy = PAGE_POLICY.format(origins="".join(f" {one}" for one in origins))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] not in _SAFE and is_from_elsewhere(Headers(scope=scope)):
            refusal = PlainTextResponse("This form was sent from another site and is refused.\n", status_code=403)
            await refusal(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Content-Security-Policy", self._policy)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("Referrer-Policy", "same-origin")  # none at all makes a form's Origin null
                is_static = "/static/" in scope["path"] and message["status"] == _OK
                kept = "max-age=86400" if scope["query_string"] else "no-cache"  # most addresses carry a version
                headers.setdefault("Cache-Control", kept if is_static else "no-store")
            await send(message)

        await self._app(scope, _bounded(receive), send_guarded)


def _bounded(receive: Receive) -> Receive:
    taken = 0

    async def receive_bounded() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > MAX_UPLOAD:
            raise HTTPException(413, "The file or form is too big: at most 2 MB.")
        return message

    return receive_bounded
