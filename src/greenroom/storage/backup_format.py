"""The file that a backup is: a zip, the same for SQLite and PostgreSQL.

```
manifest.json          what this is, of which version, and for every table its columns, rows and SHA-256
tables/<name>.jsonl    one row a line: a JSON list of values in the order of the columns; times in ISO 8601 with their zone
keys.json              only on request: the ticket keys, encrypted (see `greenroom.storage.sealed`)
```

The sums tell a damaged file from a whole one. They are no signature: who may write the file may write everything in it.
"""

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

FORMAT: Final = "greenroom-backup"
VERSION: Final = 1
MANIFEST: Final = "manifest.json"
KEYS: Final = "keys.json"
LONGEST_LINE: Final = 16 * 1024 * 1024
LONGEST_TEXT: Final = 1024 * 1024
"""Bytes of the manifest, of the sealed keys, and of the zip's own list of what is in it."""
UNPACKED_AT_MOST: Final = 200
"""So many times its size a file may become when it is unpacked; ours become about ten times as large."""
UNPACKED_ANYWAY: Final = 64 * 1024 * 1024

_Name = Annotated[str, Field(pattern=r"^[a-z_]{1,64}$")]


class BackupError(Exception):
    """A backup cannot be used. The text says what is wrong and where, never what was in it."""

    code = "backup-damaged"


class NewerBackupError(BackupError):
    """It was made by a newer Greenroom."""

    code = "backup-newer"


class TableEntry(BaseModel):
    """One table of a backup. `rows` counts its lines, `sha256` is of its file as it is unpacked."""

    model_config = ConfigDict(frozen=True, strict=True)

    name: _Name
    columns: Annotated[tuple[_Name, ...], Field(strict=False, min_length=1, max_length=500)]
    rows: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

    @property
    def member(self) -> str:
        """Its file within the zip."""
        return member_of(self.name)


class Manifest(BaseModel):
    """What a backup says of itself.

    `tables_version` is that of the database it was made from, `installation` that database's id, if it had one.
    """

    model_config = ConfigDict(frozen=True, strict=True)

    format: Literal["greenroom-backup"] = FORMAT
    version: Literal[1] = VERSION
    greenroom: Annotated[str, Field(max_length=64)]
    tables_version: Annotated[str, Field(max_length=64)]
    made_at: Annotated[AwareDatetime, Field(strict=False)]
    database: Literal["sqlite", "postgresql"]
    installation: Annotated[str, Field(max_length=255)] | None = None
    keys: bool = False
    tables: Annotated[tuple[TableEntry, ...], Field(strict=False, max_length=100)]

    @property
    def rows(self) -> int:
        """How many rows there are in all tables."""
        return sum(table.rows for table in self.tables)


def member_of(table: str) -> str:
    """Name a table's file within the zip."""
    return f"tables/{table}.jsonl"


def zip_time(at: datetime) -> tuple[int, int, int, int, int, int]:
    """Write a time as zips have it, which begin in 1980."""
    return (max(at.year, 1980), at.month, at.day, at.hour, at.minute, at.second)
