"""What comes in over a connection before anybody has read a request."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from greenroom.assembly import bind, serving
from greenroom.web.http import LONGEST_HEAD

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def counted(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


@pytest.fixture
async def connection() -> AsyncIterator[Streams]:
    listener = bind("127.0.0.1", 0)
    async with serving(Starlette(routes=[Route("/", counted, methods=["GET", "POST"])]), listener):
        reader, writer = await asyncio.open_connection(*listener.getsockname()[:2])
        yield reader, writer
        writer.close()


async def answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return head.partition(b"\r\n")[0], await reader.readexactly(length)


@pytest.mark.parametrize("piece", [b"x-more: " + b"x" * 1000 + b"\r\n", b"x" * 1000], ids=["many", "one-long"])
async def test_headers_without_end_end_the_connection(connection: Streams, piece: bytes) -> None:
    _, writer = connection
    writer.write(b"GET / HTTP/1.1\r\nhost: x\r\nx-first: ")
    sent = 0
    with contextlib.suppress(ConnectionError):
        while sent < 50 * LONGEST_HEAD:
            writer.write(piece)
            await writer.drain()
            sent += len(piece)
            await asyncio.sleep(0)
    assert sent < 40 * LONGEST_HEAD


async def test_a_request_line_without_end_ends_the_connection(connection: Streams) -> None:
    reader, writer = connection
    writer.write(b"GET /")
    for _ in range(10):
        writer.write(b"x" * LONGEST_HEAD)
        await writer.drain()
    assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 400")


async def test_bodies_may_be_longer_and_connections_stay(connection: Streams) -> None:
    reader, writer = connection
    for _ in range(3):
        body = b"x" * (5 * LONGEST_HEAD)
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body))
        for start in range(0, len(body), 1000):
            writer.write(body[start : start + 1000])
            await writer.drain()
        assert await answer(reader) == (b"HTTP/1.1 200 OK", str(len(body)).encode())


async def test_several_requests_in_one_piece_are_all_answered(connection: Streams) -> None:
    reader, writer = connection
    writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n" * 50)
    assert [await answer(reader) for _ in range(50)] == [(b"HTTP/1.1 200 OK", b"0")] * 50
