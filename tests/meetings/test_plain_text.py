"""Plain text of our own replies: nothing that helps to join gets lost."""

import html
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenroom.meetings.plain_text import LONGEST_TEXT, text_of_html

LINK = "https://meet.example.test/j/k2m9?x=1&y=2"


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("<div>One</div><div>Two</div>", "One\nTwo"),
        ("One<br>Two<br/><br>Three", "One\nTwo\n\nThree"),
        ("a  \n  b\t&nbsp;c", "a b c"),
        ("<b>B</b>old<i> it</i>", "Bold it"),
        ("&lt;no tag&gt; &amp; &#8364; &euro;", "<no tag> & € €"),
        ("<ul><li>One</li><li>Two</li></ul>End", "- One\n- Two\n\nEnd"),
        ("<ol><li>One<ul><li>In</li></ul></li><li>Two</li></ol>", "1. One\n- In\n\n2. Two"),
        ("<table><tr><td>PIN</td><td> 123 </td></tr><tr><td>Dial</td><td>4</td></tr></table>", "PIN  123\nDial  4"),
        ("<style>p{}</style><script>x()</script><title>t</title><p>Shown</p>", "Shown"),
        ("<html><head><meta><body><p>Shown</p>", "Shown"),
        ("<img src=x alt='A picture'>", "A picture"),
        ("in\u00advis\u200bible", "invisible"),
        ("<!-- hidden -->x", "x"),
        ("<p>open <b>never closed", "open never closed"),
        ("</p></a></ul>odd", "odd"),
        ("", ""),
    ],
)
def test_markup_becomes_text(markup: str, text: str) -> None:
    assert text_of_html(markup) == text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        (f'<a href="{html.escape(LINK)}">Join</a>', f"Join <{LINK}>"),
        (f'<a href="{html.escape(LINK)}">{html.escape(LINK)}</a>', LINK),
        (f'<a href="{html.escape(LINK)}"></a>', LINK),
        (f'<a href="{html.escape(LINK)}"><img src="x"></a>', LINK),
        ('<a href="tel:+49301234">+49301234</a>', "+49301234"),
        ('<a href="tel:+49301234">Call us</a>', "Call us <tel:+49301234>"),
        ('<a href="mailto:a@b.test">A@B.test</a>', "A@B.test"),
        ('<a href="sip:room@b.test">room@b.test</a>', "room@b.test"),
        ('<a href="javascript:alert(1)">Click</a>', "Click"),
        ('<a href="#top">Top</a>', "Top"),
        ("<a>Nowhere</a>", "Nowhere"),
        ('<a href="https://a.test">One <a href="https://b.test">Two</a>', "One <https://a.test>Two <https://b.test>"),
    ],
)
def test_a_link_shows_where_it_leads(markup: str, text: str) -> None:
    assert text_of_html(markup) == text


def test_a_reply_with_instructions_loses_nothing_that_helps_to_join() -> None:
    body = (
        '<p>Please copy what follows:</p><table role="presentation"><tbody><tr><td><p>GRM:RQ81G</p>\r\n'
        f'<p><a href="{html.escape(LINK)}"><b>Join the meeting</b></a></p>'
        "<p>From a video system: <b>room.k2m9@example.test</b></p><p>PIN: <b>428316</b></p>"
        "<p>Meeting reference: GRM-1ABCD-EFGHJ-RQ81G</p></td></tr></tbody></table>"
    )
    text = text_of_html(body)
    for word in (LINK, "room.k2m9@example.test", "428316", "GRM-1ABCD-EFGHJ-RQ81G", "Join the meeting"):
        assert word in text


def test_long_text_is_cut_and_says_so() -> None:
    text = text_of_html("<p>word</p>" * 20_000)
    assert len(text) <= LONGEST_TEXT
    assert text.endswith("…")


def test_hostile_markup_costs_little() -> None:
    began = time.perf_counter()
    for markup in (
        "<a href='https://x'>y" * 20_000 + "</a>" * 20_000,
        "<" * 200_000,
        "<p " * 100_000,
        "&" * 300_000,
        "<ul><li>" * 40_000,
        '<p "' * 90_000,
        "<!--" * 90_000,
        "<style>" * 60_000,
        "</a" * 90_000,
    ):
        text_of_html(markup)
    assert time.perf_counter() - began < 10


@settings(deadline=None)
@given(st.text(max_size=300))
def test_anything_becomes_text(markup: str) -> None:
    text = text_of_html(markup)
    assert len(text) <= LONGEST_TEXT
    assert "\n\n\n" not in text
    assert text == text.strip()


@given(st.lists(st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=20), min_size=1, max_size=8))
def test_no_word_gets_lost(words: list[str]) -> None:
    markup = "".join(f"<p>{html.escape(word)}</p>" for word in words)
    assert text_of_html(markup).split("\n\n") == words
