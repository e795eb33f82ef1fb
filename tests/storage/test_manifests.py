"""Manifests remembered: one latest for each integration and profile, whoever was faster."""

from dataclasses import replace
from datetime import UTC, datetime

from greenroom.storage import Storage
from greenroom.storage.manifests import StoredManifest

FIRST = StoredManifest(1, "exchange-online", "a" * 64, "1.2026.1123.5", datetime(2026, 11, 23, 13, tzinfo=UTC))
SECOND = replace(FIRST, digest="b" * 64, version="1.2026.1123.6")
THIRD = replace(FIRST, digest="c" * 64, version="1.2026.1123.7")


async def put(storage: Storage, manifest: StoredManifest, instead_of: StoredManifest | None) -> bool:
    async with storage.work() as work:
        return await work.manifests.put(manifest, instead_of)


async def known(storage: Storage, profile: str = FIRST.profile) -> StoredManifest | None:
    async with storage.reading() as work:
        return await work.manifests.get(1, profile)


async def test_one_is_remembered_until_the_next(storage: Storage) -> None:
    assert await known(storage) is None
    assert await put(storage, FIRST, None)
    assert await known(storage) == FIRST
    assert await put(storage, SECOND, FIRST)
    assert await known(storage) == SECOND


async def test_whoever_comes_second_changes_nothing(storage: Storage) -> None:
    assert await put(storage, FIRST, None)
    assert not await put(storage, SECOND, None)
    assert await put(storage, SECOND, FIRST)
    assert not await put(storage, THIRD, FIRST)
    assert await known(storage) == SECOND


async def test_each_profile_has_its_own(storage: Storage) -> None:
    other = replace(SECOND, profile="exchange-onprem")
    assert await put(storage, FIRST, None)
    assert await put(storage, other, None)
    assert await known(storage) == FIRST
    assert await known(storage, "exchange-onprem") == other
