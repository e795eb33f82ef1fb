"""The add-in's pages as HTTP: what they may load, who may frame them, what is kept how long."""

import json
import re
from pathlib import Path

import httpx2
import pytest

from greenroom.addin.assets import Assets
from greenroom.web.addin_config import AddinPages
from greenroom.web.addin_headers import OUTLOOK_HOSTS, origin_of, page_policy
from support.addin_pages import BASE, PLAIN, RICH, changed, pages_app

PAGES = ("taskpane", "commands", "launchevent", "sign-in")
ASSETS = Assets()


def client(**addins: AddinPages) -> httpx2.AsyncClient:
    app = pages_app({1: PLAIN, 7: RICH} | {int(name[1:]): addin for name, addin in addins.items()}, ASSETS)
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="https://meet.example.org")


def directives(policy: str) -> dict[str, list[str]]:
    return {name: rest for name, *rest in (part.split() for part in policy.split(";"))}


@pytest.mark.parametrize("path", [f"/addin/7/{page}.html" for page in PAGES] + ["/addin/signed-in.html?state=7.x"])
async def test_a_page_may_be_framed_by_outlook_and_loads_nothing_but_its_own_and_office_js(path: str) -> None:
    async with client() as web:
        answer = await web.get(path)
    policy = directives(answer.headers["content-security-policy"])
    assert answer.status_code == 200
    assert policy == {
        "default-src": ["'none'"],
        "script-src": ["'self'", "https://appsforoffice.microsoft.com", "https://ajax.aspnetcdn.com"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "connect-src": ["'self'"],
        "worker-src": ["'self'"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": ["'self'", *OUTLOOK_HOSTS, "https://mail.example.org"],
    }
    assert "x-frame-options" not in answer.headers
    assert "cross-origin-opener-policy" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


async def test_the_root_may_be_framed_by_whoever_may_frame_the_pages_and_runs_nothing() -> None:
    async with client() as web:
        answer = await web.get("/")
        page = await web.get("/addin/7/taskpane.html")
    policy = directives(answer.headers["content-security-policy"])
    assert policy["frame-ancestors"] == directives(page.headers["content-security-policy"])["frame-ancestors"]
    assert "script-src" not in policy
    assert "x-frame-options" not in answer.headers
    assert "<script" not in answer.text


async def test_other_addresses_of_office_js_are_the_ones_allowed() -> None:
    mirror = changed(office_js_url="https://cdn.example.org:8443/o/office.js", ajax_url="http://127.0.0.1:81/ajax.js")
    async with client(n9=mirror) as web:
        answer = await web.get("/addin/9/taskpane.html")
    scripts = directives(answer.headers["content-security-policy"])["script-src"]
    assert scripts == ["'self'", "https://cdn.example.org:8443", "http://127.0.0.1:81"]
    loaded = re.findall(r'<script[^>]* src="([^"]+)"', answer.text)
    assert loaded[:2] == ["http://127.0.0.1:81/ajax.js", "https://cdn.example.org:8443/o/office.js"]


@pytest.mark.parametrize(
    "address", ["https://a;b.example/x", "https://a b/", "ftp://a/", "https:///x", "https://'self'/"]
)
def test_an_address_that_would_break_out_of_the_policy_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="origin"):
        page_policy(address, None, ())
    with pytest.raises(ValueError, match="origin"):
        origin_of(address)


@pytest.mark.parametrize("page", PAGES)
async def test_a_page_has_no_script_and_no_style_of_its_own(page: str) -> None:
    async with client() as web:
        text = (await web.get(f"/addin/7/{page}.html")).text
    assert all(' src="' in tag for tag in re.findall(r"<script[^>]*>", text))
    assert "<style" not in text
    assert " style=" not in text
    assert not re.search(r"<[^>]+ on[a-z]+=", text)


async def test_all_that_a_page_names_is_there_and_is_kept_for_good() -> None:
    async with client() as web:
        found = set()
        for path in [*(f"/addin/7/{page}.html" for page in PAGES), "/addin/signed-in.html", "/"]:
            found |= set(re.findall(r'(?:src|href)="(/addin/[^"]+)"', (await web.get(path)).text))
        assert len(found) >= 7
        for name in found:
            answer = await web.get(name)
            assert answer.status_code == 200, name
            if name.startswith("/addin/static/"):
                assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_what_outlook_appends_to_an_address_changes_nothing() -> None:
    async with client() as web:
        plain = await web.get("/addin/1/taskpane.html")
        odd = await web.get("/addin/1/taskpane.html?_host_Info=Outlook$Web$16.01$en-US$$$$0&et=")
    assert odd.status_code == 200
    assert odd.text == plain.text


@pytest.mark.parametrize(
    "path", ["/addin/1/taskpane.html", "/addin/1/config.json", "/addin/1/sw.js", "/addin/1/launchevent.js", "/"]
)
async def test_a_page_is_asked_for_anew_and_sent_only_when_it_changed(path: str) -> None:
    async with client() as web:
        first = await web.get(path)
        again = await web.get(path, headers={"If-None-Match": f'"other", W/{first.headers["etag"]}'})
        other = await web.get(path, headers={"If-None-Match": '"other"'})
        head = await web.head(path)
    assert first.headers["cache-control"] == "no-cache"
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers.get("content-security-policy") == first.headers.get("content-security-policy")
    assert other.status_code == head.status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/addin/2/taskpane.html",
        "/addin/01/taskpane.html",
        "/addin/1/base.html",
        "/addin/1/outside.html",
        "/addin/1/..%2fbase.html",
        f"/addin/{'9' * 5000}/taskpane.html",
        "/addin/x/config.json",
        "/addin/2/sw.js",
        "/addin/icons/nothing.png",
        "/addin/static/x/../texts.py",
        "/addin/static/x/js/../../../texts/en.json",
        "/addin/static/x/js/nothing.js",
    ],
    ids=lambda path: path[:40],
)
async def test_what_is_not_there_is_not_found(path: str) -> None:
    async with client() as web:
        assert (await web.get(path)).status_code == 404


