"""What comes back, and what it means: everything sorted by what the caller should do."""

import gzip
import json
import ssl
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenroom.platforms.errors import (
    AliasTakenError,
    PlatformError,
    PlatformMisconfiguredError,
    PlatformSignInError,
    PlatformUnavailableError,
    RoomRefusedError,
)
from greenroom.platforms.pexip.management import (
    CodedUnavailableError,
    FieldsRefusedError,
    GarbledAnswerError,
    NameTakenError,
    OutcomeUnknownError,
)
from greenroom.platforms.pexip.management.answers import Asked, NothingThereError, judge
from greenroom.platforms.pexip.management.fields import field_errors
from greenroom.platforms.pexip.management.transport import LONGEST_ANSWER
from greenroom.platforms.pexip.management.values import conference as read_conference
from platforms.scripted_pexip import CONFERENCES, NOW, Node, Time, alias, answer, client, conference, listed, page

ONE = f"{CONFERENCES}1/"
EXISTS = "Virtual Meeting Room with this Name already exists."
SECRETS = ("Board of 4711", "4711", "meet.boss@example.com")


async def refused(*answers: Any) -> PlatformError:
    """What a POST raises."""
    with pytest.raises(PlatformError) as caught:
        await client(Node(*answers)).create({"name": SECRETS[0], "pin": SECRETS[1], "aliases": [{"alias": SECRETS[2]}]})
    assert not any(secret in f"{caught.value!r} {caught.value}" for secret in SECRETS)
    return caught.value


async def unread(*answers: Any) -> PlatformError:
    """What a GET raises."""
    with pytest.raises(PlatformError) as caught:
        await client(Node(*answers)).find_by_tag("x")
    return caught.value


@pytest.mark.parametrize(
    ("told", "kind", "text"),
    [
        ({"conference": {"name": [EXISTS]}}, NameTakenError, "name: taken"),
        ({"name": [EXISTS]}, NameTakenError, "name: taken"),
        ({"conference_alias": {"alias": ["Alias with this Alias already exists."]}}, AliasTakenError, "alias: taken"),
        ({"conference": {"aliases": [{"alias": ["That is already in use."]}]}}, AliasTakenError, "alias: taken"),
        (
            {"conference": {"aliases": ["Alias meet.boss@example.com already exists"]}},
            AliasTakenError,
            "aliases: taken",
        ),
        (
            {"conference": {"name": [EXISTS], "aliases": [{"alias": ["already exists"]}]}},
            AliasTakenError,
            "alias: taken, name: taken",
        ),
        ({"conference": {"pin": ["PIN 4711 must have 6 digits"]}}, FieldsRefusedError, "pin: refused"),
        ({"conference": {"name": ["This field is required."]}}, FieldsRefusedError, "name: required"),
        (
            {"conference": {"name": ["Ensure this value has at most 250 characters (it has 300)."]}},
            FieldsRefusedError,
            "name: too-long",
        ),
        ({"conference": {"host_view": ["'x' is not a valid choice"]}}, FieldsRefusedError, "host_view: not-a-choice"),
    ],
)
async def test_a_refusal_names_fields_and_codes_alone(told: Any, kind: type[PlatformError], text: str) -> None:
    for status in (400, 409, 422):
        error = await refused(answer(status, told))
        assert (type(error), str(error)) == (kind, text)


async def test_a_refusal_of_fields_is_a_refusal_of_the_room() -> None:
    error = await refused(answer(400, {"conference": {"pin": ["bad"], "4711": ["x"], "guest_pin": ["bad"]}}))
    assert isinstance(error, RoomRefusedError)
    assert isinstance(error, FieldsRefusedError)
    assert error.errors.fields == {"pin", "guest_pin"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"Bad request: Board of 4711", "http-400"),
        (b"", "http-400"),
        ({"error": "Sorry, this request could not be processed."}, "http-400"),
        ({"error": "Could not find the provided ivr_theme object via resource URI '/x/'."}, "unknown-object"),
        ({"__all__": ["You do not have enough VMR licenses."]}, "licence"),
        ([["x"]], "http-400"),
        (7, "http-400"),
    ],
)
async def test_a_refusal_without_a_field_is_nothing_the_room_can_be_blamed_for(body: Any, code: str) -> None:
    error = await refused(answer(400, body))
    assert isinstance(error, PlatformMisconfiguredError)
    assert error.code == code
    assert error.hint


