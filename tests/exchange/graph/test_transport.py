"""The shell around httpx2 for Graph: headers, signing in, waiting, batches, and what every kind of answer means."""

import asyncio
import gzip
import json
from datetime import timedelta
from email.utils import format_datetime
from itertools import pairwise
from typing import Any

import httpx2
import pytest

from exchange.graph.answering import MAILBOX, READ, SEND, WRITE, Graph, always, ok, refused
from greenroom.exchange.errors import (
    ExchangeError,
    ItemBrokenError,
    MisconfiguredError,
    NotPermittedError,
    OutcomeUnknownError,
    SignInError,
    TryLaterError,
)
from greenroom.exchange.graph import transport as module
from greenroom.exchange.graph.call import Call, RefusedError, path

OLGA = "olga@example.test"


async def told(graph: Graph, error: type[ExchangeError], call: Call = READ) -> Any:
    with pytest.raises(error) as caught:
        await graph.transport().call(call)
    assert "Zimtschnecken" not in str(caught.value)
    return caught.value


def raw(status: int, content: bytes, **headers: str) -> httpx2.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx2.Response(status, headers=named, stream=httpx2.ByteStream(content))


class TestRequests:
    async def test_every_call_asks_for_immutable_ids_and_is_named(self) -> None:
        graph = always(ok())
        transport = graph.transport()
        call = Call(
            "ListEvents",
            "GET",
            path("users", MAILBOX, "calendar", "events"),
            MAILBOX,
            query={"$filter": "lastModifiedDateTime ge 2031-01-01T00:00:00Z", "$top": "5"},
            prefer=('outlook.body-content-type="html"', "outlook.allow-unsafe-html"),
            headers={"If-Match": 'W/"x"'},
        )
        await transport.call(call)
        await transport.call(call)
        first, second = graph.asked
        assert first.headers["prefer"] == (
            'IdType="ImmutableId", outlook.body-content-type="html", outlook.allow-unsafe-html'
        )
        assert first.headers["if-match"] == 'W/"x"'
        assert first.headers["authorization"] == "Bearer token-1"
        assert first.headers["user-agent"] == "Greenroom"
        assert first.headers["client-request-id"] != second.headers["client-request-id"]
        assert str(first.url) == (
            "https://graph.microsoft.com/v1.0/users/vmr@example.test/calendar/events"
            "?$filter=lastModifiedDateTime%20ge%202031-01-01T00%3A00%3A00Z&$top=5"
        )

    async def test_ids_keep_every_character(self) -> None:
        graph = always(ok())
        await graph.transport().call(Call("GetEvent", "GET", path("users", MAILBOX, "events", "A/b+c=?#%2F"), MAILBOX))
        assert graph.asked[0].url.raw_path.endswith(b"/events/A%2Fb%2Bc%3D%3F%23%252F")

    @pytest.mark.parametrize("odd", ["", ".", ".."])
    def test_an_id_that_would_lead_elsewhere_is_refused(self, odd: str) -> None:
        with pytest.raises(ItemBrokenError):
            path("users", odd, "events")

    async def test_a_body_goes_as_json_even_with_half_a_character(self) -> None:
        graph = always(ok())
        await graph.transport().call(Call("AcceptEvent", "POST", "x", MAILBOX, body={"comment": "ü \ud800"}))
        assert json.loads(graph.asked[0].content) == {"comment": "ü ?"}
        assert graph.asked[0].headers["content-type"] == "application/json"

    async def test_cookies_are_not_kept(self) -> None:
        graph = always(ok(**{"set-cookie": "a=b; Path=/"}))
        transport = graph.transport()
        await transport.call(READ)
        await transport.call(READ)
        assert "cookie" not in graph.asked[1].headers

    async def test_after_closing_nothing_is_sent(self) -> None:
        graph = always(ok())
        transport = graph.transport()
        await transport.close()
        with pytest.raises(TryLaterError, match="closed"):
            await transport.call(READ)
        assert graph.asked == []


