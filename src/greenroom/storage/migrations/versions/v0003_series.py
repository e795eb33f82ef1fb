"""Meetings keep their series and share rooms; rooms let people in around every occurrence instead of in one window."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_instant = sa.DateTime(timezone=True)
_AT_ONCE = 1000
_LONGEST_AFTER = timedelta(hours=3)
_USUAL_AFTER = timedelta(hours=1)
_empty = sa.text("''")


def upgrade() -> None:
    """Add what series need, empty ("not known") for every meeting there is, and turn windows into admissions."""
    _meetings()
    op.add_column("rooms", sa.Column("admission", sa.Text, nullable=False, server_default=_empty))
    _fill_rooms()
    for name in ("opens", "starts", "ends", "closes"):
        op.drop_column("rooms", name)


def _meetings() -> None:
    for name in ("series", "handled"):
        op.add_column("meetings", sa.Column(name, sa.Text, nullable=True))
    for name in ("held_from", "held_until", "review_at"):
        op.add_column("meetings", sa.Column(name, _instant, nullable=True))
    op.add_column("meetings", sa.Column("room_mark", sa.String(32), nullable=True))
    op.add_column("meetings", sa.Column("series_mark", sa.String(32), nullable=False, server_default=_empty))
    # No key named a single occurrence yet: every one is the key of the whole.
    op.execute("UPDATE meetings SET series_mark = mark")
    for name in ("series_mark", "room_mark"):
        op.create_index(f"ix_meetings_{name}", "meetings", [name, "integration"])
    known = sa.text("review_at IS NOT NULL")
    op.create_index(
        "ix_meetings_integration_review_at",
        "meetings",
        ["integration", "review_at"],
        sqlite_where=known,
        postgresql_where=known,
    )


def _fill_rooms() -> None:
    connection = op.get_bind()
    rooms = sa.table(
        "rooms",
        *(sa.column(name) for name in ("integration", "mark", "admission")),
        *(sa.column(name, _instant) for name in ("opens", "starts", "ends", "closes")),
    )
    place = sa.tuple_(rooms.c.integration, rooms.c.mark)
    after: tuple[int, str] | None = None
    while True:
        question = sa.select(rooms).order_by(rooms.c.integration, rooms.c.mark).limit(_AT_ONCE)
        rows = connection.execute(question if after is None else question.where(place > sa.tuple_(*after))).all()
        if not rows:
            return
        mine = (rooms.c.integration == sa.bindparam("one")) & (rooms.c.mark == sa.bindparam("other"))
        told = [{"one": row.integration, "other": row.mark, "text": _admission(row)} for row in rows]
        connection.execute(sa.update(rooms).where(mine).values(admission=sa.bindparam("text")), told)
        after = rows[-1].integration, rows[-1].mark


def _admission(row: "sa.Row[Any]") -> str:
    """Say the same window in the new form, as it was at this version; that it was one series' is told by the next pass."""
    opens, starts, ends, closes = (_utc(at) for at in (row.opens, row.starts, row.ends, row.closes))
    before, after = max(starts - opens, timedelta()), _USUAL_AFTER
    if closes is not None and timedelta() <= closes - ends <= _LONGEST_AFTER:
        after = closes - ends
    end = None if closes is None else max(closes - after, starts)
    times = [{"start": starts.isoformat(), "end": None if end is None else end.isoformat()}]
    said = {"before": before.total_seconds(), "after": after.total_seconds(), "times": times}
    return json.dumps(said, separators=(",", ":"), sort_keys=True)


def _utc(at: datetime | None) -> Any:
    if at is None:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)  # SQLite kept it without its zone