@pytest.mark.parametrize("status", [405, 501])
async def test_a_method_that_is_not_let_through_is_for_the_administrator(status: int) -> None:
    assert isinstance(await refused(answer(status)), PlatformMisconfiguredError)


async def test_who_may_not_is_told_so() -> None:
    for error in (await refused(answer(403, b"no")), await unread(answer(403))):
        assert isinstance(error, PlatformMisconfiguredError)
        assert error.code == "not-permitted"


@pytest.mark.parametrize("status", [500, 502, 504, 507, 599, 408])
async def test_a_failure_leaves_a_change_unknown_and_a_look_for_later(status: int) -> None:
    assert isinstance(await refused(answer(status, b"oops")), OutcomeUnknownError)
    error = await unread(answer(status))
    assert type(error) is CodedUnavailableError
    assert error.code == f"http-{status}"


@pytest.mark.parametrize("status", [429, 503])
async def test_a_busy_node_is_left_alone_as_long_as_it_asks_for(status: int) -> None:
    clock = Time()
    node = Node(answer(status, retry_after="30"), listed())
    there = client(node, clock=clock)
    with pytest.raises(PlatformUnavailableError) as caught:
        await there.create({})
    assert caught.value.after == timedelta(seconds=30)
    assert not isinstance(caught.value, OutcomeUnknownError)
    clock.passes(seconds=10)
    with pytest.raises(PlatformUnavailableError, match="paused") as caught:
        await there.find_by_tag("x")
    assert caught.value.after is not None
    assert round(caught.value.after.total_seconds()) == 20
    assert len(node.seen) == 1
    clock.passes(seconds=20)
    assert await there.find_by_tag("x") == []


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7),
        ("Mon, 02 Mar 2026 12:01:00 GMT", 60),
        ("Mon, 02 Mar 2026 11:00:00 GMT", 0),
        ("99999999999", 3600),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3600),
        ("soon", 5),
        ("-4", 5),
        ("", 5),
        ("\u0661", 5),
    ],
)
async def test_what_a_node_asks_for_is_bounded(text: str, seconds: int) -> None:
    error = await unread(httpx2.Response(429, headers=[(b"retry-after", text.encode())]))
    assert isinstance(error, PlatformUnavailableError)
    assert error.after == timedelta(seconds=seconds)


async def test_a_node_that_goes_on_being_busy_is_left_alone_ever_longer() -> None:
    clock = Time()
    there = client(Node(answer(429), forever=True), clock=clock)
    waits = []
    for _ in range(9):
        with pytest.raises(PlatformUnavailableError) as caught:
            await there.find_by_tag("x")
        assert caught.value.after is not None
        waits.append(caught.value.after.total_seconds())
        clock.passes(seconds=waits[-1])
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300, 300]


async def test_a_broken_connection_is_tried_again_where_nothing_is_changed() -> None:
    broken = httpx2.RemoteProtocolError("peer closed")
    assert await client(Node(broken, listed())).find_by_tag("x") == []
    error = await unread(broken, broken)
    assert str(error) == "broken-connection"
    assert isinstance(await refused(broken), OutcomeUnknownError)


async def test_a_time_out_leaves_a_change_unknown() -> None:
    assert str(await refused(httpx2.ReadTimeout("slow"))) == "timeout"
    assert isinstance(await refused(httpx2.WriteTimeout("slow")), OutcomeUnknownError)
    assert type(await unread(httpx2.ReadTimeout("slow"))) is CodedUnavailableError


