"""What is kept of a service account's sign-in: in the database, sealed with the ticket keys, for several processes at once."""

import base64
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from exchange.graph.papers import NOW
from exchange.scripted import Clock
from greenroom.exchange.errors import MisconfiguredError
from greenroom.exchange.tokens import Grant
from greenroom.settings import Integration, load_settings
from greenroom.sign_ins import LOST, StoredKeeper, keep_grant
from greenroom.storage import Storage
from support.empty import storage_in_memory

KEYS = [base64.b64encode(bytes(range(n, n + 32))).decode() for n in range(3)]
GRANT = Grant("svc@example.org", "access", "refresh-planted", 3600)


def configured(folder: Path, *key_ids: int, tenant: str = "t", number: int = 1) -> Integration:
    ring = ", ".join(f'{{ id = {one}, key = "{KEYS[one]}" }}' for one in key_ids)
    file = folder / "greenroom.toml"
    file.write_text(f"""\
[service]
public_url = "https://meet.example.org"
[[integration]]
number = {number}
name = "main"
mailbox = "rooms@example.org"
ticket_keys = [{ring}]
[integration.exchange]
url = "https://mail.example.org/EWS/Exchange.asmx"
auth = "oauth"
[integration.exchange.oauth]
account = "service-account"
tenant = "{tenant}"
client_id = "c"
""")
    return load_settings(file, {}).integration[0]


@pytest.fixture
async def storage() -> AsyncIterator[Storage]:
    found = await storage_in_memory()
    yield found
    await found.close()


class House:
    def __init__(self, folder: Path, storage: Storage) -> None:
        self.folder = folder
        self.storage = storage
        self.clock = Clock(NOW)

    async def sign_in(self, *key_ids: int) -> StoredKeeper:
        await keep_grant(self.storage, configured(self.folder, *key_ids), "exchange", GRANT, NOW)
        return self.keeper(*key_ids)

    def keeper(self, *key_ids: int, tenant: str = "t", number: int = 1) -> StoredKeeper:
        entry = configured(self.folder, *key_ids, tenant=tenant, number=number)
        return StoredKeeper(entry, "exchange", self.storage, self.clock)

    async def sealed_with(self) -> dict[int, int]:
        async with self.storage.reading() as work:
            return {key_id: use.sign_ins for key_id, use in (await work.key_uses.of(1, NOW)).items()}


@pytest.fixture
def house(tmp_path: Path, storage: Storage) -> House:
    return House(tmp_path, storage)


async def code_of(keeper: StoredKeeper) -> str:
    with pytest.raises(MisconfiguredError) as caught:
        await keeper.read()
    assert "greenroom signin --integration main --side exchange" in caught.value.hint
    assert "planted" not in str(caught.value)
    return caught.value.code


async def test_what_is_kept_is_read_and_renewed(house: House) -> None:
    keeper = await house.sign_in(0)
    kept = await keeper.read()
    assert (kept.account, kept.refresh_token) == ("svc@example.org", "refresh-planted")
    house.clock.advance(hours=1)
    await keeper.renewed(kept, "next")
    after = await keeper.read()
    assert (after.refresh_token, after.sign_in == kept.sign_in, after.mark == kept.mark) == ("next", True, False)


async def test_the_database_alone_tells_nothing(house: House) -> None:
    await house.sign_in(0)
    async with house.storage.reading() as work:
        stored = await work.sign_ins.get(1, "exchange")
    assert stored is not None
    assert "planted" not in stored.sealed
    assert base64.b64encode(b"refresh-planted").decode()[:-4] not in stored.sealed


async def test_of_two_processes_the_later_news_stays(house: House) -> None:
    one, two = await house.sign_in(0), house.keeper(0)
    both = await one.read()
    assert (await two.read()).mark == both.mark
    await one.renewed(both, "of one")
    await two.renewed(both, "of two")
    await two.refused(both, "AADSTS50173")
    kept = await two.read()
    assert (kept.refresh_token, kept.refused_at) == ("of one", None)


async def test_a_refusal_is_known_to_all_and_an_alarm_until_it_works_again(house: House) -> None:
    keeper = await house.sign_in(0)
    await keeper.refused(await keeper.read(), "AADSTS50173")
    kept = await house.keeper(0).read()
    assert kept.refused_at == NOW
    async with house.storage.reading() as work:
        [alarm] = await work.alarms.since(NOW - timedelta(hours=1))
    assert (alarm.code, alarm.subject) == (LOST, "svc@example.org (AADSTS50173)")
    await keeper.renewed(kept, kept.refresh_token)
    assert (await keeper.read()).refused_at is None


async def test_another_key_takes_the_seal_over_by_itself(house: House) -> None:
    await house.sign_in(0)
    assert await house.sealed_with() == {0: 1}
    assert (await house.keeper(1, 0).read()).refresh_token == "refresh-planted"
    assert await house.sealed_with() == {1: 1}
    assert await code_of(house.keeper(0)) == "sign-in-sealed"
    assert (await house.keeper(2, 1).read()).account == "svc@example.org"


async def test_what_cannot_be_used_is_told_with_what_to_do(house: House) -> None:
    assert await code_of(house.keeper(0)) == "not-signed-in"
    await house.sign_in(0)
    assert await code_of(house.keeper(2)) == "sign-in-sealed"
    assert await code_of(house.keeper(0, tenant="other")) == "other-application"
    assert await code_of(house.keeper(0, number=2)) == "not-signed-in"


async def test_without_a_database_nobody_is_signed_in(house: House, tmp_path: Path) -> None:
    entry = configured(tmp_path, 0)
    for storage in (None, Storage.open(f"sqlite:///{tmp_path}/none.db"), Storage.open("sqlite://")):
        assert await code_of(StoredKeeper(entry, "exchange", storage, house.clock)) == "not-signed-in"
    assert not (tmp_path / "none.db").exists()


class Vanishing:
    """A database whose file is gone after it was looked for so many times."""

    def __init__(self, storage: Storage, times: int) -> None:
        self._storage = storage
        self._times = times
        self.reading, self.work = storage.reading, storage.work

    @property
    def exists(self) -> bool:
        self._times -= 1
        return self._times >= 0


async def test_a_database_that_is_lost_in_between_is_told_as_one_that_is_not_there(house: House) -> None:
    kept = await (await house.sign_in(0)).read()
    entry = configured(house.folder, 1, 0)
    for times in (0, 1):
        for act in ("read", "renewed", "refused"):
            lost: Any = Vanishing(house.storage, times)
            keeper = StoredKeeper(entry, "exchange", lost, house.clock)
            with pytest.raises(MisconfiguredError) as caught:
                await (keeper.read() if act == "read" else getattr(keeper, act)(kept, "next"))
            assert caught.value.code == "not-signed-in"
