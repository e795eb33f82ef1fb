"""Small things every repository needs: upserts in both dialects, and questions about many values in bounded pieces."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from greenroom.storage.session import Session

T = TypeVar("T")

PIECE = 1000
"""So many values in one question: SQLite takes 32766 parameters in a statement, PostgreSQL 65535."""


def pieces(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Cut a sequence into pieces that fit into one statement."""
    for start in range(0, len(values), PIECE):
        yield values[start : start + PIECE]


def insert(session: Session, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """Begin an INSERT that can say ON CONFLICT; both dialects spell it alike."""
    return postgresql.insert(table) if session.dialect == "postgresql" else sqlite.insert(table)


def upsert(session: Session, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """Insert a row, or set every other column of the one that has its primary key."""
    statement = insert(session, table)
    rest = {c.name: statement.excluded[c.name] for c in table.columns if not c.primary_key}
    return statement.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=rest)
