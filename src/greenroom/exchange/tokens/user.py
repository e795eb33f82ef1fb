"""Signing in as a user, once and by hand: with a code typed at another device (RFC 8628), or a browser (RFC 7636, RFC 8252).

msal speaks the protocol in a thread of its own, one question at a time; it keeps nothing that is used again.
"""

import asyncio
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import httpx2
import msal

from greenroom.exchange.errors import MisconfiguredError, SignInError, TryLaterError
from greenroom.exchange.graph.msal_http import sound
from greenroom.exchange.graph.names import check_client_id, check_tenant
from greenroom.exchange.graph.sign_in import Proof
from greenroom.exchange.tokens.contract import Grant, Registration
from greenroom.exchange.tokens.refusals import of_browser
from greenroom.exchange.tokens.user_http import UserHttp

_UNEXPECTED = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    RuntimeError,
)
"""How msal meets answers it did not expect."""
_NAMES: Final = ("preferred_username", "upn", "unique_name", "email")
_LONGEST_ACCOUNT = 254
_PATIENCE = 75.0


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """What a person types where: `user_code` at `page`, within `lasts` seconds; whether they did is asked every `pause` seconds."""

    page: str
    user_code: str
    lasts: int
    pause: int
    flow: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class BrowserFlow:
    """What a browser opens; it comes back with `state`."""

    page: str = field(repr=False)
    state: str = field(repr=False)
    flow: dict[str, Any] = field(repr=False)


