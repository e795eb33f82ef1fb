"""The service, the policy server's door, the add-in's host and identity providers, as they are met from outside."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.responses import JSONResponse

from greenroom.addin.manifest import write_manifest
from greenroom.doctor.addin import judge_manifest, judge_page
from greenroom.doctor.contract import Finding, State
from greenroom.doctor.fetching import Page, fetch
from greenroom.doctor.findings import About
from greenroom.doctor.identity import identity_checks
from greenroom.doctor.policy_door import judge
from greenroom.doctor.policy_port import port_check
from greenroom.doctor.service import service_check
from greenroom.settings import Integration, Service, Settings
from greenroom.settings.model import PolicyListener
from greenroom.web.addin_headers import OUTLOOK_HOSTS
from support.chains import DAY, issue, server_tls
from support.manifests import HOST, VERSION, described
from support.tokens import addin_settings, issuers_served
from support.web_ends import Talk, listening, silent

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def telling(status: str, body: bytes = b"", *headers: str) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
        writer.write("\r\n".join(lines).encode() + body)
        await writer.drain()
        writer.close()

    return talk


HEALTHY = telling("200 OK", b'{"status":"ok"}', "Content-Type: application/json", "Referrer-Policy: no-referrer")


async def served(public: Talk, own: Talk | None = None) -> Finding:
    """Look at the service; `own` is what answers at its own port."""
    async with listening(public) as port, listening(own or silent) as here:
        listen = f"127.0.0.1:{here if own is not None else 0}"
        service = Service(public_url=f"http://127.0.0.1:{port}", listen=listen)
        (found,) = await service_check(service, ()).look()
    return found


async def test_greenroom_at_its_public_address_is_well() -> None:
    assert (await served(HEALTHY)).state is State.WELL


@pytest.mark.parametrize(
    ("public", "words"),
    [
        (telling("200 OK", b"<html>Welcome to nginx"), "Something else than Greenroom answers"),
        (telling("200 OK", b'{"status":"ok"}'), "Something else than Greenroom answers"),
        (telling("404 Not Found"), "Something else than Greenroom answers"),
        (telling("301 Moved", b"", "Location: https://elsewhere.example"), "redirects to another place"),
        (telling("502 Bad Gateway"), "What stands in front of Greenroom fails"),
    ],
    ids=["nginx", "another-json", "404", "redirect", "502"],
)
async def test_something_else_at_the_public_address_is_wrong(public: Talk, words: str) -> None:
    found = await served(public)
    assert (found.state, words in found.what) == (State.WRONG, True), found
    assert "greenroom serve" in found.mend
    assert "Greenroom itself answers at 127.0.0.1" in (await served(public, HEALTHY)).mend


async def test_pages_without_end_and_without_answer_are_bounded() -> None:
    async def endless(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 3_000_000)
        await writer.drain()

    async with listening(endless) as port, listening(silent) as hole:
        assert (await fetch(f"http://127.0.0.1:{port}/")).failure == "it is too long"
        assert (await fetch(f"http://127.0.0.1:{hole}/", patience=0.2)).failure == "there is no answer in time"
    assert (await fetch(f"http://127.0.0.1:{port}/")).failure == "nothing can be reached there"


@pytest.mark.parametrize(
    ("page", "state", "words"),
    [
        (Page(200, body=b'{"status": "success"}'), State.WELL, "answered"),
        (Page(200, body=b'{"status": "success"}', seconds=3), State.NOTE, "only after 3.0 s"),
        (Page(200, body=b"<html>"), State.WRONG, "is not answered (HTTP 200)"),
        (Page(401), State.WRONG, "does not take the user name and password"),
        (Page(403), State.NOTE, "networks"),
        (Page(404), State.WRONG, "no policy server"),
        (Page(429), State.NOTE, "wrong passwords"),
        (Page(502), State.WRONG, "HTTP 502"),
        (Page(failure="there is no answer in time"), State.WRONG, "no answer in time"),
    ],
    ids=["well", "slow", "page", "401", "403", "404", "429", "502", "none"],
)
def test_the_door_of_the_policy_server_is_judged_by_its_answer(page: Page, state: State, words: str) -> None:
    found = judge(About("policy", "main"), page, "https://meet.example.org", "where")
    assert (found.state, words in found.what) == (state, True), found


def with_port(settings: Settings, certificate: Path, port: int, client_ca: Path | None = None) -> Settings:
    apart = PolicyListener(listen=f"127.0.0.1:{port}", certificate_file=certificate, client_ca_file=client_ca)
    return settings.model_copy(update={"service": settings.service.model_copy(update={"policy_listener": apart})})


async def at_port(settings: Settings) -> dict[str, State]:
    check = port_check(settings, lambda: datetime.now(UTC))
    assert check is not None
    return {one.check: one.state for one in await check.look()}


async def test_the_policy_servers_own_port_shows_the_certificate_of_its_file(
    settings: Settings, tmp_path: Path
) -> None:
    tls = server_tls(tmp_path)
    own = tmp_path / "server-good-all.pem"
    async with listening(HEALTHY, tls) as port:
        mine = with_port(settings, own, port)
        assert await at_port(mine) == {"policy-certificate": State.WELL, "policy-port": State.WELL}
        other = tmp_path / "other.pem"
        other.write_bytes(issue("other", ends=5 * DAY).pem)
        wrong = await at_port(with_port(settings, other, port))
        assert wrong == {"policy-certificate": State.NOTE, "policy-port": State.WRONG}
        missing = await at_port(with_port(settings, tmp_path / "none.pem", port))
        assert missing == {"policy-certificate": State.WRONG}
    assert (await at_port(mine))["policy-port"] is State.WRONG
    assert port_check(settings, lambda: NOW) is None


FRAMED = {"content-type": "text/html", "content-security-policy": f"frame-ancestors 'self' {OUTLOOK_HOSTS[0]}"}


def pane(entry: Integration, status: int = 200, **headers: str) -> Finding:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return judge_page(entry, HOST, Page(status, httpx2.Headers(FRAMED | named)))


def test_a_pane_that_outlook_may_show_is_well_and_headers_of_a_proxy_are_wrong(entry: Integration) -> None:
    assert pane(entry).state is State.WELL
    for wrong in (
        pane(entry, x_frame_options="SAMEORIGIN"),
        pane(entry, cross_origin_opener_policy="same-origin"),
        pane(entry, content_security_policy="default-src 'self'"),
        pane(entry, content_security_policy="frame-ancestors 'none'"),
        pane(entry, content_type="application/json"),
        pane(entry, 404),
        judge_page(entry, HOST, Page(failure="there is no answer in time")),
    ):
        assert (wrong.state, bool(wrong.mend)) == (State.WRONG, True), wrong


def test_the_manifest_that_is_served_must_be_that_of_the_configuration(entry: Integration) -> None:
    mine = described()

    def found(body: bytes, status: int = 200) -> State:
        return judge_manifest(entry, mine, Page(status, body=body)).state

    assert found(write_manifest(mine, VERSION)) is State.WELL
    assert found(write_manifest(mine, "1.0.0.7")) is State.WELL
    assert found(write_manifest(described(provider="Other"), VERSION)) is State.WRONG
    other = described(id="00000000-0000-0000-0000-00000000000b")
    assert "another installation" in judge_manifest(entry, mine, Page(200, body=write_manifest(other, VERSION))).what
    assert found(b"<html>") is State.WRONG
    assert found(b"", 502) is State.WRONG


async def provided(entry: Integration, instead: Any = None, **more: Any) -> list[Finding]:
    with issuers_served() as issuers:
        issuers.instead = instead
        checks = identity_checks(entry, addin_settings(issuers, **more), lambda _url: ())
        return [one for check in checks for one in await check.look()]


async def test_identity_providers_that_have_keys_are_well(entry: Integration) -> None:
    found = await provided(entry)
    assert [one.state for one in found] == [State.WELL] * 3


async def test_providers_without_keys_or_with_something_else_are_wrong(entry: Integration) -> None:
    for document in (JSONResponse({"keys": []}), JSONResponse([1]), JSONResponse({}, 404)):
        found = await provided(entry, document)
        assert [one.state for one in found] == [State.WRONG] * 3
        assert all("integration[main].addin." in one.mend for one in found)


async def test_a_tenant_without_keys_is_wrong(entry: Integration) -> None:
    found = await provided(entry, entra={"tenants": ["00000000-0000-0000-0000-0000000000ff"]})
    assert [one.state for one in found].count(State.WRONG) == 1
    assert "has no keys" in json.dumps([one.what for one in found])
