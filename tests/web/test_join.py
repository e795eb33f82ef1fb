import re
from datetime import UTC, datetime, timedelta

import pytest

from greenroom.meetings.alias import AliasPlan, join_id
from greenroom.meetings.zones import Zone
from greenroom.web.join import JOIN_ID_FORM
from greenroom.web.pages import moment
from greenroom.web.zones import find_zone
from support.join_rooms import JOIN_ID, NOW, PEXIP, PEXIP_FEW, Visitor, room

SOON, LATER = timedelta(minutes=20), timedelta(days=2)


async def test_a_page_that_is_too_early_tells_when_and_not_how() -> None:
    answer = await Visitor(room(SOON, pins=2)).get()
    assert answer.status_code == 200
    assert "Not open yet" in answer.text
    assert "Mon 23 Nov 2026, 13:20 UTC" in answer.text
    assert "14:20 CET" in answer.text
    assert '<noscript><meta http-equiv="refresh" content="300"></noscript>' in answer.text
    for secret in ("482915306", "jitsi", "314159", "271828"):
        assert secret not in answer.text


async def test_an_open_page_tells_how_to_get_in_and_no_pin() -> None:
    answer = await Visitor(room(pins=2)).get()
    assert "Open now" in answer.text
    assert 'href="https://jitsi.example.org/482915306"' in answer.text
    assert 'href="sip:meet482915306@video.example.org"' in answer.text
    assert 'href="dial' not in answer.text
    assert "+49 30 1234567, then 482915306#" in answer.text
    assert "asked for a PIN" in answer.text
    assert "314159" not in answer.text
    assert "271828" not in answer.text


async def test_a_room_without_pins_does_not_speak_of_them() -> None:
    assert "PIN" not in (await Visitor(room()).get()).text


async def test_the_page_changes_with_the_clock_to_the_second() -> None:
    visitor = Visitor(room(SOON))
    states = []
    for at in (SOON - timedelta(seconds=1), SOON, SOON + timedelta(hours=2, minutes=29), SOON + timedelta(hours=2.5)):
        visitor.clock.now = NOW + at
        states.append((await visitor.get(f"/j/{JOIN_ID}.json")).json()["state"])
    assert states == ["too-early", "open", "open", "over"]


async def test_a_room_retired_before_its_end_was_cancelled_and_after_it_is_over() -> None:
    cancelled = await Visitor(room(LATER, retired_at=NOW)).get()
    assert "was cancelled" in cancelled.text
    assert "jitsi" not in cancelled.text
    over = room(-LATER, retired_at=NOW)
    assert "is over" in (await Visitor(over).get()).text


async def test_unknown_and_malformed_links_are_answered_alike() -> None:
    visitor = Visitor(room())
    answers = [await visitor.get(path) for path in ("/j/0000000000000000", "/j/x", "/j/ilou456789abcdef", "/nothing")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text.replace("../", "") for answer in answers}) == 1
    as_json = [await visitor.get(f"/j/{wanted}.json") for wanted in ("0000000000000000", "x")]
    assert [(answer.status_code, answer.json()) for answer in as_json] == [(404, {"state": "unknown"})] * 2
    assert all("x" not in wanted for wanted in visitor.rooms.asked), "a malformed id is never looked up"


async def test_a_shouted_link_works() -> None:
    assert (await Visitor(room()).get(f"/j/{JOIN_ID.upper()}")).status_code == 200


async def test_a_slash_at_the_end_is_the_same_page_and_no_redirect_names_a_host() -> None:
    visitor = Visitor(room())
    assert (await visitor.get(f"/j/{JOIN_ID}/")).text.replace("../", "") == (await visitor.get()).text.replace(
        "../", ""
    )
    for path in ("/healthz/", "/j/x/", "/j/"):
        answer = await visitor.get(path)
        assert (answer.status_code, answer.headers.get("location")) == (404, None)


async def test_json_tells_state_and_times() -> None:
    answer = await Visitor(room(SOON)).get(f"/j/{JOIN_ID}.json")
    assert answer.json() == {
        "state": "too-early",
        "now": "2026-11-23T13:00:00+00:00",
        "opens": "2026-11-23T13:20:00+00:00",
        "starts": "2026-11-23T13:50:00+00:00",
        "ends": "2026-11-23T14:50:00+00:00",
        "closes": "2026-11-23T15:50:00+00:00",
        "next_opens": "2026-11-23T13:20:00+00:00",
    }


async def test_every_answer_carries_the_headers_and_no_cookie() -> None:
    visitor = Visitor(room())
    for path in (f"/j/{JOIN_ID}", f"/j/{JOIN_ID}.json", "/healthz", "/", "/j/x"):
        headers = (await visitor.get(path)).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in headers


