"""The shell around httpx2: headers, waiting, giving up, and saying plainly what is wrong."""

import asyncio
import socket
import ssl
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from exchange.scripted import MAILBOX, Asked, Server, answer, bad, fault, folder_found, ok, soap, unread
from greenroom.exchange.backoff import BackOff, retry_after
from greenroom.exchange.contract import Reply, UpdateResult, Verdict
from greenroom.exchange.errors import (
    ExchangeError,
    MisconfiguredError,
    NotPermittedError,
    OutcomeUnknownError,
    SignInError,
    TryLaterError,
)
from greenroom.meetings.meeting import ItemRef, MeetingKey

REPLY = Reply(ItemRef("a"), Verdict.ACCEPT, "<p>ok</p>")


def always(response: httpx2.Response | Exception) -> Server:
    return Server(lambda _: response)


def page(status: int = 200, text: str = "<!DOCTYPE html><html>hello</html>", **headers: str) -> httpx2.Response:
    return httpx2.Response(status, content=text.encode(), headers=headers)


async def told(server: Server, error: type[ExchangeError]) -> Any:
    mailbox = server.mailbox()
    with pytest.raises(error) as caught:
        await mailbox.check()
    await mailbox.close()
    assert type(caught.value) is error or issubclass(type(caught.value), error)
    return caught.value


async def told_writing(server: Server, error: type[ExchangeError]) -> Any:
    mailbox = server.mailbox()
    with pytest.raises(error) as caught:
        await mailbox.respond([REPLY])
    await mailbox.close()
    return caught.value


class TestHeaders:
    async def test_the_anchor_is_always_the_mailbox_spoken_for(self) -> None:
        def script(asked: Asked) -> httpx2.Response:
            if asked.operation == "FindItem":
                return answer("FindItem", ok('<m:RootFolder IncludesLastItemInRange="true"><t:Items/></m:RootFolder>'))
            return folder_found()

        server = Server(script)
        mailbox = server.mailbox()
        await mailbox.check()
        result = await mailbox.update_invitation("Olga@Example.test", MeetingKey.of_uid("x"), lambda _: None)
        assert result is UpdateResult.NOT_FOUND
        assert [a.headers["X-AnchorMailbox"] for a in server.asked] == [MAILBOX, "olga@example.test"]
        assert [a.impersonated for a in server.asked] == [MAILBOX, "olga@example.test"]

    async def test_without_impersonation_nobody_is_impersonated(self) -> None:
        server = always(folder_found())
        mailbox = server.mailbox(impersonate=False)
        await mailbox.check()
        assert server.asked[0].impersonated is None
        assert (
            await mailbox.update_invitation("o@x.test", MeetingKey.of_uid("x"), lambda _: None) is UpdateResult.REFUSED
        )
        assert server.count() == 1

    async def test_no_cookie_is_kept_and_nothing_compressed_is_asked_for(self) -> None:
        server = Server(lambda _: folder_found())
        server.script = lambda _: _with_cookie(folder_found())
        mailbox = server.mailbox()
        await mailbox.check()
        await mailbox.check()
        assert all("cookie" not in a.headers for a in server.asked)
        assert all(a.headers["accept-encoding"] == "identity" for a in server.asked)

    async def test_the_servers_version_is_kept(self) -> None:
        mailbox = always(folder_found()).mailbox()
        assert mailbox.server_version is None
        await mailbox.check()
        assert mailbox.server_version == "15.2.1748.10"


def _with_cookie(response: httpx2.Response) -> httpx2.Response:
    response.headers["Set-Cookie"] = "X-BackEndOverrideCookie=other~server; path=/"
    return response


