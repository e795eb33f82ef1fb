"""The way to a web address over real sockets: each thing that can be in the way, and what is said of it."""

import asyncio
import socket
import ssl
import threading
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from greenroom.doctor import way
from greenroom.doctor.contract import Finding, State
from greenroom.doctor.obstacles import End
from greenroom.doctor.reach import judge, reach_check
from greenroom.doctor.way import Place, walk
from support import chains
from support.chains import Flaw, ca_file, server_tls
from support.web_ends import Talk, answering, babbling, leading, listening, silent

SHORT = timedelta(seconds=0.4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all: reading the system's authorities takes long, and is done once for a file of others."""
    return tmp_path_factory.mktemp("certificates")


def end_at(place: Place) -> End:
    return End(
        place,
        "Exchange",
        "integration[main].exchange.url",
        "integration[main].exchange.ca_file",
        "integration[main].exchange.proxy",
        matters="No invitation is seen.",
    )


def now() -> datetime:
    return datetime.now(UTC)


async def looked(place: Place, patience: timedelta = way.PATIENCE) -> list[Finding]:
    return judge(end_at(place), await walk(place, patience=patience), now())


async def met(
    talk: Talk, tls: ssl.SSLContext | None = None, *, host: str = "localhost", trust: Path | None = None, **more: Any
) -> list[Finding]:
    async with listening(talk, tls) as port:
        return await looked(Place(host, port, tls is not None, ca_file=trust), **more)


async def encrypted(folder: Path, flaw: Flaw = "", *, trusted: bool = True, **more: Any) -> list[Finding]:
    tls = server_tls(folder, flaw, **more)
    return await met(answering("401 Unauthorized"), tls, trust=ca_file(folder) if trusted else None)


def states(findings: list[Finding]) -> dict[str, State]:
    return {one.check: one.state for one in findings}


def the_wrong_one(findings: list[Finding], check: str) -> Finding:
    (wrong,) = [one for one in findings if one.state is State.WRONG]
    assert wrong.check == check, wrong
    assert wrong.mend
    return wrong


async def test_a_server_that_is_well_has_name_certificate_and_clock_well(folder: Path) -> None:
    found = await encrypted(folder)
    assert states(found) == dict.fromkeys(("reach", "tls", "tls-expiry", "clock"), State.WELL)
    assert any(one.what.startswith("TLSv1.") and "Test Intermediate" in one.what for one in found)


async def test_plain_http_on_this_computer_needs_no_certificate() -> None:
    assert states(await met(answering())) == {"reach": State.WELL, "clock": State.WELL}


async def test_an_expired_certificate_is_told_with_its_day(folder: Path) -> None:
    wrong = the_wrong_one(await encrypted(folder, "expired"), "tls")
    assert f"has run out: that of test server on {now() - 2 * chains.DAY:%Y-%m-%d}" in wrong.what
    assert wrong.why == "No invitation is seen."


async def test_a_certificate_that_is_not_valid_yet_speaks_of_clocks(folder: Path) -> None:
    wrong = the_wrong_one(await encrypted(folder, "not-yet"), "tls")
    assert "not valid yet" in wrong.what
    assert "clock" in wrong.mend


async def test_a_certificate_for_another_name_tells_which_names_it_has(folder: Path) -> None:
    wrong = the_wrong_one(await encrypted(folder, "other-name"), "tls")
    assert "is for another name: mail.example.org, autodiscover.example.org" in wrong.what
    assert "integration[main].exchange.url" in wrong.mend


async def test_a_certificate_signed_by_itself_is_led_to_ca_file(folder: Path) -> None:
    wrong = the_wrong_one(await encrypted(folder, "self-signed"), "tls")
    assert "signed by itself" in wrong.what
    assert "integration[main].exchange.ca_file" in wrong.mend


async def test_a_missing_intermediate_certificate_is_named(folder: Path) -> None:
    wrong = the_wrong_one(await encrypted(folder, sends="alone"), "tls-chain")
    assert "sends its own certificate alone; that of Test Intermediate" in wrong.what
    assert "Have the server send the intermediate certificate of Test Intermediate" in wrong.mend


async def test_an_authority_of_ones_own_is_named_whether_it_is_sent_or_not(folder: Path) -> None:
    wrong = the_wrong_one(await encrypted(folder, trusted=False, sends="with-root"), "tls-chain")
    assert "comes from an authority of its own, Test Root, that is not trusted here" in wrong.what
    wrong = the_wrong_one(await encrypted(folder, trusted=False), "tls-chain")
    assert "leads to Test Root, which is neither sent nor trusted here" in wrong.what
    assert "integration[main].exchange.ca_file" in wrong.mend


async def test_a_certificate_that_runs_out_within_a_month_is_a_note(folder: Path) -> None:
    found = await encrypted(folder, "soon")
    assert states(found)["tls-expiry"] is State.NOTE
    assert "in 10 days" in next(one.what for one in found if one.check == "tls-expiry")


async def test_a_ca_file_that_is_none_is_named(folder: Path) -> None:
    (folder / "bad.pem").write_text("no certificate")
    found = await met(answering(), server_tls(folder), trust=folder / "bad.pem")
    assert "integration[main].exchange.ca_file cannot be used" in the_wrong_one(found, "tls").what
    found = await met(answering(), server_tls(folder), trust=folder / "none.pem")
    assert "FileNotFoundError" in the_wrong_one(found, "tls").what


async def test_what_speaks_no_tls_is_told_so() -> None:
    async with listening(babbling) as port:
        found = await looked(Place("localhost", port, encrypted=True))
    assert "does not speak TLS" in the_wrong_one(found, "tls").what


async def test_what_speaks_only_old_tls_is_told_so() -> None:
    async def old(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"\x15\x03\x01\x00\x02\x02\x46")  # an alert of TLS: protocol_version
        await writer.drain()

    async with listening(old) as port:
        found = await looked(Place("localhost", port, encrypted=True))
    assert "older than 1.2" in the_wrong_one(found, "tls").what


async def test_a_black_hole_is_told_at_the_step_where_it_swallows(folder: Path) -> None:
    async with listening(silent) as port, listening(silent, server_tls(folder)) as later:
        first, second, third = await asyncio.gather(
            looked(Place("127.0.0.1", port, encrypted=True), SHORT),
            looked(Place("127.0.0.1", port, encrypted=False), SHORT),
            looked(Place("127.0.0.1", later, encrypted=True, ca_file=ca_file(folder)), SHORT),
        )
    assert "takes connections and then says nothing" in the_wrong_one(first, "tls").what
    assert "takes connections and never answers" in the_wrong_one(second, "reach").what
    assert "never answers" in the_wrong_one(third, "reach").what
    assert states(third)["tls"] is State.WELL


async def test_what_speaks_no_http_is_told_so() -> None:
    assert "does not speak HTTP" in the_wrong_one(await met(babbling), "reach").what


async def test_a_closed_port_refuses() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    wrong = the_wrong_one(await looked(Place("127.0.0.1", port, encrypted=True)), "reach")
    assert wrong.what == f"127.0.0.1:{port} refuses connections: nothing listens there."
    assert "integration[main].exchange.url" in wrong.mend


@pytest.mark.parametrize(
    ("number", "words"),
    [(socket.EAI_NONAME, "is not known to the name service"), (socket.EAI_AGAIN, "The name service does not answer")],
    ids=["unknown", "no-service"],
)
async def test_a_name_that_is_not_found_is_told(number: int, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_arguments: object, **_more: object) -> None:
        raise socket.gaierror(number, "planted")

    monkeypatch.setattr(socket, "getaddrinfo", failing)
    wrong = the_wrong_one(await looked(Place("mail.example.org", 443, encrypted=True)), "dns")
    assert words in wrong.what
    assert "mail.example.org" in wrong.what


async def test_a_name_service_that_hangs_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_m: release.wait(30))
    try:
        found = await looked(Place("mail.example.org", 443, encrypted=True), SHORT)
    finally:
        release.set()
    assert "The name service does not answer" in the_wrong_one(found, "dns").what


