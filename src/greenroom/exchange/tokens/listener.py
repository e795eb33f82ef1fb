"""Where a browser comes back to after a sign-in (RFC 8252 7.3): one page at a port of this computer that the system chooses.

Who listens here does not know who asks: any program and any web page may. Only a GET of `/` with the state that went out counts,
and only once; nothing of what was asked is repeated in an answer.
"""

import asyncio
import hmac
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import parse_qsl

_LONGEST_HEAD = 16 * 1024
_SECONDS = 10.0
_MOST_FIELDS = 20
_MOST_AT_ONCE = 16
_PAGE: Final = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Greenroom</title></head>
<body><h1>Greenroom</h1><p>{said}</p></body></html>
"""
_HEADERS: Final = (
    "Content-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n"
    "Content-Security-Policy: default-src 'none'\r\nX-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\n"
    "Connection: close\r\n"
)
_WELL = "The sign-in came back. You can close this window; the terminal tells how it ended."
_DECLINED = "The sign-in came back with an error. You can close this window; the terminal tells which."
_FOREIGN = "This is not the answer that Greenroom waits for; nothing was done."

Odd = Callable[[str], None]


class Listener:
    """Waits for one browser. `address` is where it shall come back to; `odd` is told, in a word, of requests that are none."""

    def __init__(self, odd: Odd) -> None:
        self._odd = odd
        self._expected: str | None = None
        self._came: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()
        self._open = 0
        self.address = ""

    def expect(self, state: str) -> None:
        """Take whoever brings this state, from now on."""
        self._expected = state

    async def came_back(self) -> Mapping[str, str]:
        """Wait for the answer: `code`, or `error`, with `state`."""
        return await self._came

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            if self._open <= _MOST_AT_ONCE:
                async with asyncio.timeout(_SECONDS):
                    head = await reader.readuntil(b"\r\n\r\n")
                    status, said = self._judged(head)
                    body = _PAGE.format(said=said).encode()
                    writer.write(f"HTTP/1.1 {status}\r\n{_HEADERS}Content-Length: {len(body)}\r\n\r\n".encode() + body)
                    await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            self._odd("broken")
        finally:
            self._open -= 1
            writer.close()

    def _judged(self, head: bytes) -> tuple[str, str]:
        line, *fields = head.decode("latin-1").split("\r\n")
        parts = line.split(" ")
        host = [field.partition(":")[2].strip() for field in fields if field.lower().startswith("host:")]
        if len(parts) != 3 or parts[0] != "GET":  # noqa: PLR2004  method, target, version
            self._odd("method")
            return "405 Method Not Allowed", _FOREIGN
        path, _, query = parts[1].partition("?")
        if path != "/" or host != [self.address.removeprefix("http://")]:
            if path != "/favicon.ico":
                self._odd("path" if path != "/" else "host")
            return "404 Not Found", _FOREIGN
        try:
            told = parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
        except ValueError:
            told = []
        answer = dict(told)
        state = answer.get("state", "")
        if len(answer) != len(told) or self._expected is None or not _same(state, self._expected):
            self._odd("state")
            return "400 Bad Request", _FOREIGN
        if not answer.get("code") and not answer.get("error"):
            self._odd("empty")
            return "400 Bad Request", _FOREIGN
        if self._came.done():
            self._odd("again")
            return "400 Bad Request", _FOREIGN
        kept = {name: value for name, value in answer.items() if name in ("code", "error", "state")}
        if "error" in kept:
            kept["error"] = _word(kept["error"])
        self._came.set_result(kept)
        return "200 OK", _DECLINED if "error" in kept else _WELL


@asynccontextmanager
async def listening(odd: Odd = lambda _word: None) -> AsyncIterator[Listener]:
    """Listen while the block runs, on 127.0.0.1 alone."""
    listener = Listener(odd)
    server = await asyncio.start_server(listener._serve, "127.0.0.1", 0, limit=_LONGEST_HEAD)  # noqa: SLF001  its own maker
    port = server.sockets[0].getsockname()[1]
    # Entra takes any port of http://localhost, which is what its pages let one register.
    listener.address = f"http://localhost:{port}"
    try:
        yield listener
    finally:
        server.close()
        await asyncio.sleep(0)  # what was just answered goes out


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode())


def _word(error: str) -> str:
    """Return OAuth's word for an error; what is none is not repeated."""
    return error if error.replace("_", "").isalpha() and error.isascii() and len(error) <= 40 else "unknown"  # noqa: PLR2004