async def test_a_file_of_another_version_is_answered_with_ours_and_not_kept() -> None:
    async with client() as web:
        answer = await web.get("/addin/static/0123456789abcdef/addin.css")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"


async def test_the_configuration_tells_all_and_no_secret() -> None:
    async with client() as web:
        told = (await web.get("/addin/7/config.json?lang=de-AT")).json()
        plain = (await web.get("/addin/1/config.json")).json()
    assert told["mailbox"] == {"address": "greenroom@example.org", "name": "Greenroom"}
    assert [way["kind"] for way in told["sign_in"]] == ["naa", "sso", "exchange", "oidc"]
    assert told["sign_in"][3]["page"] == "/addin/7/sign-in.html"
    assert told["oidc"] == {
        "authorize_url": "https://fs.example.org/adfs/oauth2/authorize",
        "client_id": "greenroom-addin",
        "scopes": ["openid", "profile"],
        "resource": "https://r",
        "redirect_uri": f"{BASE}/addin/signed-in.html",
    }
    assert list(told["texts"]) == ["de"]
    assert told["texts"]["de"]["pane.title"] == "Videoraum"
    assert told["version"] == ASSETS.version
    assert told["api"] == "/addin/api/v1"
    assert [way["kind"] for way in plain["sign_in"]] == ["exchange"]
    assert list(plain["texts"]) == ["en"]
    assert "oidc" not in plain
    assert plain["msal"] is None


async def test_microsofts_library_is_named_only_where_it_is_packed_in() -> None:
    async with client() as web:
        told = (await web.get("/addin/7/config.json")).json()
        there = ASSETS.get("vendor/msal-browser.min.js")
        assert told["msal"] == (ASSETS.address("vendor/msal-browser.min.js") if there else None)
        if there:
            assert (await web.get(told["msal"])).headers["content-type"] == "text/javascript; charset=utf-8"


async def test_the_check_before_sending_brings_what_it_must_know_in_its_first_line() -> None:
    async with client() as web:
        answer = await web.get("/addin/7/launchevent.js")
    first, _, rest = answer.text.partition("\n")
    known = json.loads(first.removeprefix("var GREENROOM = ").removesuffix(";"))
    assert known["prefix"] == "GRM"
    assert set(known["texts"]) == {"en", "de", "fr", "sv", "no"}
    assert set(known["texts"]["sv"]) == {"send.mailboxMissing"}
    assert first.isascii()
    assert rest.encode() == ASSETS.get("js/launchevent.js").content  # type: ignore[union-attr]  # it is there


async def test_the_service_worker_knows_the_files_of_its_version() -> None:
    async with client() as web:
        first = (await web.get("/addin/7/sw.js")).text.partition("\n")[0]
        known = json.loads(first.removeprefix("var GREENROOM_WORKER = ").removesuffix(";"))
        assert known["integration"] == "7"
        assert "/addin/7/taskpane.html" in known["shell"]
        assert ASSETS.address("js/pane.js") in known["shell"]
        assert not [name for name in known["shell"] if "/api/" in name or "vendor" in name]
        assert {(await web.get(name)).status_code for name in known["shell"]} == {200}


async def test_outlook_is_told_which_scripts_may_sign_in_silently() -> None:
    async with client() as web:
        answer = await web.get("/.well-known/microsoft-officeaddins-allowed.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"allowed": [f"{BASE}/addin/1/launchevent.js", f"{BASE}/addin/7/launchevent.js"]}


async def test_pictures_are_kept_for_a_day_and_shown_by_outlook(tmp_path: Path) -> None:
    folder = tmp_path / "icons"
    folder.mkdir()
    (folder / "icon-32.png").write_bytes(b"\x89PNG")
    app = pages_app({1: PLAIN}, Assets(tmp_path))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="https://m.example") as web:
        answer = await web.get("/addin/icons/icon-32.png?x=1")
    assert answer.headers["cache-control"] == "public, max-age=86400"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["content-type"] == "image/png"


async def test_pages_come_in_the_readers_language() -> None:
    async with client() as web:
        german = await web.get("/", headers={"Accept-Language": "x, gsw, de-CH;q=0.9, en;q=0.1"})
        other = await web.get("/", headers={"Accept-Language": "zh-Hans"})
    assert '<html lang="de">' in german.text
    assert "Videoraum hinzufügen" in german.text
    assert german.headers["vary"] == "Accept-Language"
    assert '<html lang="en">' in other.text


async def test_an_integration_number_in_the_state_chooses_the_scripts_of_the_last_sign_in_page() -> None:
    mirror = changed(office_js_url="https://cdn.example.org/office.js")
    async with client(n9=mirror) as web:
        nine = await web.get("/addin/signed-in.html?code=secret&state=9.abc")
        none = await web.get("/addin/signed-in.html?state=8.abc")
    assert "https://cdn.example.org/office.js" in nine.text
    assert "secret" not in nine.text
    assert "https://appsforoffice.microsoft.com" in none.text


def test_the_version_changes_with_any_file(tmp_path: Path) -> None:
    file = tmp_path / "a.js"
    versions = set()
    for content in ("1", "2"):
        file.write_text(content)
        versions.add(Assets(tmp_path).version)
    (tmp_path / "b.js~").write_text("x")
    assert Assets(tmp_path).version in versions
    assert len(versions) == 2
