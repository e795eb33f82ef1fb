from dataclasses import replace
from datetime import timedelta

from greenroom.storage import Storage
from support.records import NOON, line


async def test_recent_lines_are_those_of_one_step_and_one_integration_since_an_instant(storage: Storage) -> None:
    second = timedelta(seconds=1)
    lines = [
        replace(line(1, "replied", "accept_new_single"), at=NOON - second),
        replace(line(2, "replied", "accept_new_single"), at=NOON),
        replace(line(2, "room", "created"), at=NOON),
        replace(line(3, "replied", "waits", integration=2), at=NOON + second),
        replace(line(4, "replied", "postponed"), at=NOON + second),
    ]
    async with storage.work() as work:
        await work.journal.append(lines)
    async with storage.reading() as work:
        assert await work.journal.recent(1, "replied", NOON) == [lines[1], lines[4]]
        assert await work.journal.recent(3, "replied", NOON) == []
