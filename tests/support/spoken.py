"""One equipment mailbox on a simulator, opened over the protocol that a test wants, and what that protocol calls its operations."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Literal

import httpx2

from greenroom.exchange.contract import Mailbox
from greenroom.exchange.ews import BasicAuth, EwsMailbox, EwsSettings
from greenroom.exchange.graph.intake import GraphIntake
from greenroom.exchange.graph.limits import Limits
from greenroom.exchange.graph.mailbox import GraphMailbox
from greenroom.exchange.graph.settings import Cloud, GraphSettings
from greenroom.exchange.graph.sign_in import Secret, open_tokens
from greenroom.scheduler.case import Clock
from greenroom.simulator.app import SimulatorApp
from greenroom.web.app import create_app
from support.in_loop import serving
from support.issued import Issued
from support.join_rooms import PLACES, RoomsInMemory
from support.simulator import RunningSimulator
from support.whole import CLIENT_ID, CLIENT_SECRET, EQUIPMENT, PASSWORD, SERVICE, Spoken

Work = Literal["look", "read", "update", "reply"]
OPERATIONS: Mapping[Spoken, Mapping[Work, str]] = {
    "ews": {"look": "SyncFolderItems", "read": "GetItem", "update": "UpdateItem", "reply": "CreateItem"},
    "graph": {"look": "ListEvents", "read": "GetEvent", "update": "UpdateEvent", "reply": "AcceptEvent"},
}
"""By which operation something is done; over Graph several items are read by `ListEvents`, too."""

_ROOT = "http://127.0.0.1"


@asynccontextmanager
async def over_http(
    simulator: RunningSimulator,
    protocol: Spoken,
    *,
    clock: Clock,
    name: str,
    push: bool,
    secret: str | None = None,
    timeout: timedelta,  # noqa: ASYNC109  of each call, not of this function
) -> AsyncIterator[Mailbox]:
    """Open the mailbox as in production: over sockets, signing in with a password or a client `secret` (None: the right one).

    `name` is the integration's. With `push` over Graph there is an endpoint to which the simulator posts notifications.
    """
    if protocol == "ews":
        auth = BasicAuth(SERVICE, PASSWORD if secret is None else secret)
        mailbox = EwsMailbox(EwsSettings(simulator.ews_url, EQUIPMENT, auth, timeout=timeout), clock=clock)
        try:
            yield mailbox
        finally:
            await mailbox.close()
        return
    async with AsyncExitStack() as stack:
        cloud = Cloud(simulator.login_url, simulator.url)
        credential = Secret(CLIENT_SECRET if secret is None else secret)
        tokens = open_tokens(credential, tenant=simulator.tenant, client_id=CLIENT_ID, cloud=cloud, clock=clock)
        stack.push_async_callback(tokens.close)
        intake, hook = None, ""
        if push:
            intake = GraphIntake(simulator.tenant, clock=clock)
            app = create_app(RoomsInMemory(), clock, PLACES, {name: intake})
            hook = f"{await stack.enter_async_context(serving(app))}/hooks/graph/{name}"
        settings = GraphSettings(
            EQUIPMENT,
            simulator.tenant,
            tokens,
            cloud,
            notification_url=hook,
            lifecycle_url=f"{hook}/lifecycle" if hook else "",
            timeout=timeout,
        )
        graph = GraphMailbox(settings, limits=Limits(clock), clock=clock, intake=intake)
        stack.push_async_callback(graph.close)
        yield graph


def straight(app: SimulatorApp, protocol: Spoken, clock: Clock) -> Mailbox:
    """Open the mailbox without sockets: requests go straight into the simulator's application. The caller closes it."""
    if protocol == "ews":
        auth = BasicAuth(SERVICE, PASSWORD)
        return EwsMailbox(EwsSettings(f"{_ROOT}/EWS/Exchange.asmx", EQUIPMENT, auth), _Straight(app), clock=clock)
    settings = GraphSettings(EQUIPMENT, app.graph.tenant, Issued(app), Cloud(_ROOT, _ROOT))
    return GraphMailbox(settings, limits=Limits(clock), clock=clock, http=_Straight(app))


class _Straight(httpx2.ASGITransport):
    """Calls the application in this loop; a connection that it cuts is a connection that broke."""

    def __init__(self, app: SimulatorApp) -> None:
        super().__init__(app, client=("127.0.0.1", 50000))

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        try:
            return await super().handle_async_request(request)
        except ConnectionResetError as error:
            raise httpx2.ReadError("cut", request=request) from error
