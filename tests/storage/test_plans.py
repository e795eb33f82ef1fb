"""What every pass asks must not cost more with every meeting that ever was: SQLite's plans, without statistics."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from greenroom.storage import Storage, Work
from support.records import NOON, meeting_key

KEYS = [meeting_key(1), meeting_key(2)]
MARKS = [key.digest for key in KEYS]
QUESTIONS: dict[str, tuple[Callable[[Work], Awaitable[object]], str]] = {
    "due": (lambda work: work.meetings.due(1, NOON, 9), "ix_meetings_integration_re"),
    "over": (lambda work: work.meetings.over(1, NOON, 9), "ix_meetings_state"),
    "kin": (lambda work: work.meetings.kin(1, KEYS), "ix_meetings_series_mark"),
    "sharers": (lambda work: work.meetings.of_rooms(1, MARKS), "ix_meetings_room_mark"),
    "housed": (lambda work: work.housing.of(1, MARKS), "ix_meetings_room_mark"),
    "rooms beside": (lambda work: work.housing.of(1, MARKS), "sqlite_autoindex_rooms_1"),
    "kept rooms": (lambda work: work.housing.rooms(1, MARKS), "sqlite_autoindex_rooms_1"),
    "reviews": (lambda work: work.journal.latest(1, KEYS, "review"), "ix_journal_integration_mark"),
    "changed rooms": (lambda work: work.fed_rooms.changes(7, 9), "ix_rooms_version"),
    "last change": (lambda work: work.fed_rooms.head(), "counters"),
    "page of rooms": (lambda work: work.fed_rooms.page(1, NOON, "0", 9), "integration=? AND mark>?"),
    "dialled alias": (lambda work: work.fed_rooms.by_aliases(["a", "b"]), "ix_rooms_alias (alias=?)"),
    "dialled number": (lambda work: work.fed_rooms.by_aliases(["a", "b"]), "ix_rooms_alias_numeric (alias_numeric=?)"),
    "due rooms": (lambda work: work.rooms.due(1, NOON, 9, unmade=True), "ix_rooms_integration_due_at"),
    "next due room": (lambda work: work.rooms.next_due(1), "ix_rooms_integration_due_at"),
}


@pytest.mark.parametrize("question", list(QUESTIONS))
async def test_a_question_of_every_pass_is_answered_by_its_index(tmp_path: Path, question: str) -> None:
    ask, index = QUESTIONS[question]
    storage = Storage.open(f"sqlite:///{tmp_path}/greenroom.db")
    await storage.migrate()
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_rest: object) -> None:
        asked.append((statement, parameters))

    sa.event.listen(storage._engine.sync_engine, "before_cursor_execute", note)
    async with storage.reading() as work:
        await ask(work)
    sa.event.remove(storage._engine.sync_engine, "before_cursor_execute", note)
    plan = []
    async with storage._engine.connect() as connection:
        for statement, parameters in [one for one in asked if one[0].startswith("SELECT")]:
            rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plan += [row.detail for row in rows]
    await storage.close()
    assert not [step for step in plan if step.startswith("SCAN")]
    assert any(index in step for step in plan), plan
