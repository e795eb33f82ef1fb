"""Headers that every answer carries: nothing from elsewhere, nothing kept, nothing told to the next site."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_ALWAYS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",  # the join id is in the address and is nobody else's business
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "X-Robots-Tag": "noindex, nofollow",
}

# An answer with a content security policy of its own says who may frame it: that is a page for Outlook, whose dialogs have to
# reach the page that opened them.
_UNLESS_FRAMED = frozenset({"Content-Security-Policy", "X-Frame-Options", "Cross-Origin-Opener-Policy"})

_UNLESS_SAID = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",  # a picture that invitations show is for webmail elsewhere
}


class SecurityHeaders:
    """ASGI middleware that adds them; an answer that says nothing of caching is not to be kept, and is for our own pages."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                framed = "Content-Security-Policy" in headers
                for name, value in _ALWAYS.items():
                    if not (framed and name in _UNLESS_FRAMED):
                        headers[name] = value
                for name, value in _UNLESS_SAID.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers)
