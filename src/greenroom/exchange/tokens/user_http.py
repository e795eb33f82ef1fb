"""The way to the login host where a user signs in: bounded as that of applications, but refresh tokens come through.

Nothing is sent twice: a code or a rotating refresh token that was sent before an answer was lost is spent.
"""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import httpx2

from greenroom.exchange.errors import ExchangeError, SignInError
from greenroom.exchange.graph import entra_errors
from greenroom.exchange.graph.links import origin_of
from greenroom.exchange.graph.msal_http import LoginHttp, Reply, checked, sound
from greenroom.exchange.tokens.refusals import of_user

_OK = 200
_REFUSED, _UNAUTHORIZED = 400, 401
_PENDING: Final = ("authorization_pending", "slow_down")
_LONGEST_WORDS = 200
_LONGEST_WAIT = 3600
_SHORTEST_PAUSE, _LONGEST_PAUSE = 1, 60


class UserHttp(LoginHttp):
    """What msal speaks HTTP with where a user signs in."""

    def post(
        self, url: str, *, params: Any = None, data: Any = None, headers: Mapping[str, str] | None = None, **_: Any
    ) -> Reply:
        """Ask for a token or a device code for msal; raises what a refusal means."""
        form = urlencode({name: value for name, value in (data or {}).items() if value is not None}).encode("ascii")
        kind = {**(headers or {}), "Content-Type": "application/x-www-form-urlencoded"}
        place = self._place(url)
        status, told, body = self._attempt("POST", place, self.host, params=params, content=form, headers=kind)
        if status == _REFUSED and isinstance(body, dict) and body.get("error") in _PENDING:
            return Reply(status, json.dumps({"error": body["error"]}), told)
        if status != _OK or not isinstance(body, dict):
            raise self._refusal(status, told, body)
        asks_for_code = "grant_type" not in (data or {})
        kept = self._device_code(body) if asks_for_code else {**checked(body, self.host), **_of_user(body, self.host)}
        return Reply(status, json.dumps(kept), told)

    def real(self, url: str) -> str:
        """Return the address to open in a browser for one that msal made up from what it believes of the host."""
        return self._place(url)

    def _refusal(self, status: int, told: Mapping[str, str], body: Any) -> ExchangeError:
        found = of_user(*entra_errors.codes_of(body)) if status in (_REFUSED, _UNAUTHORIZED) else None
        return found or super()._refusal(status, told, body)

    def _device_code(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return what msal and a person need, if it can be shown on a terminal and is sensible."""
        device, user = body.get("device_code"), body.get("user_code")
        place = body.get("verification_uri") or body.get("verification_url")
        if not sound(device) or not _showable(user) or not _showable(place) or not _is_page(str(place)):
            raise SignInError(f"{self.host} gave a device code that cannot be one", code="odd-device-code")
        return {
            "device_code": device,
            "user_code": user,
            "verification_uri": place,
            "expires_in": _between(body.get("expires_in"), 1, _LONGEST_WAIT, 900),
            "interval": _between(body.get("interval"), _SHORTEST_PAUSE, _LONGEST_PAUSE, 5),
        }


def _of_user(body: Mapping[str, Any], host: str) -> dict[str, Any]:
    """Return what an answer has besides the access token; an odd one is refused, so that none is stored."""
    kept: dict[str, Any] = {}
    for name in ("refresh_token", "id_token"):
        value = body.get(name)
        if value is None:
            continue
        if not sound(value):
            raise SignInError(f"{host} gave a token that cannot be one", code="odd-token")
        kept[name] = value
    return kept


def _showable(text: object) -> bool:
    return isinstance(text, str) and 0 < len(text) <= _LONGEST_WORDS and text.isprintable() and " " not in text


def _is_page(address: str) -> bool:
    try:
        return origin_of(address) is not None and httpx2.URL(address).scheme in ("http", "https")
    except (httpx2.InvalidURL, ValueError):
        return False


def _between(given: object, least: int, most: int, usual: int) -> int:
    try:
        number = int(str(given))
    except ValueError:
        return usual
    return min(max(number, least), most)
