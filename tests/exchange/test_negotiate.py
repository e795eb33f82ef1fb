"""Legs of a sign-in against servers that send what they like, and the channel that proofs are bound to."""

import asyncio
import base64
import datetime as dt
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from functools import cache
from types import SimpleNamespace
from typing import Any, cast

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from lxml import etree

from exchange.scripted import Asked, Server, folder_found
from greenroom.exchange.errors import ExchangeError, SignInError
from greenroom.exchange.ews.auth import Credentials
from greenroom.exchange.ews.channel import of_certificate
from greenroom.exchange.ews.negotiate import NegotiateAuth
from greenroom.exchange.ews.ntlm import ntlm
from support.planted import PASSWORD

CHALLENGE_OF_NTLM = base64.b64encode(b"NTLMSSP\0\2\0\0\0" + bytes(20)).decode()


def refusing(*offers: str, text: bytes = b"", encoding: str = "identity") -> httpx2.Response:
    lines = [("WWW-Authenticate", offer) for offer in offers] + [("Content-Encoding", encoding)]
    return httpx2.Response(401, headers=lines, stream=httpx2.ByteStream(text))


class TestHostileServers:
    @pytest.mark.parametrize(
        "challenge",
        [
            "NTLM AAAA",
            "NTLM TlRMTVNTUAA=",
            "NTLM =====",
            f"NTLM {CHALLENGE_OF_NTLM}",
        ],
        ids=["short", "header", "padding", "cut"],
    )
    async def test_a_challenge_that_is_none_is_told_and_refuses_nobody(self, challenge: str) -> None:
        garbled, good = True, _Challenger()

        def answer(asked: Asked) -> httpx2.Response:
            if garbled:
                return refusing(challenge if "authorization" in asked.headers else "NTLM")
            return good.answer(asked, accept=True)

        server = Server(answer)
        mailbox = server.mailbox(auth=ntlm("svc", PASSWORD))
        with pytest.raises(SignInError) as error:
            await mailbox.check()
        assert error.value.code in ("bad-challenge", "no-challenge")
        assert PASSWORD not in str(error.value)
        assert server.count() == 2
        garbled = False  # whatever stood in between is gone
        await mailbox.check()

    async def test_a_proof_that_was_made_for_nonsense_and_refused_is_not_repeated(self) -> None:
        offsets = base64.b64encode(b"NTLMSSP" + bytes([0, 2, 0, 0, 0]) + bytes([255]) * 60).decode()
        server = Server(lambda asked: refusing(f"NTLM {offsets}" if "authorization" in asked.headers else "NTLM"))
        mailbox = server.mailbox(auth=ntlm("svc", PASSWORD))
        for code in ("http-401", "refused-before"):
            with pytest.raises(SignInError) as error:
                await mailbox.check()
            assert error.value.code == code
        assert server.count() == 3

    async def test_a_server_that_never_ends_the_handshake(self) -> None:
        good = _Challenger()
        server = Server(lambda asked: good.answer(asked, accept=False))
        mailbox = server.mailbox(auth=ntlm("svc", PASSWORD))
        with pytest.raises(SignInError):
            await mailbox.check()
        assert server.count() == 3

    @pytest.mark.parametrize(
        ("offers", "text", "encoding"),
        [
            (("NTLM",), b"x" * 300_000, "identity"),
            (("NTLM",), b"no gzip", "gzip"),
            (("NTLM " + "A" * 60_000,) * 20, b"", "identity"),
            ((",".join(["Negotiate"] * 10_000),), b"", "identity"),
            (("N" * 50_000,), b"", "identity"),
            ((), b"", "identity"),
        ],
        ids=["long", "compressed", "many", "list", "name", "nothing"],
    )
    async def test_refusals_of_any_shape_end_in_one_error(
        self, offers: tuple[str, ...], text: bytes, encoding: str
    ) -> None:
        server = Server(lambda _: refusing(*offers, text=text, encoding=encoding))
        mailbox = server.mailbox(auth=ntlm("svc", PASSWORD))
        with pytest.raises(ExchangeError) as error:
            await asyncio.wait_for(mailbox.check(), 5)
        assert len(str(error.value)) < 400
        assert server.count() <= 4

    async def test_a_refused_proof_may_have_gone_over_a_new_connection(self) -> None:
        server = Server(lambda _: _over_another(refusing("Negotiate")))
        auth = NegotiateAuth(lambda *_: cast("Any", _Ticket()), scheme="Negotiate", mark="x")
        for code in ("http-401", "refused-before"):
            with pytest.raises(SignInError) as error:
                await server.mailbox(auth=auth).check()
            assert error.value.code == code
        assert server.count() == 2

    async def test_no_refusal_is_read_to_its_end(self) -> None:
        class Endless(httpx2.AsyncByteStream):
            async def __aiter__(self) -> AsyncIterator[bytes]:
                for _ in range(1000):
                    yield bytes(65_536)

        streams: list[httpx2.Response] = []

        def answer(asked: Asked) -> httpx2.Response:
            if "authorization" not in asked.headers:
                return refusing("Negotiate")
            streams.append(httpx2.Response(401, headers={"WWW-Authenticate": "Negotiate"}, stream=Endless()))
            return streams[-1]

        legs = NegotiateAuth(lambda *_: cast("Any", _Ticket()), scheme="Negotiate", mark="x")
        server = Server(answer)
        with pytest.raises(ExchangeError):
            await server.mailbox(auth=_Twice(legs)).check()
        assert all(stream.num_bytes_downloaded <= 5 * 65_536 for stream in streams)

    async def test_the_whole_request_goes_out_with_each_leg(self) -> None:
        good = _Challenger()
        server = Server(lambda asked: good.answer(asked, accept=True))
        await server.mailbox(auth=ntlm("svc", PASSWORD)).check()
        assert len({etree.tostring(asked.body) for asked in server.asked}) == 1
        assert good.kinds == [None, 1, 3]