class TestSentences:
    async def test_a_refused_sign_in(self) -> None:
        error = await told(always(page(401)), SignInError)
        assert "mail.example.test" in str(error)

    async def test_a_refusal_names_what_the_server_offers(self) -> None:
        response = httpx2.Response(401, headers=[("WWW-Authenticate", "Negotiate"), ("WWW-Authenticate", "NTLM")])
        assert "by Basic (it offers Negotiate, NTLM)" in str(await told(always(response), SignInError))
        both = httpx2.Response(401, headers=[("WWW-Authenticate", 'Basic realm="m"'), ("WWW-Authenticate", "NTLM")])
        assert "password or token (it offers Basic, NTLM)" in str(await told(always(both), SignInError))
        strange = httpx2.Response(401, headers={b"WWW-Authenticate": b"<b>\x9b31m"})
        assert "offers" not in str(await told(always(strange), SignInError))

    @pytest.mark.parametrize(
        ("code", "word"),
        [
            (9, "not valid yet"),
            (10, "expired"),
            (18, "signed by itself"),
            (20, "authority"),
            (62, "name"),
            (64, "name"),
        ],
    )
    async def test_a_certificate_is_told_by_what_is_wrong_with_it(self, code: int, word: str) -> None:
        bad, error = ssl.SSLCertVerificationError(1, "x"), httpx2.ConnectError("x")
        bad.verify_code = code
        error.__cause__ = bad
        found = await told(always(error), MisconfiguredError)
        assert word in str(found)
        assert found.hint
        assert found.code == "bad-certificate"

    async def test_without_impersonation_the_account_must_be_the_mailbox_or_have_full_access(self) -> None:
        server = Server(lambda _: folder_found())
        await server.mailbox(impersonate=False).check()
        assert server.asked[0].body.findtext(".//{*}DistinguishedFolderId/{*}Mailbox/{*}EmailAddress") == MAILBOX
        mailbox = always(answer("GetFolder", bad("ErrorAccessDenied"))).mailbox(impersonate=False)
        with pytest.raises(NotPermittedError, match=r"not the mailbox .* no full access"):
            await mailbox.check()

    async def test_an_answer_about_no_folder_is_no_success(self) -> None:
        await told(always(answer("GetFolder")), TryLaterError)

    async def test_a_code_that_is_none_is_not_repeated(self) -> None:
        for response in (answer("GetFolder", bad("Error&#10;2031 fake line&#x9b;31m")), fault("Error" + "A" * 5000)):
            error = await told(always(response), TryLaterError)
            assert error.code == ""
            assert len(str(error)) < 200
            assert "fake" not in str(error)

    async def test_a_forbidden_account(self) -> None:
        assert "Set-CASMailbox" in str(await told(always(page(403)), NotPermittedError))

    @pytest.mark.parametrize("status", [301, 302, 307, 404, 405])
    async def test_an_address_that_is_not_ews(self, status: int) -> None:
        server = always(page(status, Location="https://elsewhere.test/"))
        error = await told(server, MisconfiguredError)
        assert "/EWS/Exchange.asmx" in error.hint
        assert server.count() == 1, "redirects are not followed"

    async def test_a_web_page(self) -> None:
        error = await told(always(page()), MisconfiguredError)
        assert "not an EWS address" in str(error)

    async def test_a_web_page_after_real_answers_is_a_passing_fault(self) -> None:
        answers = iter([folder_found(), page(), page(), page(404)])
        mailbox = Server(lambda _: next(answers)).mailbox()
        await mailbox.check()
        for _ in range(2):
            with pytest.raises(TryLaterError):
                await mailbox.check()

    async def test_a_proxy_that_wants_a_password(self) -> None:
        assert "407" in str(await told(always(page(407)), MisconfiguredError))

    async def test_an_unknown_name(self) -> None:
        error = httpx2.ConnectError("x")
        error.__cause__ = socket.gaierror(-2, "Name or service not known")
        assert "name" in str(await told(always(error), TryLaterError))

    async def test_a_refused_connection(self) -> None:
        error = httpx2.ConnectError("x")
        error.__cause__ = ConnectionRefusedError(111, "refused")
        assert "refuses connections" in str(await told(always(error), TryLaterError))

    async def test_no_answer_to_connecting(self) -> None:
        assert "firewall" in str(await told(always(httpx2.ConnectTimeout("x")), TryLaterError))

    @pytest.mark.parametrize(
        ("code", "error", "word"),
        [
            ("ErrorImpersonateUserDenied", NotPermittedError, "the right over this mailbox"),
            ("ErrorNonExistentMailbox", MisconfiguredError, MAILBOX),
            ("ErrorCannotFindUser", MisconfiguredError, MAILBOX),
            ("ErrorServerBusy", TryLaterError, "busy"),
            ("ErrorInvalidServerVersion", MisconfiguredError, "too old"),
            ("ErrorPasswordExpired", SignInError, "account"),
            ("ErrorMailboxMoveInProgress", TryLaterError, "busy"),
            ("ErrorSomethingNew", TryLaterError, "ErrorSomethingNew"),
        ],
    )
    async def test_faults(self, code: str, error: type[ExchangeError], word: str) -> None:
        for status in (500, 200):
            found = await told(always(fault(code, status=status)), error)
            assert word in str(found)
            assert found.code == code

    async def test_a_bare_code_in_the_faultcode_is_understood(self) -> None:
        response = soap("<s:Fault><faultcode>ErrorAccessDenied</faultcode><faultstring>x</faultstring></s:Fault>")
        assert (await told(always(response), NotPermittedError)).code == "ErrorAccessDenied"


