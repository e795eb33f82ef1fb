"""What a person is shown of the marks, and taking a mailbox over by order."""

from datetime import timedelta

import pytest

from greenroom.scheduler.watch_desk import MarkMovedError, look_at_marks, take_over
from greenroom.scheduler.watcher import watcher_of
from support.greenroom_at_work import AtWork, at_work
from support.watched import mark_of


def another(work: AtWork, ago: timedelta = timedelta()) -> str:
    text = mark_of("b", "1", work.clock() - ago, host="far-away").write()
    work.mailbox.folder_marks["Watcher"] = text
    return text


async def test_a_mailbox_of_nobody_is_shown_as_such() -> None:
    async with at_work() as work:
        marks = await look_at_marks(work.mailbox, None, work.clock())
        assert (marks.watcher, marks.contender, marks.odd) == (None, None, False)
        work.mailbox.folder_marks["Watcher"] = "nonsense"
        assert (await look_at_marks(work.mailbox, work.storage, work.clock())).odd


async def test_our_own_mark_is_known_by_our_database_alone() -> None:
    async with at_work() as work:
        await watcher_of(work.mailbox, 1, work.storage, work.clock).look()
        ours = await look_at_marks(work.mailbox, work.storage, work.clock())
        assert ours.watcher is not None
        assert (ours.watcher.ours, ours.is_disputed) == (True, False)
        without = await look_at_marks(work.mailbox, None, work.clock())
        assert (without.is_anothers, without.is_disputed) == (True, True)
        assert without.contender is None  # whoever watches leaves both marks


async def test_what_gave_no_sign_of_life_for_long_is_no_dispute() -> None:
    async with at_work() as work:
        another(work)
        assert (await look_at_marks(work.mailbox, work.storage, work.clock())).is_disputed
        another(work, timedelta(hours=1))
        seen = await look_at_marks(work.mailbox, work.storage, work.clock())
        assert (seen.is_anothers, seen.is_disputed) == (True, False)


async def test_what_was_taken_over_is_ours_at_once_and_the_other_one_stops() -> None:
    async with at_work() as work, at_work() as other:
        theirs = watcher_of(work.mailbox, 1, other.storage, other.clock)
        assert await theirs.look()
        await theirs.look()
        seen = await look_at_marks(work.mailbox, work.storage, work.clock())
        await take_over(work.mailbox, work.storage, 1, work.clock, seen)
        assert not await theirs.look()
        assert await watcher_of(work.mailbox, 1, work.storage, work.clock).look()


async def test_nothing_is_taken_from_one_that_moved_meanwhile() -> None:
    async with at_work() as work:
        another(work)
        seen = await look_at_marks(work.mailbox, work.storage, work.clock())
        text = mark_of("b", "2", work.clock()).write()
        work.mailbox.folder_marks["Watcher"] = text
        with pytest.raises(MarkMovedError):
            await take_over(work.mailbox, work.storage, 1, work.clock, seen)
        assert work.mailbox.folder_marks["Watcher"] == text
