"""What the tables looked like at any version: which columns there were, and what a value of each may be.

Found by making that version's tables in memory, so that nothing needs to be told twice. Values travel as JSON has them: times are
written as in ISO 8601 with their zone, everything else as it is.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from alembic import command
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from greenroom.storage.migrate import config
from greenroom.storage.schema import Instant, Words

VERSION_TABLE: Final = "alembic_version"
_INT: Final = 2**31
_BIG: Final = 2**63
_HIGHEST_SERIAL: Final = 2**62
"""Of rows that count up by themselves: others must still fit behind the last one."""

Reader = Callable[[Any], Any]


class WrongValueError(ValueError):
    """A value is not what its column holds; the text says what is wrong, never the value."""


@lru_cache(maxsize=16)
def tables_at(version: str) -> Mapping[str, sa.Table]:
    """Return the tables of a version of ours, by name, those of the bookkeeping left out."""
    engine = sa.create_engine("sqlite://")
    try:
        with engine.begin() as connection:
            upgrade(connection, version)
            found = sa.MetaData()
            found.reflect(connection)
    finally:
        engine.dispose()
    metadata = sa.MetaData()
    return {
        name: sa.Table(name, metadata, *(_column(column, table) for column in table.columns))
        for name, table in sorted(found.tables.items())
        if name != VERSION_TABLE
    }


def versions() -> tuple[str, ...]:
    """Return all versions of the tables, oldest first."""
    with sa.create_engine("sqlite://").connect() as connection:
        walked = ScriptDirectory.from_config(config(connection)).walk_revisions()
        return tuple(reversed([one.revision for one in walked]))


def version_of(connection: Connection) -> str | None:
    """Return the version of a database's tables; None if there are none."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade(connection: Connection, version: str) -> None:
    """Bring the tables to this version, in the connection's transaction."""
    command.upgrade(config(connection), version)


def readers(table: sa.Table) -> dict[str, Reader]:
    """Return for every column what takes a value as JSON has it and gives it as the database takes it.

    They raise WrongValueError.
    """
    return {column.name: _reader(column) for column in table.columns}


def _column(column: sa.Column[Any], table: sa.Table) -> sa.Column[Any]:
    serial = column.name == "id" and [one.name for one in table.primary_key.columns] == ["id"]
    kind: Any = column.type
    if isinstance(kind, sa.DateTime):
        kind = Instant()
    elif serial:
        kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    elif isinstance(kind, sa.Text):
        kind = Words()
    info = {"serial": serial}
    return sa.Column(column.name, kind, primary_key=column.primary_key, nullable=column.nullable, info=info)


def _reader(column: sa.Column[Any]) -> Reader:
    read = _plain_reader(column)
    if column.nullable:
        return lambda value: None if value is None else read(value)
    return read


def _plain_reader(column: sa.Column[Any]) -> Reader:
    kind = column.type
    if isinstance(kind, Instant):
        return _instant
    if isinstance(kind, sa.Boolean):
        return _boolean
    if isinstance(kind, sa.Integer):
        if column.info["serial"]:
            return _whole(_HIGHEST_SERIAL)
        return _whole(_BIG if isinstance(kind, sa.BigInteger) else _INT)
    longest = getattr(kind, "length", None)
    return _text if longest is None else _short_text(longest, cut=not column.primary_key)


def _instant(value: Any) -> datetime:
    if not isinstance(value, str):
        raise WrongValueError("is not a time")
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise WrongValueError("is not a time") from None
    if found.tzinfo is None:
        raise WrongValueError("is a time without a zone")
    return found


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise WrongValueError("is neither true nor false")
    return value


def _whole(limit: int) -> Reader:
    def read(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not -limit <= value < limit:
            raise WrongValueError("is not a whole number that fits")
        return value

    return read


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise WrongValueError("is not text")
    if any("\ud800" <= c <= "\udfff" for c in value if not c.isascii()):
        raise WrongValueError("is not text that any database takes")
    return value.replace("\0", "\ufffd")


def _short_text(longest: int, *, cut: bool) -> Reader:
    def read(value: Any) -> str:
        text = _text(value)
        if len(text) > longest and not cut:
            raise WrongValueError("is too long")
        return text[:longest]  # SQLite keeps what is longer, PostgreSQL refuses it

    return read
