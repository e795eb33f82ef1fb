"""The way to one web address, step by step: name service, connection, proxy, TLS, and the first answer with its clock.

Plain sockets instead of an HTTP client: an administrator wants to know which step fails, and to see a certificate that is refused.
Nothing is sent but one HEAD request without credentials.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from greenroom.doctor.blocking import in_thread

PATIENCE = timedelta(seconds=6)
"""So long the whole way may take."""
_PER_ADDRESS = 3.0
_MOST_ADDRESSES = 3
_LONGEST_HEAD = 64 * 1024
_HTTPS, _HTTP = 443, 80


@dataclass(frozen=True, slots=True)
class Place:
    """A host and port and how it is reached. `ca_file` is trusted besides the system's; `proxy` is `http://host:port`."""

    host: str
    port: int
    encrypted: bool
    path: str = field(default="/", compare=False)  # one place, whatever is asked there
    ca_file: Path | None = None
    proxy: str | None = None

    @classmethod
    def of(cls, url: str, *, ca_file: Path | None = None, proxy: str | None = None) -> "Place":
        """Read a web address that the settings have checked."""
        parts = urlsplit(url)
        encrypted = parts.scheme == "https"
        port = parts.port or (_HTTPS if encrypted else _HTTP)
        # Plain http goes to this computer only, and never through a proxy.
        return cls(parts.hostname or "", port, encrypted, parts.path or "/", ca_file, proxy if encrypted else None)

    @property
    def name(self) -> str:
        """Host and port, as they are written in an address."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (_HTTPS if self.encrypted else _HTTP) else f"{host}:{self.port}"


class StoppedError(Exception):
    """The way ends here. `step` is one of name, connect, proxy, tls, answer; `code` is short, `detail` for the sentence."""

    def __init__(self, step: str, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.step, self.code, self.detail = step, code, detail


@dataclass(frozen=True, slots=True)
class Refused:
    """Why TLS does not trust: OpenSSL's number (X509_V_ERR_...), and the chain as it was sent, the server's own first."""

    verify_code: int
    chain: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was met on the way. `stopped` is where it ended; without it an answer came.

    `chain` are certificates (DER) as they were sent. `ahead` is how far the other clock is ahead of ours, None if it does not tell.
    """

    place: Place
    stopped: StoppedError | None = None
    refused: Refused | None = None
    tls: str = ""
    chain: tuple[bytes, ...] = field(default=(), repr=False)
    ahead: timedelta | None = None


@dataclass(slots=True)
class _Walk:
    """How far a walk got, for when its time is over."""

    step: str = "name"


async def walk(place: Place, *, patience: timedelta = PATIENCE) -> Seen:
    """Go the way once. Raises nothing: what is wrong stands in the result."""
    at = _Walk()
    try:
        async with asyncio.timeout(patience.total_seconds()):
            return await _walked(place, at)
    except TimeoutError:
        return Seen(place, StoppedError(at.step, "timeout"))
    except StoppedError as error:
        return Seen(place, error)


async def _walked(place: Place, at: _Walk) -> Seen:
    if not place.encrypted:
        async with _connected(place, at) as (reader, writer):
            return Seen(place, ahead=await _first_answer(place, at, reader, writer))
    try:
        trust = await in_thread(lambda: trusted(place.ca_file))
    except (OSError, ssl.SSLError) as error:
        raise StoppedError("tls", "ca-file", type(error).__name__) from None
    refused: ssl.SSLCertVerificationError | None = None
    try:
        async with _connected(place, at) as (reader, writer):
            version, chain = await _encrypted(place, at, writer, trust)
            return Seen(place, tls=version, chain=chain, ahead=await _first_answer(place, at, reader, writer))
    except ssl.SSLCertVerificationError as error:
        refused = error
    chain = ()
    with suppress(StoppedError, OSError):  # it was seen to answer; what it sends only makes the sentence better
        async with _connected(place, at) as (_, writer):
            _, chain = await _encrypted(place, at, writer, anybody())
    return Seen(place, StoppedError("tls", "certificate"), Refused(refused.verify_code, chain), chain=chain)


@asynccontextmanager
async def _connected(place: Place, at: _Walk) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    at.step = "name"
    proxy = urlsplit(place.proxy) if place.proxy else None
    host, port = (place.host, place.port) if proxy is None else (proxy.hostname or "", proxy.port or _HTTP)
    addresses = await _addresses(host, port)
    at.step = "connect"
    reader, writer = await _to_one_of(addresses, port)
    try:
        if proxy is not None:
            at.step = "proxy"
            await _led(place, reader, writer)
        yield reader, writer
    finally:
        writer.transport.abort()  # nobody waits for a polite end


