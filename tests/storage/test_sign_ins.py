"""Service accounts that were signed in by hand: who may replace whom, and what opens a seal."""

from dataclasses import replace
from datetime import timedelta

import pytest

from greenroom.storage import Storage
from greenroom.storage.ring_seal import RingSealError, key_of, seal, unseal
from greenroom.storage.sign_ins import StoredSignIn
from support.records import HOUR, NOON

ONE, TWO = bytes(range(32)), bytes(range(1, 33))
FIRST = StoredSignIn(1, "exchange", "svc@example.org", "ring1.0.AAAA", NOON, NOON)


class TestSeals:
    def test_a_seal_opens_with_its_key_and_whatever_else_is_on_the_ring(self) -> None:
        sealed = seal(b"secret", 3, ONE, "sign-in 1 exchange")
        assert key_of(sealed) == 3
        assert unseal(sealed, {3: ONE}, "sign-in 1 exchange") == b"secret"
        assert unseal(sealed, {3: TWO, 4: ONE}, "sign-in 1 exchange") == b"secret"
        assert sealed != seal(b"secret", 3, ONE, "sign-in 1 exchange")

    @pytest.mark.parametrize("purpose", ["sign-in 2 exchange", "sign-in 1 organizers", ""])
    def test_a_seal_that_was_moved_opens_nowhere(self, purpose: str) -> None:
        sealed = seal(b"secret", 3, ONE, "sign-in 1 exchange")
        with pytest.raises(RingSealError):
            unseal(sealed, {3: ONE}, purpose)

    def test_a_seal_does_not_open_without_its_key_or_altered(self) -> None:
        sealed = seal(b"secret", 3, ONE, "p")
        middle = len(sealed) // 2
        altered = sealed[:middle] + ("A" if sealed[middle] != "A" else "B") + sealed[middle + 1 :]
        for text, ring in ((sealed, {3: TWO}), (sealed, {}), (altered, {3: ONE})):
            with pytest.raises(RingSealError) as caught:
                unseal(text, ring, "p")
            assert caught.value.key_id == 3

    def test_the_longest_token_opens_again(self) -> None:
        longest = b'"' * 128 * 1024
        assert unseal(seal(longest, 3, ONE, "p"), {3: ONE}, "p") == longest

    @pytest.mark.parametrize(
        "text", ["", "ring1", "ring1.3.", "ring1.3.A", "ring1.3.AAAA", "ring2.3.AAAA", "ring1.x.A", "é"]
    )
    def test_what_is_no_seal_is_told(self, text: str) -> None:
        with pytest.raises(RingSealError):
            unseal(text, {3: ONE}, "p")


async def test_a_sign_in_is_kept_by_side_and_replaced_by_the_next(storage: Storage) -> None:
    async with storage.work() as work:
        await work.sign_ins.put(FIRST)
        await work.sign_ins.put(replace(FIRST, side="organizers", account="x" * 300))
        await work.sign_ins.put(replace(FIRST, account="other@example.org"))
        assert (await work.sign_ins.get(1, "exchange")) == replace(FIRST, account="other@example.org")
        assert [(one.side, len(one.account)) for one in await work.sign_ins.all()] == [
            ("exchange", 17),
            ("organizers", 254),
        ]
        assert await work.sign_ins.forget(1, "exchange")
        assert not await work.sign_ins.forget(1, "exchange")
        assert await work.sign_ins.get(1, "exchange") is None


async def test_whoever_read_what_is_there_no_more_changes_nothing(storage: Storage) -> None:
    later = NOON + HOUR
    async with storage.work() as work:
        await work.sign_ins.put(FIRST)
        assert await work.sign_ins.refuse(FIRST, NOON + timedelta(minutes=1))
        assert await work.sign_ins.renew(FIRST, "ring1.0.BBBB", later)
        assert not await work.sign_ins.renew(FIRST, "ring1.0.CCCC", later + HOUR)
        assert not await work.sign_ins.refuse(FIRST, later + HOUR)
        assert await work.sign_ins.get(1, "exchange") == replace(FIRST, sealed="ring1.0.BBBB", renewed_at=later)


async def test_a_key_that_seals_a_sign_in_is_in_use(storage: Storage) -> None:
    async with storage.work() as work:
        await work.sign_ins.put(replace(FIRST, sealed=seal(b"x", 5, ONE, "p")))
        await work.sign_ins.put(replace(FIRST, integration=2, sealed=seal(b"x", 6, ONE, "p")))
        uses = await work.key_uses.of(1, NOON)
    assert {key_id: use.sign_ins for key_id, use in uses.items()} == {5: 1}


def test_nothing_shows_what_is_sealed() -> None:
    assert "AAAA" not in repr(FIRST)
