"""The door of the policy server: who is heard, what is refused, and what comes back."""

import base64
from typing import Any

import httpx2
import pytest
import structlog

from greenroom.web.app import create_app
from greenroom.web.policy_callers import PolicyCaller
from support.join_rooms import JOIN_ID, PLACES, Clock, RoomsInMemory, room
from support.policy_desk import CLOSED, CONFIGURATION, NAME, OPEN, PASSWORD, Node, basic, caller

URL = f"/policy/v1/{CONFIGURATION}"


async def test_a_node_with_its_credential_is_answered() -> None:
    node = Node(caller(1, 7))
    assert await node.lets_in()
    (asked,) = node.desk.asked
    assert (asked.service, asked.integrations, asked.address) == (CONFIGURATION, frozenset({1, 7}), "10.0.0.5")
    assert asked.parameters["local_alias"] == OPEN


@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic(password="wrong"),
        basic(name="wrong"),
        basic(NAME, PASSWORD + " "),
        basic(NAME.upper()),
        {"Authorization": "Basic"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic bm9kZQ=="},
        {"Authorization": "Basic " + "A" * 4_000},
        {"Authorization": "Bearer " + base64.b64encode(f"{NAME}:{PASSWORD}".encode()).decode()},
    ],
    ids=range(10),
)
async def test_whoever_has_no_right_credential_learns_nothing(headers: dict[str, str]) -> None:
    node = Node()
    answer = await node.ask(params={"local_alias": OPEN}, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Basic realm="Greenroom policy", charset="UTF-8"'
    assert answer.json() == {"status": "failure", "code": 401}
    assert not node.desk.asked


async def test_two_credentials_in_one_request_are_none() -> None:
    node = Node()
    both = [("Authorization", basic()["Authorization"])] * 2
    assert (await node.ask(headers=both)).status_code == 401


@pytest.mark.parametrize("charset", ["utf-8", "latin-1"])
async def test_a_password_may_be_sent_in_either_charset(charset: str) -> None:
    assert (await Node().ask(headers=basic(charset=charset))).status_code == 200


async def test_the_scheme_may_be_written_in_any_case() -> None:
    token = basic()["Authorization"].partition(" ")[2]
    assert (await Node().ask(headers={"authorization": f"bAsIc {token}"})).status_code == 200


async def test_each_credential_opens_its_own_integrations_and_the_same_one_all_of_its() -> None:
    node = Node(caller(1), caller(2, name="other"), caller(3))
    await node.ask()
    await node.ask(headers=basic("other"))
    assert [asked.integrations for asked in node.desk.asked] == [frozenset({1, 3}), frozenset({2})]


def test_a_caller_without_a_password_or_with_a_colon_in_its_name_cannot_be() -> None:
    for name, password in (("a:b", "x"), ("a", "")):
        with pytest.raises(ValueError, match="policy caller"):
            caller(name=name, password=password)


def test_a_password_is_in_no_repr() -> None:
    assert PASSWORD not in repr(caller())
    assert isinstance(caller(), PolicyCaller)


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("10.0.0.5", 200),
        ("::ffff:10.0.0.5", 200),
        ("2001:db8::7", 200),
        ("10.1.0.5", 403),
        ("", 403),
        ("testclient", 403),
    ],
)
async def test_a_node_must_be_within_the_networks(address: str, status: int) -> None:
    node = Node(caller(networks=["10.0.0.0/24", "2001:db8::/32"]), address=address)
    assert (await node.ask()).status_code == status
    assert (await node.ask(headers={})).status_code == (401 if status == 200 else 403), (
        "the credential is not looked at"
    )


async def test_a_credential_counts_only_within_its_own_networks() -> None:
    node = Node(caller(1, networks=["10.0.0.0/24"]), caller(2, name="anywhere"), address="192.0.2.1")
    assert (await node.ask()).status_code == 401
    assert (await node.ask(headers=basic("anywhere"))).status_code == 200


async def test_a_caller_that_needs_a_certificate_counts_only_where_one_was_shown() -> None:
    assert (await Node(caller(certificate=True), caller(2, name="other")).ask()).status_code == 401
    assert (await Node(caller(certificate=True), certified=True).ask()).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_only_get_and_head_are_spoken(method: str) -> None:
    answer = await Node().ask(method=method)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