class TestWaiting:
    @pytest.mark.parametrize(
        ("response", "seconds"),
        [
            (fault("ErrorServerBusy", back_off=7000), 7),
            (answer("GetFolder", bad("ErrorServerBusy", 9000)), 9),
            (page(503, **{"Retry-After": "11"}), 11),
            (page(429, **{"Retry-After": "Wed, 01 Jan 2031 00:00:13 GMT"}), 13),
            (page(503), 5),
            (page(503, **{"Retry-After": "99999999"}), 3600),
            (fault("ErrorServerBusy", back_off=10**9), 3600),
        ],
    )
    async def test_a_wait_is_kept_and_then_over(self, response: httpx2.Response, seconds: int) -> None:
        server = always(response)
        mailbox = server.mailbox()
        with pytest.raises(TryLaterError) as first:
            await mailbox.check()
        assert first.value.after in (timedelta(seconds=seconds), None)
        for call in (mailbox.check(), mailbox.changes("", limit=1), mailbox.respond([REPLY])):
            with pytest.raises(TryLaterError) as waiting:
                await call
            assert waiting.value.after == timedelta(seconds=seconds)
            assert not isinstance(waiting.value, OutcomeUnknownError)
        assert server.count() == 1
        server.clock.advance(seconds=seconds)
        server.script = lambda _: folder_found()
        await mailbox.check()

    async def test_without_a_word_waits_grow_and_shrink_again(self) -> None:
        server = always(page(503))
        mailbox = server.mailbox()
        waits = []
        for _ in range(9):
            with pytest.raises(TryLaterError) as error:
                await mailbox.check()
            assert error.value.after is not None
            waits.append(error.value.after.total_seconds())
            server.clock.now += error.value.after
        assert waits == [5, 10, 20, 40, 80, 160, 300, 300, 300]
        server.script = lambda _: folder_found()
        await mailbox.check()
        server.script = lambda _: page(503)
        with pytest.raises(TryLaterError) as error:
            await mailbox.check()
        assert error.value.after == timedelta(seconds=5)

    async def test_one_mailboxs_wait_is_not_anothers(self) -> None:
        def script(asked: Asked) -> httpx2.Response:
            return folder_found() if asked.impersonated == MAILBOX else fault("ErrorServerBusy", back_off=60000)

        server = Server(script)
        mailbox = server.mailbox()
        with pytest.raises(TryLaterError):
            await mailbox.update_invitation("o@example.test", MeetingKey.of_uid("x"), lambda _: None)
        await mailbox.check()

    def test_the_memory_of_waits_is_bounded(self) -> None:
        waits = BackOff()
        clock = Server(lambda _: folder_found()).clock
        for n in range(12_000):
            clock.advance(seconds=1)
            waits.wait(f"o{n}@x.test", clock(), timedelta(seconds=30))
        assert len(waits._until) <= 10_001

    @pytest.mark.parametrize("text", ["", "soon", "-5", "Wed, 99 Foo 2031", "1" * 400, "٣"])
    def test_strange_waits_harm_nothing(self, text: str) -> None:
        found = retry_after(text, Server(lambda _: folder_found()).clock())
        assert found is None or timedelta() <= found <= timedelta(hours=1)


