"""What the mail client does for an Outlook add-in, without a browser: its page, tokens, settings, what is sent."""

import base64
import html as markup
import json
import re
from datetime import timedelta

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from starlette.applications import Starlette
from starlette.routing import Mount

from greenroom.simulator import Exchange
from greenroom.simulator.identity_tokens import IdentityTokens
from greenroom.simulator.model import Body, CalendarItem
from greenroom.simulator.outlook import AddinLink, create_outlook_app
from support.outlook_client import ADA, BASE, BO, NOW, VMR, Mail, form_of, mail_client, meeting

PANE = "https://meet.test/addin/1/taskpane.html"


def outlook(*, has_tokens: bool = True) -> tuple[Mail, AddinLink]:
    """Ada and Bo with an add-in, mounted under /mail; the metadata of tokens beside it."""
    exchange = Exchange(lambda: NOW)
    for address, name in ((ADA, "Ada Ahlgren"), (BO, "Bo Lind")):
        exchange.add_mailbox(address, name)
    exchange.add_mailbox(VMR, "Virtual room", kind="equipment")
    tokens = IdentityTokens(exchange.clock, "http://mail.test", realm="mail.test") if has_tokens else None
    link = AddinLink(
        "Rooms", PANE, "https://meet.test/addin/1/commands.html", icon="https://cdn.test/i.png", tokens=tokens
    )
    app = create_outlook_app(exchange, people=[ADA, BO], equipment=[VMR], addin=link)
    routes = [] if tokens is None else tokens.routes()
    site = Starlette(routes=[*routes, Mount(BASE, app)])
    http = httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=site), base_url="http://mail.test", cookies={"mail_zone": "Europe/Berlin"}
    )
    return Mail(exchange, http), link


