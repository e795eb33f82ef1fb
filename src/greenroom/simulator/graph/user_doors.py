"""The doors of the login host for users: device codes, the page in a browser, and the grants that follow.

Sources: "OAuth 2.0 device authorization grant flow" and "OAuth 2.0 authorization code flow" of the Microsoft identity platform;
RFC 7636, RFC 8252 7.3 (any port of a loopback address), RFC 8628.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from greenroom.simulator.graph.proofs import EntraError, prove
from greenroom.simulator.graph.sessions import Asked
from greenroom.simulator.graph.tokens import SECONDS
from greenroom.simulator.wire import bounded_body

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from greenroom.simulator.counters import Counters
    from greenroom.simulator.exchange import Exchange
    from greenroom.simulator.graph.sessions import Session, Sessions
    from greenroom.simulator.graph.tokens import TokenBook
    from greenroom.simulator.model import Account

DEVICE: Final = "urn:ietf:params:oauth:grant-type:device_code"
_RESERVED: Final = frozenset({"openid", "profile", "offline_access", "email"})
_LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]", "::1")
_MAX_FORM: Final = 64 * 1024
_KID: Final = "sim-1"
_PAGE: Final = """\
<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sign in</title></head><body><h1>Sign in</h1>{said}
<form method="post">{code}<label>Account <input name="login" value="{hint}"></label>
<label>Password <input name="password" type="password"></label>
<button name="answer" value="allow">Allow</button><button name="answer" value="deny">Cancel</button></form></body></html>
"""


class UserDoors:
    """Answers applications that sign a user in, and plays the page that the user sees."""

    def __init__(self, exchange: Exchange, tokens: TokenBook, sessions: Sessions, counters: Counters) -> None:
        self._exchange = exchange
        self._tokens = tokens
        self._sessions = sessions
        self._counters = counters
        self._signs = False

    def routes(self) -> list[BaseRoute]:
        """The pages."""
        return [
            Route("/device", self._typed, methods=["GET", "POST"]),
            Route("/adfs/oauth2/authorize", self._browser, methods=["GET", "POST"]),
            Route("/{tenant}/oauth2/v2.0/authorize", self._browser, methods=["GET", "POST"]),
        ]

    def keys(self) -> list[dict[str, str]]:
        """The public keys (JWKS) with which identity tokens are signed: none before the first."""
        if not self._signs:
            return []
        numbers = _key().public_key().public_numbers()
        n, e = ((number.bit_length() + 7) // 8 for number in (numbers.n, numbers.e))
        modulus, exponent = _encoded(numbers.n.to_bytes(n, "big")), _encoded(numbers.e.to_bytes(e, "big"))
        return [{"kty": "RSA", "use": "sig", "kid": _KID, "alg": "RS256", "n": modulus, "e": exponent}]

    def device_code(self, form: Mapping[str, str], base: str) -> dict[str, Any]:
        """Begin a sign-in by a code."""
        application = self._exchange.application(form.get("client_id", ""))
        if application is None:
            raise EntraError(400, "unauthorized_client", 700016, "Application was not found in the directory.")
        if not application.public:
            text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
            raise EntraError(401, "invalid_client", 7000218, text)
        user_code, expires = self._sessions.code()
        name = self._sessions.ask(Asked(application.client_id, _scopes(form), expires, user_code))
        return {
            "user_code": user_code,
            "device_code": name,
            "verification_uri": f"{base}/device",
            "expires_in": int((expires - self._exchange.clock()).total_seconds()),
            "interval": self._sessions.interval,
            "message": f"To sign in, use a web browser to open the page {base}/device and enter the code {user_code}.",
        }

    def grant(self, form: Mapping[str, str], base: str, tenant: str) -> dict[str, Any]:
        """Answer one of the grants of users. Raises EntraError."""
        client_id = form.get("client_id", "")
        application = self._exchange.application(client_id)
        if application is None:
            raise EntraError(400, "unauthorized_client", 700016, "Application was not found in the directory.")
        shows = "client_secret" in form or "client_assertion" in form
        if shows or not application.public:
            audiences = (f"{base}/{tenant}/oauth2/v2.0/token", f"{base}/{tenant}/oauth2/token")
            prove(application, form, audiences, self._exchange.clock())
        nonce = ""
        match form.get("grant_type"):
            case "authorization_code":
                verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
                session, asked = self._sessions.redeem(
                    form.get("code", ""), client_id, form.get("redirect_uri", ""), _encoded(verifier)
                )
                nonce = asked.nonce
            case "refresh_token":
                session = self._sessions.renew(form.get("refresh_token", ""), client_id)
            case _:
                session = self._sessions.poll(form.get("device_code") or form.get("code", ""), client_id)
        number = self._sessions.blocked.get(session.account.login.lower(), 0)
        if number:
            raise EntraError(400, "invalid_grant", number, "The account may not sign in.")
        return self._given(session, nonce, base)

    def _given(self, session: Session, nonce: str, base: str) -> dict[str, Any]:
        resource, scp = resource_of(session.scopes)
        upn = self.upn(session.account)
        token = self._tokens.issue(session.client_id, audience=resource, login=session.account.login, scp=scp)
        given = {
            "token_type": "Bearer",
            "scope": " ".join(session.scopes),
            "expires_in": SECONDS,
            "ext_expires_in": SECONDS,
            "access_token": token,
        }
        if "offline_access" in session.scopes:
            given["refresh_token"] = self._sessions.rotate(session)
        if "openid" in session.scopes:
            given["id_token"] = self._id_token(session, upn, nonce, base)
        return given

    def upn(self, account: Account) -> str:
        """The principal name of an account: in the organisation's first domain where it is a mere login."""
        if "@" in account.login:
            return account.login
        known = self._exchange.mailboxes()
        domain = known[0].address.rpartition("@")[2] if known else "sim.test"
        return account.mailbox or f"{account.login}@{domain}"

    def _id_token(self, session: Session, upn: str, nonce: str, base: str) -> str:
        self._signs = True
        now = int(self._exchange.clock().timestamp())
        tenant = self._exchange.site.tenant
        claims = {
            "aud": session.client_id,
            "iss": f"{base}/{tenant}/v2.0",
            "iat": now,
            "nbf": now,
            "exp": now + SECONDS,
            "name": upn.partition("@")[0],
            "preferred_username": upn,
            "sub": hashlib.sha256(upn.encode()).hexdigest()[:32],
            "tid": tenant,
            "ver": "2.0",
        }
        if nonce:
            claims["nonce"] = nonce
        head = {"typ": "JWT", "alg": "RS256", "kid": _KID}
        signed = f"{_encoded(json.dumps(head).encode())}.{_encoded(json.dumps(claims).encode())}"
        return f"{signed}.{_encoded(_key().sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"

    async def _typed(self, request: Request) -> Response:
        """The page where a code is typed."""
        if request.method == "GET":
            code = '<label>Code <input name="user_code"></label>'
            return HTMLResponse(_PAGE.format(said="", code=code, hint=""))
        form = await _posted(request)
        asked = self._sessions.typed(form.get("user_code", ""))
        if asked is None:
            return HTMLResponse("<p>That code didn't work.</p>", 400)
        account = self._exchange.authenticate(form.get("login", ""), form.get("password", ""))
        if account is None:
            return HTMLResponse("<p>Your account or password is incorrect.</p>", 401)
        self._sessions.answer(asked, account, allow=form.get("answer") == "allow")
        return HTMLResponse("<p>You have signed in. You may now close this window.</p>")

    async def _browser(self, request: Request) -> Response:
        """The page in a browser: who allows or declines goes back to the application with a code or an error."""
        query = dict(request.query_params)
        try:
            asked = self._wanted(query)
        except EntraError as error:
            return HTMLResponse(f"<p>AADSTS{error.code}: {html.escape(error.text)}</p>", error.status)
        if request.method == "GET":
            hint = html.escape(query.get("login_hint", ""), quote=True)
            return HTMLResponse(_PAGE.format(said="", code="", hint=hint))
        form = await _posted(request)
        back = {"state": asked.state} if asked.state else {}
        if form.get("answer") != "allow":
            back |= {"error": "access_denied", "error_description": "AADSTS65004: User declined to consent."}
            return RedirectResponse(f"{asked.redirect}?{urlencode(back)}", 303)
        account = self._exchange.authenticate(form.get("login", ""), form.get("password", ""))
        if account is None:
            return HTMLResponse("<p>Your account or password is incorrect.</p>", 401)
        name = self._sessions.ask(asked)
        self._sessions.answer(asked, account, allow=True)
        return RedirectResponse(f"{asked.redirect}?{urlencode({'code': name, **back})}", 303)

    def _wanted(self, query: Mapping[str, str]) -> Asked:
        application = self._exchange.application(query.get("client_id", ""))
        if application is None:
            raise EntraError(400, "unauthorized_client", 700016, "Application was not found in the directory.")
        redirect = query.get("redirect_uri", "")
        if urlsplit(redirect).hostname not in _LOOPBACK or urlsplit(redirect).scheme != "http":
            raise EntraError(400, "invalid_request", 50011, "The redirect URI does not match those of the application.")
        if query.get("response_type") != "code":
            raise EntraError(400, "unsupported_response_type", 700054, "The response_type is not enabled.")
        if query.get("code_challenge_method") != "S256" or not query.get("code_challenge"):
            raise EntraError(400, "invalid_request", 9002325, "Proof Key for Code Exchange is required.")
        _, expires = self._sessions.code()
        return Asked(
            application.client_id,
            _scopes(query),
            expires,
            redirect=redirect,
            state=query.get("state", ""),
            nonce=query.get("nonce", ""),
            challenge=query["code_challenge"],
        )


@cache
def _key() -> rsa.RSAPrivateKey:
    """One for all simulators of a process: making one takes a moment."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def resource_of(scopes: tuple[str, ...]) -> tuple[str, str]:
    """The resource that scopes belong to, and the permissions of it. Raises EntraError unless it is one."""
    named = [scope for scope in scopes if scope not in _RESERVED]
    resources = {scope.rpartition("/")[0] for scope in named}
    if len(resources) != 1 or not min(resources):
        raise EntraError(
            400, "invalid_scope", 70011, "The provided value for the input parameter 'scope' is not valid."
        )
    return resources.pop(), " ".join(scope.rpartition("/")[2] for scope in named)


def _scopes(form: Mapping[str, str]) -> tuple[str, ...]:
    scopes = tuple(form.get("scope", "").split())
    resource_of(scopes)
    return scopes


async def _posted(request: Request) -> dict[str, str]:
    body = await bounded_body(request, _MAX_FORM)
    return dict(parse_qsl((body or b"").decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=50))


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