async def test_the_time_for_the_whole_is_bounded() -> None:
    class Dripping(httpx2.AsyncByteStream):
        async def __aiter__(self) -> Any:
            import asyncio  # noqa: PLC0415  only here

            while True:
                await asyncio.sleep(0.01)
                yield b" "

    there = client(Node(httpx2.Response(201, stream=Dripping())), timeout=timedelta(seconds=0.05))
    with pytest.raises(OutcomeUnknownError, match="timeout"):
        await there.create({})


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (httpx2.ConnectTimeout("x"), "no-answer"),
        (httpx2.ConnectError("x"), "unreachable"),
        (httpx2.PoolTimeout("x"), "no-answer"),
        (httpx2.ProxyError("x"), "proxy"),
    ],
)
async def test_what_was_never_sent_did_not_happen(error: Exception, code: str) -> None:
    for found in (await refused(error), await unread(error)):
        assert (type(found), str(found)) == (CodedUnavailableError, code)


@pytest.mark.parametrize(
    ("verdict", "word"),
    [(9, "not valid yet"), (10, "expired"), (18, "itself"), (20, "authority"), (62, "another name")],
)
async def test_a_bad_certificate_is_for_the_administrator(verdict: int, word: str) -> None:
    bad = ssl.SSLCertVerificationError(1, "certificate verify failed")
    bad.verify_code = verdict
    error = httpx2.ConnectError("x")
    error.__cause__ = bad
    found = await refused(error)
    assert isinstance(found, PlatformMisconfiguredError)
    assert found.code == "bad-certificate"
    assert word in found.hint
    assert "pexip.example.com" in found.hint


async def test_a_port_without_tls_is_for_the_administrator() -> None:
    error = httpx2.ConnectError("x")
    error.__cause__ = ssl.SSLError(1, "wrong version number")
    found = await unread(error)
    assert isinstance(found, PlatformMisconfiguredError)
    assert found.code == "tls"


async def test_a_file_of_authorities_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("no certificate")
    there = client(None, ca_file=file)
    with pytest.raises(PlatformMisconfiguredError, match="ca-file"):
        await there.ping()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "pexip",
        "http://pexip.example.com",
        "https://",
        "https://u:p@x.example",
        "https://x/api",
        "https://x?y",
        "ftp://x",
        "https://x:99999",
    ],
)
async def test_an_address_that_cannot_be_is_said_when_it_is_needed(url: str) -> None:
    there = client(Node(), url=url)
    with pytest.raises(PlatformMisconfiguredError):
        await there.ping()
    with pytest.raises(PlatformMisconfiguredError):
        await there.delete(ONE)


async def test_redirects_are_not_followed() -> None:
    node = Node(answer(302, location="https://evil.example.net/"))
    with pytest.raises(PlatformMisconfiguredError, match="redirected"):
        await client(node).find_by_tag("x")
    assert len(node.seen) == 1


async def test_a_web_page_is_not_the_api_until_it_was_once() -> None:
    html = answer(200, b"<html>Sign in</html>")
    assert str(await unread(html)) == "not-pexip"
    there = client(Node(listed(), answer(200, b"<html>"), answer(200, b"<html>"), answer(302), answer(404)))
    await there.find_by_tag("x")
    with pytest.raises(CodedUnavailableError, match="not-pexip"):
        await there.find_by_tag("x")
    with pytest.raises(OutcomeUnknownError):
        await there.update(ONE, {})
    with pytest.raises(OutcomeUnknownError):
        await there.delete(ONE)
    with pytest.raises(CodedUnavailableError, match="http-404"):
        await there.find_by_tag("x")


NOT_JSON = [
    b"{",
    b'{"meta": {"limit": 20',
    b"OK",
    b"[1,]",
    b"NaN",
    b"\xff\xfe",
    b"[" * 200_000,
    b'"' + b"9" * 100,
    b"9" * 6000,
]


@pytest.mark.parametrize("body", NOT_JSON, ids=range(len(NOT_JSON)))
async def test_half_an_answer_is_asked_for_again_and_then_left_for_later(body: bytes) -> None:
    assert await client(Node(answer(200, body), listed())).find_by_tag("x") == []
    assert isinstance(await unread(answer(200, body), answer(200, body)), GarbledAnswerError)
    assert isinstance(await refused(answer(201, body)), OutcomeUnknownError)


