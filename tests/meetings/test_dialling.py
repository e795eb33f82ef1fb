from urllib.parse import unquote, urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenroom.meetings.alias import Alias, AliasPlan
from greenroom.meetings.dialling import Phone, WaysToJoin, WebAppVersion, join_page, pexip_ways

NODE = "https://vc.example.org"
JOIN_ID = "0123456789abcdef"
ALIAS = AliasPlan("meet", 9, "video.example.org").alias(482915306)
BARE = AliasPlan("meet", 9).alias(482915306)
BERLIN = Phone("DE", "+49 (0)30/123-4567", "Germany")


@pytest.mark.parametrize(
    ("version", "address"),
    [
        ("webapp3", "https://vc.example.org/webapp3/m/meet482915306@video.example.org"),
        ("webapp2", "https://vc.example.org/webapp2/#/?conference=meet482915306@video.example.org"),
        ("webapp", "https://vc.example.org/webapp/#/?conference=meet482915306@video.example.org"),
    ],
)
def test_join_now_leads_to_the_web_app_of_this_version(version: WebAppVersion, address: str) -> None:
    for node in (NODE, NODE + "/"):
        assert pexip_ways(node, version).of(ALIAS, JOIN_ID).web_app == address


def test_pexip_is_dialled_by_sip_h323_and_its_app_unless_told_otherwise() -> None:
    ways = pexip_ways(NODE).of(ALIAS, JOIN_ID)
    assert [(line.label, line.value, line.href) for line in ways.dial] == [
        ("SIP", "sip:meet482915306@video.example.org", "sip:meet482915306@video.example.org"),
        ("H.323", "h323:meet482915306@video.example.org", "h323:meet482915306@video.example.org"),
        ("Pexip app", "pexip://meet482915306@video.example.org", "pexip://meet482915306@video.example.org"),
    ]
    assert ways.app == "pexip://meet482915306@video.example.org"
    none = pexip_ways(None, sip=False, h323=False, app=False).of(ALIAS, JOIN_ID)
    assert (none.web_app, none.dial, none.phones, none.phone, none.app) == (None, (), (), "", None)


@pytest.mark.parametrize(
    ("alias", "domain", "dialled"),
    [
        (BARE, "video.example.org", "sip:meet482915306@video.example.org"),
        (BARE, "", "sip:meet482915306"),
        (ALIAS, "other.example.org", "sip:meet482915306@video.example.org"),
    ],
)
def test_an_alias_without_a_domain_is_dialled_at_the_platforms(alias: Alias, domain: str, dialled: str) -> None:
    ways = pexip_ways(NODE, domain=domain).of(alias, JOIN_ID)
    assert ways.dial[0].href == dialled
    assert ways.web_app == f"{NODE}/webapp3/m/{alias.name}"


def test_a_telephone_dials_the_number_waits_and_keys_in_the_rest() -> None:
    (line,) = pexip_ways(NODE, phones=(Phone("DE", "+49 30 1234567", "Germany"),)).of(ALIAS, JOIN_ID).phones
    assert (line.country, line.name, line.number) == ("DE", "Germany", "+49 30 1234567")
    assert (line.keys, line.href) == ("482915306#", "tel:+49301234567,,482915306#")
    (bare,) = WaysToJoin(phones=(Phone("NO", "0800 12 34"),)).of(ALIAS, JOIN_ID).phones
    assert (bare.name, bare.href) == ("NO", "tel:08001234,,482915306#")


def test_without_a_number_to_key_in_there_are_no_telephones() -> None:
    assert pexip_ways(NODE, phones=(BERLIN,)).of(Alias(1, "board@example.org", ""), JOIN_ID).phones == ()


@pytest.mark.parametrize(
    "pattern",
    ["dial {numeric_alias}", "sip:{alias} now", "{alias}", "{alias}:x", "javascript:{alias}", "mailto:{alias}"],
)
def test_what_no_browser_should_follow_is_shown_and_no_link(pattern: str) -> None:
    (line,) = WaysToJoin(dial=(("x", pattern),)).of(ALIAS, JOIN_ID).dial
    assert line.href is None
    assert line.value.count(ALIAS.name) == pattern.count("{alias}")


@pytest.mark.parametrize(
    "pattern", ["https://{alias}/x", "https://a.{alias}", "HTTPS:\\//{alias}", "https://a@{alias}:80", "https:/{alias}"]
)
def test_a_web_link_takes_its_host_from_no_alias(pattern: str) -> None:
    assert WaysToJoin(dial=(("x", pattern),)).of(ALIAS, JOIN_ID).dial[0].href is None


def test_the_join_page_stands_behind_the_public_address() -> None:
    assert join_page("https://meet.example.org/rooms/", JOIN_ID) == "https://meet.example.org/rooms/j/0123456789abcdef"


anything = st.text(min_size=1, max_size=40)
naughty = st.text(alphabet="./@?#&=%:;,\\ \t\r\n'\"<>{}+aliasx1", min_size=1, max_size=24)
versions = st.sampled_from(("webapp3", "webapp2", "webapp"))
dots = {".", ".."}


@given(name=anything | naughty, version=versions)
def test_no_alias_leads_elsewhere_than_to_its_own_room_of_the_web_app(name: str, version: WebAppVersion) -> None:
    given = Alias(1, name, "1")
    address = pexip_ways(NODE, version).of(given, JOIN_ID).web_app
    assert address is not None
    parts = urlsplit(urljoin("https://elsewhere.example/", address))
    assert (parts.scheme, parts.netloc, parts.query) == ("https", "vc.example.org", "")
    said, start = (parts.path, "/webapp3/m/") if version == "webapp3" else (parts.fragment, "/?conference=")
    if name not in dots:  # those stay with the web app, before its rooms
        assert said.startswith(start)
        rest = said.removeprefix(start)
        assert not set(rest) & set("/?#&=\\ \"'<>")
        assert unquote(rest) == name.encode("utf-8", "replace").decode()


@given(name=anything | naughty, numeric=anything)
def test_no_alias_adds_a_parameter_a_scheme_or_a_tag_to_a_dial_string(name: str, numeric: str) -> None:
    ways = pexip_ways(NODE, phones=(BERLIN,)).of(Alias(1, name, numeric), JOIN_ID)
    for line, start in zip(ways.dial, ("sip:", "h323:", "pexip://"), strict=True):
        assert line.href is not None
        assert line.href.startswith(start)
        assert not set(line.href.removeprefix(start)) & set("/:;?#&=,\\ \t\r\n\"'<>")
    for phone in ways.phones:
        number, _, keys = phone.href.partition(",,")
        assert number == "tel:+490301234567"
        assert keys.endswith("#")
        assert keys[:-1].isdigit()
        assert keys[:-1].isascii()


@given(name=naughty)
def test_a_value_with_braces_is_not_a_pattern(name: str) -> None:
    ways = WaysToJoin(web_app=NODE + "/{alias}/{join_id}").of(Alias(1, name, "1"), JOIN_ID)
    assert ways.web_app is not None
    assert ways.web_app.count(JOIN_ID) == 1