class UserSignIn:
    """The way to sign in through one application. All raise SignInError, MisconfiguredError, TryLaterError.

    Raises MisconfiguredError at once for what is wrong in files and values; nothing is sent before something is asked.
    """

    def __init__(
        self, at: Registration, clock: Callable[[], datetime], *, http: httpx2.BaseTransport | None = None
    ) -> None:
        check_tenant(at.tenant, adfs=True)
        check_client_id(at.client_id)
        self._at = at
        self._clock = clock
        self._http = UserHttp(at.login, clock, ca_file=at.ca_file, proxy=at.proxy, resource=at.resource, transport=http)
        self._proof = None if at.proof is None else Proof(at.proof)
        self._app: msal.ClientApplication | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="user-sign-in")
        self._closed = False

    @property
    def host(self) -> str:
        """Where is signed in, for sentences."""
        return self._http.host

    @property
    def expires_at(self) -> datetime | None:
        """When what a confidential application shows runs out; None where that is not known, or it shows nothing."""
        return None if self._proof is None else self._proof.expires_at

    async def device_code(self) -> DeviceCode:
        """Ask for a code to be typed at another device."""
        if self._at.proof is not None:
            raise MisconfiguredError(
                "an application that shows a secret or certificate cannot sign in with a code at another device",
                hint="use --browser; or take the secret out and allow public client flows at the application in Entra",
                code="confidential-client",
            )
        flow = await self._asked(lambda app: app.initiate_device_flow([self._at.scope]))
        if not isinstance(flow, dict) or "user_code" not in flow:
            raise SignInError(f"{self.host} gave no code", code="odd-device-code")
        return DeviceCode(flow["verification_uri"], flow["user_code"], flow["expires_in"], flow["interval"], flow)

    async def typed(self, code: DeviceCode) -> tuple[Grant | None, int]:
        """Ask whether the code was typed: what it gave, or None and after how many seconds to ask again."""
        told = await self._asked(lambda app: app.acquire_token_by_device_flow(code.flow, exit_condition=_at_once))
        if isinstance(told, dict) and "error" in told:
            return None, int(code.flow.get("interval", code.pause))
        return self._grant(told), 0

    async def browser(self, comes_back_to: str, account: str | None) -> BrowserFlow:
        """Begin a sign-in in a browser that comes back to this address; `account` is who is expected."""
        asked = await self._asked(
            lambda app: app.initiate_auth_code_flow(
                [self._at.scope], redirect_uri=comes_back_to, login_hint=account, response_mode="query"
            )
        )
        return BrowserFlow(self._http.real(asked["auth_uri"]), asked["state"], asked)

    async def came_back(self, flow: BrowserFlow, told: Mapping[str, str]) -> Grant:
        """Take what the browser came back with (its state is checked once more)."""
        if word := told.get("error"):
            raise of_browser(word)
        answer = {name: told[name] for name in ("code", "state") if name in told}
        return self._grant(await self._asked(lambda app: app.acquire_token_by_auth_code_flow(flow.flow, answer)))

    async def renew(self, refresh_token: str) -> Grant:
        """Return a new access token, and the refresh token to use from now on. Raises SignInLostError as well."""
        scopes = [self._at.scope]
        told = await self._asked(lambda app: app.acquire_token_by_refresh_token(refresh_token, scopes))
        return self._grant(told, refresh_token)

    async def close(self) -> None:
        """Close connections, once what is under way has its answer."""
        if not self._closed:
            self._closed = True
            self._thread.submit(self._http.close)
            self._thread.shutdown(wait=False)

    async def _asked(self, work: Callable[[Any], Any]) -> Any:
        if self._closed:
            raise TryLaterError("the way to sign in was closed", code="closed")
        try:
            async with asyncio.timeout(_PATIENCE):
                return await asyncio.get_running_loop().run_in_executor(self._thread, self._work, work)
        except TimeoutError:
            raise TryLaterError("no token came in time", code="timeout") from None

    def _work(self, work: Callable[[Any], Any]) -> Any:
        if self._proof is not None and self._proof.is_replaced(self._clock()):
            self._app = None
        try:
            with warnings.catch_warnings(action="ignore"):  # msal's advice for web sites
                if self._app is None:
                    self._app = self._application()
                return work(self._app)
        except _UNEXPECTED as error:
            raise TryLaterError(f"msal cannot use the answer ({type(error).__name__})", code="odd-answer") from None

    def _application(self) -> msal.ClientApplication:
        given: dict[str, Any] = {
            "authority": f"{self._http.authority_root}/{self._at.tenant}",
            "instance_discovery": False,  # that would ask another host than the one configured
            "http_client": self._http,
            "token_cache": _Forgetful(),
        }
        if self._proof is None:
            return msal.PublicClientApplication(self._at.client_id, **given)
        return msal.ConfidentialClientApplication(
            self._at.client_id,
            client_credential=self._proof.for_msal(),
            azure_region=False,
            client_claims=self._http.claims(self._at.tenant),
            **given,
        )

    def _grant(self, told: Any, before: str = "") -> Grant:
        access = told.get("access_token") if isinstance(told, dict) else None
        if not sound(access):
            raise SignInError(f"{self.host} gave no token, and no reason why", code="no-token")
        refresh = told.get("refresh_token", before)
        if not sound(refresh):
            raise MisconfiguredError(
                f"{self.host} gave no refresh token, so the sign-in would end within the hour",
                hint="let the application have offline_access",
                code="no-refresh-token",
            )
        return Grant(_account(told.get("id_token_claims")), str(access), str(refresh), int(told.get("expires_in", 0)))


class _Forgetful(msal.TokenCache):  # type: ignore[misc]  # msal has no types
    """Keeps nothing: refresh tokens belong where they are encrypted."""

    def add(self, event: Any, now: Any = None) -> None:
        """Do nothing."""


def _at_once(_flow: object) -> bool:
    return True


def _account(claims: object) -> str:
    """Return who signed in, as the host of the sign-in says; it is asked over TLS, so its signature says no more."""
    if not isinstance(claims, dict):
        return ""
    found = next((claims[name] for name in _NAMES if isinstance(claims.get(name), str) and claims[name]), "")
    return found if len(found) <= _LONGEST_ACCOUNT and found.isprintable() else ""
