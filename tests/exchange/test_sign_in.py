"""Signing in: what is refused up front, what is remembered, and the seam for ways that belong to a connection."""

import asyncio
import datetime as dt
import ipaddress
import ssl
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from exchange.scripted import MAILBOX, Server, folder_found
from greenroom.exchange.errors import MisconfiguredError, SignInError, TryLaterError
from greenroom.exchange.ews import BasicAuth, BearerAuth, Credentials, EwsMailbox, EwsSettings, SignInGuard

REFUSED = httpx2.Response(401)


class TestWhatIsRefusedUpFront:
    @pytest.mark.parametrize(
        "url",
        [
            "http://mail.example.test/EWS/Exchange.asmx",
            "http://10.0.0.1/EWS/Exchange.asmx",
            "ftp://mail.example.test/",
            "mail.example.test",
            "",
            "https://user:secret@mail.example.test/EWS/Exchange.asmx",
            "https://[::1/",
            "http://localhost.example.test/",
            "http://127.0.0.1.nip.test/",
        ],
    )
    def test_addresses_that_cannot_be_right_or_would_show_the_password(self, url: str) -> None:
        with pytest.raises(MisconfiguredError) as error:
            EwsSettings(url, MAILBOX, BasicAuth("u", "p"))
        assert error.value.hint
        assert "secret" not in str(error.value)

    @pytest.mark.parametrize(
        "url", ["http://127.0.0.1:1/x", "http://[::1]:1/x", "http://localhost/x", "https://m.test/x"]
    )
    def test_loopback_and_tls_are_fine(self, url: str) -> None:
        assert EwsSettings(url, "VMR@Example.test", BasicAuth("u", "p")).address == "vmr@example.test"

    @pytest.mark.parametrize("address", ["", "vmr", "a b@c", "a@b@c", "<a@b>"])
    def test_mailboxes_that_are_none(self, address: str) -> None:
        with pytest.raises(MisconfiguredError):
            EwsSettings("https://m.test/", address, BasicAuth("u", "p"))

    @pytest.mark.parametrize("content", [None, "no certificate"])
    def test_a_ca_file_that_is_none(self, tmp_path: Path, content: str | None) -> None:
        path = tmp_path / "ca.pem"
        if content is not None:
            path.write_text(content)
        with pytest.raises(MisconfiguredError) as error:
            EwsMailbox(EwsSettings("https://m.test/", MAILBOX, BasicAuth("u", "p"), ca_file=path))
        assert str(path) in str(error.value)

    def test_nothing_shows_a_secret(self) -> None:
        settings = EwsSettings("https://m.test/", MAILBOX, BasicAuth("u", "topsecret"))
        assert "topsecret" not in repr(settings) + repr(settings.auth) + repr(vars(settings.auth))


class TestRefusals:
    async def test_a_refusal_is_remembered_for_a_while(self) -> None:
        server = Server(lambda _: REFUSED)
        mailbox = server.mailbox()
        for _ in range(5):
            with pytest.raises(SignInError):
                await mailbox.check()
        assert server.count() == 1
        server.clock.advance(minutes=16)
        with pytest.raises(SignInError):
            await mailbox.check()
        assert server.count() == 2

    async def test_a_password_that_stays_wrong_is_tried_ever_more_seldom(self) -> None:
        server = Server(lambda _: REFUSED)
        mailbox = server.mailbox()
        for _ in range(2 * 24 * 60):
            with pytest.raises(SignInError):
                await mailbox.check()
            server.clock.advance(minutes=1)
        assert server.count() <= 12
        server.script = lambda _: folder_found()
        server.clock.advance(hours=6)
        await mailbox.check()
        server.script = lambda _: REFUSED
        with pytest.raises(SignInError):
            await mailbox.check()
        server.clock.advance(minutes=16)
        server.script = lambda _: folder_found()
        await mailbox.check()

    async def test_many_at_once_try_a_wrong_password_once(self) -> None:
        server = Server(lambda _: REFUSED)
        mailbox = server.mailbox()
        results = await asyncio.gather(*(mailbox.check() for _ in range(20)), return_exceptions=True)
        assert all(isinstance(r, SignInError) for r in results)
        assert server.count() == 1

    async def test_mailboxes_with_one_account_share_the_memory(self) -> None:
        server = Server(lambda _: REFUSED)
        auth = BasicAuth("svc", "wrong")
        for _ in range(3):
            with pytest.raises(SignInError):
                await server.mailbox(auth=auth).check()
        assert server.count() == 1

    async def test_what_works_for_one_account_does_not_send_anothers_wrong_password_again(self) -> None:
        def script(asked: Any) -> httpx2.Response:
            right = httpx2.BasicAuth("right", "p").sync_auth_flow(httpx2.Request("POST", "https://m.test"))
            return folder_found() if asked.headers["authorization"] == next(right).headers["authorization"] else REFUSED

        server, guard = Server(script), SignInGuard()
        accounts = {name: server.mailbox(auth=BasicAuth(name, "p", guard=guard)) for name in ("right", "one", "two")}
        for _ in range(4):
            await accounts["right"].check()
            for name in ("one", "two"):
                with pytest.raises(SignInError):
                    await accounts[name].check()
        assert server.count() == 4 + 2

    def test_the_memory_of_refusals_is_bounded_and_keeps_them(self) -> None:
        guard, clock = SignInGuard(), Server(lambda _: REFUSED).clock
        guard.refused("wrong", clock())
        for number in range(1000):
            guard.refused(f"token {number}", clock())
            clock.advance(minutes=1)
            guard.refused("wrong", clock())
        assert len(guard._trials) <= 101

    async def test_a_refusal_in_the_middle_stops_everybody(self) -> None:
        server = Server(lambda _: folder_found())
        mailbox = server.mailbox()
        await mailbox.check()
        server.script = lambda _: REFUSED
        for _ in range(4):
            with pytest.raises(SignInError):
                await mailbox.check()
        assert server.count() == 2

    async def test_a_new_token_in_the_file_is_tried_at_once(self, tmp_path: Path) -> None:
        path = tmp_path / "token"
        path.write_text("old\n")

        def script(asked: Any) -> httpx2.Response:
            return folder_found() if asked.headers["authorization"] == "Bearer new" else REFUSED

        server = Server(script)
        mailbox = server.mailbox(auth=BearerAuth(path))
        for _ in range(3):
            with pytest.raises(SignInError):
                await mailbox.check()
        path.write_text("new\n")
        await mailbox.check()
        assert server.count() == 2

    async def test_a_token_comes_from_a_function_or_a_coroutine_function(self) -> None:
        async def later() -> str:
            await asyncio.sleep(0)
            return "tok"

        for provider in (lambda: "tok", later):
            server = Server(lambda _: folder_found())
            await server.mailbox(auth=BearerAuth(provider)).check()
            assert server.asked[0].headers["authorization"] == "Bearer tok"

    @pytest.mark.parametrize("token", ["", "  ", "two words", "new\nline", "\u00e9"])
    async def test_a_token_that_is_none_is_not_sent(self, token: str) -> None:
        server = Server(lambda _: folder_found())
        with pytest.raises(MisconfiguredError):
            await server.mailbox(auth=BearerAuth(lambda: token)).check()
        assert server.count() == 0

    async def test_a_token_file_that_is_missing_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(MisconfiguredError) as error:
            await Server(lambda _: folder_found()).mailbox(auth=BearerAuth(tmp_path / "gone")).check()
        assert "gone" in str(error.value)


