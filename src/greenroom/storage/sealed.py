"""A text that only a passphrase opens: scrypt makes the key (RFC 7914), AES-256-GCM encrypts (NIST SP 800-38D).

What was used stands beside it, so that it can be made stronger later; what is read is bounded, so that a file made by somebody else
cannot ask for more memory than there is.
"""

import secrets
import unicodedata
from typing import Annotated, Final, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, ValidationError

SHORTEST_PASSPHRASE: Final = 12
_COST: Final = 2**17  # with the block size of 8: 128 MB and less than a second
_MOST_COST: Final = 2**20
_PURPOSE: Final = b"greenroom-backup-keys-1"
_KEY_BYTES: Final = 32


class SealError(Exception):
    """It cannot be opened: the passphrase is wrong, or somebody changed it. Both look the same."""


class Sealed(BaseModel):
    """An encrypted text with everything that is needed to open it but the passphrase."""

    model_config = ConfigDict(frozen=True)

    kdf: Literal["scrypt"] = "scrypt"
    n: Annotated[int, Field(ge=2**14, le=_MOST_COST)]
    r: Annotated[int, Field(ge=1, le=16)]
    p: Annotated[int, Field(ge=1, le=4)]
    salt: Annotated[Base64Bytes, Field(min_length=16, max_length=64)]
    cipher: Literal["AES-256-GCM"] = "AES-256-GCM"
    nonce: Annotated[Base64Bytes, Field(min_length=12, max_length=12)]
    data: Annotated[Base64Bytes, Field(min_length=16)]


def seal(text: bytes, passphrase: str) -> bytes:
    """Encrypt a text. Raises ValueError for a passphrase of less than twelve characters."""
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise ValueError(f"a passphrase has at least {SHORTEST_PASSPHRASE} characters")
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    key = _key(passphrase, salt, _COST, 8, 1)
    data = AESGCM(key).encrypt(nonce, text, _PURPOSE)
    # Fields of this kind take what is written already; they would decode plain bytes.
    made = Sealed.model_construct(n=_COST, r=8, p=1, salt=salt, nonce=nonce, data=data)
    return made.model_dump_json().encode()


def unseal(sealed: bytes, passphrase: str) -> bytes:
    """Decrypt what `seal` returned. Raises SealError if the passphrase is wrong, ValueError if it is nothing of the kind."""
    try:
        read = Sealed.model_validate_json(sealed)
    except ValidationError:
        raise ValueError("the encrypted keys are not of the form that is known here") from None
    if read.n & (read.n - 1):
        raise ValueError("the encrypted keys are not of the form that is known here")
    key = _key(passphrase, read.salt, read.n, read.r, read.p)
    try:
        return AESGCM(key).decrypt(read.nonce, read.data, _PURPOSE)
    except InvalidTag:
        raise SealError("the passphrase does not open the keys") from None


def _key(passphrase: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    # The same letters are typed as different characters on different computers.
    typed = unicodedata.normalize("NFC", passphrase).encode()
    return Scrypt(salt=salt, length=_KEY_BYTES, n=n, r=r, p=p).derive(typed)
