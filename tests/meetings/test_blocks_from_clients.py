"""Blocks as the add-in writes them, after Outlooks and Exchanges have had them in their hands: found, and exchanged whole."""

import html
import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenroom.meetings.instructions import (
    LONGEST_LOCATION,
    RULE,
    instructions_block,
    replace_block,
    text_block,
    with_instructions,
    with_location,
)
from greenroom.meetings.plain_text import as_text
from greenroom.meetings.templates import Texts
from greenroom.meetings.ticket import OFFLINE, PERSONAL, KeyRing
from greenroom.meetings.ticket_finder import find_tickets

RING = KeyRing("GRM", 7, {3: bytes(range(32))})
AT = datetime(2026, 8, 1, tzinfo=UTC)
PROMISE = RING.issue(111222333444555, AT, OFFLINE)
VMR = RING.issue(123456789, AT)
OWN = RING.issue(987, AT, PERSONAL)
NEW = RING.issue(222222222, AT)
LINK = "https://meet.example.org/j/0123456789abcdef"
DIAL = [{"label": "SIP", "value": "sip:vc1@example.org", "link": "sip:vc1@example.org"}]
PHONES = [{"country": "DE", "name": "Germany", "number": "+49 30 12", "keys": "1#", "link": "tel:+493012,,1#"}]
BEFORE, BEHIND = "Dear <all>, __ agenda:", "Kind regards & so on"
Mangle = Callable[[str], str]


def rendered(ticket: str, language: str = "en") -> str:
    texts = Texts(language=language)
    ways: dict[str, object] = {"dial": DIAL, "phones": PHONES, "ticket": ticket, "pin": "123456"}
    names = {"alias": "vc1@example.org", "numeric_alias": "1"}
    if ticket == PROMISE:
        return texts.render("placeholder_instructions", {"ticket": ticket})
    if ticket == OWN:
        lists = {"domain_aliases": ["vc1@example.org"], "other_aliases": [], "numeric_aliases": ["1"]}
        about = {"name": "Ada's", "description": "", "web_app_url": LINK, "asks_pin": False}
        return texts.render("personal_instructions", names | ways | lists | about)
    return texts.render("joining_instructions", names | ways | {"join_url": LINK, "qr_url": f"{LINK}/qr.png"})


TICKETS = {"promise": PROMISE, "vmr": VMR, "personal": OWN}
HTML = {name: instructions_block(rendered(ticket), ticket) for name, ticket in TICKETS.items()}
TEXT = {name: text_block(as_text(rendered(ticket)), ticket) for name, ticket in TICKETS.items()}


# --- what clients do to HTML ------------------------------------------------------------------------------------------


def untouched(block: str) -> str:
    return block


def by_outlook_on_the_web(block: str) -> str:
    """Classes and ids get an x_, styles are written anew, a wrapper is put around, line ends go."""
    block = re.sub(r'style="([^"]*);"', lambda m: 'style="' + "; ".join(m[1].split(";")) + '"', block)
    block = block.replace("<p ", '<p class="x_MsoNormal" id="x_a1" ').replace(
        "<table ", '<table class="x_y" dir="ltr" '
    )
    return f'<div id="x_divtagdefaultwrapper" dir="ltr">{block}</div>'.replace("\r\n", "\n")


def by_word(block: str) -> str:
    """Word closes paragraphs with o:p, fills empty ones, and puts spans around all."""
    block = re.sub(
        r"<p [^>]*>", "<p class=MsoNormal style='margin-top:0cm'><span lang=EN-US style='font-size:9.0pt'>", block
    )
    block = block.replace("</p>", "<o:p></o:p></span></p>\r\n<p class=MsoNormal><o:p>&nbsp;</o:p></p>")
    return block.replace("<table ", "<table class=MsoNormalTable border=0 width=100% ").replace(
        "Meeting ", "Meeting&nbsp;"
    )