class TestAnswers:
    async def test_json_comes_parsed_and_nothing_as_none(self) -> None:
        transport = always(ok({"a": [1]}), httpx2.Response(202)).transport()
        first, second = await transport.call(READ), await transport.call(READ)
        assert (first.status, first.body) == (200, {"a": [1]})
        assert (second.status, second.body) == (202, None)

    async def test_gzip_is_understood(self) -> None:
        transport = always(raw(200, gzip.compress(b'{"a": 1}'), content_encoding="gzip")).transport()
        assert (await transport.call(READ)).body == {"a": 1}

    @pytest.mark.parametrize(
        ("content", "encoding"),
        [
            (gzip.compress(b"{}", mtime=0)[:-4], "gzip"),
            (b"{}", "br"),
            (b"{}", "gzip"),
            (b'{"a": ', ""),
            (b'{"a": NaN}', ""),
            (b"[" * 90_000, ""),
            (b"1" * 5000, ""),
            (b"\xff\xfe\xfd", ""),
        ],
    )
    async def test_what_is_broken_or_no_json_is_read_once_more_and_then_later(
        self, content: bytes, encoding: str
    ) -> None:
        graph = Graph(lambda _: raw(200, content, content_encoding=encoding))
        error = await told(graph, TryLaterError)
        assert error.code == "garbled-answer"
        assert len(graph.asked) == 2
        graph.asked.clear()
        assert (await told(graph, OutcomeUnknownError, WRITE)).code == "garbled-answer"
        assert len(graph.asked) == 1

    @pytest.mark.parametrize(
        ("content", "encoding"), [(gzip.compress(b" " * 200_000, mtime=0), "gzip"), (b" " * 200_000, "")]
    )
    async def test_what_is_too_long_is_not_read_again(
        self, content: bytes, encoding: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "LONGEST_ANSWER", 100_000)
        graph = Graph(lambda _: raw(200, content, content_encoding=encoding))
        assert (await told(graph, TryLaterError)).code == "too-long"
        assert len(graph.asked) == 1
        assert (await told(graph, OutcomeUnknownError, WRITE)).code == "garbled-answer"
        assert len(graph.asked) == 2

    async def test_half_characters_and_nul_are_replaced(self) -> None:
        transport = always(raw(200, rb'{"a\u0000": ["\ud83d\ude00 \ud800", "x\u0000y"]}')).transport()
        assert (await transport.call(READ)).body == {"a\ufffd": ["\U0001f600 \ufffd", "x\ufffdy"]}

    @pytest.mark.parametrize(
        ("status", "error"),
        [
            (400, RefusedError),
            (403, NotPermittedError),
            (404, RefusedError),
            (409, RefusedError),
            (410, RefusedError),
            (412, RefusedError),
            (413, RefusedError),
            (429, TryLaterError),
            (500, TryLaterError),
            (502, TryLaterError),
            (503, TryLaterError),
            (504, TryLaterError),
            (407, MisconfiguredError),
        ],
    )
    async def test_each_status_has_a_meaning_and_graphs_own_code(self, status: int, error: type[ExchangeError]) -> None:
        graph = always(refused(status, "ErrorOdd"))
        caught = await told(graph, error)
        assert type(caught) is error
        assert caught.code == "ErrorOdd"
        assert len(graph.asked) == 1
        if isinstance(caught, RefusedError):
            assert caught.status == status

    @pytest.mark.parametrize(
        ("status", "error"),
        [
            (500, OutcomeUnknownError),
            (502, OutcomeUnknownError),
            (504, OutcomeUnknownError),
            (503, TryLaterError),
            (429, TryLaterError),
        ],
    )
    async def test_a_write_that_failed_inside_may_have_happened(self, status: int, error: type[ExchangeError]) -> None:
        graph = always(refused(status))
        assert type(await told(graph, error, WRITE)) is error
        assert len(graph.asked) == 1

    async def test_mailboxes_elsewhere_and_gone_items_are_told_apart(self) -> None:
        elsewhere = await told(always(refused(404, "MailboxNotEnabledForRESTAPI")), RefusedError)
        gone = await told(always(refused(404, "ErrorItemNotFound")), RefusedError)
        assert (elsewhere.elsewhere, elsewhere.gone) == (True, False)
        assert (gone.elsewhere, gone.gone) == (False, True)

    @pytest.mark.parametrize(
        "body",
        [
            b"<!DOCTYPE html><html>Zimtschnecken</html>",
            b"",
            b"null",
            b'"Zimtschnecken"',
            b'{"error": "Zimtschnecken im Nebenraum"}',
            b'{"error": {"code": "Zimtschnecken stehen"}}',
            b'{"error": {"code": ["Zimtschnecken"]}}',
            b'{"error": {"code": 4}}',
            b'{"error": []}',
            b"[" * 70_000,
            b"x" * 300_000,
            b"\x00\xff",
        ],
    )
    async def test_an_error_may_have_any_body(self, body: bytes) -> None:
        assert (await told(always(raw(400, body)), RefusedError)).code == "http-400"
        assert (await told(always(raw(503, body)), TryLaterError)).code == "http-503"

    @pytest.mark.parametrize("status", [200, 302, 404])
    async def test_a_web_page_or_redirect_is_not_graph_until_graph_has_answered(self, status: int) -> None:
        def page(_: httpx2.Request) -> httpx2.Response:
            return raw(status, b"<html>welcome to the hotel</html>", location="https://evil.test/")

        graph = Graph(page)
        transport = graph.transport()
        with pytest.raises(MisconfiguredError) as caught:
            await transport.call(READ)
        assert caught.value.hint
        graph.script = lambda _: ok()
        await transport.call(READ)
        graph.script = page
        with pytest.raises(TryLaterError):
            await transport.call(READ)
        with pytest.raises(OutcomeUnknownError):
            await transport.call(WRITE)
        assert {r.url.host for r in graph.asked} == {"graph.microsoft.com"}


