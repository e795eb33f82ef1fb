"""The doors before Graph: token endpoint, discovery, and the metadata service of a machine with a managed identity.

Users sign in at `user_doors`.

Sources: "Microsoft identity platform and the OAuth 2.0 client credentials flow", "How to use managed identities ... to
acquire an access token" (IMDS).
"""

from __future__ import annotations

import json
import uuid
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from greenroom.simulator.graph.proofs import EntraError, prove
from greenroom.simulator.graph.sessions import Sessions
from greenroom.simulator.graph.tokens import SECONDS
from greenroom.simulator.graph.user_doors import DEVICE, UserDoors, resource_of
from greenroom.simulator.wire import SPOILED, bounded_body, cut

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.routing import BaseRoute
    from starlette.types import Receive, Scope, Send

    from greenroom.simulator.counters import Counters
    from greenroom.simulator.exchange import Exchange
    from greenroom.simulator.faults import FaultRule, Faults
    from greenroom.simulator.graph.tokens import TokenBook

    Work = Callable[[Request], Awaitable[Any]]

MAX_FORM_BYTES: Final = 64 * 1024
_JSON: Final = "application/json; charset=utf-8"


class Login:
    """Answers whoever wants a token. Wrong proofs are counted as failed sign-ins of the client id."""

    def __init__(
        self,
        exchange: Exchange,
        tokens: TokenBook,
        *,
        faults: Faults,
        counters: Counters,
        pause: Callable[[float], Awaitable[None]],
    ) -> None:
        self._exchange = exchange
        self._tokens = tokens
        self._faults = faults
        self._counters = counters
        self._pause = pause
        self.sessions = Sessions(exchange)
        self._users = UserDoors(exchange, tokens, self.sessions, counters)

    def routes(self) -> list[BaseRoute]:
        """The routes of all doors."""
        return [
            Route("/common/discovery/instance", _Door(self, "Discovery", self._instance)),
            Route("/metadata/identity/oauth2/token", _Door(self, "Token", self._managed)),
            Route("/{tenant}/oauth2/v2.0/token", _Door(self, "Token", self._token)),
            Route("/{tenant}/oauth2/v2.0/devicecode", _Door(self, "DeviceCode", self._device_code)),
            Route("/adfs/.well-known/openid-configuration", _Door(self, "Discovery", self._adfs)),
            Route("/adfs/oauth2/token", _Door(self, "Token", self._token)),
            Route("/adfs/oauth2/devicecode", _Door(self, "DeviceCode", self._device_code)),
            *self._users.routes(),
            Route("/{tenant}/v2.0/.well-known/openid-configuration", _Door(self, "Discovery", self._openid)),
            Route("/{tenant}/discovery/v2.0/keys", _Door(self, "Discovery", self._keys)),
        ]

    async def _token(self, request: Request) -> Any:
        if request.method != "POST":
            raise EntraError(405, "invalid_request", 900561, "The endpoint only accepts POST requests.")
        form = await _form(request)
        client_id = form.get("client_id", "")
        tenant = _tenant(request)
        self._check_tenant(tenant)
        application = self._exchange.application(client_id)
        if form.get("grant_type") in ("authorization_code", "refresh_token", DEVICE):
            try:
                return self._users.grant(form, _base(request), tenant)
            except EntraError as error:
                if error.error not in ("authorization_pending", "slow_down"):
                    self._counters.auth_failure(client_id)
                raise
        if form.get("grant_type") != "client_credentials":
            raise EntraError(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
        if application is None:
            text = f"Application with identifier '{client_id[:100]}' was not found in the directory."
            raise EntraError(400, "unauthorized_client", 700016, text)
        registered = self._exchange.site.organisation.registrations.get(application.client_id.lower())
        if registered is not None and registered.principal is None:
            text = f"The client application {application.client_id} is missing service principal in the tenant."
            raise EntraError(401, "unauthorized_client", 7000229, text)
        scope = form.get("scope", "")
        if not scope.endswith("/openid" if tenant == "adfs" else "/.default") or " " in scope.strip():
            text = "The provided value for the input parameter 'scope' is not valid: it must end in /.default."
            raise EntraError(400, "invalid_scope", 70011, text)
        base = _base(request)
        resource = scope.rpartition("/")[0]
        self._check_resource(resource, request)
        audiences = (
            f"{base}/{tenant}/oauth2/v2.0/token",
            f"{base}/{tenant}/oauth2/token",
            f"{base}/{tenant}/v2.0",
            f"{base}/{tenant}",
        )
        try:
            prove(application, form, audiences, self._exchange.clock())
        except EntraError:
            self._counters.auth_failure(application.client_id)
            raise
        token = self._tokens.issue(application.client_id, audience=resource)
        return {"token_type": "Bearer", "expires_in": SECONDS, "ext_expires_in": SECONDS, "access_token": token}

    async def _device_code(self, request: Request) -> Any:
        form = await _form(request)
        self._check_tenant(_tenant(request))
        found = self._users.device_code(form, _base(request))
        self._check_resource(resource_of(tuple(form.get("scope", "").split()))[0], request)
        return found

    async def _managed(self, request: Request) -> Any:
        """The Instance Metadata Service. The identity is the application named, else the first that is registered."""
        query = request.query_params
        if request.headers.get("Metadata", "").lower() != "true" or "X-Forwarded-For" in request.headers:
            raise EntraError(400, "invalid_request", 0, "Required metadata header not specified")
        if not query.get("api-version") or not query.get("resource"):
            raise EntraError(400, "invalid_request", 0, "Required query variable is missing")
        known = list(self._exchange.site.directory.applications.values())
        if wanted := query.get("client_id"):
            known = [one for one in known if one.client_id.lower() == wanted.lower()]
        if not known:
            raise EntraError(400, "invalid_request", 0, "Identity not found")
        now = int(self._exchange.clock().timestamp())
        return {
            "access_token": self._tokens.issue(known[0].client_id),
            "client_id": known[0].client_id,
            "expires_in": str(SECONDS),
            "expires_on": str(now + SECONDS),
            "ext_expires_in": str(SECONDS),
            "not_before": str(now),
            "resource": query["resource"],
            "token_type": "Bearer",
        }

    async def _openid(self, request: Request) -> Any:
        tenant, base = _tenant(request), _base(request)
        self._check_tenant(tenant)
        return {
            "token_endpoint": f"{base}/{tenant}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "jwks_uri": f"{base}/{tenant}/discovery/v2.0/keys",
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "issuer": f"{base}/{self._exchange.site.tenant}/v2.0",
            "authorization_endpoint": f"{base}/{tenant}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"{base}/{tenant}/oauth2/v2.0/devicecode",
            "tenant_region_scope": "EU",
            "cloud_instance_name": "microsoftonline.com",
            "msgraph_host": "graph.microsoft.com",
        }

    async def _instance(self, request: Request) -> Any:
        base, host = _base(request), request.url.netloc
        wanted = request.query_params.get("authorization_endpoint", "")
        tenant = wanted.split("/")[3] if wanted.count("/") > 2 else self._exchange.site.tenant  # noqa: PLR2004 - https://host/tenant
        return {
            "tenant_discovery_endpoint": f"{base}/{tenant}/v2.0/.well-known/openid-configuration",
            "api-version": "1.1",
            "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
        }

    async def _keys(self, request: Request) -> Any:
        self._check_tenant(_tenant(request))
        return {"keys": self._users.keys()}

    async def _adfs(self, request: Request) -> Any:
        """The metadata of AD FS, which has one directory and paths of its own."""
        base = f"{_base(request)}/adfs"
        return {
            "issuer": base,
            "authorization_endpoint": f"{base}/oauth2/authorize",
            "token_endpoint": f"{base}/oauth2/token",
            "device_authorization_endpoint": f"{base}/oauth2/devicecode",
            "jwks_uri": f"{base}/discovery/keys",
            "access_token_issuer": f"{base}/services/trust",
        }

    def _check_resource(self, resource: str, request: Request) -> None:
        """A resource is one of Microsoft's, this simulator, or a host of a domain that has mailboxes here."""
        host = urlsplit(resource).hostname or ""
        ours = host == request.url.hostname or self._exchange.site.directory.is_local_domain(
            f"x@{host.partition('.')[2]}"
        )
        if not ours and not host.endswith((".microsoft.com", ".microsoft.us", ".office365.com", "chinacloudapi.cn")):
            text = f"The resource principal named {resource[:100]} was not found in the tenant."
            raise EntraError(400, "invalid_resource", 500011, text)

    def _check_tenant(self, tenant: str) -> None:
        """A tenant is named by its id or by a domain of it; AD FS has one, of this name."""
        if tenant == "adfs":
            return
        named_by_domain = "." in tenant and self._exchange.site.directory.is_local_domain(f"x@{tenant}")
        if tenant.lower() != self._exchange.site.tenant and not named_by_domain:
            text = f"Tenant '{tenant[:100]}' not found. Check to make sure you have the correct tenant ID."
            raise EntraError(400, "invalid_request", 90002, text)

    async def answer(self, operation: str, work: Work, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        request = Request(scope, receive)
        self._counters.call(operation, mailbox="-", account="-", at=self._exchange.clock())
        rule = self._faults.strike(operation, None, by_name=True)
        ids = {
            "trace_id": str(uuid.uuid4()),
            "correlation_id": request.headers.get("client-request-id", str(uuid.uuid4())),
        }
        status, headers, body = 200, dict[str, str](), b""
        try:
            if rule is not None:
                self._counters.fault(rule.kind)
                await self._strike(rule)
            if rule is not None and rule.kind == "timeout_before":
                await cut(scope)
                return
            body = json.dumps(await work(request)).encode()
        except ClientDisconnect:
            return
        except EntraError as error:
            status, body = error.status, json.dumps(self._refused(error, ids)).encode()
            if rule is not None and rule.retry_after is not None:
                headers["Retry-After"] = str(rule.retry_after)
        self._counters.status(status)
        if rule is not None and rule.kind == "timeout_after_commit":
            await self._pause(rule.seconds)
            await cut(scope)
            return
        if rule is not None and rule.kind in ("truncated_reply", "garbage_reply"):
            scope[SPOILED] = True
            body = body[: len(body) // 2] if rule.kind == "truncated_reply" else b"<html>It works!</html>"
        headers |= {
            "Cache-Control": "no-store, no-cache",
            "Pragma": "no-cache",
            "Date": format_datetime(self._exchange.clock(), usegmt=True),
            "x-ms-request-id": ids["trace_id"],
        }
        await Response(body, status, headers, _JSON)(scope, receive, send)

    async def _strike(self, rule: FaultRule) -> None:
        match rule.kind:
            case "http_429":
                raise EntraError(429, "temporarily_unavailable", 50196, "The server terminated an operation: loop.")
            case "http_503" | "server_busy":
                raise EntraError(
                    503, "temporarily_unavailable", 90033, "A transient error has occurred. Please try again."
                )
            case "http_504":
                raise EntraError(504, "temporarily_unavailable", 90006, "External server error. Please try again.")
            case "unauthorized":
                raise EntraError(401, "invalid_client", 7000215, "Invalid client secret provided.")
            case "access_denied":
                raise EntraError(400, "unauthorized_client", 700016, "Application was not found in the directory.")
            case "slow" | "timeout_before":
                await self._pause(rule.seconds)
            case _:
                pass

    def _refused(self, error: EntraError, ids: Mapping[str, str]) -> dict[str, Any]:
        stamp = self._exchange.clock().strftime("%Y-%m-%d %H:%M:%SZ")
        text = error.text
        if error.code:
            text = (
                f"AADSTS{error.code}: {error.text} Trace ID: {ids['trace_id']} "
                f"Correlation ID: {ids['correlation_id']} Timestamp: {stamp}"
            )
        return {
            "error": error.error,
            "error_description": text,
            "error_codes": [error.code] if error.code else [],
            "timestamp": stamp,
            **ids,
            "error_uri": f"https://login.microsoftonline.com/error?code={error.code}",
        }


class _Door:
    """One endpoint as an ASGI application, so that every method reaches it and a fault can cut the connection."""

    def __init__(self, login: Login, operation: str, work: Work) -> None:
        self._login = login
        self._operation = operation
        self._work = work

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._login.answer(self._operation, self._work, scope, receive, send)


async def _form(request: Request) -> dict[str, str]:
    body = await bounded_body(request, MAX_FORM_BYTES)
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if body is None or kind != "application/x-www-form-urlencoded":
        raise EntraError(400, "invalid_request", 900144, "The request body must contain the parameter 'grant_type'.")
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=50))
    except ValueError:
        raise EntraError(400, "invalid_request", 9000411, "The request is not properly formatted.") from None


def _tenant(request: Request) -> str:
    return str(request.path_params.get("tenant", "adfs"))


def _base(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"
