"""The shells in which scripts are run here: Exchange as the simulator plays it, in this process or over HTTP."""

import contextlib
import json
from collections.abc import Mapping
from http.client import HTTPConnection
from typing import Any, Final
from urllib.parse import urlsplit

from greenroom.simulator.management import CmdletError, Management
from support.powershell.cmdlets import Shell
from support.powershell.running import Cmdlets
from support.powershell.values import Stopped

NAMES: Final[Mapping[Shell, str]] = {"server": "exchange-server", "online": "exchange-online", "graph": "graph"}
_SIGN_INS: Final = frozenset(
    {"Connect-ExchangeOnline", "Connect-MgGraph", "Disconnect-ExchangeOnline", "Disconnect-MgGraph"}
)


def here(management: Management, shell: Shell) -> Cmdlets:
    """A shell of a simulated organisation in this process."""

    def run(cmdlet: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        try:
            return management.run(cmdlet, parameters, shell=NAMES[shell])
        except CmdletError as error:
            raise Stopped(error.text, error.category, binding=error.binding) from error

    return run


def _posted(place: str, order: dict[str, Any]) -> Any:
    """A plain connection for each of so many calls: a whole client would first read certificates that nobody needs here."""
    with contextlib.closing(HTTPConnection(place, timeout=20)) as connection:
        connection.request("POST", "/control/cmdlet", json.dumps(order), {"Content-Type": "application/json"})
        return json.loads(connection.getresponse().read())


def at(url: str, shell: Shell) -> Cmdlets:
    """A shell of a simulator that runs elsewhere, through its control door."""

    def run(cmdlet: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        order = {"cmdlet": cmdlet, "parameters": parameters, "shell": NAMES[shell]}
        answer = _posted(urlsplit(url).netloc, order)
        if error := answer.get("error"):
            raise Stopped(error["text"], error["category"], binding=error.get("binding", False))
        objects: list[dict[str, Any]] = answer["objects"]
        return objects

    return run
