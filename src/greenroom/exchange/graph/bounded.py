"""Reading an answer's bytes with a bound that also holds after decompression."""

import zlib
from collections.abc import AsyncIterator, Iterable, Iterator


class TooMuchError(ValueError):
    """The body is longer than allowed (`too_long`), or compressed in a way nobody asked for, or broken."""

    def __init__(self, what: str, *, too_long: bool = False) -> None:
        super().__init__(what)
        self.too_long = too_long


class Unpacking:
    """Takes the pieces of a body as they come, and keeps what they unpack to, at most `most` bytes (RFC 9110 8.4.1)."""

    def __init__(self, encoding: str, most: int) -> None:
        encoding = encoding.strip().lower()
        if encoding not in ("", "identity", "gzip", "x-gzip"):
            raise TooMuchError("it is compressed in a way we did not ask for")
        self._gzip = zlib.decompressobj(16 + zlib.MAX_WBITS) if "gzip" in encoding else None
        self._most = most
        self._parts: list[bytes] = []
        self._size = 0
        self._received = 0

    def feed(self, piece: bytes) -> None:
        """Take one piece; raises TooMuchError."""
        self._received += len(piece)  # what unpacks to nothing has no end either
        if self._received > self._most:
            raise TooMuchError("it is too long", too_long=True)
        if self._gzip is not None:
            if self._gzip.eof and piece:  # zlib would gather it, copying all of it each time
                raise TooMuchError("its compression is broken")
            try:
                piece = self._gzip.decompress(piece, self._most - self._size + 1)
            except zlib.error:
                raise TooMuchError("its compression is broken") from None
        self._size += len(piece)
        if self._size > self._most:
            raise TooMuchError("it is too long", too_long=True)
        self._parts.append(piece)

    def whole(self) -> bytes:
        """Return the body after the last piece; raises TooMuchError where it was cut off."""
        if self._gzip is not None and self._parts and not self._gzip.eof:
            raise TooMuchError("its compression is broken")
        return b"".join(self._parts)


async def gathered(pieces: AsyncIterator[bytes], encoding: str, most: int) -> bytes:
    """Gather a body; raises TooMuchError."""
    unpacking = Unpacking(encoding, most)
    async for piece in pieces:
        unpacking.feed(piece)
    return unpacking.whole()


def gathered_now(pieces: Iterator[bytes] | Iterable[bytes], encoding: str, most: int) -> bytes:
    """Gather a body where nothing is asynchronous; raises TooMuchError."""
    unpacking = Unpacking(encoding, most)
    for piece in pieces:
        unpacking.feed(piece)
    return unpacking.whole()
