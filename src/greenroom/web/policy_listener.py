"""A listener for the policy server alone, with TLS and client certificates: pages and their visitors stay on the other one."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from greenroom.web.http import BoundedHttp


class PolicyCertificateError(Exception):
    """A file of the listener cannot be used; `file` says which, the text says why."""

    def __init__(self, file: Path, reason: str) -> None:
        super().__init__(f"{file}: {reason}")
        self.file = file


def policy_tls(certificate: Path, key: Path | None = None, client_ca: Path | None = None) -> ssl.SSLContext:
    """Make the listener's TLS, 1.2 or later. All files are PEM; without `key` it stands in the file of the certificate.

    With `client_ca` nobody is admitted whose certificate is not signed by it; no other authority counts. Raises
    PolicyCertificateError.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    _holds(certificate, b"CERTIFICATE-----")
    _holds(key or certificate, b"PRIVATE KEY-----")
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except ssl.SSLError:
        raise PolicyCertificateError(
            key or certificate, "the key is not that of the certificate, or has a password"
        ) from None
    if client_ca is not None:
        _holds(client_ca, b"CERTIFICATE-----")
        try:
            context.load_verify_locations(client_ca)
        except ssl.SSLError:
            raise PolicyCertificateError(client_ca, "a certificate in it is damaged") from None
        context.verify_mode = ssl.CERT_REQUIRED
    return context


@asynccontextmanager
async def serving_policy(app: ASGIApp, listener: socket.socket, tls: ssl.SSLContext | None) -> AsyncIterator[None]:
    """Serve the policy application on a bound socket while the block runs.

    With TLS nobody stands in between, and what is said of another sender (X-Forwarded-For) is not believed.
    """
    # Accepted sockets inherit it. Without, head and body of an answer wait for each other's acknowledgement, 40 ms.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        proxy_headers=tls is None,
        http=BoundedHttp,
        timeout_graceful_shutdown=3,
        ssl_context_factory=None if tls is None else lambda _config, _default: tls,
    )
    server = uvicorn.Server(config)
    config.load()
    # Signals belong to the command: uvicorn would take them for itself.
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]  # no public switch for it
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started and not task.done():  # noqa: ASYNC110 (uvicorn offers no event for it)
            await asyncio.sleep(0.01)
        yield
    finally:
        server.should_exit = True
        await task
        listener.close()


def _no_password() -> str:
    """Stop OpenSSL from asking on the terminal."""
    return ""


def _holds(file: Path, what: bytes) -> None:
    """Say plainly what OpenSSL says in riddles."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise PolicyCertificateError(file, error.strerror or type(error).__name__) from error
    if what not in content:
        raise PolicyCertificateError(file, f"there is no {what.decode().rstrip('-').lower()} in PEM in it")
