"""Where a browser comes back to: whoever asks there may be anybody."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from greenroom.exchange.tokens.listener import Listener, listening

STATE = "the-state-that-went-out"


@pytest.fixture
def odd() -> list[str]:
    return []


@pytest.fixture
async def listener(odd: list[str]) -> AsyncIterator[Listener]:
    async with listening(odd.append) as found:
        found.expect(STATE)
        yield found


async def asked(listener: Listener, head: str | bytes) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(listener.address).port)
    writer.write(head if isinstance(head, bytes) else head.encode())
    try:
        return (await asyncio.wait_for(reader.read(), 5)).decode()
    finally:
        writer.close()


def get(listener: Listener, target: str, *, host: str = "", method: str = "GET") -> str:
    return f"{method} {target} HTTP/1.1\r\nHost: {host or urlsplit(listener.address).netloc}\r\n\r\n"


async def test_the_browser_that_brings_the_state_is_taken_and_told(listener: Listener, odd: list[str]) -> None:
    answer = await asked(listener, get(listener, f"/?code=0.abc&state={STATE}&session_state=x"))
    assert answer.startswith("HTTP/1.1 200 ")
    assert "default-src 'none'" in answer
    assert await listener.came_back() == {"code": "0.abc", "state": STATE}
    assert odd == []


async def test_an_error_is_taken_as_a_word_alone(listener: Listener) -> None:
    answer = await asked(listener, get(listener, f"/?error=access_denied&error_description=<script>&state={STATE}"))
    assert "with an error" in answer
    assert "script" not in answer
    assert await listener.came_back() == {"error": "access_denied", "state": STATE}


async def test_an_error_that_is_no_word_is_not_repeated(listener: Listener) -> None:
    await asked(listener, get(listener, f"/?error=%1b%5b31m&state={STATE}"))
    assert (await listener.came_back())["error"] == "unknown"


@pytest.mark.parametrize(
    ("target", "word"),
    [
        ("/?code=x", "state"),
        ("/?code=x&state=wrong", "state"),
        ("/?code=x&state=", "state"),
        (f"/?code=x&state={STATE}&state=other", "state"),
        (f"/?state={STATE}", "empty"),
        (f"/other?code=x&state={STATE}", "path"),
        (f"//?code=x&state={STATE}", "path"),
        ("/?" + "&".join(f"a{n}=b" for n in range(100)), "state"),
    ],
)
async def test_what_does_not_bring_the_state_changes_nothing(
    listener: Listener, odd: list[str], target: str, word: str
) -> None:
    answer = await asked(listener, get(listener, target))
    assert answer.startswith("HTTP/1.1 40")
    assert odd == [word]
    await asked(listener, get(listener, f"/?code=good&state={STATE}"))
    assert (await listener.came_back())["code"] == "good"


async def test_another_name_for_this_computer_is_no_way_in(listener: Listener, odd: list[str]) -> None:
    assert "404" in await asked(listener, get(listener, f"/?code=x&state={STATE}", host="attacker.example"))
    assert "405" in await asked(listener, get(listener, f"/?code=x&state={STATE}", method="POST"))
    assert odd == ["host", "method"]


async def test_the_state_counts_once(listener: Listener, odd: list[str]) -> None:
    for code in ("first", "second"):
        await asked(listener, get(listener, f"/?code={code}&state={STATE}"))
    assert (await listener.came_back())["code"] == "first"
    assert odd == ["again"]


@pytest.mark.parametrize(
    "head", [b"\r\n\r\n", b"\x16\x03\x01\x02\r\n\r\n", b"GET\r\n\r\n", b"x" * 20_000, b"GET / HTTP/1.1\r\n"]
)
async def test_what_is_no_request_ends_without_harm(listener: Listener, head: bytes) -> None:
    if head.endswith(b"HTTP/1.1\r\n"):
        _, writer = await asyncio.open_connection("127.0.0.1", urlsplit(listener.address).port)
        writer.write(head)
        writer.close()
    else:
        await asked(listener, head)
    await asked(listener, get(listener, f"/?code=good&state={STATE}"))
    assert (await listener.came_back())["code"] == "good"


async def test_only_this_computer_is_listened_to(listener: Listener) -> None:
    assert urlsplit(listener.address).hostname == "localhost"
    with pytest.raises(OSError):  # noqa: PT011 - whatever the system says of an address nobody listens on
        await asyncio.open_connection("127.0.0.2", urlsplit(listener.address).port)
