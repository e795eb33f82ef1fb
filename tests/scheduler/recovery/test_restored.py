"""A database that came back from a backup catches up by the normal pass: nobody is mailed again, every alias stays."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from greenroom.meetings.meeting import MeetingKey
from greenroom.meetings.record import State
from greenroom.storage.backup import write_backup
from greenroom.storage.backup_file import open_backup
from greenroom.storage.restore import restore
from support.greenroom_at_work import AtWork, at_work
from support.observations import observation

HOUR = timedelta(hours=1)
BEFORE = ("stays", "moves", "is cancelled")
AFTER = ("comes", "comes too")


async def aliases(work: AtWork) -> dict[str, str]:
    """The aliases that can be dialled."""
    found = {}
    for uid in (*BEFORE, *AFTER):
        room = await work.room(MeetingKey.of_uid(uid))
        if room is not None and room.retired_at is None:
            found[uid] = room.spec.alias.name
    return found


async def test_what_came_after_the_backup_is_found_again_and_nobody_is_told(tmp_path: Path) -> None:
    async with at_work() as work:
        for uid in BEFORE:
            work.mailbox.invite(observation(uid))
        await work.settle_quickly()
        file = tmp_path / "backup.zip"
        await write_backup(work.storage, file, work.clock())

        for uid in AFTER:
            work.mailbox.invite(observation(uid))
        items = {one.key: one for one in work.mailbox.items.values()}
        moves, gone = items[MeetingKey.of_uid("moves")], items[MeetingKey.of_uid("is cancelled")]
        assert moves.span is not None
        later = replace(moves.span, start=moves.span.start + HOUR, end=moves.span.start + 2 * HOUR)
        work.mailbox.put(replace(moves, span=later, sent_at=work.clock()))
        work.mailbox.put(replace(gone, cancelled=True, sent_at=work.clock()))
        await work.settle_quickly()
        sent, before = len(work.mailbox.sent), await aliases(work)
        assert sorted(before) == ["comes", "comes too", "moves", "stays"]

        with open_backup(file) as backup:
            backup.check(lambda _table, _done, _all: None)
            await restore(work.storage, backup, work.clock(), replace=True)
        assert sorted(await aliases(work)) == sorted(BEFORE)
        await work.settle_quickly()

        assert await aliases(work) == before
        assert len(work.mailbox.sent) == sent
        cancelled = await work.record(MeetingKey.of_uid("is cancelled"))
        assert cancelled is not None
        assert cancelled.state is State.ENDED
