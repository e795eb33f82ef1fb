"""The shells in which scripts are run here: Exchange as the simulator plays it, in this process or over HTTP."""

from collections.abc import Mapping
from typing import Any, Final

import httpx2

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


def at(url: str, shell: Shell) -> Cmdlets:
    """A shell of a simulator that runs elsewhere, through its control door."""

    def run(cmdlet: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        order = {"cmdlet": cmdlet, "parameters": parameters, "shell": NAMES[shell]}
        answer = httpx2.post(f"{url}/control/cmdlet", json=order, timeout=20).json()
        if error := answer.get("error"):
            raise Stopped(error["text"], error["category"], binding=error.get("binding", False))
        objects: list[dict[str, Any]] = answer["objects"]
        return objects

    return run
