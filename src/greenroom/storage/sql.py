"""Small things every repository needs: upserts in both dialects, and questions about many values in bounded pieces."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
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
    return _insert(session.dialect, table)


def upsert(
    session: Session, table: sa.Table, key: Sequence[str] = (), values: Sequence[str] = ()
) -> sqlite.Insert | postgresql.Insert:
    """Insert a row, or set every other column of the one that has its primary key; `key` and `values` name others than all."""
    key = tuple(key) or tuple(column.name for column in table.primary_key.columns)
    return _upsert(session.dialect, table, key, tuple(values) or tuple(table.columns.keys()))


def _insert(dialect: str, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


@lru_cache(maxsize=64)
def _upsert(
    dialect: str, table: sa.Table, key: tuple[str, ...], values: tuple[str, ...]
) -> sqlite.Insert | postgresql.Insert:
    """Write such a statement once: SQLAlchemy copies a table's columns for it, which takes longer than carrying it out."""
    statement = _insert(dialect, table)
    rest = {name: statement.excluded[name] for name in values if name not in key}
    return statement.on_conflict_do_update(index_elements=list(key), set_=rest)
