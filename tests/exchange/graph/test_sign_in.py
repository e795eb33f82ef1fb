"""Signing in as an application, against the simulator's token endpoint and against ones that behave badly."""

import asyncio
import json
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from exchange.graph import papers
from exchange.graph.papers import NOW, PASSPHRASE, certificate, key, pem, pfx, written
from exchange.scripted import Clock, unread
from greenroom.exchange.errors import ExchangeError, MisconfiguredError, SignInError, TryLaterError
from greenroom.exchange.graph.settings import CLOUDS, Cloud, TokenSource
from greenroom.exchange.graph.sign_in import (
    Certificate,
    Credential,
    Federated,
    ManagedIdentity,
    ManagedIdentityTokens,
    MsalTokens,
    Secret,
    open_tokens,
)
from support.simulator import CLIENT_ID, CLIENT_SECRET, SMALL_WORLD, RunningSimulator, simulator_in_loop

TENANT = "0a1b2c3d-0000-4000-8000-000000000001"
ISSUER = {"iss": "https://cluster.example.test", "sub": "system:serviceaccount:greenroom"}
APP = certificate("app")
WORLD = {
    **SMALL_WORLD,
    "applications": [
        {
            "client_id": CLIENT_ID,
            "secret": CLIENT_SECRET,
            "certificate": pem(APP).decode(),
            "federated": {"issuer": ISSUER["iss"], "subject": ISSUER["sub"], "key": papers.public("cluster")},
        }
    ],
}


@pytest.fixture
async def sim() -> AsyncIterator[RunningSimulator]:
    async with simulator_in_loop(WORLD) as running:
        yield running


def opened(sim: RunningSimulator, credential: Credential, **more: Any) -> TokenSource:
    given: dict[str, Any] = {
        "tenant": sim.tenant,
        "client_id": CLIENT_ID,
        "cloud": Cloud(sim.login_url, sim.url),
        "clock": Clock(NOW),
    }
    return open_tokens(credential, **(given | more))


async def works(sim: RunningSimulator, tokens: TokenSource) -> bool:
    """Whether Graph takes the token: it gets past the door, to the question what was asked for."""
    async with httpx2.AsyncClient() as client:
        headers = {"Authorization": f"Bearer {await tokens.token()}"}
        return (await client.get(f"{sim.graph_url}/nothing", headers=headers)).status_code != 401