async def test_a_page_loads_only_its_own_files_and_has_no_inline_script() -> None:
    visitor = Visitor(room())
    page = (await visitor.get()).text
    assert "<script src=" in page
    assert "<script>" not in page
    assert "style=" not in page
    assert " on" not in page.replace(" one", "").replace(" only", "").replace(" once", "")
    style = await visitor.get(page.partition('stylesheet" href="..')[2].partition('"')[0])
    assert style.headers["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in style.headers["cache-control"]
    assert "url(" not in style.text


async def test_a_title_is_text_and_nothing_else() -> None:
    page = (await Visitor(room(title='<img src=x onerror=alert(1)>"')).get()).text
    assert "<img" not in page
    assert "&lt;img" in page


async def test_rooms_that_cannot_be_looked_up_are_no_404() -> None:
    visitor = Visitor(room())
    visitor.rooms.down = True
    page, as_json = await visitor.get(), await visitor.get(f"/j/{JOIN_ID}.json")
    assert (page.status_code, as_json.status_code) == (503, 503)
    assert page.headers["retry-after"] == "15"
    assert "tries again by itself" in page.text


async def test_a_room_of_an_integration_without_a_place_still_tells_its_number() -> None:
    page = (await Visitor(room(integration=9)).get()).text
    assert "How to join" in page
    assert "482915306" in page
    assert "Join now" not in page


async def test_head_requests_are_answered() -> None:
    visitor = Visitor(room())
    answer = await visitor.get(method="HEAD")
    assert answer.status_code == 200
    assert (await visitor.get("/healthz", method="HEAD")).status_code == 200


async def test_the_documentation_of_the_framework_is_off() -> None:
    visitor = Visitor()
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert (await visitor.get(path)).status_code == 404


async def test_a_wrong_method_is_refused_without_details() -> None:
    assert (await Visitor(room()).get(method="POST")).status_code == 405


@pytest.mark.parametrize("number", [0, 7, 999_999_999])
def test_every_join_id_has_the_form_the_page_accepts(number: int) -> None:
    assert JOIN_ID_FORM.fullmatch(join_id(b"secret", AliasPlan().alias(number)))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("W. Europe Standard Time", "Mon 23 Nov 2026, 14:00 CET"),
        ("Europe/Berlin", "Mon 23 Nov 2026, 14:00 CET"),
        ("Asia/Dubai", "Mon 23 Nov 2026, 17:00 UTC+04:00"),
        ("America/Sao_Paulo", "Mon 23 Nov 2026, 10:00 UTC-03:00"),
        ("UTC", "Mon 23 Nov 2026, 13:00 UTC"),
        ("Europe", "Mon 23 Nov 2026, 13:00 UTC"),
        ("../../etc/passwd", "Mon 23 Nov 2026, 13:00 UTC"),
        ("Customized Time Zone", "Mon 23 Nov 2026, 13:00 UTC"),
        ("", "Mon 23 Nov 2026, 13:00 UTC"),
    ],
)
def test_the_organizers_zone_is_shown_where_it_is_known(name: str, text: str) -> None:
    assert moment(datetime(2026, 11, 23, 13, tzinfo=UTC), find_zone(Zone(name))) == text


async def test_a_room_on_pexip_is_joined_in_the_web_app_the_app_by_endpoints_and_by_telephone() -> None:
    page = (await Visitor(room(integration=PEXIP)).get()).text
    for link in (
        "https://vc.example.org/webapp3/m/meet482915306@video.example.org",
        "sip:meet482915306@video.example.org",
        "h323:meet482915306@video.example.org",
        "pexip://meet482915306@video.example.org",
        "tel:+49301234567,,482915306#",
        "tel:+12025550100,,482915306#",
    ):
        assert f'href="{link}"' in page
    assert page.count("then 482915306#") == 4
    assert "Open in the app" in page


@pytest.mark.parametrize(("integration", "folded"), [(PEXIP, 1), (PEXIP_FEW, 0), (1, 0)])
async def test_more_than_three_telephones_are_folded(integration: int, folded: int) -> None:
    page = (await Visitor(room(integration=integration)).get()).text
    assert page.count("<details") == folded
    assert len(re.findall('id="([^"]+)"', page)) == len(set(re.findall('id="([^"]+)"', page)))


async def test_a_closed_room_tells_none_of_its_ways() -> None:
    page = (await Visitor(room(SOON, integration=PEXIP)).get()).text
    for way in ("vc.example.org", "sip:", "h323:", "pexip:", "tel:", "482915306"):
        assert way not in page
