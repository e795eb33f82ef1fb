"""Bringing the tables up to date: Alembic, run from within."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from greenroom.storage.errors import StorageNotPreparedError, StorageVersionError

_LOCK = 0x6772_6E72_6D01  # "grnrm" and a number of our own, so that no other program's lock is meant


async def to_head(connection: AsyncConnection) -> None:
    """Run the missing migrations in the connection's transaction, one process after the other."""
    await alone(connection)
    # SQLite needs no lock of its own here: the transaction began as a writer's.
    await connection.run_sync(_upgrade)


async def alone(connection: AsyncConnection) -> None:
    """Keep everybody else from migrating until the transaction ends. SQLite needs nothing for it."""
    if connection.dialect.name == "postgresql":
        await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


async def check_version(connection: AsyncConnection) -> None:
    """Raise StorageVersionError unless the tables are exactly of this code's version."""
    await connection.run_sync(_check)


def config(connection: Connection) -> Config:
    """Describe the packaged migrations to Alembic."""
    result = Config()
    result.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    result.attributes["connection"] = connection
    return result


def _upgrade(connection: Connection) -> None:
    settings = config(connection)
    script = ScriptDirectory.from_config(settings)
    _refuse_newer(connection, script)
    command.upgrade(settings, "head")


def _check(connection: Connection) -> None:
    script = ScriptDirectory.from_config(config(connection))
    _refuse_newer(connection, script)
    if set(_versions(connection)) != set(script.get_heads()):
        raise StorageNotPreparedError("the database was made by an older Greenroom and has not been migrated yet")


def _refuse_newer(connection: Connection, script: ScriptDirectory) -> None:
    known = {revision.revision for revision in script.walk_revisions()}
    unknown = sorted(set(_versions(connection)) - known)
    if unknown:
        raise StorageVersionError(
            f"the database was made by a newer Greenroom (version {', '.join(unknown)} of its tables): "
            "start that one, or restore a backup from before it"
        )


def _versions(connection: Connection) -> tuple[str, ...]:
    return MigrationContext.configure(connection).get_current_heads()