class TestSigningInForReal:
    async def test_with_a_secret(self, sim: RunningSimulator) -> None:
        day = NOW + timedelta(days=30)
        tokens = opened(sim, Secret(CLIENT_SECRET, day))
        assert await works(sim, tokens)
        assert tokens.expires_at == day
        await tokens.close()

    @pytest.mark.parametrize("form", ["pem", "pem and key", "locked key", "pfx", "locked pfx", "chain"])
    async def test_with_a_certificate(self, sim: RunningSimulator, form: str, tmp_path: Path) -> None:
        own, passphrase, key_file = key("app"), "", None
        if form == "pem":
            file = written(tmp_path, "app.pem", pem(own), pem(APP))
        elif form == "chain":
            file = written(tmp_path, "app.pem", pem(certificate("other")), pem(APP), pem(own))
        elif form == "pfx":
            file = written(tmp_path, "app.pfx", pfx(own, APP))
        elif form == "locked pfx":
            file, passphrase = written(tmp_path, "app.pfx", pfx(own, APP, PASSPHRASE)), PASSPHRASE
        else:
            passphrase = PASSPHRASE if form == "locked key" else ""
            file, key_file = written(tmp_path, "app.crt", pem(APP)), written(tmp_path, "k", pem(own, passphrase))
        tokens = opened(sim, Certificate(file, key_file, passphrase))
        assert await works(sim, tokens)
        assert tokens.expires_at == APP.not_valid_after_utc
        await tokens.close()

    async def test_with_a_federated_token_that_is_read_anew_each_time(
        self, sim: RunningSimulator, tmp_path: Path
    ) -> None:
        file = written(tmp_path, "token", papers.federated("cluster", **ISSUER).encode(), b"\n")
        tokens = opened(sim, Federated(file))
        assert await works(sim, tokens)
        assert tokens.expires_at is None
        file.write_text(papers.federated("cluster", **(ISSUER | {"sub": "somebody else"})))
        with pytest.raises(SignInError, match="subject") as caught:
            await tokens.token(fresh=True)
        assert caught.value.code == "AADSTS700213"

    @pytest.mark.parametrize("identity", [ManagedIdentity(), ManagedIdentity(CLIENT_ID)])
    async def test_with_a_managed_identity(
        self, sim: RunningSimulator, identity: ManagedIdentity, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", sim.url)
        tokens = opened(sim, identity, client_id="")
        assert await works(sim, tokens)
        assert await tokens.token() != await tokens.token(fresh=True)
        assert tokens.expires_at is None
        await tokens.close()

    async def test_a_managed_identity_that_is_not_assigned_is_told(
        self, sim: RunningSimulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", sim.url)
        with pytest.raises(MisconfiguredError) as caught:
            await opened(sim, ManagedIdentity("00000000-0000-0000-0000-000000000000")).token()
        assert "assign" in caught.value.hint

    async def test_a_token_is_asked_for_once_and_kept(self, sim: RunningSimulator) -> None:
        tokens = opened(sim, Secret(CLIENT_SECRET))
        found = {await tokens.token() for _ in range(3)} | set(await asyncio.gather(*(tokens.token() for _ in "12345")))
        assert len(found) == 1
        assert (sim.calls("Token"), sim.calls("Discovery")) == (1, 1)
        assert await tokens.token(fresh=True) not in found
        assert (sim.calls("Token"), sim.calls("Discovery")) == (2, 1)

    async def test_a_replaced_certificate_is_taken_up_by_itself(self, sim: RunningSimulator, tmp_path: Path) -> None:
        file = written(tmp_path, "app.pem", pem(key("old")), pem(certificate("old", days=(-90, -1))))
        tokens = opened(sim, Certificate(file))
        with pytest.raises(MisconfiguredError, match="ran out") as caught:
            await tokens.token()
        assert caught.value.code == "certificate-expired"
        file.write_bytes(pem(key("app")) + pem(APP))
        tokens._clock.advance(minutes=1)  # type: ignore[attr-defined]  # the clock given above
        assert await works(sim, tokens)
        assert tokens.expires_at == APP.not_valid_after_utc

    async def test_after_closing_nothing_is_asked(self, sim: RunningSimulator) -> None:
        tokens = opened(sim, Secret(CLIENT_SECRET))
        under_way = asyncio.create_task(tokens.token())
        await asyncio.sleep(0)
        await tokens.close()
        await tokens.close()
        assert await under_way
        with pytest.raises(TryLaterError, match="closed"):
            await tokens.token()


class TestRefusals:
    async def test_a_wrong_secret_is_told_and_tried_ever_more_seldom(self, sim: RunningSimulator) -> None:
        clock = Clock(NOW)
        tokens = opened(sim, Secret("wrong"), clock=clock)
        for _ in range(20):
            with pytest.raises(SignInError, match="secret is wrong") as caught:
                await tokens.token()
            assert caught.value.code == "AADSTS7000215"
            clock.advance(seconds=30)
        assert sim.calls("Token") == 3

    async def test_a_wrong_application_and_tenant_are_misconfigured(self, sim: RunningSimulator) -> None:
        for wrong, code in (
            ({"client_id": "11111111-0000-4000-8000-000000000001"}, "AADSTS700016"),
            ({"tenant": TENANT}, "AADSTS90002"),
        ):
            with pytest.raises(MisconfiguredError) as caught:
                await opened(sim, Secret(CLIENT_SECRET), **wrong).token()
            assert caught.value.code == code
            assert caught.value.hint

    async def test_a_certificate_the_application_does_not_know_is_told(
        self, sim: RunningSimulator, tmp_path: Path
    ) -> None:
        file = written(tmp_path, "x.pem", pem(key("other")), pem(certificate("other")))
        with pytest.raises(SignInError, match="upload it") as caught:
            await opened(sim, Certificate(file)).token()
        assert caught.value.code == "AADSTS700027"


def entra(status: int, number: int = 0, word: str = "invalid_client", **headers: str) -> httpx2.Response:
    text = f"AADSTS{number}: {CLIENT_SECRET} is wrong for Wendelin. Trace ID: x"
    body = {"error": word, "error_description": text, "error_codes": [number]}
    return httpx2.Response(status, content=json.dumps(body).encode(), headers=headers)


DISCOVERED = {
    "token_endpoint": f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token",
    "authorization_endpoint": f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/authorize",
    "issuer": f"https://login.microsoftonline.com/{TENANT}/v2.0",
}
GOOD = {"access_token": "token", "token_type": "Bearer", "expires_in": 3599}


class Entra:
    """A login host that answers from a script: metadata as usual, then what `script` says."""

    def __init__(self, script: Callable[[httpx2.Request], httpx2.Response]) -> None:
        self.script = script
        self.asked: list[httpx2.Request] = []
        self.clock = Clock(NOW)

    def tokens(self, credential: Any = None) -> MsalTokens:
        return MsalTokens(
            credential or Secret(CLIENT_SECRET),
            tenant=TENANT,
            client_id=CLIENT_ID,
            clock=self.clock,
            http=httpx2.MockTransport(self._answer),
        )

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        if request.method == "GET":
            return unread(httpx2.Response(200, content=json.dumps(DISCOVERED).encode()))
        return unread(self.script(request))


async def told(answer: httpx2.Response, error: type[ExchangeError]) -> Any:
    with pytest.raises(error) as caught:
        await Entra(lambda _: answer).tokens().token()
    assert "Wendelin" not in str(caught.value)
    return caught.value


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


class TestWhatIsWrongBeforeAnythingIsSent:
    def made(self, folder: Path, what: str) -> Certificate:
        own, owns, odd = pem(key("app")), pem(APP), papers.elliptic()
        locked = pem(key("app"), PASSPHRASE)
        begin = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
        contents = {
            "no key": owns,
            "no certificate": own,
            "other key": owns,
            "locked": owns + locked,
            "wrong passphrase": owns + locked,
            "locked pfx": pfx(key("app"), APP, PASSPHRASE),
            "rubbish": b"\x00\x01rubbish",
            "broken pem": begin + own,
            "elliptic": pem(odd) + pem(certificate("odd", own=odd)),
        }
        if what == "folder":
            return Certificate(folder)
        if what == "missing":
            return Certificate(folder / "nothing.pem")
        other = written(folder, "k", pem(key("other"))) if what == "other key" else None
        wrong = "Wendelin" if what in ("wrong passphrase", "locked pfx") else ""
        return Certificate(written(folder, "x", contents[what]), other, wrong)

    @pytest.mark.parametrize(
        ("what", "code"),
        [
            ("missing", "certificate-unreadable"),
            ("folder", "certificate-unreadable"),
            ("no key", "certificate-unreadable"),
            ("no certificate", "certificate-unreadable"),
            ("other key", "certificate-mismatch"),
            ("locked", "certificate-passphrase"),
            ("wrong passphrase", "certificate-passphrase"),
            ("locked pfx", "certificate-unreadable"),
            ("rubbish", "certificate-unreadable"),
            ("broken pem", "certificate-unreadable"),
            ("elliptic", "certificate-key"),
        ],
    )
    def test_a_certificate_that_cannot_sign_in_is_told(self, what: str, code: str, tmp_path: Path) -> None:
        credential = self.made(tmp_path, what)
        with pytest.raises(MisconfiguredError) as caught:
            open_tokens(credential, tenant=TENANT, client_id=CLIENT_ID, clock=Clock(NOW))
        assert caught.value.code == code
        assert caught.value.hint
        assert "Wendelin" not in str(caught.value)

    async def test_a_certificate_that_does_not_hold_yet_is_told_when_it_is_used(self, tmp_path: Path) -> None:
        file = written(tmp_path, "x.pem", pem(key("new")), pem(certificate("new", days=(1, 90))))
        login = Entra(lambda _: httpx2.Response(200, content=json.dumps(GOOD).encode()))
        with pytest.raises(MisconfiguredError) as caught:
            await login.tokens(Certificate(file)).token()
        assert (caught.value.code, login.asked) == ("certificate-not-yet", [])

    @pytest.mark.parametrize("content", [None, b"", b"two words", b"\xff\xfe", b"x" * 100_000])
    async def test_a_federated_token_that_cannot_be_one_is_told(self, content: bytes | None, tmp_path: Path) -> None:
        file = tmp_path / "token"
        if content is not None:
            file.write_bytes(content)
        login = Entra(lambda _: httpx2.Response(200, content=json.dumps(GOOD).encode()))
        with pytest.raises(MisconfiguredError) as caught:
            await login.tokens(Federated(file)).token()
        assert caught.value.code == "token-file"
        assert [r for r in login.asked if r.method == "POST"] == []

    @pytest.mark.parametrize(
        "wrong",
        [
            {"tenant": ""},
            {"tenant": "common"},
            {"tenant": "ADFS"},
            {"tenant": "../other"},
            {"tenant": "a/b"},
            {"tenant": "x@y"},
            {"tenant": "a..b"},
            {"client_id": ""},
            {"client_id": "a b"},
            {"credential": Secret("")},
            {"credential": ManagedIdentity("a/b")},
            {"cloud": Cloud("http://login.microsoftonline.com", "https://graph.microsoft.com")},
            {"cloud": Cloud("https://login.microsoftonline.com/common", "https://graph.microsoft.com")},
            {"cloud": Cloud("login.microsoftonline.com", "https://graph.microsoft.com")},
            {"cloud": Cloud("https://u:p@login.microsoftonline.com", "https://graph.microsoft.com")},
            {"ca_file": Path("/nothing/here.pem")},
        ],
    )
    def test_values_that_cannot_be_right_are_told(self, wrong: dict[str, Any]) -> None:
        given: dict[str, Any] = {
            "credential": Secret("x"),
            "tenant": TENANT,
            "client_id": CLIENT_ID,
            "cloud": CLOUDS["global"],
            "clock": Clock(NOW),
        }
        with pytest.raises(MisconfiguredError) as caught:
            open_tokens(**(given | wrong))
        assert caught.value.hint


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
