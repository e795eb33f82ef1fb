"""The control surface of the login host: ends sessions, and turns what the directory has against accounts.

::

    POST /control/sessions   {"revoke"?: login, "code"?: AADSTS number, "blocked"?: {login: number, 0 for none},
                              "once"?: bool, "ahead"?: seconds, "tokens"?: "revoke"}
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from greenroom.simulator.control import MAX_CONTROL_BYTES, guarded
from greenroom.simulator.wire import bounded_body

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from greenroom.simulator.graph.sessions import Sessions
    from greenroom.simulator.graph.tokens import TokenBook

_KINDS: Final[dict[str, type | tuple[type, ...]]] = {
    "revoke": str,
    "code": int,
    "blocked": dict,
    "once": bool,
    "ahead": (int, float),
    "tokens": str,
}


def login_control(sessions: Sessions, tokens: TokenBook) -> list[BaseRoute]:
    """The routes."""

    async def turn(request: Request) -> Response:
        try:
            data: Any = json.loads(await bounded_body(request, MAX_CONTROL_BYTES) or b"")
        except ValueError:
            data = None
        known = isinstance(data, dict) and all(isinstance(value, _KINDS.get(name, ())) for name, value in data.items())
        if not known:
            return JSONResponse({"error": f"a JSON object with {', '.join(sorted(_KINDS))}"}, 400)
        ended = sessions.revoke(data["revoke"], data.get("code", 50173)) if "revoke" in data else 0
        for login, number in data.get("blocked", {}).items():
            sessions.blocked[str(login).lower()] = int(number)
        sessions.once = data.get("once", sessions.once)
        if "ahead" in data:
            tokens.ahead = timedelta(seconds=data["ahead"])
        if data.get("tokens") == "revoke":
            tokens.revoke_all()
        return JSONResponse({"ended": ended})

    return [Route("/control/sessions", guarded(turn), methods=["POST"])]
