"""The policy server's own port, where it has one: its certificate, and whether questions are answered there.

The credential is sent only to what shows the very certificate of our file, over the same connection.
"""

import asyncio
import base64
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from greenroom.doctor.blocking import in_thread
from greenroom.doctor.contract import Check, Finding
from greenroom.doctor.fetching import Page
from greenroom.doctor.findings import About, expiry
from greenroom.doctor.policy_door import QUESTION, WHY, judge
from greenroom.doctor.way import anybody
from greenroom.settings import Settings
from greenroom.settings.model import PolicyListener

_PATIENCE = 5.0
_LONGEST = 64 * 1024
_WHERE = "service.policy_listener"


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the port showed: its certificate (DER), and the page, if it was asked."""

    certificate: bytes
    page: Page | None = field(default=None)


def port_check(settings: Settings, clock: Callable[[], datetime]) -> Check | None:
    """Make the check; None where the policy server has no port of its own."""
    apart = settings.service.policy_listener
    if apart is None:
        return None

    async def look() -> list[Finding]:
        return await _look(settings, apart, clock())

    return Check("policy-port", apart.listen, look, tells=("policy-certificate", "policy"))


async def _look(settings: Settings, apart: PolicyListener, now: datetime) -> list[Finding]:
    expires, port = About("policy-certificate", apart.listen), About("policy-port", apart.listen)
    try:
        own = await in_thread(lambda: _first(apart.certificate_file))
    except (OSError, ValueError) as error:
        what = f"{apart.certificate_file} cannot be read ({type(error).__name__})."
        return [expires.wrong(what, WHY, f"Correct [{_WHERE}].")]
    mend = f"Put a new one into {apart.certificate_file}, and restart the service."
    found = [expiry(expires, "Its certificate", own.not_valid_after_utc, now, why=WHY, mend=mend)]
    host, _, number = apart.listen.rpartition(":")
    here = {"0.0.0.0": "127.0.0.1", "[::]": "::1"}.get(host, host.strip("[]"))  # noqa: S104 (compared, not bound)
    ours = own.public_bytes(Encoding.DER)
    credential = None if apart.client_ca_file is not None else _credential(settings)
    shown = await _shown(here, int(number), ours, credential)
    if shown is None:
        mend = f"Start the service (greenroom serve); see what has the port: ss -ltnp 'sport = :{number}'"
        return [*found, port.wrong("Nothing speaks TLS on this port.", WHY, mend)]
    if shown.certificate != ours:
        mend = "Restart the service, so that it shows the certificate of the file; or see what else has the port."
        return [*found, port.wrong("Another certificate is shown there than the file has.", WHY, mend)]
    if shown.page is None:
        return [*found, port.well("It answers with its certificate; who asks must have one as well.")]
    found.append(port.well("It answers with its certificate."))
    return [*found, judge(About("policy", apart.listen), shown.page, f"https://{apart.listen}", _WHERE)]


def _first(file: Path) -> x509.Certificate:
    """Read the first certificate of a PEM file. Raises OSError, ValueError."""
    with file.open("rb") as opened:
        return x509.load_pem_x509_certificate(opened.read(1024 * 1024))


def _credential(settings: Settings) -> str | None:
    """Return what the first integration's nodes sign in with, as Basic has it; None where none is asked at call time."""
    for entry in settings.integration:
        policy = None if entry.pexip is None else entry.pexip.policy
        if policy is not None and policy.password is not None:
            pair = f"{policy.username}:{policy.password.get_secret_value()}"
            return base64.b64encode(pair.encode()).decode()
    return None


async def _shown(host: str, port: int, ours: bytes, credential: str | None) -> _Shown | None:
    try:
        async with asyncio.timeout(_PATIENCE):
            reader, writer = await asyncio.open_connection(
                host, port, ssl=anybody(), server_hostname="", limit=_LONGEST
            )
            try:
                certificate = writer.get_extra_info("ssl_object").getpeercert(binary_form=True) or b""
                if certificate != ours or credential is None:
                    return _Shown(certificate)
                return _Shown(certificate, await _asked(reader, writer, credential))
            finally:
                writer.transport.abort()
    except (TimeoutError, OSError, ssl.SSLError):
        return None


async def _asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, credential: str) -> Page:
    began = time.monotonic()
    lines = (
        f"GET {QUESTION} HTTP/1.1",
        "Host: localhost",
        f"Authorization: Basic {credential}",
        "Connection: close",
        "",
        "",
    )
    writer.write("\r\n".join(lines).encode())
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)
        body = await reader.read(_LONGEST)
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
        return Page(failure="the connection breaks")
    status = int(head[1]) if len(head) > 1 and head[1].isdigit() else 0
    return Page(status, body=body, seconds=time.monotonic() - began)
