"""The policy server over real sockets: floods, slow clients, TLS with client certificates, and alarms that reach the database."""

import asyncio
import socket
import ssl
import time
from collections import Counter
from contextlib import AsyncExitStack
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx2
import pytest
from structlog.testing import capture_logs

from greenroom.storage import Storage
from greenroom.web.app import create_app
from greenroom.web.policy_alarms import keep_alarms
from greenroom.web.policy_guard import GuessLimits
from greenroom.web.policy_listener import PolicyCertificateError, policy_tls, serving_policy
from support.certificates import Identity, of_this_machine
from support.in_loop import serving
from support.join_rooms import JOIN_ID, PLACES, Clock, RoomsInMemory, room
from support.policy_desk import CONFIGURATION, OPEN, Node, basic, caller

URL = f"/policy/v1/{CONFIGURATION}"
HOSTILE: list[dict[str, Any]] = [
    {"headers": basic(password="wrong")},
    {},
    {"params": {"local_alias": "meet.1", "remote_alias": "eve", "remote_address": "203.0.113.9"}, "headers": basic()},
    {"params": {"local_alias": "x" * 9_000}, "headers": basic()},
    {"headers": {"Authorization": "Basic " + "A" * 3_000}},
    {"params": {f"p{number}": "%ff" for number in range(200)}, "headers": basic()},
    {"headers": basic() | {"Content-Length": "5"}, "content": b"abcde"},
    {"params": {"local_alias": "\0" * 50, "remote_address": "\n"}, "headers": basic()},
]


def pages(node: Node) -> Any:
    return create_app(RoomsInMemory(room()), Clock(), PLACES, policy=node.app)