@pytest.mark.parametrize(
    ("ahead", "state", "words"),
    [
        (timedelta(seconds=20), State.WELL, "agree"),
        (timedelta(seconds=50), State.NOTE, "seconds behind that of"),
        (timedelta(seconds=-50), State.NOTE, "seconds ahead of that of"),
        (timedelta(minutes=4), State.WRONG, "behind that of"),
        (timedelta(days=-400), State.WRONG, "days ahead of that of"),
    ],
    ids=["little", "behind", "ahead", "wrong", "absurd"],
)
async def test_clocks_are_compared(ahead: timedelta, state: State, words: str) -> None:
    (clock,) = [one for one in await met(answering(ahead=ahead)) if one.check == "clock"]
    assert clock.state is state
    assert words in clock.what


async def test_kerberos_bears_a_little_more() -> None:
    async with listening(answering(ahead=timedelta(minutes=4))) as port:
        place = Place("127.0.0.1", port, encrypted=False)
        end = replace(end_at(place), skew=timedelta(minutes=5))
        found = judge(end, await walk(place), now())
    assert states(found)["clock"] is State.NOTE


async def test_an_answer_without_a_date_or_with_an_odd_one_says_nothing_of_clocks() -> None:
    assert "clock" not in states(await met(answering(dated=False)))
    assert "clock" not in states(await met(answering("200 OK\r\nDate: yesterday", dated=False)))


