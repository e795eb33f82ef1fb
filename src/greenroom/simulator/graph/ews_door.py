"""The door of the EWS face for access tokens of the login host: whom they let in, and what Exchange says where they do not.

Source of the words: MS-OAUTH2EX 3.3, and what Exchange writes into `x-ms-diagnostics`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from greenroom.simulator import rights
from greenroom.simulator.auth import WHOSE

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from greenroom.simulator.counters import Counters
    from greenroom.simulator.exchange import Exchange
    from greenroom.simulator.graph.tokens import Issued, TokenBook

_EXCHANGE: Final = "00000002-0000-0ff1-ce00-000000000000"
_ISSUER: Final = "00000001-0000-0000-c000-000000000000"


class _RefusedError(Exception):
    def __init__(self, number: int, reason: str, category: str) -> None:
        super().__init__(reason)
        self.diagnostics = f'{number};reason="{reason}";error_category="{category}"'


class EwsDoor:
    """Stands before the face. Whatever comes without one of our tokens goes through as it is."""

    def __init__(self, face: ASGIApp, exchange: Exchange, tokens: TokenBook, counters: Counters) -> None:
        self._face = face
        self._exchange = exchange
        self._tokens = tokens
        self._counters = counters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Look at the token, then let the face answer (ASGI)."""
        request = Request(scope, receive)
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        takes_tokens = self._exchange.site.organisation.directory.oauth
        if scheme.lower() != "bearer" or not token.startswith("sim.") or not takes_tokens:
            await self._face(scope, receive, send)
            return
        try:
            issued = self._checked(token.strip(), request.url.hostname or "")
        except _RefusedError as refused:
            self._counters.auth_failure("bearer")
            self._counters.status(401)
            await Response(status_code=401, headers=self._refusal(refused))(scope, receive, send)
            return
        access = self._exchange.site.organisation.ews
        if (
            access.enabled
            and access.app_ids
            and issued.client_id.lower() not in {one.lower() for one in access.app_ids}
        ):
            await Response(status_code=403, headers={"Server": "Microsoft-IIS/10.0"})(scope, receive, send)
            return
        scope[WHOSE] = issued.login or issued.client_id
        await self._face(scope, receive, send)

    def _checked(self, token: str, host: str) -> Issued:
        issued, now = self._tokens.find(token), self._exchange.clock()
        if issued is None:
            raise _RefusedError(2000000, "The token has an invalid signature.", "invalid_signature")
        if issued.audience is not None and urlsplit(issued.audience).hostname != host:
            reason = f"The hostname component of the audience claim value '{issued.audience}' is invalid"
            raise _RefusedError(2000003, reason, "invalid_resource")
        if issued.expires <= now:
            raise _RefusedError(2000001, "The token is expired.", "invalid_lifetime")
        if issued.begins > now:
            raise _RefusedError(2000001, "The token is not valid yet.", "invalid_lifetime")
        if issued.login is None and not self._has_roles(issued.client_id):
            reason = "The token contains no permissions, or permissions can not be understood."
            raise _RefusedError(2000008, reason, "invalid_grant")
        if issued.login is not None and not {"EWS.AccessAsUser.All", "user_impersonation"} & set(issued.scp.split()):
            raise _RefusedError(2000008, "The token contains not enough scope to make this call.", "invalid_grant")
        if issued.login is not None and self._exchange.account(issued.login) is None:
            reason = "The user specified by the user-context in the token does not exist."
            raise _RefusedError(2000005, reason, "invalid_user")
        return issued

    def _has_roles(self, client_id: str) -> bool:
        """Whether anything at all lets the application use EWS; over which mailboxes is asked later."""
        application, site = self._exchange.application(client_id), self._exchange.site
        if application is None or application.ews:
            return application is not None
        known = site.organisation.effective(site.now())
        consented = any(one.role == rights.CONSENT_EWS for one in rights.consents_of(site, known, client_id))
        given = rights.assignments_of(site, known, client_id)
        return consented or any(one.enabled and one.role.lower() in rights.EWS_AS_APP for one in given)

    def _refusal(self, refused: _RefusedError) -> dict[str, str]:
        challenge = (
            f'Bearer client_id="{_EXCHANGE}", trusted_issuers="{_ISSUER}@{self._exchange.site.tenant}", '
            'token_types="app_asserted_user_v1 service_asserted_app_v1", error="invalid_token"'
        )
        return {"WWW-Authenticate": challenge, "x-ms-diagnostics": refused.diagnostics, "Server": "Microsoft-IIS/10.0"}
