"""Stealing a token, a secret or an assertion: by redirect, by link, by metadata, by a name that leads elsewhere.

Real sockets on this computer. Whatever the thief's server gets, it must hold nothing that opens a mailbox.
"""

import asyncio
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from exchange.graph.answering import MAILBOX, READ, Tokens
from exchange.graph.papers import certificate, key, pem, written
from greenroom.exchange.errors import MisconfiguredError, TryLaterError
from greenroom.exchange.graph.limits import Limits
from greenroom.exchange.graph.settings import Cloud, GraphSettings, TokenSource
from greenroom.exchange.graph.sign_in import Certificate, Credential, Secret, open_tokens
from greenroom.exchange.graph.transport import GraphTransport

TENANT = "0a1b2c3d-0000-4000-8000-000000000001"
CLIENT = "5e0a4d1c-93f2-4c7b-a8d6-1f0b7c2e9d34"
SECRET = "Hagebuttentee-um-Mitternacht"
STOLEN = ("authorization", "client_secret", "client_assertion", SECRET.lower(), "token-1", "bearer")
LOGIN, GRAPH = "login.example.test", "graph.example.test"

Said = tuple[int, dict[str, str], Any]


class Listener:
    """A web server that keeps the whole of every request, and answers as it is told."""

    def __init__(self, answer: Callable[[str], Said], tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[str] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                listener.asked.append(f"{self.requestline}\n{self.headers}\n{body}")
                status, headers, told = answer(self.path)
                data = json.dumps(told).encode()
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(data))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            do_POST = do_PATCH = do_CONNECT = do_GET  # noqa: N815  the names http.server wants

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self._server.server_address[1]
        self.root = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def loot(self) -> list[str]:
        """What a thief could use of all that came."""
        return [word for word in STOLEN for request in self.asked if word in request.lower()]


Listen = Callable[..., Listener]


@pytest.fixture
def listen() -> Iterator[Listen]:
    opened: list[Listener] = []

    def start(answer: Callable[[str], Said], tls: ssl.SSLContext | None = None) -> Listener:
        opened.append(Listener(answer, tls))
        return opened[-1]

    yield start
    for listener in opened:
        listener.close()


@pytest.fixture
def thief(listen: Listen) -> Listener:
    """Answers everything as if it were both hosts."""
    return listen(lambda path: welcoming("http://127.0.0.1", path))


def welcoming(root: str, path: str) -> Said:
    if path.endswith("openid-configuration"):
        return 200, {}, discovered(root)
    if path.endswith("/token"):
        return 200, {}, {"access_token": "thiefs", "token_type": "Bearer", "expires_in": 3599}
    return 200, {}, {"value": []}


def discovered(root: str, **other: str) -> dict[str, str]:
    return {
        "token_endpoint": f"{root}/{TENANT}/oauth2/v2.0/token",
        "authorization_endpoint": f"{root}/{TENANT}/oauth2/v2.0/authorize",
        "issuer": f"{root}/{TENANT}/v2.0",
    } | other


def now() -> datetime:
    return datetime.now(UTC)


def transport(root: str, tokens: TokenSource | None = None, **more: Any) -> GraphTransport:
    settings = GraphSettings(
        MAILBOX, TENANT, tokens or Tokens(), Cloud(root, root), timeout=timedelta(seconds=5), **more
    )
    return GraphTransport(settings, limits=Limits(now), clock=now)


def tokens_of(root: str, credential: Credential | None = None, **more: Any) -> TokenSource:
    given = credential or Secret(SECRET)
    return open_tokens(given, tenant=TENANT, client_id=CLIENT, cloud=Cloud(root, root), clock=now, **more)


@pytest.fixture(params=["secret", "certificate"])
def credential(request: pytest.FixtureRequest, tmp_path: Path) -> Credential:
    if request.param == "secret":
        return Secret(SECRET)
    return Certificate(written(tmp_path, "app.pem", pem(key("app")), pem(certificate("app"))))


class TestRedirects:
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    async def test_a_call_is_not_led_away(self, status: int, listen: Listen, thief: Listener) -> None:
        graph: Listener = listen(lambda _: (status, {"Location": f"{thief.root}/v1.0/x"}, None))
        way = transport(graph.root)
        with pytest.raises(MisconfiguredError) as caught:
            await way.call(READ)
        assert caught.value.code == "redirected"
        await way.close()
        assert len(graph.asked) == 1
        assert thief.asked == []

    @pytest.mark.parametrize("status", [302, 307, 308])
    @pytest.mark.parametrize("where", ["openid-configuration", "/token"])
    async def test_signing_in_is_not_led_away(
        self, status: int, where: str, credential: Credential, listen: Listen, thief: Listener
    ) -> None:
        def answer(path: str) -> Said:
            if path.endswith(where):
                return status, {"Location": f"{thief.root}{path}"}, None
            return welcoming(login.root, path)

        login: Listener = listen(answer)
        with pytest.raises(MisconfiguredError) as caught:
            await tokens_of(login.root, credential).token()
        assert caught.value.code == "redirected"
        assert thief.asked == []