async def test_an_answer_out_of_a_cache_says_nothing_of_clocks() -> None:
    late = timedelta(hours=-1)
    assert states(await met(answering(ahead=late)))["clock"] is State.WRONG
    assert "clock" not in states(await met(answering("200 OK\r\nAge: 3600", ahead=late)))
    assert "clock" in states(await met(answering("200 OK\r\nAge: 0")))


async def test_a_public_address_that_only_this_computer_does_not_reach_has_its_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    end = replace(end_at(Place("127.0.0.1", port, encrypted=True)), unless=". If only this computer does not")
    wrong = the_wrong_one(judge(end, await walk(end.place), now()), "reach")
    assert wrong.mend.endswith("If only this computer does not")


async def test_a_proxy_leads_through(folder: Path) -> None:
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(listening(answering(), server_tls(folder)))
        proxy = await stack.enter_async_context(listening(leading(port)))
        place = Place("localhost", port, encrypted=True, ca_file=ca_file(folder), proxy=f"http://127.0.0.1:{proxy}")
        found = await looked(place)
    assert set(states(found).values()) == {State.WELL}
    assert f"through http://127.0.0.1:{proxy}" in found[0].what


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("407 Proxy Authentication Required", "wants a user name and password"),
        ("403 Forbidden", "does not lead to localhost"),
    ],
    ids=["407", "403"],
)
async def test_a_proxy_that_refuses_is_told(status: str, words: str) -> None:
    async with listening(leading(1, status)) as proxy:
        found = await looked(Place("localhost", 443, encrypted=True, proxy=f"http://127.0.0.1:{proxy}"))
    assert words in the_wrong_one(found, "proxy").what


async def test_a_proxy_that_is_none_or_not_there_is_told() -> None:
    async with listening(babbling) as port:
        found = await looked(Place("localhost", 443, encrypted=True, proxy=f"http://127.0.0.1:{port}"))
    assert "is no web proxy" in the_wrong_one(found, "proxy").what
    found = await looked(Place("localhost", 443, encrypted=True, proxy=f"http://127.0.0.1:{port}"))
    wrong = the_wrong_one(found, "proxy")
    assert "refuses connections" in wrong.what
    assert "integration[main].exchange.proxy" in wrong.mend


async def test_a_hostile_certificate_drives_no_terminal(folder: Path) -> None:
    holder = chains.issue("evil\x1b[2J\nname", names=("localhost",))
    assert "\x1b" not in "".join(
        one.what for one in judge(end_at(Place("localhost", 1, encrypted=True)), _seen(holder), now())
    )


def _seen(holder: chains.Holder) -> way.Seen:
    der = ssl.PEM_cert_to_DER_cert(holder.pem.decode())
    place = Place("localhost", 1, encrypted=True)
    return way.Seen(place, way.StoppedError("tls", "certificate"), way.Refused(20, (der,)), chain=(der, b"rubbish"))


async def test_the_check_of_an_end_is_named_after_its_host() -> None:
    check = reach_check(end_at(Place.of("https://mail.example.org/EWS/Exchange.asmx")), now)
    assert (check.name, check.subject) == ("reach", "mail.example.org")
    assert Place.of("https://[::1]:8443/x").name == "[::1]:8443"
