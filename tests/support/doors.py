"""Both faces of an organisation in this process, without a server: EWS as somebody, Graph as an application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2

from greenroom.simulator.app import SimulatorApp, create_simulator_app
from greenroom.simulator.auth import PROVEN
from greenroom.simulator.exchange import Exchange
from support.ews_raw import Reply, soap, sync
from support.ews_schema import validate_body

HOST = "http://127.0.0.1"
EWS = f"{HOST}/EWS/Exchange.asmx"
SCOPE = "https://graph.microsoft.com/.default"


@dataclass
class Doors:
    """Asks at the doors. Every SOAP that comes back is held against the schema."""

    app: SimulatorApp
    http: httpx2.AsyncClient
    proven: list[str] = field(default_factory=list)
    """Whom something in front of EWS has let in (one name, or none)."""

    async def ews(
        self, login: str, password: str = "", *, operation: str = "", acting: str | None = None, **headers: str
    ) -> Reply:
        """Call EWS by Basic, or without a password as somebody whom a door in front has proven."""
        self.proven[:] = [] if password else [login]
        order = soap(operation or sync("calendar"), impersonate=acting)
        auth = httpx2.BasicAuth(login, password) if password else httpx2.USE_CLIENT_DEFAULT
        answer = await self.http.post(EWS, content=order, headers={"Content-Type": "text/xml", **headers}, auth=auth)
        if answer.content:
            validate_body(answer.content)
        return Reply(answer.status_code, answer.headers, answer.content)

    async def opens(self, login: str, password: str, mailbox: str) -> str:
        """The response code of reading a calendar by impersonation."""
        reply = await self.ews(login, password, acting=mailbox)
        return reply.codes[0] if reply.content else str(reply.status)

    async def token(self, client_id: str, secret: str) -> httpx2.Response:
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret, "scope": SCOPE}
        return await self.http.post(f"{HOST}/{self.app.graph.tenant}/oauth2/v2.0/token", data=form)

    async def graph(self, client_id: str, mailbox: str) -> tuple[int, str]:
        """Read a calendar as an application that has signed in: the status, and the code of a refusal."""
        bearer = {"Authorization": f"Bearer {self.app.graph.tokens.issue(client_id)}"}
        answer = await self.http.get(f"{HOST}/v1.0/users/{mailbox}/calendar", headers=bearer)
        said: dict[str, Any] = answer.json()
        return answer.status_code, said.get("error", {}).get("code", "")


@asynccontextmanager
async def doors_of(exchange: Exchange) -> AsyncIterator[Doors]:
    """Open both faces of an organisation."""
    app = create_simulator_app(exchange)
    proven: list[str] = []

    async def in_front(scope: Any, receive: Any, send: Any) -> None:
        if proven and scope["path"].startswith("/EWS"):
            scope[PROVEN] = proven[0]
        await app(scope, receive, send)

    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(in_front), trust_env=False) as http:
        yield Doors(app, http, proven)
    app.close()
