"""Reading an answer's bytes with a bound that also holds after decompression, and its JSON strictly."""

import json
import re
import zlib
from collections.abc import AsyncIterator
from typing import Any

_UNMENDED = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


class TooMuchError(ValueError):
    """The body is longer than allowed (`too_long`), or compressed in a way nobody asked for, or broken."""

    too_long = False


async def gathered(pieces: AsyncIterator[bytes], encoding: str, most: int) -> bytes:
    """Gather a body of at most `most` bytes, unpacked (RFC 9110 8.4.1); raises TooMuchError."""
    encoding = encoding.strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise TooMuchError("unknown compression")
    gzip = zlib.decompressobj(16 + zlib.MAX_WBITS) if "gzip" in encoding else None
    parts: list[bytes] = []
    size = received = 0
    async for piece in pieces:
        received += len(piece)  # what unpacks to nothing has no end either
        part = piece if gzip is None else _unpacked(gzip, piece, most - size + 1)
        size += len(part)
        if max(size, received) > most:
            error = TooMuchError("too long")
            error.too_long = True
            raise error
        parts.append(part)
    if gzip is not None and received and not gzip.eof:
        raise TooMuchError("cut off")
    return b"".join(parts)


def _unpacked(gzip: Any, piece: bytes, most: int) -> bytes:
    if gzip.eof and piece:
        raise TooMuchError("broken compression")
    try:
        part: bytes = gzip.decompress(piece, most)
    except zlib.error:
        raise TooMuchError("broken compression") from None
    return part


def parsed(data: bytes) -> Any:
    """Parse JSON strictly; ValueError for anything else. What no database holds (NUL, half characters) is replaced."""
    try:
        value = json.loads(data.decode("utf-8", "replace"), parse_constant=_no_constant)
        return _mended(value) if _UNMENDED.search(data) else value
    except RecursionError:
        raise ValueError("too deep") from None


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, list):
        return [_mended(part) for part in value]
    if isinstance(value, dict):
        return {_mended(key): _mended(part) for key, part in value.items()}
    return value
