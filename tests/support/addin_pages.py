"""The add-in's pages as a server offers them, with settings made up for tests."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from greenroom.addin.assets import Assets
from greenroom.addin.texts import AddinTexts
from greenroom.web.addin_config import AddinPages, NestedSignIn, OidcSignIn
from greenroom.web.addin_pages import addin_pages_router
from greenroom.web.headers import SecurityHeaders

OFFICE_JS = "https://appsforoffice.microsoft.com/lib/1/hosted/office.js"
BASE = "https://meet.example.org"
STATIC = Path(__file__).parents[2] / "src/greenroom/addin/static"


async def authorize_url() -> str | None:
    return "https://fs.example.org/adfs/oauth2/authorize"


PLAIN = AddinPages(
    name="main",
    base=BASE,
    mailbox="greenroom@example.org",
    mailbox_name="Greenroom",
    prefix="GRM",
    texts=AddinTexts(),
    office_js_url=OFFICE_JS,
    ahead=2,
    exchange=True,
)
RICH = dataclasses.replace(
    PLAIN,
    frame_ancestors=("https://mail.example.org",),
    personal_rooms=True,
    naa=NestedSignIn("11111111-2222-3333-4444-555555555555", "https://login.example.org/t", ("api://x/Alias.Request",)),
    sso=True,
    oidc=OidcSignIn(
        authorize_url, "greenroom-addin", ("openid", "profile"), f"{BASE}/addin/signed-in.html", "https://r"
    ),
    help="https://help.example.org/rooms",
)


def changed(addin: AddinPages = PLAIN, **fields: Any) -> AddinPages:
    """The same with other fields."""
    return dataclasses.replace(addin, **fields)


def pages_app(addins: Mapping[int, AddinPages], assets: Assets | None = None) -> FastAPI:
    """The pages alone, behind the headers that all answers carry."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.add_middleware(SecurityHeaders)
    app.include_router(addin_pages_router(addins, assets))
    return app