class TestBrokenConnections:
    async def test_a_read_is_sent_once_more(self) -> None:
        graph = always(httpx2.ReadError("gone"), ok({"a": 1}))
        assert (await graph.transport().call(READ)).body == {"a": 1}
        twice = always(httpx2.RemoteProtocolError("gone"))
        assert (await told(twice, TryLaterError)).code == "broken"
        assert len(twice.asked) == 2

    async def test_a_write_is_never_repeated(self) -> None:
        for error in (httpx2.ReadError("x"), httpx2.ReadTimeout("x"), httpx2.RemoteProtocolError("x")):
            graph = always(error)
            await told(graph, OutcomeUnknownError, SEND)
            assert len(graph.asked) == 1

    async def test_what_was_never_sent_did_not_happen(self) -> None:
        for error in (httpx2.ConnectError("x"), httpx2.ConnectTimeout("x"), httpx2.ProxyError("x")):
            assert type(await told(always(error), TryLaterError, WRITE)) is TryLaterError

    async def test_an_answer_that_never_ends_is_given_up(self) -> None:
        async def slow(_: httpx2.Request) -> httpx2.Response:
            await asyncio.sleep(60)
            return ok()

        graph = always(ok())
        transport = graph.transport()
        transport.settings = type(transport.settings)(
            MAILBOX, "tenant", graph.tokens, timeout=timedelta(milliseconds=50)
        )
        transport._client._transport = httpx2.MockTransport(slow)
        with pytest.raises(TryLaterError, match="in time"):
            await transport.call(READ)
        with pytest.raises(OutcomeUnknownError):
            await transport.call(WRITE)