class _Handshake(httpx2.Auth):
    """Two legs on one connection, as NTLM has: the second must come where the challenge was given."""

    requires_request_body = True

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        response = yield request
        if response.status_code == 401:
            assert "network_stream" in response.extensions
            request.headers["Authorization"] = f"Legs {response.headers['www-authenticate'].removeprefix('Legs ')}"
            yield request


class _ConnectionAuth:
    connection_bound = True

    def __init__(self) -> None:
        self.guard = SignInGuard()

    async def credentials(self) -> Credentials:
        return Credentials(_Handshake(), "mark")


class _LegServer:
    """Authenticates connections: each gets a challenge of its own, and is known from then on."""

    def __init__(self) -> None:
        self.connections = 0
        self.misplaced = 0
        self.answered = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        mine = f"challenge-{self.connections}"
        known = False
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                lines = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
                await reader.readexactly(int(lines["content-length"]))
                given = lines.get("authorization")
                if given is not None and given != f"legs {mine}":
                    self.misplaced += 1
                known = known or given == f"legs {mine}"
                body = folder_found().content if known else b"no"
                status = "200 OK" if known else f"401 Unauthorized\r\nWWW-Authenticate: Legs {mine}"
                self.answered += known
                await asyncio.sleep(0.01)
                writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def test_all_legs_of_a_connection_bound_sign_in_go_over_one_connection() -> None:
    legs = _LegServer()
    async with await asyncio.start_server(legs.serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        mailbox = EwsMailbox(EwsSettings(f"http://127.0.0.1:{port}/EWS/Exchange.asmx", MAILBOX, _ConnectionAuth()))
        await asyncio.gather(*(mailbox.check() for _ in range(20)))
        await mailbox.close()
    assert legs.misplaced == 0
    assert legs.answered == 20
    assert legs.connections <= 4


def _certificate(folder: Path, name: str) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    names: list[x509.GeneralName] = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


async def test_a_certificate_nobody_vouches_for_is_named_and_ca_file_mends_it(tmp_path: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"</s:Envelope>")
        body = folder_found().content
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    certificate, key = _certificate(tmp_path, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/EWS/Exchange.asmx"
        for ca_file in (None, certificate):
            mailbox = EwsMailbox(EwsSettings(url, MAILBOX, BasicAuth("u", "p"), ca_file=ca_file))
            if ca_file is None:
                with pytest.raises(MisconfiguredError) as error:
                    await mailbox.check()
                assert "127.0.0.1" in str(error.value)
                assert "ca_file" in error.value.hint
            else:
                await mailbox.check()
            await mailbox.close()


async def test_a_port_nobody_listens_on_and_one_without_tls() -> None:
    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(deaf, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        plain = EwsMailbox(EwsSettings(f"https://127.0.0.1:{port}/x", MAILBOX, BasicAuth("u", "p")))
        with pytest.raises(MisconfiguredError):
            await plain.check()
    closed = EwsMailbox(
        EwsSettings(f"http://127.0.0.1:{port}/x", MAILBOX, BasicAuth("u", "p"), timeout=timedelta(seconds=5))
    )
    with pytest.raises(TryLaterError) as error:
        await closed.check()
    assert "refuses connections" in str(error.value)