async def test_head_gets_the_headers_alone() -> None:
    node = Node()
    got, head = (
        await node.ask(params={"local_alias": OPEN}),
        await node.ask(method="HEAD", params={"local_alias": OPEN}),
    )
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers == got.headers
    assert head.headers["content-length"] == str(len(got.content))


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"params": {"local_alias": "x" * 8_192}}, 414),
        ({"path": "/policy/v1/participant/avatar/" + "x" * 1_024}, 414),
        ({"params": {f"p{number}": "" for number in range(129)}}, 400),
        ({"content": b"{}"}, 400),
        ({"path": "/policy/v2/service/configuration"}, 404),
        ({"path": "/policy/"}, 404),
        ({"path": "/j/0123456789abcdef"}, 404),
    ],
    ids=range(7),
)
async def test_what_no_node_sends_is_refused_without_an_echo(options: dict[str, Any], status: int) -> None:
    node = Node()
    answer = await node.ask(**options)
    assert answer.status_code == status
    assert answer.json() == {"status": "failure", "code": status}
    assert not node.desk.asked


@pytest.mark.parametrize(
    "service",
    [
        "participant/properties",
        "participant/location",
        "participant/avatar/sip:ann@example.com",
        "registrations",
        "registrations/ann%2Fmobile@example.com",
    ],
)
async def test_every_other_question_reaches_the_desk(service: str) -> None:
    node = Node()
    assert (await node.ask(f"/policy/v1/{service}")).status_code == 200
    assert node.desk.asked[0].service == service.replace("%2F", "/")


async def test_parameters_are_decoded_and_the_first_of_a_name_counts() -> None:
    node = Node()
    await node.ask(
        f"{URL}?local_alias=a%40b%2Ec+d&local_alias=other&remote_alias=%ff&empty=&bare&&p_Asserted-Identity=%3Csip%3Ax%3E"
    )
    assert node.desk.asked[0].parameters == {
        "local_alias": "a@b.c d",
        "remote_alias": "\ufffd",
        "empty": "",
        "bare": "",
        "p_Asserted-Identity": "<sip:x>",
    }


async def test_no_answer_is_kept_framed_or_sniffed() -> None:
    node = Node()
    for answer in (
        await node.ask(),
        await node.ask(headers={}),
        await node.ask("/policy/x"),
        await node.ask(method="PUT"),
    ):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "location" not in answer.headers
        assert "set-cookie" not in answer.headers


async def test_a_desk_that_fails_is_an_answer_without_its_words() -> None:
    node = Node()
    node.desk.broken = True
    with structlog.testing.capture_logs() as logs:
        answer = await node.ask()
    assert (answer.status_code, answer.json()) == (500, {"status": "failure", "code": 500})
    assert logs == [{"event": "policy.desk_failed", "error": "ValueError", "log_level": "error"}]


async def test_the_log_knows_rooms_by_their_marks_and_nobody_by_name() -> None:
    with structlog.testing.capture_logs() as logs:
        node = Node()
        for alias in (OPEN, CLOSED, "meet.1", "reception"):
            await node.dials(alias)
        await node.ask(headers=basic(password="planted-guess"))
    written = str(logs)
    assert "ab" * 16 in written
    assert "10.0.0.5" in written
    for private in ("planted", "sip:", "meet.", "reception"):
        assert private not in written


async def test_wrong_credentials_are_told_once_a_minute() -> None:
    with structlog.testing.capture_logs() as logs:
        node = Node()
        for _ in range(5):
            await node.ask(headers=basic(password="wrong"))
        node.later(minutes=2)
        await node.ask(headers=basic(password="wrong"))
    assert [line["event"] for line in logs] == ["policy.credential_refused"] * 2


async def test_the_door_stands_in_front_of_the_pages_and_hides_none_of_them() -> None:
    node = Node()
    app = create_app(RoomsInMemory(room()), Clock(), PLACES, policy=node.app)
    client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="https://meet.example.org")
    assert (await client.get(URL, headers=basic())).json()["status"] == "success"
    assert (await client.get(URL)).status_code == 401
    page = await client.get(f"/j/{JOIN_ID}")
    assert page.status_code == 200
    assert "Content-Security-Policy" in page.headers
    for path in ("/policy", "/policyx", "//policy/v1/service/configuration"):
        assert (await client.get(path, headers=basic())).headers["content-type"].startswith("text/html")


async def test_without_a_policy_server_there_is_nothing() -> None:
    app = create_app(RoomsInMemory(), Clock(), PLACES)
    client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="https://meet.example.org")
    assert (await client.get(URL, headers=basic())).status_code == 404
