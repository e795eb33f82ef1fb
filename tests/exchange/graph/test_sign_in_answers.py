"""Signing in where the login host or the machine behaves badly: what each of its answers means."""

import asyncio
import json
import logging
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from exchange.graph.entra import GOOD, Entra, entra, told
from exchange.graph.papers import NOW, PASSPHRASE
from exchange.scripted import Clock, unread
from greenroom.exchange.errors import ExchangeError, MisconfiguredError, SignInError, TryLaterError
from greenroom.exchange.graph.sign_in import (
    Certificate,
    ManagedIdentity,
    ManagedIdentityTokens,
    Secret,
)
from support.simulator import CLIENT_SECRET


class TestWhatEntraSays:
    @pytest.mark.parametrize(
        ("number", "error"),
        [
            (7000215, SignInError),
            (7000222, SignInError),
            (700027, SignInError),
            (53003, SignInError),
            (700016, MisconfiguredError),
            (90002, MisconfiguredError),
            (7000112, MisconfiguredError),
            (500011, MisconfiguredError),
            (90024, TryLaterError),
            (1234567, SignInError),
        ],
    )
    async def test_each_code_has_a_meaning(self, number: int, error: type[ExchangeError]) -> None:
        caught = await told(entra(401, number), error)
        assert type(caught) is error
        assert caught.code == f"AADSTS{number}"
        assert not isinstance(caught, MisconfiguredError) or caught.hint

    @pytest.mark.parametrize(
        ("answer", "error", "code"),
        [
            (entra(500, 90033), TryLaterError, "AADSTS90033"),
            (entra(400, 0, "temporarily_unavailable"), TryLaterError, "temporarily_unavailable"),
            (entra(400, 0, "invalid_scope"), MisconfiguredError, "invalid_scope"),
            (entra(401, 0, "invalid_client"), SignInError, "AADSTS0"),
            (httpx2.Response(503, content=b"<html>Wendelin"), TryLaterError, "http-503"),
            (httpx2.Response(400, content=b'{"error": "Wendelin hat"}'), MisconfiguredError, "http-400"),
            (httpx2.Response(400, content=b"[]"), MisconfiguredError, "http-400"),
            (httpx2.Response(404, content=b"Wendelin"), MisconfiguredError, "http-404"),
            (httpx2.Response(200, content=b"<html>Wendelin"), TryLaterError, "garbled-answer"),
            (httpx2.Response(200, content=b"[1]"), TryLaterError, "garbled-answer"),
            (httpx2.Response(200, content=b"x" * 3_000_000), TryLaterError, "garbled-answer"),
            (httpx2.Response(302, headers={"location": "https://evil.test/"}), MisconfiguredError, "redirected"),
        ],
    )
    async def test_everything_else_has_one_too(
        self, answer: httpx2.Response, error: type[ExchangeError], code: str
    ) -> None:
        caught = await told(answer, error)
        assert type(caught) is error
        assert caught.code == (code if code != "AADSTS0" else "invalid_client")

    async def test_a_pause_it_asks_for_is_kept(self) -> None:
        login = Entra(lambda _: entra(429, 90024, **{"retry-after": "30"}))
        tokens = login.tokens()
        for expected in (30, 20):
            with pytest.raises(TryLaterError) as caught:
                await tokens.token()
            assert caught.value.after == timedelta(seconds=expected)
            login.clock.advance(seconds=10)
        assert len([r for r in login.asked if r.method == "POST"]) == 1
        login.clock.advance(seconds=10)
        login.script = lambda _: httpx2.Response(200, content=json.dumps(GOOD).encode())
        assert await tokens.token() == "token"

    @pytest.mark.parametrize(
        "odd",
        [
            {"access_token": ""},
            {"access_token": None},
            {"access_token": "two words"},
            {"access_token": "line\nbreak"},
            {"access_token": "ü"},
            {"access_token": "x" * 70_000},
            {"access_token": ["x"]},
            {"token_type": "pop"},
            {"token_type": 1},
            {"expires_in": "soon"},
            {"expires_in": None},
            {"refresh_in": []},
        ],
    )
    async def test_an_odd_token_is_refused(self, odd: dict[str, Any]) -> None:
        answer = httpx2.Response(200, content=json.dumps(GOOD | odd).encode())
        assert (await told(answer, SignInError)).code == "odd-token"

    async def test_a_broken_connection_is_tried_once_more(self) -> None:
        tries = []

        def script(_: httpx2.Request) -> httpx2.Response:
            tries.append(1)
            if len(tries) == 1:
                raise httpx2.RemoteProtocolError("gone")
            return httpx2.Response(200, content=json.dumps(GOOD).encode())

        assert await Entra(script).tokens().token() == "token"

    async def test_a_token_is_renewed_five_minutes_before_its_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        given: list[str] = []

        def script(_: httpx2.Request) -> httpx2.Response:
            given.append(f"token-{len(given)}")
            return httpx2.Response(200, content=json.dumps(GOOD | {"access_token": given[-1]}).encode())

        tokens, real, ahead = Entra(script).tokens(), time.time, [0.0]
        monkeypatch.setattr(time, "time", lambda: real() + ahead[0])
        assert await tokens.token() == "token-0"
        ahead[0] = 3599 - 310
        assert await tokens.token() == "token-0"
        ahead[0] = 3599 - 290
        assert await tokens.token() == "token-1"

    async def test_an_ageing_token_stays_in_use_when_its_renewal_fails(self, monkeypatch: pytest.MonkeyPatch) -> None:
        answers = [httpx2.Response(200, content=json.dumps(GOOD | {"expires_in": 7200, "refresh_in": 60}).encode())]
        tokens = Entra(lambda _: answers.pop() if answers else entra(503)).tokens()
        real = time.time
        assert await tokens.token() == "token"
        monkeypatch.setattr(time, "time", lambda: real() + 600)
        assert await tokens.token() == "token"

    async def test_questions_are_asked_one_at_a_time_and_outside_the_loops_thread(self) -> None:
        inside, most, threads = [0], [0], set[int]()

        def script(_: httpx2.Request) -> httpx2.Response:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            threads.add(threading.get_ident())
            time.sleep(0.01)
            inside[0] -= 1
            return httpx2.Response(200, content=json.dumps(GOOD).encode())

        tokens = Entra(script).tokens()
        await asyncio.gather(*(tokens.token(fresh=True) for _ in range(5)))
        assert (most[0], len(threads)) == (1, 1)
        assert threading.get_ident() not in threads

    async def test_neither_secret_nor_token_is_logged(
        self, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        caplog.set_level(logging.DEBUG)
        token = "ey-very-secret-token"
        login = Entra(lambda _: httpx2.Response(200, content=json.dumps(GOOD | {"access_token": token}).encode()))
        tokens = login.tokens()
        await tokens.token()
        login.script = lambda _: httpx2.Response(200, content=f"<html>{token}".encode())
        with pytest.raises(TryLaterError):
            await tokens.token(fresh=True)
        shown = caplog.text + "".join(capsys.readouterr()) + repr(tokens) + repr(Secret(CLIENT_SECRET))
        shown += repr(Certificate(tmp_path, None, PASSPHRASE))
        assert [word for word in (token, CLIENT_SECRET, PASSPHRASE) if word in shown] == []

    async def test_environment_variables_do_not_choose_another_host(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MSAL_FORCE_REGION", "westus")
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
        login = Entra(lambda _: httpx2.Response(200, content=json.dumps(GOOD).encode()))
        await login.tokens().token()
        assert {r.url.host for r in login.asked} == {"login.microsoftonline.com"}


class TestManagedIdentity:
    def tokens(self, answer: httpx2.Response | Exception) -> ManagedIdentityTokens:
        def script(request: httpx2.Request) -> httpx2.Response:
            assert request.url.host == "169.254.169.254"
            if isinstance(answer, Exception):
                raise answer
            return unread(answer)

        return ManagedIdentityTokens(ManagedIdentity(), clock=Clock(NOW), http=httpx2.MockTransport(script))

    @pytest.mark.parametrize(
        ("answer", "error"),
        [
            (httpx2.Response(429, content=b"{}"), TryLaterError),
            (httpx2.Response(410, content=b""), TryLaterError),
            (httpx2.Response(500, content=b"x"), TryLaterError),
            (httpx2.ConnectError("no route"), TryLaterError),
            (httpx2.Response(400, content=b'{"error": "invalid_request"}'), MisconfiguredError),
            (httpx2.Response(200, content=b"<html>"), MisconfiguredError),
            (httpx2.Response(200, content=b'{"access_token": "a b", "expires_in": "1"}'), SignInError),
            (httpx2.Response(307, headers={"location": "http://evil.test"}), MisconfiguredError),
        ],
    )
    async def test_each_answer_has_a_meaning(
        self, answer: httpx2.Response | Exception, error: type[ExchangeError]
    ) -> None:
        with pytest.raises(error) as caught:
            await self.tokens(answer).token()
        assert type(caught.value) is error

    async def test_a_machine_that_cannot_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("IDENTITY_ENDPOINT", "https://127.0.0.1:1/x")
        monkeypatch.setenv("IDENTITY_HEADER", "x")
        monkeypatch.setenv("IDENTITY_SERVER_THUMBPRINT", "0" * 40)
        with pytest.raises(MisconfiguredError, match="kind of machine"):
            await self.tokens(httpx2.Response(200)).token()
