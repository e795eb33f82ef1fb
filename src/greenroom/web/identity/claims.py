"""Claims, read with their types: what is not exactly as it must be is refused. Source: RFC 7519 4.1, RFC 9068."""

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from greenroom.web.identity.contract import Refusal, TokenRefusedError
from greenroom.web.identity.shown import listed, shown

LEEWAY = timedelta(minutes=5)
"""How far the clocks of others may be off."""

Claims = Mapping[str, Any]

_LONGEST = 512
_MOST = 1_000
_LATEST = 2**40
_DIGITS = re.compile(r"[0-9]{1,12}")
_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?=.{1,190}$)(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*"
    r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)
_LONGEST_ADDRESS = 254
_DIGEST = 32


def text(claims: Claims, name: str, missing: Refusal) -> str:
    """Return a claim that must be a text. Raises TokenRefusedError: `missing` where there is none, else MALFORMED."""
    value = claims.get(name)
    if value is None or value == "":
        raise TokenRefusedError(missing, f"no {name}")
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise TokenRefusedError(Refusal.MALFORMED, f"{name} is {_what(value)}")
    return value


def one_of(claims: Claims, name: str, expected: Collection[str], reason: Refusal) -> str:
    """Return a claim that must be one of some texts, letter by letter. Raises TokenRefusedError (`reason`, MALFORMED)."""
    value = text(claims, name, reason)
    if value not in expected:
        raise TokenRefusedError(reason, f"{name} is {shown(value)}, expected {listed(expected)}")
    return value


def words(claims: Claims, name: str) -> frozenset[str]:
    """Return a claim that is a list of texts, or one text. Raises TokenRefusedError (MALFORMED)."""
    value = claims.get(name)
    if value is None:
        return frozenset()
    several = [value] if isinstance(value, str) else value
    if not isinstance(several, list) or len(several) > _MOST or not all(isinstance(word, str) for word in several):
        raise TokenRefusedError(Refusal.MALFORMED, f"{name} is {_what(value)}")
    return frozenset(several)


def check_times(claims: Claims, now: datetime, *, texts: bool = False, begins: bool = True) -> None:
    """Check `exp`, `nbf` and `iat` with LEEWAY. Raises TokenRefusedError (EXPIRED, NOT_YET, MALFORMED).

    `texts`: numbers may be written as texts of digits. `begins`: there must be an `nbf`.
    """
    expires = _number(claims, "exp", texts=texts)
    begun = _number(claims, "nbf", texts=texts)
    issued = _number(claims, "iat", texts=texts)
    if expires is None or (begins and begun is None):
        raise TokenRefusedError(Refusal.MALFORMED, "no exp" if expires is None else "no nbf")
    seconds, leeway = now.timestamp(), LEEWAY.total_seconds()
    if seconds >= expires + leeway:
        raise TokenRefusedError(Refusal.EXPIRED, f"{round(seconds - expires)} seconds ago")
    latest = max(begun or 0, issued or 0)
    if latest - leeway > seconds:
        raise TokenRefusedError(Refusal.NOT_YET, f"in {round(latest - seconds)} seconds: compare the clocks")


def email(value: Any) -> str | None:
    """Return a mail address in lower case, or None for what is none."""
    if not isinstance(value, str) or len(value) > _LONGEST_ADDRESS or not _ADDRESS.fullmatch(value):
        return None
    return value.lower()


def digest(*parts: str) -> str:
    """Name a person by what identifies them: 32 hex digits, always the same."""
    return hashlib.sha256(json.dumps(["greenroom.addin", *parts]).encode("ascii")).hexdigest()[:_DIGEST]


def _number(claims: Claims, name: str, *, texts: bool) -> int | None:
    value = claims.get(name)
    if value is None and name not in claims:
        return None
    if texts and isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _LATEST:
        raise TokenRefusedError(Refusal.MALFORMED, f"{name} is {_what(value)}")
    return value


def _what(value: Any) -> str:
    """Say of what kind a value is, never what it is: it may be a person's."""
    return "a text" if isinstance(value, str) else shown(value)
