"""Ends of ways, for the doctor: what listens and answers well, badly or never, on ports of this computer."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(talk: Talk, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Listen while the block runs; yields the port."""
    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def answering(status: str = "200 OK", *, ahead: timedelta = timedelta(), dated: bool = True) -> Talk:
    """Answer every request, with a clock that is so far ahead."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        date = f"Date: {format_datetime(datetime.now(UTC) + ahead, usegmt=True)}\r\n" if dated else ""
        writer.write(f"HTTP/1.1 {status}\r\n{date}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    return talk


async def silent(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Take the connection and never answer."""
    await asyncio.sleep(60)


async def babbling(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Speak something else."""
    writer.write(b"220 mail.example.org ESMTP\r\n" * 3)
    await writer.drain()
    writer.close()


def leading(port: int, status: str = "200 Connection established") -> Talk:
    """Be a web proxy that leads everybody to a port of this computer, if its status is one of success."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"CONNECT ")
        assert b"authorization" not in head.lower()
        writer.write(f"HTTP/1.1 {status}\r\n\r\n".encode())
        if not status.startswith("2"):
            await writer.drain()
            writer.close()
            return
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_copied(reader, there_writer), _copied(there_reader, writer), return_exceptions=True)

    return talk


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