def by_word_without_its_table(block: str) -> str:
    """Pasted as text with its format: paragraphs are all that is left."""
    return re.sub(r"</?(?:table|tbody|tr|td)\b[^>]*>", "", by_word(block))


def with_hard_hyphens(block: str) -> str:
    return re.sub(r"(?<=GRM)-(?=[0-9A-Z-]{10})|(?<=[0-9A-Z]{5})-(?=[0-9A-Z]{5})", "&#8209;", block)


def wrapped_in_the_ticket(block: str) -> str:
    """A line ends within the ticket, as where a mail gateway wrapped it."""
    at = block.rindex("-") - 6
    return f"{block[:at]}-<wbr>\r\n{block[at + 1 :]}"


MANGLES = [
    untouched,
    by_outlook_on_the_web,
    by_word,
    by_word_without_its_table,
    with_hard_hyphens,
    wrapped_in_the_ticket,
]
HEAD = "<html><head><style><!-- p {margin:0} --></style></head><body>"
PAGES = [
    f"{HEAD}<p>{html.escape(BEFORE)}</p>@@<div>{html.escape(BEHIND)}</div></body></html>",
    f'<div class="x_WordSection1"><p>{html.escape(BEFORE)}<br></p>\n@@\n<p>{html.escape(BEHIND)}</p></div>',
]


@pytest.mark.parametrize("page", PAGES, ids=["page", "fragment"])
@pytest.mark.parametrize("mangle", MANGLES)
@pytest.mark.parametrize("name", TICKETS)
def test_a_block_that_clients_rewrote_is_exchanged_whole(name: str, mangle: Mangle, page: str) -> None:
    ticket, body = TICKETS[name], page.replace("@@", mangle(HTML[name]))
    assert find_tickets(body, "GRM") == [ticket]
    assert with_instructions(body, rendered(ticket), ticket) is None
    result = replace_block(body, ticket, rendered(NEW), NEW)
    assert result is not None
    assert find_tickets(result, "GRM") == [NEW]
    rest = result.replace(instructions_block(rendered(NEW), NEW), "@@")
    wrapper = '<div id="x_divtagdefaultwrapper" dir="ltr">@@</div>'
    assert rest.replace(wrapper, "@@").replace("<p class=MsoNormal><o:p>&nbsp;</o:p></p>", "").replace(
        "\r\n", ""
    ) == page.replace("\r\n", "")


# --- what becomes of plain text ---------------------------------------------------------------------------------------


def as_exchange_shows_text(text: str) -> str:
    """Exchange's HTML of a plain text: lines with breaks in one element, and links where it sees some."""
    lines = html.escape(text, quote=False).replace("  ", "&nbsp; ").splitlines()
    shown = "<br>\r\n".join(lines)
    shown = re.sub(r"https://[^\s&<]+", lambda m: f'<a href="{m[0]}">{m[0]}</a>', shown)
    return (
        '<html>\r\n<head>\r\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8">\r\n'
        "<!-- converted from text -->\r\n<style><!-- .EmailQuote { margin-left: 1pt; } --></style></head>\r\n<body>\r\n"
        f'<font size="2"><span style="font-size:11pt;"><div class="PlainText">{shown}</div></span></font>\r\n</body></html>'
    )


def as_word_shows_text(text: str) -> str:
    lines = [
        f"<p class=MsoPlainText>{html.escape(one, quote=False) or '<o:p>&nbsp;</o:p>'}<o:p></o:p></p>"
        for one in text.splitlines()
    ]
    return f"<html><body lang=EN-US><div class=WordSection1>{''.join(lines)}</div></body></html>"


def as_divs(text: str) -> str:
    return (
        "<div>"
        + "".join(f"<div>{html.escape(one, quote=False) or '<br>'}</div>" for one in text.split("\n"))
        + "</div>"
    )


