"""Reading an answer's bytes with a bound that also holds after decompression."""

import zlib
from collections.abc import AsyncIterator
from typing import Any


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