class TestLinks:
    @pytest.mark.parametrize(
        "link",
        [
            "http://127.0.0.1:{thief}/v1.0/users/x/events?$skip=10",
            "http://localhost:{good}/v1.0/x",
            "https://127.0.0.1:{good}/v1.0/x",
            "http://127.0.0.1:{good}@127.0.0.1:{thief}/v1.0/x",
            "http://x:y@127.0.0.1:{good}/v1.0/x",
            "http://127.0.0.1:{thief}#@127.0.0.1:{good}/v1.0/x",
            "http://127.0.0.1:{thief}\\@127.0.0.1:{good}/v1.0/x",
            "//127.0.0.1:{thief}/v1.0/x",
            "http://127.0.0.1:{good}/beta/x",
            "http://127.0.0.1:{good}/v1.0/../secret",
        ],
    )
    async def test_a_next_page_elsewhere_is_not_fetched(self, link: str, listen: Listen, thief: Listener) -> None:
        graph: Listener = listen(
            lambda _: (200, {}, {"value": [], "@odata.nextLink": link.format(good=graph.port, thief=thief.port)})
        )
        way = transport(graph.root)
        first = await way.call(READ)
        with pytest.raises(MisconfiguredError) as caught:
            await way.follow(first.body["@odata.nextLink"], READ)
        assert caught.value.code == "foreign-link"
        await way.close()
        assert len(graph.asked) == 1
        assert thief.asked == []

    async def test_a_next_page_of_the_same_graph_is_fetched_with_the_token(self, listen: Listen) -> None:
        graph: Listener = listen(lambda _: (200, {}, {"value": []}))
        way = transport(graph.root)
        await way.follow(f"{graph.root}/v1.0/users/x/events?$skip=10", READ)
        await way.close()
        assert "token-1" in graph.loot


class TestMetadata:
    @pytest.mark.parametrize(
        ("part", "value"),
        [
            ("token_endpoint", "http://127.0.0.1:{thief}/x/oauth2/v2.0/token"),
            ("token_endpoint", "https://127.0.0.1:{thief}/x/oauth2/v2.0/token"),
            ("token_endpoint", "http://localhost:{good}/x/oauth2/v2.0/token"),
            ("token_endpoint", "http://127.0.0.1:{good}@127.0.0.1:{thief}/x/token"),
            ("token_endpoint", "//127.0.0.1:{thief}/x/token"),
            ("token_endpoint", "ftp://127.0.0.1:{good}/x/token"),
            ("token_endpoint", ""),
            ("authorization_endpoint", "http://127.0.0.1:{thief}/x/oauth2/v2.0/authorize"),
            ("device_authorization_endpoint", "http://127.0.0.1:{thief}/x/devicecode"),
            ("issuer", "http://127.0.0.1:{thief}/x/v2.0"),
        ],
    )
    async def test_a_directory_that_names_another_host_is_refused_before_anything_secret_is_sent(
        self, part: str, value: str, credential: Credential, listen: Listen, thief: Listener
    ) -> None:
        def answer(path: str) -> Said:
            other = {part: value.format(good=login.port, thief=thief.port)}
            return (200, {}, discovered(login.root, **other)) if "openid" in path else welcoming(login.root, path)

        login: Listener = listen(answer)
        with pytest.raises(MisconfiguredError) as caught:
            await tokens_of(login.root, credential).token()
        assert caught.value.code == "foreign-metadata"
        assert caught.value.hint
        assert thief.asked == []
        assert login.loot == []

    async def test_the_same_directory_unchanged_gives_a_token(self, credential: Credential, listen: Listen) -> None:
        login: Listener = listen(lambda path: welcoming(login.root, path))
        assert await tokens_of(login.root, credential).token() == "thiefs"
        assert set(login.loot) & {"client_secret", "client_assertion"}