@pytest.mark.parametrize("shown", [untouched, as_exchange_shows_text, as_word_shows_text, as_divs])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("name", TICKETS)
def test_a_block_of_plain_text_goes_with_its_rules(name: str, end: str, shown: Mangle) -> None:
    ticket = TICKETS[name]
    text = f"{BEFORE}\n\n{TEXT[name]}\n\n{BEHIND}".replace("\n", end)
    body = shown(text)
    assert find_tickets(body, "GRM") == [ticket]
    assert with_instructions(body, rendered(ticket), ticket) is None
    result = replace_block(body, ticket, rendered(NEW), NEW)
    assert result is not None
    assert find_tickets(result, "GRM") == [NEW]
    rest = result.replace(instructions_block(rendered(NEW), NEW), "")
    assert RULE not in rest
    assert "GRM:" not in rest
    assert " ".join(as_text(rest).split()) == f"{BEFORE} {BEHIND}"


def test_rules_that_others_drew_stay() -> None:
    teams = "_" * 80
    text = f"{BEFORE}\n{teams}\nJoin that\n{RULE}\n\nmine\n{TEXT['vmr']}\n{teams}\nmine too\n{RULE}"
    for shown in (untouched, as_exchange_shows_text, as_word_shows_text):
        result = replace_block(shown(text), VMR, rendered(NEW), NEW)
        assert result is not None
        assert find_tickets(result, "GRM") == [NEW]
        rest = as_text(result.replace(instructions_block(rendered(NEW), NEW), ""))
        assert re.findall("_+", rest) == ["__", teams, RULE, teams, RULE]
        assert [word for word in ("Join that", "mine", "mine too") if word not in rest] == []


def test_where_a_rule_is_lost_the_block_goes_and_the_other_rule_stays() -> None:
    text = f"{BEFORE}\n{TEXT['vmr'].removeprefix(RULE)}\n{BEHIND}"
    result = replace_block(as_exchange_shows_text(text), VMR, rendered(NEW), NEW)
    assert result is not None
    assert find_tickets(result, "GRM") == [NEW]
    assert result.count(RULE) == 1


@pytest.mark.parametrize("name", TICKETS)
@pytest.mark.parametrize("language", ["en", "de", "fr", "sv", "no"])
def test_a_text_block_has_the_mark_first_and_the_ticket_last(name: str, language: str) -> None:
    ticket = TICKETS[name]
    lines = text_block(as_text(rendered(ticket, language)), ticket).split("\n")
    assert lines[:2] == [RULE, f"GRM:{ticket[-5:]}"]
    assert lines[-2:] == [f"Meeting reference: {ticket}", RULE]
    assert "\n".join(lines).count(ticket) == 1
    again = instructions_block(rendered(ticket, language), ticket)
    assert text_block(as_text(again), ticket).split("\n") == lines


@settings(max_examples=20)
@given(st.text(st.sampled_from("a <_\n-\u2028") | st.characters(), max_size=120), st.integers(0, 120))
def test_whatever_an_administrator_writes_the_text_block_can_be_taken_out(text: str, at: int) -> None:
    block = text_block(f"{text[:at]}{VMR}{text[at:]}", VMR)
    assert find_tickets(block, "GRM") == [VMR]
    result = replace_block(f"before\n{block}\nbehind", VMR, rendered(NEW), NEW)
    assert result is not None
    assert find_tickets(result, "GRM") == [NEW]


# --- locations --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "location", [LINK, f"Room 5; {LINK}", f"{LINK}; Room 5", f"Room 5;{LINK} ", f"Microsoft Teams; {LINK}; Room 5"]
)
def test_a_location_that_names_the_page_already_stays(location: str) -> None:
    assert with_location(location, LINK) == location


def test_a_location_gets_the_page_behind_what_stands_there() -> None:
    assert with_location("", LINK) == LINK
    assert with_location("Room 5; ", LINK) == f"Room 5; {LINK}"
    full = "x" * (LONGEST_LOCATION - len(LINK))
    assert with_location(full, LINK) == full
