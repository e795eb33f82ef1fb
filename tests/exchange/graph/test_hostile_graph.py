"""What a Graph, a directory or a proxy in wrong hands may send: odd bytes, floods behind the end, numbers beyond all measure."""

import asyncio
import gzip
import json
import time
import zlib
from typing import Any

import httpx2
import pytest
from structlog.testing import capture_logs

from exchange.graph.answering import MAILBOX, READ, Graph, always, ok
from exchange.graph.entra import GOOD, Entra, entra, told
from exchange.graph.subscribed import FakeGraph
from exchange.graph.whole_events import KEY, Calendar, whole
from exchange.scripted import Clock
from greenroom.exchange.contract import Unreadable, UpdateResult
from greenroom.exchange.errors import ItemBrokenError, MisconfiguredError, SignInError, TryLaterError
from greenroom.exchange.graph import transport as module
from greenroom.exchange.graph.bounded import TooMuchError, Unpacking
from greenroom.exchange.graph.call import Answer, Call, path
from greenroom.exchange.graph.events import read_event
from greenroom.exchange.graph.finding import Hit
from greenroom.exchange.graph.intake import GraphIntake
from greenroom.exchange.graph.limits import Limits
from greenroom.exchange.graph.settings import Cloud, GraphSettings
from greenroom.exchange.graph.transport import GraphTransport
from greenroom.exchange.graph.wakeups import Wakeups
from greenroom.meetings.meeting import Observation
from greenroom.meetings.plain_text import text_of_html
from greenroom.outside import parse_json
from support import planted


class TestBytes:
    def test_what_comes_behind_the_end_of_gzip_is_not_gathered(self) -> None:
        unpacking = Unpacking("gzip", 10_000_000)
        unpacking.feed(gzip.compress(b"{}"))
        with pytest.raises(TooMuchError):
            unpacking.feed(b"x" * 65_536)

    def test_what_unpacks_to_nothing_has_an_end(self) -> None:
        unpacking = Unpacking("gzip", 100_000)
        unpacking.feed(zlib.compressobj(9, zlib.DEFLATED, 31).compress(b""))
        nothing = b"\x00\x00\x00\xff\xff" * 1000
        for _ in range(19):
            unpacking.feed(nothing)
        with pytest.raises(TooMuchError):
            unpacking.feed(nothing)

    @pytest.mark.parametrize("data", [b'{"id": "\xed\xa0\x80"}', b'{"id": "\xff"}'])
    def test_broken_utf_8_is_replaced(self, data: bytes) -> None:
        assert set(parse_json(data)["id"]) == {"\ufffd"}
        path("users", parse_json(data)["id"])

    def test_json_is_utf_8(self) -> None:
        with pytest.raises(ValueError):  # noqa: PT011  whatever keeps it from being JSON
            parse_json(json.dumps({"id": "\0"}).encode("utf-16"))

    @pytest.mark.parametrize("depth", [300, 450, 600, 800, 5_000])
    @pytest.mark.parametrize("inner", [("[", "]"), ('{"a":', "}")])
    def test_depth_is_never_more_than_broken_json(self, depth: int, inner: tuple[str, str]) -> None:
        data = f'{{"s": "\\u0000", "a": {inner[0] * depth}1{inner[1] * depth}}}'.encode()
        try:
            parse_json(data)
        except ValueError as error:
            assert "deep" in str(error)  # noqa: PT017  either is right

    def test_many_escaped_texts_cost_little(self) -> None:
        data = b"[" + b",".join([b'"\\u003ca"'] * 300_000) + b"]"
        began = time.perf_counter()
        plain = json.loads(data)
        once = time.perf_counter() - began
        assert parse_json(data) == plain
        assert time.perf_counter() - began - once < 5 * once + 0.2

    @pytest.mark.parametrize("status", [10**4000, 600, 99, 0, -5], ids=["huge", "600", "99", "0", "-5"])
    async def test_a_status_that_http_does_not_know_is_no_answer(self, status: int) -> None:
        graph = always(ok({"responses": [{"id": "0", "status": status, "body": {}}]}))
        (result,) = await graph.transport().batch([READ])
        assert isinstance(result, TryLaterError)
        assert result.code == "garbled-answer"

    async def test_a_version_that_cannot_stand_in_a_header_breaks_its_item_alone(self) -> None:
        for etag in ('W/"x"\r\nX-Evil: 1', 'W/"é"', "\ud800"):
            graph = always(ok())
            call = Call("UpdateEvent", "PATCH", "users/x/events/y", MAILBOX, headers={"If-Match": etag}, writes=True)
            with pytest.raises(ItemBrokenError):
                await graph.transport().call(call)
            assert graph.asked == []


