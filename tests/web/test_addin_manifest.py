"""The manifest for download, and the versions it is given."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from greenroom.addin.manifest import Profile, check_manifest, manifest_name, parse_version
from greenroom.addin.texts import AddinTexts
from greenroom.settings import Settings
from greenroom.storage import Storage
from greenroom.web.addin_manifest import ManifestsUnavailableError, WrittenManifest, addin_manifest_router
from greenroom.web.addin_manifest_settings import NoAddinError, manifest_settings
from greenroom.web.addin_manifest_store import StoredManifests, VersionNotRisenError, versioned
from support.join_rooms import Clock
from support.manifests import described

GUID = "00000000-0000-0000-0000-00000000000"
WORDS = AddinTexts().everything()
ONLINE = "/addin/1/manifest/exchange-online.xml"


def configured(**addin: Any) -> Settings:
    entry = {
        "mailbox": "rooms@example.org",
        "ticket_keys": [{"id": 0, "key": bytes(32)}],
        "exchange": {
            "protocol": "ews",
            "url": "https://mail.example.org/EWS/Exchange.asmx",
            "username": "svc",
            "password": "planted-password",
        },
    }
    with_addin = entry | {"number": 1, "name": "main", "addin": {"exchange_tokens": TOKENS} | addin}
    without = entry | {"number": 2, "name": "plain", "mailbox": "other@example.org"}
    return Settings.model_validate(
        {"service": {"public_url": "https://meet.example.org"}, "integration": [with_addin, without]}
    )


TOKENS = {"metadata_urls": ["https://mail.example.org/autodiscover/metadata/json/1"]}


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[Storage]:
    storage = Storage.open(f"sqlite:///{tmp_path}/greenroom.db")
    await storage.migrate()
    yield storage
    await storage.close()


def visitor(writer: Any) -> httpx2.AsyncClient:
    app = FastAPI()
    app.include_router(addin_manifest_router(writer))
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="https://meet.example.org")


def stored(storage: Storage, **addin: Any) -> StoredManifests:
    return StoredManifests(configured(**addin), {1: WORDS}, storage, Clock())


async def test_it_is_downloaded_as_a_file(storage: Storage) -> None:
    answer = await visitor(stored(storage)).get(ONLINE)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/xml")
    assert answer.headers["content-disposition"] == 'attachment; filename="greenroom-main-exchange-online.xml"'
    assert answer.content.startswith(b"<?xml")
    assert check_manifest(answer.content) == []


async def test_who_has_it_gets_it_no_second_time(storage: Storage) -> None:
    client = visitor(stored(storage))
    tag = (await client.get(ONLINE)).headers["etag"]
    again = await client.get(ONLINE, headers={"If-None-Match": f'"x", W/{tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert (await client.get(ONLINE, headers={"If-None-Match": '"x"'})).status_code == 200
    assert (await client.request("HEAD", ONLINE)).headers["etag"] == tag


@pytest.mark.parametrize(
    "path",
    ["/addin/2/manifest/exchange-online.xml", "/addin/9/manifest/exchange-online.xml", "/addin/1/manifest/other.xml",
     "/addin/01/manifest/exchange-online.xml", "/addin/x/manifest/exchange-online.xml", "/addin/1/manifest/..xml"],
    ids=range(6),
)  # fmt: skip
async def test_there_are_no_others(path: str, storage: Storage) -> None:
    assert (await visitor(stored(storage)).get(path)).status_code == 404


async def test_while_the_database_does_not_answer_it_cannot_be_had() -> None:
    class Down:
        async def manifest(self, integration: int, profile: str) -> WrittenManifest | None:
            raise ManifestsUnavailableError("StorageBusyError")

    answer = await visitor(Down()).get(ONLINE)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")


async def test_a_database_that_cannot_be_opened_is_told_as_such(tmp_path: Path) -> None:
    broken = Storage.open(f"sqlite:///{tmp_path}/none/greenroom.db")
    with pytest.raises(ManifestsUnavailableError):
        await stored(broken).manifest(1, "exchange-online")
    await broken.close()


async def test_the_version_rises_when_and_only_when_something_changed(storage: Storage) -> None:
    now = datetime(2026, 11, 23, 13, tzinfo=UTC)
    first = await versioned(storage, described(), now)
    assert (first.risen, first.before) == (True, "")
    again = await versioned(storage, described(), now + timedelta(days=3))
    assert (again.version, again.content, again.risen) == (first.version, first.content, False)
    changed = await versioned(storage, described(mobile=False), now - timedelta(days=3))
    assert (changed.risen, changed.before) == (True, first.version)
    assert (parse_version(changed.version) or ()) > (parse_version(first.version) or ())
    assert manifest_name(changed.content) == replace(manifest_name(first.content), version=changed.version)  # type: ignore[type-var] # not None


async def test_each_profile_and_integration_has_its_own_version(storage: Storage) -> None:
    now = datetime(2026, 11, 23, 13, tzinfo=UTC)
    for known in (described(), described(Profile.EXCHANGE_ONPREM), described(integration=2)):
        assert (await versioned(storage, known, now)).risen
    for known in (described(), described(Profile.EXCHANGE_ONPREM), described(integration=2)):
        assert not (await versioned(storage, known, now + timedelta(days=1))).risen


async def test_two_processes_give_one_version(tmp_path: Path, storage: Storage) -> None:
    now = datetime(2026, 11, 23, 13, tzinfo=UTC)
    other = Storage.open(f"sqlite:///{tmp_path}/greenroom.db")
    made = await asyncio.gather(
        *(versioned(who, described(), now + timedelta(minutes=n)) for n, who in enumerate((storage, other) * 4))
    )
    await other.close()
    assert len({one.version for one in made}) == 1
    assert sum(one.risen for one in made) == 1


async def test_a_version_may_be_asked_for_that_is_higher(storage: Storage) -> None:
    now = datetime(2026, 11, 23, 13, tzinfo=UTC)
    assert (await versioned(storage, described(), now, wanted="2.0")).version == "2.0"
    for wanted in ("1.9", "2.0.0.0"):
        with pytest.raises(VersionNotRisenError, match=r"2\.0"):
            await versioned(storage, described(mobile=False), now, wanted=wanted)
    assert (await versioned(storage, described(mobile=False), now, wanted="1.9", force=True)).version == "1.9"


def test_what_is_set_is_what_the_manifest_is_written_from() -> None:
    settings = configured(
        provider="We",
        support_url="https://help.example.org/video",
        send_check="hold",
        permission="ReadWriteMailbox",
        app_domains=["login.example.net"],
        entra={"tenants": [f"{GUID}1"], "client_id": f"{GUID}2", "api_client_id": f"{GUID}3", "legacy_sso": True},
        oidc={
            "issuer": "http://fs.example.org/adfs/services/trust",
            "metadata_url": "https://FS.example.org/adfs/.well-known/openid-configuration",
            "client_id": "addin",
            "audience": "x",
        },
    )
    made = manifest_settings(settings, settings.integration[0], Profile.EXCHANGE_ONLINE, WORDS)
    assert (made.provider, made.support_url, made.permission) == (
        "We",
        "https://help.example.org/video",
        "ReadWriteMailbox",
    )
    assert made.send_mode == "SoftBlock"
    assert made.app_domains == (
        "https://login.microsoftonline.com",
        "https://fs.example.org",
        "https://login.example.net",
    )
    assert made.single_sign_on is not None
    assert (made.single_sign_on.client_id, made.single_sign_on.resource) == (f"{GUID}3", f"api://{GUID}3")


def test_the_id_is_the_configured_one_or_made_from_address_and_mailbox() -> None:
    plain, named = configured(), configured(id=f"{GUID}9")
    ids = [
        manifest_settings(one, one.integration[0], Profile.EXCHANGE_ONPREM, WORDS).id for one in (plain, plain, named)
    ]
    assert ids[0] == ids[1]
    assert ids[2] == f"{GUID}9"
    with pytest.raises(NoAddinError):
        manifest_settings(plain, plain.integration[1], Profile.EXCHANGE_ONPREM, WORDS)
