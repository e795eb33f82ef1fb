"""A login host that answers from a script."""

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from exchange.graph.papers import NOW
from exchange.scripted import Clock, unread
from greenroom.exchange.errors import ExchangeError
from greenroom.exchange.graph.sign_in import (
    MsalTokens,
    Secret,
)
from support.simulator import CLIENT_ID, CLIENT_SECRET

TENANT = "0a1b2c3d-0000-4000-8000-000000000001"


def entra(status: int, number: int = 0, word: str = "invalid_client", **headers: str) -> httpx2.Response:
    text = f"AADSTS{number}: {CLIENT_SECRET} is wrong for Wendelin. Trace ID: x"
    body = {"error": word, "error_description": text, "error_codes": [number]}
    return httpx2.Response(status, content=json.dumps(body).encode(), headers=headers)


DISCOVERED = {
    "token_endpoint": f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token",
    "authorization_endpoint": f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/authorize",
    "issuer": f"https://login.microsoftonline.com/{TENANT}/v2.0",
}
GOOD = {"access_token": "token", "token_type": "Bearer", "expires_in": 3599}


class Entra:
    """A login host that answers from a script: metadata as usual, then what `script` says."""

    def __init__(self, script: Callable[[httpx2.Request], httpx2.Response]) -> None:
        self.script = script
        self.asked: list[httpx2.Request] = []
        self.clock = Clock(NOW)

    def tokens(self, credential: Any = None) -> MsalTokens:
        return MsalTokens(
            credential or Secret(CLIENT_SECRET),
            tenant=TENANT,
            client_id=CLIENT_ID,
            clock=self.clock,
            http=httpx2.MockTransport(self._answer),
        )

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        if request.method == "GET":
            return unread(httpx2.Response(200, content=json.dumps(DISCOVERED).encode()))
        return unread(self.script(request))


async def told(answer: httpx2.Response, error: type[ExchangeError]) -> Any:
    with pytest.raises(error) as caught:
        await Entra(lambda _: answer).tokens().token()
    assert "Wendelin" not in str(caught.value)
    return caught.value
