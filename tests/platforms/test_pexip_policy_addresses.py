"""What nodes send as `local_alias`, in all its spellings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenroom.meetings.alias import Alias
from greenroom.platforms.pexip.policy import Directory, normalise, read
from greenroom.platforms.pexip.policy.addresses import LONGEST, LONGEST_ASKED, _read_slowly, is_literal
from greenroom.platforms.pexip.policy.room import Room
from support.policy_questions import SETTINGS, told

OURS = "vc-900000001"
ALL = frozenset({1})


@pytest.fixture(scope="module")
def directory() -> Directory:
    directory = Directory([SETTINGS])
    directory.apply(told(1))
    return directory


def found(directory: Directory, asked: str) -> Room | None:
    dialled = read(asked)
    return None if dialled is None else directory.find(dialled, ALL)


@pytest.mark.parametrize(
    ("asked", "usual"),
    [
        ("vc-900000001@example.com", "vc-900000001@example.com"),
        ("vc-900000001", "vc-900000001"),
        ("900000001", "900000001"),
        ("  VC-900000001@EXAMPLE.COM ", "vc-900000001@example.com"),
        ("sip:vc-900000001@example.com", "vc-900000001@example.com"),
        ("SIPS:vc-900000001@example.com:5061;transport=tls", "vc-900000001@example.com"),
        ("sip:vc-900000001;user=phone", "vc-900000001"),
        ("sip:vc-900000001@example.com?subject=100%25%20sure", "vc-900000001@example.com"),
        ("sip:vc%2D900000001%40example.com", "vc-900000001@example.com"),
        ("sip:vc-900000001:secret@example.com", "vc-900000001@example.com"),
        ('"The <big> room" <sip:vc-900000001@example.com>;tag=1', "vc-900000001@example.com"),
        ("Room <sip:vc-900000001@example.com;transport=tcp>", "vc-900000001@example.com"),
        ("h323:vc-900000001@example.com", "vc-900000001@example.com"),
        ("h323:900000001@10.44.1.2", "900000001@10.44.1.2"),
        ("h323:vc-900000001@example.com@10.44.1.2:1720", "vc-900000001@example.com"),
        ("900000001@[2001:db8::1]:5060", "900000001@[2001:db8::1]"),
        ("900000001@2001:db8::1", "900000001@[2001:db8::1]"),
        ("tel:900000001;phone-context=example.com", "900000001"),
        ("pexip://vc-900000001@example.com/", "vc-900000001@example.com"),
        ("webrtc:vc-900000001", "vc-900000001"),
        ("vc-900000001@example.com.", "vc-900000001@example.com"),
        ("900 000\u00a0001", "900000001"),
        ("+49900000001", "+49900000001"),
    ],
)
def test_a_spelling_has_its_usual_form(asked: str, usual: str) -> None:
    assert normalise(asked) == usual


@pytest.mark.parametrize(
    "asked",
    [
        "",
        " ",
        "@example.com",
        "sip:",
        "vc-900000001@",
        "vc-900000001@one.example@two.example",
        "vc-900000001\x00@example.com",
        "vc-900000001\r\nX: y@example.com",
        "vc-90000000\u0661@example.com",  # an Arabic digit
        "\u212aim@example.com",  # the sign for kelvin, whose lower case is a k
        "vc-900000001%00@example.com",
        "vc%25252D900000001@example.com",
        "vc-900000001@exam<ple.com",
        "vc-900000001@[10.1.1",
        "vc-900000001@a:b",
        "a" * (LONGEST + 1),
        "sip:" + "a" * LONGEST_ASKED,
    ],
)
def test_what_can_be_nothing_of_ours_has_none(asked: str) -> None:
    assert read(asked) is None
    assert normalise(asked) == ""


@pytest.mark.parametrize(
    "host", ["example.com", "video.example.org", "10.1.2.3", "[2001:db8::1]", "VIDEO.example.ORG.", "example.com:5060"]
)
@pytest.mark.parametrize("user", [OURS, "900000001", "VC-900000001"])
def test_a_room_is_found_at_each_of_our_domains_and_at_a_nodes_address(
    directory: Directory, user: str, host: str
) -> None:
    assert found(directory, f"sip:{user}@{host}") is not None


@pytest.mark.parametrize(
    "asked",
    [
        f"{OURS}@example.org",
        f"{OURS}@example.com.evil.example",
        f"{OURS}@notexample.com",
        "900000001@1.2.3",
        "900000001@1.2.3.4.5",
        "900000001@999.1.1.1",
        "+900000001",
        "vc-9000000011",
        "c-900000001",
    ],
)
def test_a_foreign_domain_or_another_alias_finds_none(directory: Directory, asked: str) -> None:
    assert found(directory, asked) is None


def test_an_adopted_alias_is_found_by_its_own_domain_whatever_its_case() -> None:
    directory = Directory([SETTINGS])
    directory.apply(told(1, alias=Alias(7, "Meet.Alice@Old.Example", "7007")))
    for asked in (
        "sip:meet.alice@old.example",
        "Meet.Alice",
        "7007",
        "7007@old.example",
        "meet.alice@video.example.org",
    ):
        assert found(directory, asked) is not None
    assert found(directory, "meet.alice@elsewhere.example") is None


_WILD = st.text(st.sampled_from('aZ9 .-_@:;?<>"[]%+/,\\\x00\t\u00e9\u212asiph323tel25412D'), max_size=40)
_ALIASES = st.sampled_from([OURS, "900000001", "VC-900000001"])
_HOSTS = st.sampled_from(["", "@example.com", "@EXAMPLE.COM.", "@video.example.org", "@10.0.0.1", "@[::1]"])


@given(_WILD | st.text(max_size=60))
def test_reading_twice_is_reading_once(asked: str) -> None:
    once = normalise(asked)
    assert normalise(once) == once
    assert once == once.lower()
    assert len(once) <= LONGEST
    assert once.isascii()
    assert not any(sign.isspace() or sign < " " for sign in once)


@given(_WILD)
def test_the_quick_way_reads_as_the_slow_one(asked: str) -> None:
    assert read(asked) == _read_slowly(asked)


@given(
    scheme=st.sampled_from(["", "sip:", "SIP:", "sips:", "h323:", "tel:", "pexip:", "pexip://", "webrtc:"]),
    user=_ALIASES,
    host=_HOSTS,
    tail=st.sampled_from(["", ";transport=tls", ";user=phone?x=y", "?subject=%C3%A9"]),
    named=st.sampled_from(["{}", " {} ", "<{}>", '"A <b> c" <{}>;tag=x', "Room\u00e9 <{}>"]),
    escaped=st.booleans(),
)
def test_whatever_spelling_of_ours_finds_its_room(
    directory: Directory, *, scheme: str, user: str, host: str, tail: str, named: str, escaped: bool
) -> None:
    if escaped:
        user, host = user.replace("9", "%39"), host.replace("e", "%65").replace("@", "%40")
    assert found(directory, named.format(f"{scheme}{user}{host}{tail}")) is not None


@given(_WILD, st.sampled_from(["foreign.example", "example.com.foreign.example", "xexample.com", "1.2.3"]))
def test_a_foreign_domain_never_finds_a_room(directory: Directory, before: str, host: str) -> None:
    for user in (OURS, "900000001", before):
        room = found(directory, f"{user}@{host}")
        assert room is None


@given(st.text(max_size=40))
def test_an_address_of_a_node_is_told_from_a_domain(host: str) -> None:
    assert not is_literal(host) or host[0] in "[0123456789"