def decoded(part: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def told(page: str) -> dict[str, object]:
    """What the composer's script is told."""
    raw = re.search(r'data-addin="([^"]*)"', page)
    assert raw is not None
    found: dict[str, object] = json.loads(markup.unescape(raw[1]))
    return found


async def test_a_token_is_signed_by_what_its_metadata_publishes() -> None:
    mail, _ = outlook()
    token = (await mail.post(f"m/{ADA}/addin/token")).json()["token"]
    header, claims, signature = token.split(".")
    metadata = (await mail.get("/autodiscover/metadata/json/1")).json()
    [key] = metadata["keys"]
    assert (key["usage"], key["keyinfo"]["x5t"]) == ("signing", decoded(header)["x5t"])
    certificate = x509.load_der_x509_certificate(base64.b64decode(key["keyvalue"]["value"]))
    public = certificate.public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    public.verify(
        base64.urlsafe_b64decode(signature + "=="), f"{header}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256()
    )
    said = decoded(claims)
    context = json.loads(str(said["appctx"]))
    assert (said["aud"], said["iss"]) == (PANE, metadata["issuer"])
    assert said["exp"] == str(int((NOW + timedelta(hours=1)).timestamp()))
    assert context["amurl"] == metadata["endpoints"][0]["location"] == "http://mail.test/autodiscover/metadata/json/1"
    assert context["version"] == "ExIdTok.V1"


async def test_a_token_names_its_mailbox_always_alike_and_never_by_its_address() -> None:
    tokens = IdentityTokens(lambda: NOW, "http://mail.test", realm="mail.test")
    assert tokens.user_of(ADA) == tokens.user_of(ADA.upper())
    assert tokens.user_of(ADA) != tokens.user_of(BO)
    assert "ada" not in tokens.issue(ADA, PANE)
    assert "amurl" not in str(decoded(tokens.issue(ADA, PANE, {"appctx": None}).split(".")[1]))


async def test_only_people_get_tokens_and_only_for_our_own_page() -> None:
    mail, _ = outlook()
    assert (await mail.post(f"m/{VMR}/addin/token")).status_code == 403
    assert (await mail.post(f"m/{ADA}/addin/token", headers={"origin": "https://evil.test"})).status_code == 403
    assert (await mail.get(f"m/{ADA}/addin/token")).status_code == 405
    online, _ = outlook(has_tokens=False)
    assert (await online.post(f"m/{ADA}/addin/token")).status_code == 404
    assert told(await online.page(f"m/{ADA}/compose"))["token"] is None


async def test_roaming_settings_are_kept_for_each_person() -> None:
    mail, _ = outlook()
    url = f"{BASE}/m/{ADA}/addin/roaming"
    assert (await mail.http.put(url, json={"ahead": "[1]"})).status_code == 204
    assert told(await mail.page(f"m/{ADA}/compose"))["settings"] == {"ahead": "[1]"}
    assert told(await mail.page(f"m/{BO}/compose"))["settings"] == {}
    for wrong in ("[]", "{", json.dumps({"a": 1}), json.dumps({"a": "x" * 33_000}), "[" * 20_000):
        assert (await mail.http.put(url, content=wrong)).status_code == 400
    assert told(await mail.page(f"m/{ADA}/compose"))["settings"] == {"ahead": "[1]"}


async def test_pages_may_frame_the_add_in_and_nothing_else() -> None:
    mail, _ = outlook()
    policy = (await mail.get(f"m/{ADA}/compose")).headers["content-security-policy"]
    assert "frame-src 'self' https://cdn.test https://meet.test;" in policy
    assert "script-src 'self';" in policy
    editor = (await mail.get("editor")).headers["content-security-policy"]
    assert editor.startswith("sandbox allow-same-origin; default-src 'none';")
    assert "script" not in editor


async def test_markup_is_sent_as_it_was_edited_with_the_mailbox_as_required_attendee() -> None:
    mail, link = outlook()
    html = '<html><body>\r\n<p class="x">Join &amp; see</p></body></html>'
    kept = json.dumps({"greenroom": {"ticket": "T"}})
    item = await mail.compose(attendees=f"bo; Virtual room <{VMR}>", html=html, remembered=kept)
    assert item.body == Body(html.replace("\r\n", "\n"), "HTML")
    assert {one.person.address: one.role for one in item.meeting.attendees} == {BO: "required", VMR: "required"}
    [request] = mail.items(BO, "inbox")
    assert request.body == item.body
    assert link.property_tag not in request.extended
    assert told(await mail.page(f"m/{ADA}/edit?item={item.id}"))["customProperties"] == {"greenroom": {"ticket": "T"}}


async def test_an_edited_meeting_keeps_its_markup_unless_it_was_edited() -> None:
    mail, _ = outlook()
    item = await mail.compose(html='<p style="color: red">Hello</p>', attendees=f"bo; {VMR}")
    page = await mail.page(f"m/{ADA}/edit?item={item.id}")
    form = form_of(page) | {"html": ""}
    assert form["attendees"] == f"{BO}; {VMR}"
    answer = await mail.post(f"m/{ADA}/edit?item={item.id}", form | {"remembered": '{"a": 1}'})
    assert "done=unchanged" in answer.headers["location"]
    assert told(await mail.page(f"m/{ADA}/edit?item={item.id}"))["customProperties"] == {"a": 1}
    await mail.post(f"m/{ADA}/edit?item={item.id}", form | {"html": "<p>Bye</p>"})
    changed = mail.items(ADA, "calendar")[0]
    assert isinstance(changed, CalendarItem)
    assert changed.body == Body("<p>Bye</p>", "HTML")
    assert len(changed.meeting.attendees) == 2


async def test_markup_survives_a_form_that_comes_back() -> None:
    mail, _ = outlook()
    answer = await mail.post(f"m/{ADA}/compose", meeting(subject="", html='<p id="a">"Hi"</p>', remembered='{"a": 1}'))
    assert answer.status_code == 422
    assert 'value="&lt;p id=&#34;a&#34;&gt;&#34;Hi&#34;&lt;/p&gt;" disabled data-edited' in answer.text
    assert 'name="remembered" value="{&#34;a&#34;: 1}"' in answer.text


@pytest.mark.parametrize("remembered", ["[]", "{", '{"a": "' + "x" * 2_500 + '"}'])
async def test_what_an_add_in_wants_remembered_is_bounded(remembered: str) -> None:
    mail, link = outlook()
    item = await mail.compose(remembered=remembered)
    assert link.property_tag not in item.extended


async def test_without_an_add_in_nothing_of_it_is_there() -> None:
    async with mail_client() as mail:
        page = await mail.page(f"m/{ADA}/compose")
        for word in ("data-addin", "ribbon", "compose.js", "editor", "remembered"):
            assert word not in page
        assert (await mail.post(f"m/{ADA}/addin/token")).status_code == 404
