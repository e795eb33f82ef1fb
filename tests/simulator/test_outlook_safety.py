"""Hostile bodies, foreign forms, big uploads."""

import re
import time

import pytest

from greenroom.simulator.model import Body
from greenroom.simulator.outlook.bodies import as_html, as_text, shown_html
from support.outlook_client import ADA, BO, mail_client, meeting


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.test"},
        {"origin": "null"},
        {"origin": "https://evil.test", "sec-fetch-site": "cross-site"},
    ],
)
async def test_forms_of_other_sites_are_refused(headers: dict[str, str]) -> None:
    async with mail_client() as mail:
        answer = await mail.post(f"m/{ADA}/compose", meeting(), headers=headers)
        assert answer.status_code == 403
        assert mail.items(ADA, "calendar") == []


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "same-origin"}, {"origin": "http://mail.test"}, {}])
async def test_own_forms_are_taken(headers: dict[str, str]) -> None:
    async with mail_client() as mail:
        assert (await mail.post(f"m/{ADA}/compose", meeting(), headers=headers)).status_code == 303


async def test_pages_allow_no_script_but_their_own() -> None:
    async with mail_client() as mail:
        item = await mail.compose()
        for url in ("", f"m/{ADA}/calendar?item={item.id}", f"m/{ADA}/compose", "import", f"m/{ADA}/nothing"):
            answer = await mail.get(url)
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert not re.search(r"<script(?![^>]* src=)|<style| style=| on\w+=|(?:src|href)=\"https?:", answer.text)


async def test_bodies_are_shown_in_a_sandbox_without_scripts() -> None:
    async with mail_client() as mail:
        item = await mail.compose()
        page = await mail.page(f"m/{ADA}/calendar?item={item.id}")
        assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
        answer = await mail.get(f"m/{ADA}/body?item={item.id}")
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'")
        assert "script-src" not in policy


@pytest.mark.parametrize(
    "markup",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        '<img src="https://tracker.test/pixel.gif">',
        '<a href="javascript:alert(1)">x</a>',
        '<a href="data:text/html,<script>alert(1)</script>">x</a>',
        '<form action="https://evil.test"><input name=a></form>',
        '<iframe src="https://evil.test"></iframe>',
        '<base href="https://evil.test">',
        '<meta http-equiv="refresh" content="0;url=https://evil.test">',
        '<link rel="stylesheet" href="https://evil.test/x.css">',
        '<div style="background-image: url(https://tracker.test/x)">x</div>',
        '<div style="position: fixed; inset: 0">x</div>',
        "<svg><script>alert(1)</script></svg>",
        "</body></html><script>alert(1)</script>",
    ],
)
async def test_hostile_markup_is_taken_out(markup: str) -> None:
    shown, _ = shown_html(Body(markup, "HTML"))
    lowered = shown.lower()
    for word in (
        "<script",
        "onerror",
        "javascript:",
        "data:text",
        "<form",
        "<iframe",
        "<base",
        "<meta",
        "<link",
        "://",
    ):
        assert word not in lowered
    assert "position" not in lowered


async def test_plain_text_is_escaped_and_its_links_work() -> None:
    shown, coloured = shown_html(Body("<b> see https://a.test/x?y=1&z=2.", "Text"))
    assert "&lt;b&gt; see <a " in shown
    assert 'href="https://a.test/x?y=1&amp;z=2" target="_blank"' in shown
    assert not coloured


async def test_names_and_subjects_are_escaped() -> None:
    async with mail_client() as mail:
        await mail.compose(subject="<img src=x>", location='"><script>', attendees='"<b>" <x@far.test>; bo')
        for url in (f"m/{BO}/inbox", f"m/{BO}/calendar", f"m/{BO}/inbox?item={mail.items(BO, 'inbox')[0].id}"):
            page = await mail.page(url)
            assert "<img" not in page
            assert "<script>" not in page
            assert "<b>" not in page


async def test_a_location_that_is_a_script_is_no_link() -> None:
    async with mail_client() as mail:
        item = await mail.compose(location="javascript:alert(1)")
        assert 'href="javascript' not in await mail.page(f"m/{ADA}/calendar?item={item.id}")


async def test_a_request_that_is_too_big_is_refused() -> None:
    async with mail_client() as mail:
        answer = await mail.post("import", {"to": BO}, files={"file": ("a.ics", b"x" * 3_000_000, "text/calendar")})
        assert answer.status_code == 413
        assert "at most 2 MB" in answer.text


@pytest.mark.parametrize(
    "markup", ["<div>" * 100_000, "<a href='" * 50_000, "&" * 200_000, "<b>x</b> " * 60_000, "http://" * 70_000]
)
async def test_big_hostile_bodies_take_bounded_time(markup: str) -> None:
    began = time.process_time()
    shown_html(Body(markup, "HTML"))
    shown_html(Body(markup, "Text"))
    as_text(Body(markup, "HTML"))
    assert time.process_time() - began < 60  # what takes the square of the size takes minutes


async def test_text_survives_the_way_to_markup_and_back() -> None:
    text = "Dear all,\n\n<b> & https://a.test/x?y=1&z=2\n- one\n- two"
    assert as_text(as_html(text)) == text


def test_pictures_come_from_the_mail_or_from_this_computer_alone() -> None:
    here = '<img src="http://127.0.0.1:8025/j/0123456789abcdef/qr.png" alt="code">'
    assert 'src="http://127.0.0.1:8025/j/' in shown_html(Body(here, "HTML"))[0]
    for elsewhere in (
        "https://tracker.example/x.png",
        "http://127.0.0.1.example/x",
        "http://127.0.0.1@tracker.example/x",
        "//x/y",
    ):
        assert "src" not in shown_html(Body(f'<img src="{elsewhere}" alt="">', "HTML"))[0]
