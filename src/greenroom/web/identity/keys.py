"""Public keys, read from what providers publish; what cannot be used is left out, not an error. Source: RFC 7517 (JWK)."""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from greenroom.web.identity.contract import IdentityUnavailableError

_MOST_KEYS = 100
_LONGEST_ID = 256
_LONGEST_CERTIFICATE = 16 * 1024
_SHORTEST_MODULUS, _LONGEST_NUMBER = 342, 1_366  # base64url of 2048 and of 8192 bits
_FEWEST_BITS, _MOST_BITS = 2_048, 8_192
_MOST_EXPONENT_BITS = 32
_ALGORITHMS = {"RSA": frozenset({"RS256", "PS256"}), "EC": frozenset({"ES256"})}
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Key:
    """A public key, and the algorithms it may be used with."""

    algorithms: frozenset[str]
    key: RSAKey | ECKey = field(repr=False)


class Keys:
    """The keys of a provider. False when there are none."""

    def __init__(self, keys: Iterable[tuple[str, Key]]) -> None:
        self._keys: dict[tuple[str, str], Key] = {}
        for name, key in keys:
            for algorithm in key.algorithms:
                self._keys.setdefault((name, algorithm), key)

    def find(self, name: str, algorithm: str) -> Key | None:
        """Return the key of that id which may be used with that algorithm."""
        return self._keys.get((name, algorithm))

    def __len__(self) -> int:
        return len(self._keys)


def keys_of_jwks(document: Any, *, tenant: str | None = None) -> Keys:
    """Read a JWK set. Keys that say they are for another Entra tenant than `tenant` are left out."""
    entries = document.get("keys") if isinstance(document, dict) else None
    found = []
    for entry in entries[:_MOST_KEYS] if isinstance(entries, list) else ():
        if not isinstance(entry, dict) or (tenant is not None and not _is_for(tenant, entry.get("issuer"))):
            continue
        name, key = entry.get("kid"), _of_jwk(entry)
        if key is not None and isinstance(name, str) and 0 < len(name) <= _LONGEST_ID:
            found.append((name, key))
    return Keys(found)


def keys_of_exchange(document: Any) -> Keys:
    """Read the signing keys of an Exchange authentication metadata document, named by their normalized x5t.

    Source: "Validate an Exchange identity token" (Outlook add-ins).
    """
    entries = document.get("keys") if isinstance(document, dict) else None
    found = []
    for entry in entries[:_MOST_KEYS] if isinstance(entries, list) else ():
        if not isinstance(entry, dict) or entry.get("usage") != "signing":
            continue
        info, value = entry.get("keyinfo"), entry.get("keyvalue")
        name = thumbprint(info.get("x5t") if isinstance(info, dict) else None)
        key = _of_certificate(value.get("value") if isinstance(value, dict) else None)
        if name and key is not None:
            found.append((name, key))
    return Keys(found)


def some(keys: Keys) -> Keys:
    """Return keys, unless there are none: such a document is no better than none. Raises IdentityUnavailableError."""
    if not keys:
        raise IdentityUnavailableError("no-keys")
    return keys


def thumbprint(value: Any) -> str:
    """Bring an x5t to one spelling: Exchange writes it in either base64, with or without padding. Empty for anything else."""
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_ID:
        return ""
    return value.replace("+", "-").replace("/", "_").rstrip("=")


def _of_jwk(entry: dict[str, Any]) -> Key | None:
    kind, use, operations = entry.get("kty"), entry.get("use", "sig"), entry.get("key_ops", ["verify"])
    algorithms = _ALGORITHMS.get(kind) if isinstance(kind, str) else None
    if algorithms is None or use != "sig" or not isinstance(operations, list) or "verify" not in operations:
        return None
    if "alg" in entry:
        algorithms = frozenset(name for name in algorithms if name == entry["alg"])
    names = ("n", "e") if kind == "RSA" else ("crv", "x", "y")
    parts = {name: entry.get(name) for name in names}
    if not all(isinstance(part, str) and 0 < len(part) <= _LONGEST_NUMBER for part in parts.values()):
        return None
    if kind == "EC":
        return _elliptic(algorithms, parts) if parts["crv"] == "P-256" else None
    return _rsa(algorithms, {"kty": "RSA", **parts}) if len(str(parts["n"])) >= _SHORTEST_MODULUS else None


def _elliptic(algorithms: frozenset[str], parts: dict[str, Any]) -> Key | None:
    try:
        key = ECKey.import_key({"kty": "EC", **parts})
    except (JoseError, ValueError, TypeError):
        return None
    return Key(algorithms, key)


def _rsa(algorithms: frozenset[str], source: Any) -> Key | None:
    try:
        key = RSAKey.import_key(source)
        public = key.public_key
        exponent = public.public_numbers().e.bit_length()
    except (JoseError, ValueError, TypeError):
        return None
    if not _FEWEST_BITS <= public.key_size <= _MOST_BITS or exponent > _MOST_EXPONENT_BITS:
        return None  # too weak, or so large that every check of it costs noticeable time
    return Key(algorithms, key)


def _of_certificate(value: Any) -> Key | None:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_CERTIFICATE:
        return None
    try:
        public = x509.load_der_x509_certificate(base64.b64decode("".join(value.split()), validate=True)).public_key()
    except (binascii.Error, ValueError, TypeError, x509.InvalidVersion):
        return None
    strong = isinstance(public, rsa.RSAPublicKey) and public.key_size >= _FEWEST_BITS
    return _rsa(frozenset({"RS256"}), public) if strong else None


def _is_for(tenant: str, issuer: Any) -> bool:
    """Whether an entry's issuer names no other tenant; some keys of Entra are for personal accounts alone."""
    return not isinstance(issuer, str) or all(guid == tenant for guid in _GUID.findall(issuer.lower()))
