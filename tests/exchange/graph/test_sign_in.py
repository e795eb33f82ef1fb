"""Signing in as an application: for real against the simulator's token endpoint, and what is wrong before anything is sent."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from exchange.graph import papers
from exchange.graph.entra import GOOD, TENANT, Entra
from exchange.graph.papers import NOW, PASSPHRASE, certificate, key, pem, pfx, written
from exchange.scripted import Clock
from greenroom.exchange.errors import MisconfiguredError, SignInError, TryLaterError
from greenroom.exchange.graph.settings import CLOUDS, Cloud, TokenSource
from greenroom.exchange.graph.sign_in import (
    Certificate,
    Credential,
    Federated,
    ManagedIdentity,
    Secret,
    open_tokens,
)
from support.simulator import CLIENT_ID, CLIENT_SECRET, SMALL_WORLD, RunningSimulator, simulator_in_loop

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