@pytest.fixture
def names_lead_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name service in the thief's hands: every name of the cloud is this computer."""
    real = socket.getaddrinfo

    def swapped(host: Any, *more: Any, **named: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        return real("127.0.0.1" if name in (LOGIN, GRAPH) else host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", swapped)


def tls_of(folder: Path, kind: str) -> ssl.SSLContext:
    """What a server shows: `kind` says how good its certificate is."""
    days = (-90, -1) if kind == "expired" else (-1, 90)
    hosts = ("www.evil.test", "127.0.0.1") if kind == "another name" else (LOGIN, GRAPH)
    authority = {"another authority": "thief's authority", "self-signed": None}.get(kind, "company")
    shown = certificate("server", days=days, hosts=hosts, authority=authority)
    file = written(folder, "server.pem", pem(key("server")), pem(shown))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@pytest.mark.usefixtures("names_lead_here")
class TestSwappedNames:
    @pytest.fixture
    def trusted(self, tmp_path: Path) -> Path:
        return written(tmp_path, "company.pem", pem(certificate("company", is_authority=True)))

    KINDS = ("another authority", "another name", "self-signed", "expired")

    @pytest.mark.parametrize("kind", KINDS)
    async def test_a_login_host_without_the_right_certificate_gets_nothing(
        self, kind: str, credential: Credential, listen: Listen, trusted: Path, tmp_path: Path
    ) -> None:
        thief = listen(lambda path: welcoming(f"https://{LOGIN}", path), tls_of(tmp_path, kind))
        tokens = tokens_of(f"https://{LOGIN}:{thief.port}", credential, ca_file=trusted)
        with pytest.raises(MisconfiguredError) as caught:
            await tokens.token()
        assert caught.value.code == "bad-certificate"
        assert thief.asked == []

    @pytest.mark.parametrize("kind", KINDS)
    async def test_a_graph_host_without_the_right_certificate_gets_nothing(
        self, kind: str, listen: Listen, trusted: Path, tmp_path: Path
    ) -> None:
        thief = listen(lambda path: welcoming(f"https://{GRAPH}", path), tls_of(tmp_path, kind))
        way = transport(f"https://{GRAPH}:{thief.port}", ca_file=trusted)
        with pytest.raises(MisconfiguredError) as caught:
            await way.call(READ)
        assert caught.value.code == "bad-certificate"
        await way.close()
        assert thief.asked == []

    async def test_a_host_without_tls_gets_nothing(self, credential: Credential, thief: Listener) -> None:
        with pytest.raises(MisconfiguredError):
            await tokens_of(f"https://{LOGIN}:{thief.port}", credential).token()
        way = transport(f"https://{GRAPH}:{thief.port}")
        with pytest.raises(MisconfiguredError):
            await way.call(READ)
        await way.close()
        assert thief.loot == []

    async def test_the_right_hosts_get_secret_and_token(
        self, credential: Credential, listen: Listen, trusted: Path, tmp_path: Path
    ) -> None:
        good: Listener = listen(lambda path: welcoming(f"https://{LOGIN}:{good.port}", path), tls_of(tmp_path, "right"))
        tokens = tokens_of(f"https://{LOGIN}:{good.port}", credential, ca_file=trusted)
        way = transport(f"https://{GRAPH}:{good.port}", tokens, ca_file=trusted)
        assert (await way.call(READ)).body == {"value": []}
        await way.close()
        await tokens.close()
        assert "authorization" in good.loot
        assert set(good.loot) & {"client_secret", "client_assertion"}


class TestSurroundings:
    async def test_proxies_and_passwords_of_the_environment_are_not_used(
        self, listen: Listen, thief: Listener, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, thief.root)
            monkeypatch.setenv(name.lower(), thief.root)
        monkeypatch.setenv("NETRC", str(written(tmp_path, "netrc", b"default login thief password thief\n")))
        good: Listener = listen(lambda path: welcoming(good.root, path))
        tokens = tokens_of(good.root)
        way = transport(good.root, tokens)
        await way.call(READ)
        await way.close()
        assert thief.asked == []
        assert len(good.asked) == 3
        assert "Bearer thiefs" in good.asked[-1]

    async def test_a_managed_identity_is_asked_nowhere_but_where_azure_says(
        self, listen: Listen, thief: Listener, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from greenroom.exchange.graph.sign_in import ManagedIdentity  # noqa: PLC0415  used here alone

        monkeypatch.setenv("HTTP_PROXY", thief.root)
        machine = listen(lambda path: (307, {"Location": f"{thief.root}{path}"}, None))
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{machine.root}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", SECRET)
        with pytest.raises(MisconfiguredError) as caught:
            await tokens_of("https://login.microsoftonline.com", ManagedIdentity()).token()
        assert caught.value.code == "redirected"
        assert thief.asked == []
        assert len(machine.asked) == 1

    async def test_a_host_that_drips_its_answer_is_given_up(
        self, listen: Listen, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from greenroom.exchange.graph import msal_http  # noqa: PLC0415  used here alone

        monkeypatch.setattr(msal_http, "_WHOLE", 0.0)
        login: Listener = listen(lambda path: welcoming(login.root, path))
        async with asyncio.timeout(5):
            with pytest.raises(TryLaterError, match="in time"):
                await tokens_of(login.root).token()
