"""A text that only an integration's ticket keys open: HKDF-SHA256 makes the key (RFC 5869), AES-256-GCM encrypts (NIST SP 800-38D).

The keys are not in the database, so whoever has only that, or a backup of it, has nothing. What it is for is part of the key and
of what is authenticated: a sealed text that is moved to another row opens nowhere. The id of the ticket key stands in front.
"""

import base64
import binascii
import re
import secrets
from collections.abc import Mapping
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_FORM: Final = re.compile(r"ring1\.(\d{1,4})\.([A-Za-z0-9_-]{1,262144})={0,2}")
_NONCE: Final = 12
_KEY_BYTES: Final = 32


class RingSealError(Exception):
    """None of the keys opens it, or somebody changed it: both look the same. `key_id` is the key it was sealed with, if it says."""

    def __init__(self, key_id: int | None) -> None:
        super().__init__("no key opens it")
        self.key_id = key_id


def seal(text: bytes, key_id: int, key: bytes, purpose: str) -> str:
    """Encrypt a text for a purpose with one key of a ring."""
    nonce = secrets.token_bytes(_NONCE)
    data = nonce + AESGCM(_derived(key, purpose)).encrypt(nonce, text, purpose.encode())
    return f"ring1.{key_id}.{base64.urlsafe_b64encode(data).decode().rstrip('=')}"


def unseal(sealed: str, ring: Mapping[int, bytes], purpose: str) -> bytes:
    """Decrypt what `seal` returned, with whatever key of the ring opens it. Raises RingSealError."""
    found = _FORM.fullmatch(sealed)
    if found is None:
        raise RingSealError(None)
    key_id = int(found[1])
    try:
        data = base64.urlsafe_b64decode(found[2] + "=" * (-len(found[2]) % 4))
    except (ValueError, binascii.Error):
        raise RingSealError(key_id) from None
    for one in sorted(ring, key=lambda one: one != key_id):  # ids may have been given out anew meanwhile
        try:
            return AESGCM(_derived(ring[one], purpose)).decrypt(data[:_NONCE], data[_NONCE:], purpose.encode())
        except (InvalidTag, ValueError):
            continue
    raise RingSealError(key_id)


def key_of(sealed: str) -> int | None:
    """Return the id of the key that a text is sealed with; None if it is nothing of the kind."""
    found = _FORM.fullmatch(sealed)
    return None if found is None else int(found[1])


def _derived(key: bytes, purpose: str) -> bytes:
    return HKDF(hashes.SHA256(), _KEY_BYTES, None, purpose.encode()).derive(key)