def _over_another(response: httpx2.Response) -> httpx2.Response:
    """An answer over a connection of its own."""
    response.extensions["network_stream"] = SimpleNamespace(get_extra_info=lambda _: None)
    return response


class _Ticket:
    """One proof, and nothing to say to any answer, as Kerberos has it."""

    complete = False

    def step(self, _: bytes | None, **_more: object) -> bytes:
        return b"ticket"


class _Twice:
    """Goes through its legs once more when they were refused, as with new tickets."""

    connection_bound = True

    def __init__(self, legs: NegotiateAuth) -> None:
        self.guard = legs.guard
        self._legs = legs

    async def credentials(self) -> Credentials:
        inner = (await self._legs.credentials()).flow

        class Flow(httpx2.Auth):
            async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
                for _ in range(2):
                    legs = inner.async_auth_flow(request)
                    try:
                        outgoing = await anext(legs)
                        while True:
                            outgoing = await legs.asend((yield outgoing))
                    except SignInError:
                        continue

        return Credentials(Flow(), "x")


class _Challenger:
    """Asks for NTLM as a server does, and takes every proof or none."""

    challenge = base64.b64encode(
        b"NTLMSSP\0\2\0\0\0"
        + bytes(4)
        + b"\x38\0\0\0"
        + b"\x35\x82\x89\xe2"
        + b"12345678"
        + bytes(8)
        + b"\x04\0\x04\0\x38\0\0\0"
        + bytes(8)
        + bytes(4)
    ).decode()

    def __init__(self) -> None:
        self.kinds: list[int | None] = []

    def answer(self, asked: Asked, *, accept: bool) -> httpx2.Response:
        given = asked.headers.get("authorization")
        kind = None if given is None else base64.b64decode(given.removeprefix("NTLM "))[8]
        self.kinds.append(kind)
        if kind == 3 and accept:
            return folder_found()
        return refusing("NTLM" if kind is None else f"NTLM {self.challenge}")


@cache
def _rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _certificate(key: Any, algorithm: Any, rsa_padding: Any = None) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.example.test")])
    begin = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(begin + dt.timedelta(days=1))
        .sign(key, algorithm, rsa_padding=rsa_padding)
    )
    return made.public_bytes(Encoding.DER)


class TestChannels:
    """RFC 5929, 4.1."""

    @pytest.mark.parametrize(
        ("signed_with", "bound_with"),
        [
            (hashes.SHA256, hashlib.sha256),
            (hashes.SHA384, hashlib.sha384),
            (hashes.SHA512, hashlib.sha512),
        ],
        ids=["sha256", "sha384", "sha512"],
    )
    def test_the_hash_is_that_of_the_certificates_signature(
        self, signed_with: Callable[[], hashes.HashAlgorithm], bound_with: Callable[[bytes], Any]
    ) -> None:
        der = _certificate(ec.generate_private_key(ec.SECP256R1()), signed_with())
        binding = of_certificate(der).binding
        assert binding is not None
        assert binding.application_data == b"tls-server-end-point:" + bound_with(der).digest()

    @pytest.mark.parametrize("weak", [4, 5], ids=["md5", "sha1"])
    def test_a_weak_hash_gives_way_to_sha256(self, weak: int) -> None:
        with_rsa = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01"  # PKCS #1, to which the hash is the last number
        key = _rsa_key()
        der = _certificate(key, hashes.SHA256()).replace(with_rsa + b"\x0b", with_rsa + bytes([weak]))
        binding = of_certificate(der).binding
        assert binding is not None
        assert binding.application_data == b"tls-server-end-point:" + hashlib.sha256(der).digest()

    def test_a_signature_with_probabilistic_padding_has_the_hash_of_its_parameters(self) -> None:
        pss = padding.PSS(padding.MGF1(hashes.SHA384()), padding.PSS.DIGEST_LENGTH)
        key = _rsa_key()
        der = _certificate(key, hashes.SHA384(), pss)
        binding = of_certificate(der).binding
        assert binding is not None
        assert binding.application_data == b"tls-server-end-point:" + hashlib.sha384(der).digest()

    def test_a_signature_without_a_hash_binds_nothing(self) -> None:
        channel = of_certificate(_certificate(ed25519.Ed25519PrivateKey.generate(), None))
        assert channel.binding is None
        assert len(channel.thumbprint) == 40

    def test_the_thumbprint_is_the_one_that_windows_shows(self) -> None:
        der = _certificate(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
        assert of_certificate(der).thumbprint == hashlib.sha1(der, usedforsecurity=False).hexdigest().upper()

    def test_what_is_no_certificate_binds_nothing(self) -> None:
        assert of_certificate(b"no certificate").binding is None