class TestRepeating:
    async def test_a_reading_call_is_repeated_once_after_a_broken_connection(self) -> None:
        script: list[httpx2.Response | Exception] = [httpx2.ReadError("x"), folder_found()]
        answers = iter(script)
        server = Server(lambda _: next(answers))
        await server.mailbox().check()
        assert server.count() == 2
        server = always(httpx2.RemoteProtocolError("x"))
        await told(server, TryLaterError)
        assert server.count() == 2

    async def test_a_time_out_is_not_repeated(self) -> None:
        server = always(httpx2.ReadTimeout("x"))
        await told(server, TryLaterError)
        assert server.count() == 1

    @pytest.mark.parametrize(
        "failure",
        [
            httpx2.ReadError("x"),
            httpx2.ReadTimeout("x"),
            httpx2.WriteError("x"),
            httpx2.RemoteProtocolError("x"),
            page(500, "oops"),
            page(502),
            page(504),
            page(200, "<s:Envelope"),
            page(200, "It works"),
            fault("ErrorInternalServerError"),
            fault("ErrorTimeoutExpired"),
        ],
    )
    async def test_a_writing_call_is_never_repeated_and_its_outcome_unknown(
        self, failure: httpx2.Response | Exception
    ) -> None:
        server = always(failure)
        await told_writing(server, OutcomeUnknownError)
        assert server.count() == 1

    @pytest.mark.parametrize(
        "failure",
        [
            httpx2.ConnectError("x"),
            httpx2.ConnectTimeout("x"),
            page(503),
            page(429),
            fault("ErrorServerBusy", back_off=1000),
            fault("ErrorADUnavailable"),
        ],
    )
    async def test_what_surely_happened_before_is_not_unknown(self, failure: httpx2.Response | Exception) -> None:
        error = await told_writing(always(failure), TryLaterError)
        assert not isinstance(error, OutcomeUnknownError)

    async def test_an_answer_too_long_is_not_read_to_its_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("greenroom.exchange.ews.transport.LONGEST_REPLY", 1000)
        error = await told(always(page(200, "x" * 5000)), TryLaterError)
        assert "too long" in str(error)
        await told_writing(always(page(200, "x" * 5000)), OutcomeUnknownError)

    async def test_a_compressed_answer_is_refused_unopened(self) -> None:
        response = httpx2.Response(
            200, stream=httpx2.ByteStream(b"\x1f\x8b" + b"\0" * 100), headers={"Content-Encoding": "gzip"}
        )
        assert "compressed" in str(await told(always(response), TryLaterError))


class TestCrowds:
    async def test_after_closing_nothing_is_sent_and_nothing_breaks(self) -> None:
        server = always(folder_found())
        mailbox = server.mailbox()
        await mailbox.close()
        with pytest.raises(TryLaterError):
            await mailbox.check()
        assert server.count() == 0

    async def test_at_most_four_requests_are_under_way(self) -> None:
        under_way = most = 0

        class Slow(httpx2.AsyncBaseTransport):
            async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
                nonlocal under_way, most
                under_way += 1
                most = max(most, under_way)
                await asyncio.sleep(0.005)
                under_way -= 1
                return unread(folder_found())

        server = Server(lambda _: folder_found())
        mailbox = server.mailbox()
        mailbox._transport._clients[0]._transport = Slow()
        await asyncio.gather(*(mailbox.check() for _ in range(20)))
        assert most == 4

    async def test_a_slow_trickle_ends_at_the_time_for_the_whole(self) -> None:
        class Trickle(httpx2.AsyncByteStream):
            async def __aiter__(self) -> Any:
                while True:
                    await asyncio.sleep(0.01)
                    yield b" "

        server = Server(lambda _: httpx2.Response(200, stream=Trickle()))
        mailbox = server.mailbox(timeout=timedelta(seconds=0.1))
        with pytest.raises(TryLaterError):
            await mailbox.check()
        with pytest.raises(OutcomeUnknownError):
            await mailbox.respond([REPLY])