async def _addresses(host: str, port: int) -> list[str]:
    try:
        found = await in_thread(lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except (socket.gaierror, UnicodeError) as error:
        number = error.errno if isinstance(error, socket.gaierror) else socket.EAI_NONAME
        code = "no-name-service" if number == socket.EAI_AGAIN else "unknown-name"
        raise StoppedError("name", code, host) from None
    return list(dict.fromkeys(str(one[4][0]) for one in found))[:_MOST_ADDRESSES]


async def _to_one_of(addresses: list[str], port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    code = "unreachable"
    for address in addresses:
        try:
            async with asyncio.timeout(_PER_ADDRESS):
                return await asyncio.open_connection(address, port, limit=_LONGEST_HEAD)
        except TimeoutError:
            code = "timeout"
        except ConnectionRefusedError:
            code = "refused"
        except OSError:
            code = "unreachable"
    raise StoppedError("connect", code)


async def _led(place: Place, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Have the proxy lead to the place (RFC 9110, 9.3.6)."""
    target = f"[{place.host}]:{place.port}" if ":" in place.host else f"{place.host}:{place.port}"
    writer.write(
        f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nUser-Agent: Greenroom\r\n\r\n".encode("ascii", "replace")
    )
    status, _ = await _head(reader, "proxy")
    if not 200 <= status < 300:  # noqa: PLR2004 (RFC 9110: any 2xx opens the tunnel)
        raise StoppedError("proxy", f"status-{status}")


async def _encrypted(
    place: Place, at: _Walk, writer: asyncio.StreamWriter, trust: ssl.SSLContext
) -> tuple[str, tuple[bytes, ...]]:
    at.step = "tls"
    try:
        await writer.start_tls(trust, server_hostname=place.host)
    except ssl.SSLCertVerificationError:
        raise
    except ssl.SSLError as error:
        raise StoppedError("tls", "no-tls", (error.reason or type(error).__name__).lower()) from None
    except OSError:  # also an end in the middle of it
        raise StoppedError("tls", "broken") from None
    found = writer.get_extra_info("ssl_object")
    return found.version() or "", _chain(found)


def _chain(connection: ssl.SSLObject) -> tuple[bytes, ...]:
    """Return what the server sent (DER), its own certificate first; only that one where Python does not tell the rest."""
    tell = getattr(connection, "get_unverified_chain", None)  # since Python 3.13
    if tell is None:
        tell = getattr(getattr(connection, "_sslobj", None), "get_unverified_chain", None)
    sent = [] if tell is None else list(tell() or ())
    chain = tuple(one if isinstance(one, bytes) else ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in sent)
    own = connection.getpeercert(binary_form=True)
    return chain or (() if own is None else (own,))


async def _first_answer(
    place: Place, at: _Walk, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> timedelta | None:
    """Ask for nothing, and return how far the clock of what answers is ahead."""
    at.step = "answer"
    before = datetime.now(UTC)
    writer.write(
        f"HEAD {place.path} HTTP/1.1\r\nHost: {place.name}\r\nUser-Agent: Greenroom\r\nConnection: close\r\n\r\n".encode(
            "ascii", "replace"
        )
    )
    _, date = await _head(reader, "answer")
    after = datetime.now(UTC)
    if date is None:
        return None
    # A Date is cut to the second, and was written somewhere between question and answer.
    return date + timedelta(seconds=0.5) - (before + (after - before) / 2)


async def _head(reader: asyncio.StreamReader, step: str) -> tuple[int, datetime | None]:
    """Read the head of an HTTP answer: status, and Date if there is one."""
    try:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
        raise StoppedError(step, "no-http") from None
    version, _, rest = lines[0].partition(" ")
    if not version.startswith("HTTP/") or not rest[:3].isdigit():
        raise StoppedError(step, "no-http")
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    if fields.get("age", "0") != "0":  # out of a cache, which repeats the Date of then (RFC 9111, 5.1)
        return int(rest[:3]), None
    return int(rest[:3]), _time(fields.get("date", ""))


def _time(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


@lru_cache(maxsize=16)
def trusted(ca_file: Path | None) -> ssl.SSLContext:
    """Trust the system's authorities and those of a file. Raises OSError, ssl.SSLError."""
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context


def anybody() -> ssl.SSLContext:
    """Believe anybody: to look at a certificate, never to send anything."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