class TestSigningIn:
    async def test_a_refused_token_is_replaced_once_also_for_a_write(self) -> None:
        graph = always(refused(401, "InvalidAuthenticationToken"), ok())
        await graph.transport().call(WRITE)
        assert [r.headers["authorization"] for r in graph.asked] == ["Bearer token-1", "Bearer token-2"]

    async def test_calls_at_once_replace_a_refused_token_once(self) -> None:
        def script(request: httpx2.Request) -> httpx2.Response:
            return ok() if request.headers["authorization"] == "Bearer token-2" else refused(401)

        graph = Graph(script)
        transport = graph.transport()
        await asyncio.gather(*(transport.call(READ) for _ in range(12)))
        assert graph.tokens.given == 2

    async def test_a_refused_application_is_left_alone_ever_longer(self) -> None:
        graph = always(refused(401, "InvalidAuthenticationToken"))
        transport, again = graph.transport(), graph.transport()
        tries = []
        for _ in range(600):
            before = len(graph.asked)
            with pytest.raises(SignInError) as caught:
                await transport.call(READ)
            with pytest.raises(SignInError):
                await again.call(READ)
            assert caught.value.code == "InvalidAuthenticationToken"
            tries += [graph.clock.now] if len(graph.asked) > before else []
            graph.clock.advance(minutes=1)
        gaps = [round((b - a) / timedelta(minutes=1)) for a, b in pairwise(tries)]
        assert gaps[:4] == [1, 4, 16, 60]
        assert set(gaps[4:]) == {60}

    async def test_a_good_answer_ends_the_memory_of_refusals(self) -> None:
        graph = always(refused(401), refused(401), ok())
        transport = graph.transport()
        with pytest.raises(SignInError):
            await transport.call(READ)
        graph.clock.advance(minutes=1)
        await transport.call(READ)
        await transport.call(READ)

    async def test_a_refusal_of_one_organizers_mailbox_stops_no_other(self) -> None:
        graph = Graph(lambda request: refused(401) if OLGA in request.url.path else ok())
        transport = graph.transport()
        await transport.call(READ)
        with pytest.raises(TryLaterError):
            await transport.call(Call("GetEvent", "GET", path("users", OLGA, "events", "a"), OLGA))
        await transport.call(READ)

    async def test_without_a_token_nothing_is_sent(self) -> None:
        graph = always(ok())
        graph.tokens.error = MisconfiguredError("no such tenant", hint="look", code="AADSTS90002")
        assert (await told(graph, MisconfiguredError)).code == "AADSTS90002"
        assert graph.asked == []


class TestWaiting:
    @pytest.mark.parametrize("status", [429, 503, 500, 504])
    async def test_a_mailbox_that_asked_for_a_pause_is_left_alone(self, status: int) -> None:
        graph = always(refused(status, "ApplicationThrottled", **{"retry-after": "20"}))
        transport, same_application = graph.transport(), graph.transport()
        with pytest.raises(TryLaterError) as caught:
            await transport.call(READ)
        assert caught.value.after == timedelta(seconds=20)
        graph.clock.advance(seconds=5)
        with pytest.raises(TryLaterError) as caught:
            await same_application.call(WRITE)
        assert (caught.value.code, caught.value.after) == ("backing-off", timedelta(seconds=15))
        assert len(graph.asked) == 1
        graph.script = lambda _: ok()
        await transport.call(Call("GetEvent", "GET", path("users", OLGA, "events", "a"), OLGA))
        graph.clock.advance(seconds=15)
        await transport.call(READ)

    async def test_the_pause_may_be_a_date(self) -> None:
        graph = Graph(lambda _: ok())
        until = format_datetime(graph.clock.now + timedelta(seconds=90), usegmt=True)
        graph.script = lambda _: refused(503, **{"retry-after": until})
        assert (await told(graph, TryLaterError)).after == timedelta(seconds=90)

    async def test_without_a_word_how_long_the_pause_grows(self) -> None:
        graph = always(refused(429))
        waits = []
        for _ in range(4):
            error = await told(graph, TryLaterError)
            waits.append(error.after.total_seconds())
            graph.clock.now += error.after
        assert waits == [5, 10, 20, 40]

    async def test_an_absurd_pause_is_bounded(self) -> None:
        graph = always(refused(429, **{"retry-after": "999999999999999999"}))
        assert (await told(graph, TryLaterError)).after <= timedelta(hours=1)

    async def test_messages_are_not_sent_faster_than_allowed(self) -> None:
        graph = always(httpx2.Response(202))
        transport = graph.transport()
        for _ in range(29):
            await transport.call(SEND)
        with pytest.raises(TryLaterError) as caught:
            await transport.call(SEND)
        assert (caught.value.code, caught.value.after) == ("send-limit", timedelta(seconds=61))
        await transport.call(READ)
        assert len(graph.asked) == 30

    async def test_four_requests_are_under_way_at_once(self) -> None:
        inside, most = 0, 0

        async def slow(_: httpx2.Request) -> httpx2.Response:
            nonlocal inside, most
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.005)
            inside -= 1
            return httpx2.Response(200, stream=httpx2.ByteStream(b"{}"))

        graph = always(ok())
        transport = graph.transport()
        transport._client._transport = httpx2.MockTransport(slow)
        await asyncio.gather(*(transport.call(READ) for _ in range(15)))
        assert most == 4


