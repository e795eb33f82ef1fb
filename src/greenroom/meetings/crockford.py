"""Crockford base32: digits and letters that are still told apart when people read, say and retype them.

Source: Douglas Crockford, "Base 32" (no I, L, O, U; I and L are read as 1, O as 0). Forty characters are 25 bytes exactly, so
no text but one says the same bytes.
"""

from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_BITS = 5
_VALUES: Final = {ord(c): value for value, c in enumerate(ALPHABET)}
_LOOKALIKES: Final = str.maketrans("OIL", "011")


def fold(text: str) -> str:
    """Upper-case ASCII and read lookalikes as the digit they resemble."""
    return text.upper().translate(_LOOKALIKES)


def encode(data: bytes) -> str:
    """Write bytes, whose count must be a multiple of 5 (else ValueError), as 8 characters for each 5."""
    if len(data) % _BITS:
        raise ValueError("the count of bytes is a multiple of five")
    value = int.from_bytes(data, "big")
    return "".join(ALPHABET[value >> shift & 31] for shift in range(len(data) * 8 - _BITS, -1, -_BITS))


def decode(text: str) -> bytes:
    """Read what `encode` wrote; ValueError for another character (fold first) or a count that is no multiple of 8."""
    if len(text) % 8:
        raise ValueError("the count of characters is a multiple of eight")
    value = 0
    for c in text:
        digit = _VALUES.get(ord(c))
        if digit is None:
            raise ValueError("not a character of the alphabet")
        value = value << _BITS | digit
    return value.to_bytes(len(text) * _BITS // 8, "big")
