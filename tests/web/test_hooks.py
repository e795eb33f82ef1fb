"""Where Exchange posts its notifications: what is answered to whom, and that nothing of it is told on."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from greenroom.exchange.notifications import Taken
from greenroom.web.app import create_app
from greenroom.web.hooks import LARGEST, Desk, hooks_router
from support import planted
from support.join_rooms import PLACES, Clock, RoomsInMemory

HOOK = "/hooks/graph/main"
JSON = {"Content-Type": "application/json; charset=utf-8"}


class Intake:
    """Takes everything, and says what it is told to say."""

    def __init__(self) -> None:
        self.says = Taken.TAKEN
        self.took: list[bytes] = []

    def take(self, body: bytes) -> Taken:
        self.took.append(body)
        return self.says


class Poster:
    """Whoever posts to us."""

    def __init__(self, desk: Desk | None = None) -> None:
        self.intake = Intake()
        app: Any = create_app(RoomsInMemory(), Clock(), PLACES, {"main": self.intake})
        if desk is not None:
            app = FastAPI()
            app.include_router(hooks_router({"main": self.intake}, desk))
        self.client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="https://meet.example.org")

    async def post(self, content: Any = b"{}", path: str = HOOK, **options: Any) -> httpx2.Response:
        return await self.client.post(path, content=content, **{"headers": JSON, **options})


@pytest.mark.parametrize("path", [HOOK, HOOK + "/lifecycle"])
async def test_what_is_posted_is_handed_over_as_it_is(path: str) -> None:
    poster = Poster()
    answer = await poster.post(b'{"value": [] }', path)
    assert (answer.status_code, answer.content) == (202, b"")
    assert poster.intake.took == [b'{"value": [] }']


@pytest.mark.parametrize(
    ("says", "status"),
    [(Taken.TAKEN, 202), (Taken.MALFORMED, 400), (Taken.REFUSED, 403), (Taken.TOO_MANY, 429)],
)
async def test_the_intake_decides_the_answer(says: Taken, status: int) -> None:
    poster = Poster()
    poster.intake.says = says
    answer = await poster.post(planted.TEXT.encode())
    assert (answer.status_code, answer.content) == (status, b"")
    assert ("retry-after" in answer.headers) is (status == 429)


@pytest.mark.parametrize("path", [HOOK, HOOK + "/lifecycle"])
@pytest.mark.parametrize(
    ("written", "token"),
    [
        (
            "Validation%3a+Testing+client+application+reachability+for+subscription+Request-Id%3a+7f105c7d",
            "Validation: Testing client application reachability for subscription Request-Id: 7f105c7d",
        ),
        ("a%2Bb%2f%3d%26%25", "a+b/=&%"),
        ("%3Cscript%3Ealert(1)%3C/script%3E", "<script>alert(1)</script>"),
        ("%C3%A9", "é"),
        ("x" * 4_096, "x" * 4_096),
    ],
    ids=["as-seen", "reserved", "script", "accent", "longest"],
)
async def test_a_validation_token_comes_back_as_plain_text_and_nothing_else(
    path: str, written: str, token: str
) -> None:
    poster = Poster()
    answer = await poster.client.post(f"{path}?validationToken={written}")
    assert (answer.status_code, answer.content) == (200, token.encode())
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert poster.intake.took == []


@pytest.mark.parametrize(
    "query",
    [
        "validationToken=",
        "validationToken=%0d%0aSet-Cookie:x",
        "validationToken=%00",
        "validationToken=%1b[2J",
        "validationToken=%ff%fe",
        "validationToken=%E2%80%AE",
        "validationToken=a&validationToken=b",
        "validationToken=" + "x" * 4_097,
    ],
    ids=lambda query: query[:30],
)
async def test_a_token_that_is_none_is_refused_without_an_echo(query: str) -> None:
    answer = await Poster().client.post(f"{HOOK}?{query}")
    assert (answer.status_code, answer.content) == (400, b"")


@given(st.text(min_size=1, max_size=50))
def test_a_token_comes_back_exactly_or_not_at_all(token: str) -> None:
    async def ask() -> httpx2.Response:
        try:
            return await Poster().client.post(HOOK, params={"validationToken": token})
        except UnicodeEncodeError:  # half a character cannot be sent
            return httpx2.Response(400)

    answer = asyncio.run(ask())
    assert answer.content == (token.encode() if answer.status_code == 200 else b"")
    assert answer.status_code == 200 or not token.isprintable() or "\ufffd" in token


async def test_an_unknown_integration_is_not_found_and_nothing_is_echoed() -> None:
    poster = Poster()
    for path in (
        "/hooks/graph/other",
        "/hooks/graph/other?validationToken=abc",
        "/hooks/graph/",
        "/hooks/graph/main/x",
    ):
        answer = await poster.post(path=path)
        assert answer.status_code == 404
        assert "abc" not in answer.text
    assert poster.intake.took == []


async def test_a_greenroom_without_intakes_knows_no_hooks() -> None:
    app = create_app(RoomsInMemory(), Clock(), PLACES)
    client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="https://meet.example.org")
    assert (await client.post(HOOK, json={})).status_code == 404


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_only_posts_are_answered(method: str) -> None:
    poster = Poster()
    answer = await poster.client.request(method, HOOK, params={"validationToken": "abc"})
    assert answer.status_code == 405
    assert "abc" not in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "text/html, application/json"},
        {"Content-Type": "application/jsonp"},
        JSON | {"Content-Encoding": "gzip"},
    ],
    ids=str,
)
async def test_only_json_is_read(headers: dict[str, str]) -> None:
    poster = Poster()
    assert (await poster.post(headers=headers)).status_code == 415
    assert poster.intake.took == []


async def test_every_answer_carries_the_headers_and_no_cookie() -> None:
    poster = Poster()
    for says in Taken:
        poster.intake.says = says
        headers = (await poster.post()).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in headers


async def parts(size: int, count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"x" * size


async def test_a_body_that_says_it_is_too_large_is_not_read() -> None:
    poster = Poster()
    assert (await poster.post(b"x" * (LARGEST + 1))).status_code == 413
    assert (await poster.post(b"x" * LARGEST)).status_code == 202
    assert [len(body) for body in poster.intake.took] == [LARGEST]


async def test_a_body_that_does_not_say_how_large_it_is_is_read_no_further_than_allowed() -> None:
    poster = Poster()
    assert (await poster.post(parts(65_536, 5))).status_code == 413
    assert (await poster.post(parts(65_536, 4))).status_code == 202


@pytest.mark.parametrize("length", ["-1", "x", "1" * 40, "٣"])
async def test_a_length_that_is_none_is_refused(length: str) -> None:
    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": HOOK,
        "query_string": b"",
        "headers": [(b"content-type", b"application/json"), (b"content-length", length.encode("latin-1", "replace"))],
    }
    sent: list[Any] = []

    async def receive() -> Any:
        raise AssertionError("the body is not read")

    async def send(message: Any) -> None:
        sent.append(message)

    await create_app(RoomsInMemory(), Clock(), PLACES, {"main": Intake()})(scope, receive, send)
    assert sent[0]["status"] == 413


class Slow:
    """A body that does not end until it is told to."""

    def __init__(self) -> None:
        self.end = asyncio.Event()
        self.begun = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"{"
        self.begun.set()
        await self.end.wait()
        yield b"}"


async def test_a_sender_that_takes_too_long_is_sent_away() -> None:
    poster = Poster(Desk(patience=0.05))
    assert (await poster.post(Slow())).status_code == 408
    assert poster.intake.took == []
    assert (await poster.post()).status_code == 202


async def test_slow_senders_make_room_for_others_but_quick_ones_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("greenroom.web.hooks._STEADY", 0.1)
    poster = Poster(Desk(readers=2, patience=30))
    slow = [Slow(), Slow()]
    waiting = [asyncio.create_task(poster.post(body)) for body in slow]
    for body in slow:
        await body.begun.wait()
    busy = await poster.post()
    assert (busy.status_code, busy.headers["retry-after"]) == (429, "30")
    await asyncio.sleep(0.15)
    assert (await poster.post(b'{"genuine": 1}')).status_code == 202
    assert (await asyncio.wait_for(waiting[0], 5)).status_code == 408
    slow[1].end.set()
    assert (await asyncio.wait_for(waiting[1], 5)).status_code == 202
    assert poster.intake.took == [b'{"genuine": 1}', b"{}"]


async def test_a_sender_that_goes_away_is_no_noise() -> None:
    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": HOOK, "query_string": b""}
    scope["headers"] = [(b"content-type", b"application/json")]
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": b"{", "more_body": True},
        {"type": "http.disconnect"},
    ]
    intake = Intake()

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(_: Any) -> None:
        return

    with capture_logs() as logs:
        await create_app(RoomsInMemory(), Clock(), PLACES, {"main": intake})(scope, receive, send)
    assert (intake.took, logs) == ([], [])