class TestPages:
    LINK = "https://graph.microsoft.com/v1.0/users/vmr@example.test/calendar/events?%24skip=10"

    async def test_a_link_is_followed_as_it_is_with_the_preferences_of_the_first(self) -> None:
        graph = always(ok({"value": []}))
        like = Call("ListEvents", "GET", "users/x/events", MAILBOX, query={"$top": "5"}, prefer=("a",))
        assert (await graph.transport().follow(self.LINK, like)).body == {"value": []}
        (asked,) = graph.asked
        assert (str(asked.url), asked.headers["prefer"]) == (self.LINK, 'IdType="ImmutableId", a')

    @pytest.mark.parametrize(
        "link",
        [
            "https://evil.test/v1.0/x",
            "https://graph.microsoft.com.evil.test/v1.0/x",
            "https://graph.microsoft.com@evil.test/v1.0/x",
            "https://evil.test@graph.microsoft.com/v1.0/x",
            "https://graph.microsoft.com:8443/v1.0/x",
            "http://graph.microsoft.com/v1.0/x",
            "http://graph.microsoft.com:443/v1.0/x",
            "//evil.test/v1.0/x",
            "/v1.0/x",
            "v1.0/x",
            "https://graph.microsoft.com/beta/x",
            "https://graph.microsoft.com/v1.0",
            "https://graph.microsoft.com/v1.0x/y",
            "https://graph.microsoft.com/v1.0/../beta/x",
            "https://graph.microsoft.com/v1.0/%2e%2E/beta/x",
            "https://graph.microsoft.com\\@evil.test/v1.0/x",
            "https://graph.microsoft.com/v1.0/x\r\nX-Evil: 1",
            " https://graph.microsoft.com/v1.0/x",
            "https:graph.microsoft.com/v1.0/x",
            "https://gr\u0430ph.microsoft.com/v1.0/x",
            "https://graph.microsoft.com/v1.0/" + "x" * 20_000,
            "https://[::1",
            "",
            None,
            7,
        ],
    )
    async def test_a_link_to_anywhere_else_is_refused(self, link: Any) -> None:
        graph = always(ok())
        with pytest.raises(MisconfiguredError) as caught:
            await graph.transport().follow(link, READ)
        assert (caught.value.code, graph.asked) == ("foreign-link", [])
        assert "evil" not in str(caught.value)


@pytest.mark.parametrize(
    "root",
    ["http://graph.microsoft.com", "https://a:b@graph.microsoft.com", "graph", "https://graph.microsoft.com/beta"],
)
def test_a_root_that_would_show_tokens_is_refused(root: str) -> None:
    from greenroom.exchange.graph.settings import Cloud  # noqa: PLC0415  nothing else here needs it

    with pytest.raises(MisconfiguredError):
        always(ok()).transport(cloud=Cloud("https://login.microsoftonline.com", root))