async def test_what_is_too_long_is_not_read_to_its_end() -> None:
    bomb = gzip.compress(b" " * (LONGEST_ANSWER + 1))
    for told in (
        httpx2.Response(200, headers={"content-encoding": "gzip"}, stream=_Stream(bomb)),
        httpx2.Response(200, stream=_Stream(*[b" " * 1_000_000] * 40)),
    ):
        node = Node(told)
        with pytest.raises(CodedUnavailableError, match="too-long"):
            await client(node).find_by_tag("x")
        assert len(node.seen) == 1
    assert isinstance(
        await refused(httpx2.Response(201, stream=_Stream(*[b" " * 1_000_000] * 40))), OutcomeUnknownError
    )
    assert str(await refused(httpx2.Response(500, stream=_Stream(*[b" " * 1_000_000] * 40)))) == "http-500"


async def test_a_compressed_answer_is_read_and_a_broken_one_is_not() -> None:
    whole = gzip.compress(json.dumps(page([])).encode())

    def told(data: bytes, encoding: str = "gzip") -> httpx2.Response:
        return httpx2.Response(200, headers={"content-encoding": encoding}, stream=_Stream(data))

    assert await client(Node(told(whole))).find_by_tag("x") == []
    for bad in (told(whole[:-9]), told(b"no gzip"), told(whole, "br")):
        node = Node(bad, listed())
        assert await client(node).find_by_tag("x") == []
        assert len(node.seen) == 2


class _Stream(httpx2.AsyncByteStream):
    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces

    async def __aiter__(self) -> Any:
        for piece in self.pieces:
            yield piece


DEEP: Any = {}
for _ in range(20):
    DEEP = {"a": DEEP}


@pytest.mark.parametrize(
    "told",
    [
        None,
        7,
        "x",
        [],
        {},
        {"resource_uri": CONFERENCES},
        {"resource_uri": 5},
        {"resource_uri": "/x/1/"},
        conference(1, name=5),
        conference(1, tag=["x"]),
        conference(1, pin=4711),
        conference(1, name="x" * 70_000),
        conference(1, aliases="meet"),
        conference(1, aliases=["/api/admin/configuration/v1/conference_alias/1/"]),
        conference(1, aliases=[alias(1, "meet", 2)]),
        conference(1, aliases=[{**alias(1, "meet"), "alias": ""}]),
        conference(1, aliases=[{**alias(1, "meet"), "alias": None}]),
        conference(1, aliases=[{**alias(1, "meet"), "conference": None}]),
        conference(1, aliases=[{**alias(1, "meet"), "resource_uri": "x"}]),
        conference(1, more=DEEP),
        conference(1, more=list(range(30_000))),
    ],
    ids=range(21),
)
def test_an_odd_conference_is_not_read_as_another(told: Any) -> None:
    with pytest.raises(GarbledAnswerError):
        read_conference(told)


def test_what_a_node_leaves_out_is_empty() -> None:
    told = read_conference({"resource_uri": ONE, "aliases": None, "participant_limit": True, "allow_guests": "yes"})
    assert (told.name, told.tag, told.aliases, told.participant_limit, told.allow_guests) == ("", "", (), None, False)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None)  # a busy machine is no failure
@given(JSON)
def test_any_json_is_read_as_a_refusal_or_not_at_all(told: Any) -> None:
    found = field_errors(told)
    assert found is None or found.text


@settings(deadline=None)  # a busy machine is no failure
@given(
    st.integers(100, 999),
    st.binary(max_size=50) | JSON.map(lambda told: json.dumps(told).encode()),
    st.booleans(),
    st.booleans(),
)
def test_any_answer_is_sorted(status: int, body: bytes, writes: bool, known: bool) -> None:
    told = None
    error: PlatformError | None = None
    try:
        told = judge(status, {"retry-after": body[:10].decode("latin-1")}, body, Asked(writes, known), NOW)
    except PlatformError as raised:
        error = raised
    if told is not None:
        assert told.status == status
        return
    assert status not in range(200, 300) or isinstance(error, (PlatformUnavailableError, PlatformMisconfiguredError))
    if isinstance(error, (AliasTakenError, NameTakenError, RoomRefusedError)):
        assert writes
        assert status in range(400, 500)
    assert not isinstance(error, NothingThereError) or status in (404, 410)
    assert not isinstance(error, PlatformSignInError) or status == 401
    if writes and status >= 500 and status not in (501, 503):
        assert isinstance(error, OutcomeUnknownError)
