"""The join link as a picture."""

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenroom.meetings.alias import AliasPlan, join_id
from greenroom.meetings.dialling import join_page
from greenroom.web.app import create_app
from greenroom.web.qr import qr_png
from support.join_rooms import BASE, JOIN_ID, PLACES, Clock, RoomsInMemory, Visitor, room
from support.pictures import read_qr, size_of

PICTURE = f"/j/{JOIN_ID}/qr.png"


async def test_the_picture_holds_the_address_of_the_join_page() -> None:
    visitor = Visitor(room())
    answer = await visitor.get(PICTURE)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    (address,) = read_qr(answer.content)
    assert address == f"{BASE}/j/{JOIN_ID}"
    assert (await visitor.get(address.removeprefix(BASE))).status_code == 200


@settings(max_examples=8, deadline=None)
@given(
    number=st.integers(0, 10**15 - 1),
    base=st.sampled_from(
        ["https://a.eu", "https://meet.example.org/video/rooms", "https://" + "long." * 45 + "example"]
    ),
)
def test_every_address_is_read_as_it_was_drawn(number: int, base: str) -> None:
    address = join_page(base, join_id(b"secret", AliasPlan(digits=15).alias(number)))
    assert read_qr(qr_png(address)) == [address]


def test_the_picture_is_small_in_bytes_and_large_enough_for_a_telephone() -> None:
    png = qr_png(f"{BASE}/j/{JOIN_ID}")
    width, height = size_of(png)
    assert width == height
    assert 250 <= width <= 500
    assert len(png) < 2000


async def test_it_is_kept_for_good_and_shown_in_webmail_elsewhere() -> None:
    answer = await Visitor().get(PICTURE)
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    page = await Visitor(room()).get()
    assert page.headers["cross-origin-resource-policy"] == "same-origin"


async def test_who_has_it_gets_it_no_second_time() -> None:
    visitor = Visitor()
    tag = (await visitor.get(PICTURE)).headers["etag"]
    for known in (tag, f'"other", W/{tag}', "*"):
        again = await visitor.client.get(PICTURE, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    for unknown in ('"other"', "", tag.strip('"')):
        assert (await visitor.client.get(PICTURE, headers={"If-None-Match": unknown})).status_code == 200
    assert (await visitor.get("/j/0000000000000000/qr.png")).headers["etag"] != tag


async def test_nobody_learns_from_it_whether_a_room_exists() -> None:
    visitor = Visitor(room())
    known, unknown = await visitor.get(PICTURE), await visitor.get("/j/0000000000000000/qr.png")
    assert (known.status_code, unknown.status_code) == (200, 200)
    assert known.headers.keys() == unknown.headers.keys()
    assert visitor.rooms.asked == []
    visitor.rooms.down = True
    assert (await visitor.get(PICTURE)).status_code == 200


@pytest.mark.parametrize("wanted", ["x", "ilou456789abcdef", f"{JOIN_ID}0", "%00", "a%2Fb", ".."])
async def test_what_is_no_join_id_is_drawn_for_nobody(wanted: str) -> None:
    answer = await Visitor().get(f"/j/{wanted}/qr.png")
    assert answer.status_code == 404
    assert "leads to no meeting" in answer.text


async def test_a_shouted_link_and_a_head_request_are_the_same_picture() -> None:
    visitor = Visitor()
    usual = await visitor.get(PICTURE)
    assert (await visitor.get(f"/j/{JOIN_ID.upper()}/qr.png")).content == usual.content
    head = await visitor.get(PICTURE, method="HEAD")
    assert (head.status_code, head.headers["etag"]) == (200, usual.headers["etag"])
    assert (await visitor.get(PICTURE, method="POST")).status_code == 405


async def test_the_host_that_a_request_claims_is_not_believed() -> None:
    answer = await Visitor().client.get(PICTURE, headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
    assert read_qr(answer.content) == [f"{BASE}/j/{JOIN_ID}"]


async def test_without_a_public_address_there_are_no_pictures() -> None:
    app = create_app(RoomsInMemory(room()), Clock(), PLACES)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=BASE) as client:
        assert (await client.get(PICTURE)).status_code == 404
