"""The add-in in the demo: the simulated Outlook hosts the pages that Greenroom serves, and its Exchange vouches for people."""

import json
from collections.abc import Callable
from datetime import datetime

from starlette.applications import Starlette

from greenroom.simulator.identity_tokens import METADATA_PATH, IdentityTokens
from greenroom.simulator.outlook.addin import AddinLink

DOORS = (METADATA_PATH,)
_STAND_IN = "/mail/static/office_standin.js"


class DemoAddin:
    """What the demo's Outlook needs for the add-in of integration 1; `address` is where everything is served."""

    def __init__(self, clock: Callable[[], datetime], address: str) -> None:
        self._address = address
        self._tokens = IdentityTokens(clock, address)

    @property
    def app(self) -> Starlette:
        """Where the tokens' metadata is fetched from."""
        return Starlette(routes=self._tokens.routes())

    @property
    def link(self) -> AddinLink:
        """The buttons above the composer."""
        pages = f"{self._address}/addin/1"
        return AddinLink(
            name="Greenroom",
            taskpane_url=f"{pages}/taskpane.html",
            commands_url=f"{pages}/commands.html",
            icon=f"{self._address}/addin/icons/icon-32.png",
            tokens=self._tokens,
        )

    @property
    def tables(self) -> str:
        """The part of the configuration file. Office.js is the simulator's stand-in: the real one wants https."""
        return (
            f"[integration.addin]\noffice_js_url = {json.dumps(self._address + _STAND_IN)}\n\n"
            f"[integration.addin.exchange_tokens]\nmetadata_urls = [{json.dumps(self._tokens.metadata_url)}]\n"
        )
