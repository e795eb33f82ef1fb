"""The add-in's pages as Outlook loads them: all of them public, none with a secret, all the same for everybody.

Pages are checked anew at every load (ETag), what they load is under an address that changes with its content. Outlook appends
queries of its own to every address (`?_host_Info=...`); they are not looked at.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from fastapi import APIRouter, Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.responses import Response

from greenroom.addin.assets import LAUNCH_EVENT, SERVICE_WORKER, Assets
from greenroom.web.addin_config import AddinPages, config_of
from greenroom.web.addin_headers import page_policy, root_policy

_FRAMED_PAGES: Final = ("taskpane.html", "commands.html", "launchevent.html", "sign-in.html")
_SIGNED_IN: Final = "signed-in.html"
_READ: Final = ("GET", "HEAD")
_DAY: Final = 86_400
_MOST_LANGUAGES: Final = 8
_HTML: Final = "text/html; charset=utf-8"
_SCRIPT: Final = "text/javascript; charset=utf-8"
_SEND_CHECK: Final = "send."  # the texts of the check before sending, which cannot fetch any


def addin_pages_router(addins: Mapping[int, AddinPages], assets: Assets | None = None) -> APIRouter:
    """Make the routes below `/addin/`, the page at `/`, and the list of event handlers. `addins` go by integration number.

    The answers carry their own content security policy, which `SecurityHeaders` leaves as it is. Raises ValueError for an address
    in `addins` that no policy can name.
    """
    router = APIRouter()
    desk = _Desk(addins, Assets() if assets is None else assets)

    def add(path: str, answer: Callable[..., Awaitable[Response]]) -> None:
        router.add_api_route(path, answer, methods=list(_READ), include_in_schema=False)

    add("/addin/{number}/config.json", desk.config)
    add("/addin/{number}/sw.js", desk.worker)
    add("/addin/{number}/launchevent.js", desk.launch_event)
    add("/addin/{number}/{page}.html", desk.page)
    add("/addin/signed-in.html", desk.signed_in)
    add("/addin/static/{version}/{path:path}", desk.static)
    add("/addin/icons/{name}", desk.icon)
    add("/.well-known/microsoft-officeaddins-allowed.json", desk.allowed)
    if addins:
        add("/", desk.root)
    return router


class _Desk:
    """Answers of all routes. Pages are rendered when they are first asked for, once in every language."""

    def __init__(self, addins: Mapping[int, AddinPages], assets: Assets) -> None:
        self._addins = {str(number): (number, addin) for number, addin in sorted(addins.items())}
        self._assets = assets
        self._environment = Environment(
            loader=PackageLoader("greenroom.addin"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._rendered: dict[tuple[str, str, str], bytes] = {}
        self._policies = {
            number: page_policy(addin.office_js_url, addin.ajax_url, addin.frame_ancestors)
            for number, (_, addin) in self._addins.items()
        }
        everywhere = {origin for _, addin in self._addins.values() for origin in addin.frame_ancestors}
        self._root_policy = root_policy(sorted(everywhere))

    async def page(self, request: Request, number: str, page: str) -> Response:
        """Show one of the pages that belong to an integration."""
        self._find(number)
        name = f"{page}.html"
        if name not in _FRAMED_PAGES:
            raise HTTPException(404)
        return self._shown(request, number, name)

    async def signed_in(self, request: Request) -> Response:
        """Take the answer of a provider. Its `state` begins with the integration, whose Office.js the page needs."""
        wanted = request.query_params.get("state", "").partition(".")[0]
        number = wanted if wanted in self._addins else next(iter(self._addins), "")
        self._find(number)
        return self._shown(request, number, _SIGNED_IN)

    async def root(self, request: Request) -> Response:
        """Tell somebody who comes here without Outlook where the add-in is."""
        number = next(iter(self._addins))
        return self._shown(request, number, "outside.html", self._root_policy)

    async def config(self, request: Request, number: str) -> Response:
        """Tell the pages all they need to know."""
        told = await config_of(*self._find(number), self._assets, request.query_params.get("lang", ""))
        return self._answer(request, json.dumps(told).encode(), "application/json")

    async def worker(self, request: Request, number: str) -> Response:
        """Return the script that keeps the pages for the time when nobody answers here. It may speak for its own folder only."""
        self._find(number)
        shell = [
            *(f"/addin/{number}/{page}" for page in _FRAMED_PAGES[:3]),
            f"/addin/{number}/launchevent.js",
            *(self._assets.address(path) for path in self._assets.shell),
        ]
        known = {"integration": number, "version": self._assets.version, "shell": shell}
        return self._script(request, SERVICE_WORKER, "GREENROOM_WORKER", known)

    async def launch_event(self, request: Request, number: str) -> Response:
        """Return the check before sending: one file for all Outlooks, which runs where nothing can be fetched."""
        _, addin = self._find(number)
        texts = {
            language: {key: text for key, text in told.items() if key.startswith(_SEND_CHECK)}
            for language, told in addin.texts.everything().items()
        }
        known = {
            "prefix": addin.prefix,
            "mailbox": {"address": addin.mailbox, "name": addin.mailbox_name},
            "texts": texts,
        }
        return self._script(request, LAUNCH_EVENT, "GREENROOM", known)

    async def static(self, version: str, path: str) -> Response:
        """Return a file that a page loads.

        Another version's file is answered with ours, not to be kept: several servers are not replaced in the same moment.
        """
        asset = self._assets.get(path)
        if asset is None:
            raise HTTPException(404)
        keep = "public, max-age=31536000, immutable" if version == self._assets.version else "no-store"
        return Response(asset.content, media_type=asset.media_type, headers={"Cache-Control": keep} | _FOR_OUTLOOK)

    async def icon(self, request: Request, name: str) -> Response:
        """Return a picture that the manifest names: Outlook wants to keep it, and shows it among its own."""
        asset = self._assets.get(f"icons/{name}")
        if asset is None:
            raise HTTPException(404)
        return self._answer(request, asset.content, asset.media_type, keep=f"public, max-age={_DAY}")

    async def allowed(self, request: Request) -> Response:
        """List the event handlers that may sign in silently."""
        told = {"allowed": [f"{one.base}/addin/{number}/launchevent.js" for number, one in self._addins.values()]}
        return self._answer(request, json.dumps(told).encode(), "application/json")

    def _find(self, number: str) -> tuple[int, AddinPages]:
        if number not in self._addins:
            raise HTTPException(404)
        return self._addins[number]

    def _shown(self, request: Request, number: str, name: str, policy: str | None = None) -> Response:
        _, addin = self._addins[number]
        tags = request.headers.get("accept-language", "").split(",")[:_MOST_LANGUAGES]
        language = addin.texts.choose(*(tag.partition(";")[0] for tag in tags))
        key = (number, name, language)
        if key not in self._rendered:
            self._rendered[key] = (
                self._environment.get_template(name)
                .render(
                    asset=self._assets.address,
                    language=language,
                    text=addin.texts.of(language),
                    number=number,
                    office_js=addin.office_js_url,
                    ajax=addin.ajax_url,
                    help=addin.help,
                )
                .encode()
            )
        headers = {"Content-Security-Policy": policy or self._policies[number], "Vary": "Accept-Language"}
        return self._answer(request, self._rendered[key], _HTML, headers=headers)

    def _script(self, request: Request, path: str, name: str, known: Mapping[str, Any]) -> Response:
        """Return a script whose first line gives it what it must know."""
        asset = self._assets.get(path)
        if asset is None:
            raise HTTPException(404)
        return self._answer(request, f"var {name} = {json.dumps(known)};\n".encode() + asset.content, _SCRIPT)

    def _answer(
        self,
        request: Request,
        content: bytes,
        media_type: str,
        *,
        keep: str = "no-cache",
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        told = {"ETag": tag, "Cache-Control": keep} | _FOR_OUTLOOK | dict(headers or {})
        known = (one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(","))
        if tag in known:
            return Response(status_code=304, headers=told)
        return Response(content, media_type=media_type, headers=told)


_FOR_OUTLOOK: Final = {"Cross-Origin-Resource-Policy": "cross-origin"}