class TestLongItems:
    """Whoever invites the mailbox decides how long a body is: up to Exchange's 150 MB."""

    async def test_one_that_is_too_long_keeps_back_no_other(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "LONGEST_ANSWER", 20_000)
        long = {"contentType": "html", "content": "x" * 30_000}
        calendar = Calendar(whole("a"), whole("b"), whole("long", body=long), whole("c"))
        found = await calendar.mailbox().read(calendar.refs())
        assert {one.ref.id for one in found if isinstance(one, Observation)} == {"a", "b", "c"}
        (broken,) = [one for one in found if isinstance(one, Unreadable)]
        assert isinstance(broken.error, ItemBrokenError)
        assert broken.error.code == "too-long"

    async def test_many_that_are_too_long_together_are_read_one_by_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "LONGEST_ANSWER", 20_000)
        body = {"contentType": "html", "content": "x" * 9_000}
        calendar = Calendar(*(whole(ident, body=body) for ident in "abcd"))
        found = await calendar.mailbox().read(calendar.refs())
        assert [type(one) for one in found] == [Observation] * 4

    async def test_an_organizers_own_that_is_too_long_is_left_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "LONGEST_ANSWER", 20_000)
        calendar = Calendar(whole("a", body={"contentType": "html", "content": "x" * 30_000}))
        result = await calendar.mailbox().update_invitation("olga@example.test", KEY, lambda _: None)
        assert result is UpdateResult.REFUSED

    async def test_one_alone_does_not_stop_the_pass(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "LONGEST_ANSWER", 20_000)
        calendar = Calendar(whole("a", body={"contentType": "html", "content": "x" * 30_000}))
        (broken,) = await calendar.mailbox().read(calendar.refs())
        assert isinstance(broken, Unreadable)


class TestSigningIn:
    @pytest.mark.parametrize(
        "odd",
        [
            {"expires_in": 10**400},
            {"expires_in": -(10**400)},
            {"expires_on": "9" * 4000},
            {"refresh_in": 10**308},
            {"expires_in": 1e999},
        ],
    )
    async def test_an_end_beyond_all_measure_is_refused(self, odd: dict[str, Any]) -> None:
        answer = httpx2.Response(200, content=json.dumps(GOOD | odd).replace("Infinity", "1e999").encode())
        assert (await told(answer, SignInError)).code == "odd-token"

    async def test_an_answer_too_deep_to_be_handed_on_is_odd(self) -> None:
        deep = json.dumps(GOOD)[:-1] + ', "scope": ' + "[" * 900 + "]" * 900 + "}"
        for _ in range(2):
            tokens = Entra(lambda _: httpx2.Response(200, content=deep.encode())).tokens()
            with pytest.raises(TryLaterError):
                await tokens.token()

    async def test_of_several_that_ask_at_once_only_one_tries_a_wrong_secret(self) -> None:
        login = Entra(lambda _: entra(401, 7000215))
        tokens = login.tokens()
        results = await asyncio.gather(*(tokens.token() for _ in range(5)), return_exceptions=True)
        assert [type(one) for one in results] == [SignInError] * 5
        assert len([one for one in login.asked if one.method == "POST"]) == 1
        login.clock.advance(seconds=61)  # and it counts once: the next pause is the second one
        with pytest.raises(SignInError, match="7000215"):
            await tokens.token()
        assert len([one for one in login.asked if one.method == "POST"]) == 2

    async def test_who_waits_while_all_is_closed_is_told_to_come_later(self) -> None:
        tokens = Entra(lambda _: httpx2.Response(200, content=json.dumps(GOOD).encode())).tokens()
        asked = [asyncio.create_task(tokens.token()) for _ in range(3)]
        await asyncio.sleep(0)
        await tokens.close()
        results = await asyncio.gather(*asked, return_exceptions=True)
        assert results[0] == "token"
        assert all(isinstance(one, TryLaterError) for one in results[1:])


async def test_plain_http_to_this_computer_does_not_take_the_token_through_a_proxy() -> None:
    seen: list[bytes] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    async def graph(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        writer.close()

    async with (
        await asyncio.start_server(proxy, "127.0.0.1", 0) as thief,
        await asyncio.start_server(graph, "127.0.0.1", 0) as good,
    ):
        root, spy = (f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}" for server in (good, thief))
        clock = Clock()
        fake = Graph(lambda _: ok())
        settings = GraphSettings(MAILBOX, "tenant", fake.tokens, Cloud(root, root), proxy=spy)
        way = GraphTransport(settings, limits=Limits(clock), clock=clock)
        assert (await way.call(READ)).status == 200
        await way.close()
    assert seen == []


@pytest.mark.parametrize("markup", ["x" + "<td>" * 100_000 + "x", "x" + "<td>" * 100_000 + "<b>y</b>"])
def test_many_empty_cells_take_little_time(markup: str) -> None:
    began = time.perf_counter()
    text_of_html(markup)
    assert time.perf_counter() - began < 5


def test_a_hit_shows_nothing_of_the_meeting() -> None:
    raw = whole("a", subject=planted.SUBJECT)
    assert planted.SUBJECT not in repr(Hit(raw, read_event(raw)))


async def test_hints_of_settings_end_before_the_next_sentence_begins() -> None:
    class Wrong(FakeGraph):
        async def call(self, call: Call) -> Answer:
            raise MisconfiguredError("x", hint="check that cloud is the one it is in", code="AADSTS90002")

    clock = Clock()
    settings = GraphSettings(MAILBOX, "tenant", Graph(lambda _: ok()).tokens, notification_url="https://a.test/hooks")
    wakeups = Wakeups(Wrong(clock), settings, GraphIntake("t", clock=clock), clock, long_pauses=(60.0,))
    with capture_logs() as logs:
        hints = wakeups.hints()
        first = asyncio.ensure_future(anext(hints))
        await asyncio.sleep(0.05)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        await hints.aclose()
    (warning,) = [line for line in logs if line["log_level"] == "warning"]
    assert warning["hint"] == "Check that cloud is the one it is in. Polling goes on meanwhile."
