import asyncio

from greenroom.storage import MailboxState, OrganizerRoute, Side, Storage
from support.records import HOUR, NOON

ROOM = "room@example.com"
ANN = "ann@example.com"


async def test_an_organizer_has_one_side_and_the_last_word_counts(storage: Storage) -> None:
    async with storage.work() as work:
        assert await work.routes.get(1, ANN) is None
        await work.routes.learn(1, ANN, Side.FIRST, NOON)
        await work.routes.learn(1, "Ann@Example.com", Side.SECOND, NOON + HOUR)
    async with storage.reading() as work:
        assert await work.routes.get(1, "ANN@example.com") == OrganizerRoute(ANN, Side.SECOND, NOON + HOUR)
        assert await work.routes.get(2, ANN) is None


async def test_what_was_learned_can_be_forgotten(storage: Storage) -> None:
    async with storage.work() as work:
        await work.routes.learn(1, ANN, Side.FIRST, NOON)
        await work.routes.learn(2, ANN, Side.SECOND, NOON)
        await work.routes.forget(1, ANN)
        await work.routes.forget(1, "nobody@example.com")
        assert await work.routes.get(1, ANN) is None
        assert await work.routes.get(2, ANN) == OrganizerRoute(ANN, Side.SECOND, NOON)


async def test_an_address_of_any_length_and_kind_is_remembered(storage: Storage) -> None:
    long = "x" * 20_000 + "@example.com"
    broken = "a\0b\ud800@example.com"
    async with storage.work() as work:
        for address in (long, broken, "ärger@müller.example", ""):
            await work.routes.learn(1, address, Side.SECOND, NOON)
    async with storage.reading() as work:
        for address in (long, broken, "Ärger@Müller.example", ""):
            route = await work.routes.get(1, address)
            assert route is not None
            assert route.side is Side.SECOND


async def test_many_may_learn_of_one_organizer_at_once(storage: Storage) -> None:
    async def learn(number: int) -> None:
        async with storage.work() as work:
            await work.routes.learn(1, ANN, Side.FIRST if number % 2 else Side.SECOND, NOON + number * HOUR)

    await asyncio.gather(*(learn(number) for number in range(8)))
    async with storage.reading() as work:
        assert await work.routes.get(1, ANN) is not None


async def test_the_line_the_credential_and_the_comparison_are_remembered_apart(storage: Storage) -> None:
    async with storage.work() as work:
        await work.mailboxes.note_line(ROOM, 37, NOON + HOUR)
        await work.mailboxes.note_credential(ROOM, NOON + 2 * HOUR)
        await work.mailboxes.note_reconciled(ROOM, NOON)
        await work.mailboxes.save_cursor(ROOM, "c1")
    async with storage.reading() as work:
        assert await work.mailboxes.get(ROOM) == MailboxState(
            ROOM,
            "c1",
            waiting_replies=37,
            replies_end_at=NOON + HOUR,
            credential_expires_at=NOON + 2 * HOUR,
            reconciled_at=NOON,
        )
    async with storage.work() as work:
        await work.mailboxes.note_line(ROOM, 0, None)
        await work.mailboxes.note_credential(ROOM, None)
        assert await work.mailboxes.get(ROOM) == MailboxState(ROOM, "c1", waiting_replies=0, reconciled_at=NOON)
