"""JSON Web Tokens, read strictly and proved with a given key. Source: RFC 7515 (JWS), RFC 7519 (JWT), RFC 8725 (their traps).

What is read here is unproved until `prove` returns. No error holds anything of a token, not even as its cause.
"""

import base64
import binascii
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError

from greenroom.web.identity.contract import Refusal, TokenRefusedError
from greenroom.web.identity.keys import Key
from greenroom.web.identity.shown import shown

LONGEST = 16 * 1024
"""The longest token that is read at all, in characters."""

_DEEPEST = 12
_SEGMENTS = 3
_SEGMENT = re.compile(r"[A-Za-z0-9_-]+")
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt", "application/jwt"})
_UNWANTED = ("crit", "jku", "x5u", "jwk", "b64", "enc", "zip")
"""Headers that would have us use other keys, other rules or other contents than our own (RFC 8725 3.10)."""


@dataclass(frozen=True, slots=True)
class Unproved:
    """What a token says of itself. Nothing in it may be believed before `prove`."""

    algorithm: str
    header: Mapping[str, Any] = field(repr=False)
    claims: Mapping[str, Any] = field(repr=False)
    raw: str = field(repr=False)


class _Registry(jws.JWSRegistry):
    max_header_length = LONGEST
    max_payload_length = LONGEST


class _NotOneMeaningError(ValueError):
    """JSON in which a name comes twice, or that is too deep: readers differ in what it says."""


def read(token: str, algorithms: Collection[str]) -> Unproved:
    """Take a token apart. Raises TokenRefusedError: TOO_LONG, MALFORMED, or ALGORITHM for any that is not in `algorithms`."""
    if len(token) > LONGEST:
        raise TokenRefusedError(Refusal.TOO_LONG, f"{len(token)} characters")
    segments = token.split(".", _SEGMENTS)
    if len(segments) != _SEGMENTS:
        raise TokenRefusedError(Refusal.MALFORMED, "not a signed token: three parts were expected")
    header, claims = _json(segments[0]), _json(segments[1])
    if header is None or claims is None or _decoded(segments[2]) is None:
        raise TokenRefusedError(Refusal.MALFORMED, "a part of the token cannot be read")
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise TokenRefusedError(Refusal.ALGORITHM, f"{shown(algorithm)}, expected {' or '.join(sorted(algorithms))}")
    unwanted = [name for name in _UNWANTED if name in header]
    if unwanted:
        raise TokenRefusedError(Refusal.MALFORMED, f"header {unwanted[0]}")
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise TokenRefusedError(Refusal.MALFORMED, f"typ {shown(kind)}")
    return Unproved(algorithm, header, claims, token)


def prove(token: Unproved, key: Key) -> None:
    """Check the signature. Raises TokenRefusedError (SIGNATURE)."""
    if not _is_signed(token, key):
        raise TokenRefusedError(Refusal.SIGNATURE)


def _is_signed(token: Unproved, key: Key) -> bool:
    registry = _Registry(algorithms=[token.algorithm], strict_check_header=False)
    try:
        jws.deserialize_compact(token.raw, key.key, registry=registry)
    except (JoseError, ValueError, TypeError):
        return False
    return token.algorithm in key.algorithms


def object_in(data: bytes | str) -> dict[str, Any] | None:
    """Read a JSON object as strictly as all of a token: no name twice, no half characters, not deep. None for anything else."""
    try:
        whole = data.decode("utf-8") if isinstance(data, bytes) else data
        value = json.loads(whole, object_pairs_hook=_members, parse_constant=_no_constant)
        _look_over(value, _DEEPEST)
    except (ValueError, RecursionError):  # UnicodeError is a ValueError
        return None
    return value if isinstance(value, dict) else None


def _json(segment: str) -> dict[str, Any] | None:
    data = _decoded(segment)
    return None if data is None else object_in(data)


def _decoded(segment: str) -> bytes | None:
    """Decode base64url in its one canonical form: a signature must not have several spellings (RFC 7515 2)."""
    if not _SEGMENT.fullmatch(segment):
        return None
    try:
        data = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except (binascii.Error, ValueError):
        return None
    return data if base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii") == segment else None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _NotOneMeaningError
    return members


def _no_constant(_name: str) -> Any:
    raise _NotOneMeaningError


def _look_over(value: Any, deep: int) -> None:
    """Raise ValueError for what is nested too deep, and for half characters, which no database and no digest takes."""
    if isinstance(value, str):
        value.encode("utf-8")
    elif isinstance(value, (dict, list)):
        if not deep:
            raise _NotOneMeaningError
        for part in value:
            _look_over(part, deep - 1)
        if isinstance(value, dict):
            for part in value.values():
                _look_over(part, deep - 1)