async def flood_of(count: int) -> tuple[Counter[int], list[float], int, Node]:
    """Ask so many hostile questions at once, and meanwhile for a join page and a room that is open."""
    node = Node(limits=GuessLimits())
    statuses: Counter[int] = Counter()
    took: list[float] = []
    asked = cycle(HOSTILE)
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving(pages(node)))
        crowd = await stack.enter_async_context(httpx2.AsyncClient(base_url=url, trust_env=False, timeout=60))
        visitor = await stack.enter_async_context(httpx2.AsyncClient(base_url=url, trust_env=False, timeout=60))
        good = {"local_alias": OPEN, "remote_alias": "ann", "remote_address": "198.51.100.7"}
        assert (await visitor.get(URL, params=good, headers=basic())).status_code == 200

        async def flood() -> None:
            for _ in range(count // 20):
                statuses[(await crowd.request("GET", URL, **next(asked))).status_code] += 1

        floods = [asyncio.create_task(flood()) for _ in range(20)]
        while not all(task.done() for task in floods):
            began = time.perf_counter()
            page = await visitor.get(f"/j/{JOIN_ID}")
            assert (page.status_code, "Open now" in page.text) == (200, True)
            answer = await visitor.get(URL, params=good, headers=basic())
            assert "name" in answer.json()["result"]
            took.append(time.perf_counter() - began)
            await asyncio.sleep(0.02)
        await asyncio.gather(*floods)
    return statuses, took, len(node.guard.take()), node


async def test_in_a_flood_pages_and_nodes_are_answered_and_the_log_stays_short() -> None:
    with capture_logs() as logs:
        statuses, took, alarms, _ = await flood_of(400)
    assert set(statuses) <= {200, 400, 401, 414, 429}
    assert took
    assert alarms <= 2
    assert len([line for line in logs if line["log_level"] != "debug"]) <= 4


@pytest.mark.slow
async def test_while_5000_hostile_questions_come_a_join_page_and_an_open_room_answer() -> None:
    with capture_logs() as logs:
        statuses, took, alarms, node = await flood_of(5_000)
    assert sum(statuses.values()) == 5_000
    assert set(statuses) <= {200, 400, 401, 414, 429}
    assert len(took) > 5
    assert sorted(took)[len(took) // 2] < 0.5, "beside a flood on the same two cores"
    assert alarms <= 2
    assert len([line for line in logs if line["log_level"] != "debug"]) <= 10
    assert all("x" * 100 not in str(asked) for asked in node.desk.asked)


async def test_clients_that_dawdle_keep_nobody_out() -> None:
    node = Node()
    async with serving(node.app) as url, httpx2.AsyncClient(base_url=url, trust_env=False) as visitor:
        host, port = url.removeprefix("http://").split(":")
        dawdlers = [await asyncio.open_connection(host, int(port)) for _ in range(200)]
        for number, (_, writer) in enumerate(dawdlers):
            writer.write(f"GET {URL}?local_alias=m".encode()[: 10 + number % 30])
        for _ in range(5):
            began = time.perf_counter()
            assert (await visitor.get(URL, headers=basic())).status_code == 200
            assert time.perf_counter() - began < 2
        for _, writer in dawdlers:
            writer.close()


async def test_a_body_is_not_waited_for() -> None:
    async with serving(Node().app) as url:
        host, port = url.removeprefix("http://").split(":")
        for framing in ("Content-Length: 1000000", "Transfer-Encoding: chunked"):
            reader, writer = await asyncio.open_connection(host, int(port))
            authorization = basic()["Authorization"]
            writer.write(
                f"GET {URL} HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization}\r\n{framing}\r\n\r\n".encode()
            )
            heard = await asyncio.wait_for(reader.read(), 5)  # to the end: the connection is closed
            assert heard.startswith(b"HTTP/1.1 400 ")
            writer.close()


async def test_head_on_a_kept_connection_leaves_the_next_answer_whole() -> None:
    async with serving(Node().app) as url, httpx2.AsyncClient(base_url=url, trust_env=False) as node:
        for method in ("HEAD", "GET", "HEAD", "GET"):
            answer = await node.request(method, URL, params={"local_alias": OPEN}, headers=basic())
            assert (answer.status_code, bool(answer.content)) == (200, method == "GET")


@pytest.fixture(scope="module")
def identities(tmp_path_factory: pytest.TempPathFactory) -> tuple[Identity, Identity, Identity]:
    folder = tmp_path_factory.mktemp("certificates")
    return of_this_machine(folder), of_this_machine(folder, "node"), of_this_machine(folder, "stranger")


async def tried(server: Identity, shown: Identity | None, node: Node, client_ca: Path, **options: Any) -> int | None:
    """The status of an answer over TLS; None where the connection is refused."""
    trusting = ssl.create_default_context(cafile=str(server.certificate))
    if shown is not None:
        trusting.load_cert_chain(shown.certificate, shown.key)
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"https://127.0.0.1:{listener.getsockname()[1]}"
    tls = policy_tls(server.certificate, server.key, client_ca)
    async with (
        serving_policy(node.app, listener, tls),
        httpx2.AsyncClient(base_url=url, verify=trusting, trust_env=False) as client,
    ):
        try:
            return (await client.get(URL, headers=basic() | options)).status_code
        except httpx2.TransportError:
            return None


async def test_a_listener_with_client_certificates_admits_only_those_its_authority_signed(
    identities: tuple[Identity, Identity, Identity],
) -> None:
    server, known, stranger = identities
    node = Node(caller(certificate=True), certified=True)
    assert await tried(server, known, node, known.certificate) == 200
    assert await tried(server, stranger, node, known.certificate) is None
    assert await tried(server, None, node, known.certificate) is None


async def test_the_certificate_alone_is_not_enough(identities: tuple[Identity, Identity, Identity]) -> None:
    server, known, _ = identities
    node = Node(caller(password="another"), certified=True)
    assert await tried(server, known, node, known.certificate) == 401


async def test_over_tls_nobody_is_believed_to_come_from_elsewhere(
    identities: tuple[Identity, Identity, Identity],
) -> None:
    server, known, _ = identities
    node = Node(caller(networks=["10.0.0.0/24"]), certified=True)
    assert await tried(server, known, node, known.certificate, **{"X-Forwarded-For": "10.0.0.5"}) == 403


def test_files_that_cannot_be_used_are_named(identities: tuple[Identity, Identity, Identity], tmp_path: Path) -> None:
    server, other, _ = identities
    empty, both = tmp_path / "empty.pem", tmp_path / "both.pem"
    empty.write_text("nothing\n")
    both.write_bytes(server.certificate.read_bytes() + server.key.read_bytes())
    assert policy_tls(both).verify_mode is ssl.CERT_NONE
    assert policy_tls(both).minimum_version is ssl.TLSVersion.TLSv1_2
    for wrong, files in (
        (tmp_path / "missing", (server.certificate, tmp_path / "missing", None)),
        (other.key, (server.certificate, other.key, None)),
        (empty, (server.certificate, empty, None)),
        (empty, (empty, server.key, None)),
        (server.certificate, (server.certificate, None, None)),
        (empty, (server.certificate, server.key, empty)),
        (tmp_path, (tmp_path, server.key, None)),
    ):
        with pytest.raises(PolicyCertificateError) as raised:
            policy_tls(*files)
        assert raised.value.file == wrong


async def guess(node: Node, count: int) -> None:
    for number in range(count):
        await node.dials(f"meet.{number}")


async def test_alarms_reach_the_database_in_batches_and_once_more_at_the_end(tmp_path: Path) -> None:
    storage = Storage.open(f"sqlite:///{tmp_path}/greenroom.db")
    await storage.migrate()
    node, stop = Node(limits=GuessLimits(per_caller=3)), asyncio.Event()
    task = asyncio.create_task(keep_alarms(node.guard, storage, stop, every=0.05))
    await guess(node, 10)
    counted = 0
    async with asyncio.timeout(5):
        while not counted:
            await asyncio.sleep(0.02)
            async with storage.reading() as work:
                counted = sum(alarm.count for alarm in await work.alarms.since(node.clock.now))
    await guess(node, 5)
    stop.set()
    await asyncio.wait_for(task, 5)
    async with storage.reading() as work:
        (alarm,) = await work.alarms.since(node.clock.now)
    await storage.close()
    assert alarm.count == 15


async def test_while_the_database_is_away_answers_go_on_and_alarms_are_kept(tmp_path: Path) -> None:
    storage = Storage.open(f"sqlite:///{tmp_path}/greenroom.db")
    node, stop = Node(limits=GuessLimits(per_caller=3)), asyncio.Event()
    with capture_logs() as logs:
        task = asyncio.create_task(keep_alarms(node.guard, storage, stop, every=0.02))
        await guess(node, 10)
        async with asyncio.timeout(5):
            while not any(line["event"] == "alarms.not_stored" for line in logs):  # noqa: ASYNC110  a log has no event
                await asyncio.sleep(0.02)
        assert await node.lets_in()
        await storage.migrate()
        stop.set()
        await asyncio.wait_for(task, 5)
    async with storage.reading() as work:
        (alarm,) = await work.alarms.since(node.clock.now)
    await storage.close()
    assert alarm.count == 10
