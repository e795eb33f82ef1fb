"""Reading a backup, which anybody may have made: nothing is believed, everything is bounded, nothing is unpacked to the disk."""

import hashlib
import json
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from struct import error as StructError  # noqa: N812 - it is a class
from typing import IO, Any, Final

from pydantic import ValidationError

from greenroom.storage import shapes
from greenroom.storage.backup_format import (
    FORMAT,
    KEYS,
    LONGEST_LINE,
    LONGEST_TEXT,
    MANIFEST,
    UNPACKED_ANYWAY,
    UNPACKED_AT_MOST,
    VERSION,
    BackupError,
    Manifest,
    NewerBackupError,
    TableEntry,
)

_PIECE: Final = 64 * 1024
_TOLD_EVERY: Final = 1000
_BROKEN: Final = (
    *(zipfile.BadZipFile, zlib.error, EOFError, StructError),
    *(NotImplementedError, RuntimeError, UnicodeDecodeError, ValueError, OverflowError, KeyError),
)
"""What the zip module raises for files that are none, or that were made to harm."""


@dataclass(frozen=True, slots=True)
class BackupFile:
    """An open backup whose manifest was read and whose parts are there; see `open_backup`."""

    manifest: Manifest
    _archive: zipfile.ZipFile

    def check(self, progress: Callable[[str, int, int], None]) -> None:
        """Read everything once and raise BackupError for the first thing that is wrong."""
        done = 0
        for entry in self.manifest.tables:
            progress(entry.name, done, self.manifest.rows)
            for count, _row in enumerate(self.rows(entry), start=1):
                if count % _TOLD_EVERY == 0:
                    progress(entry.name, done + count, self.manifest.rows)
            done += entry.rows
        progress("", done, self.manifest.rows)

    def rows(self, entry: TableEntry) -> Iterator[dict[str, Any]]:
        """Yield a table's rows as the database takes them. Raises BackupError, at the end also for a sum that does not fit."""
        columns = shapes.readers(shapes.tables_at(self.manifest.tables_version)[entry.name])
        read = [(name, columns[name]) for name in entry.columns]
        digest, number = hashlib.sha256(), 0
        for number, line in enumerate(self._lines(entry), start=1):
            digest.update(line)
            yield _row(line, read, f"{entry.member} line {number}")
        if number != entry.rows:
            raise BackupError(f"{entry.member} has {number} rows, and {MANIFEST} says {entry.rows}")
        if digest.hexdigest() != entry.sha256:
            raise BackupError(f"{entry.member} is damaged: its SHA-256 is not that of {MANIFEST}")

    def sealed_keys(self) -> bytes | None:
        """Return the encrypted keys; None if there are none."""
        return _small(self._archive, KEYS) if self.manifest.keys else None

    def _lines(self, entry: TableEntry) -> Iterator[bytes]:
        rest, number = b"", 0
        with _explained(entry.member), self._archive.open(entry.member) as stream:
            while piece := stream.read(_PIECE):
                *lines, rest = (rest + piece).split(b"\n") if b"\n" in piece else (rest + piece,)
                if len(rest) > LONGEST_LINE:
                    raise BackupError(f"{entry.member} line {number + len(lines) + 1} is longer than any row")
                for line in lines:
                    number += 1
                    if number > entry.rows:
                        raise BackupError(f"{entry.member} has more than the {entry.rows} rows that {MANIFEST} says")
                    yield line + b"\n"
        if rest:
            raise BackupError(f"{entry.member} breaks off in line {number + 1}")


@contextmanager
def open_backup(file: Path) -> Iterator[BackupFile]:
    """Open a backup and read its manifest. Raises BackupError, NewerBackupError, OSError."""
    if not file.is_file():
        raise FileNotFoundError(f"there is no file {file}")
    with file.open("rb") as stream:
        with _explained(str(file)):
            archive = zipfile.ZipFile(_Bounded(stream))
        with archive:
            yield BackupFile(_manifest(archive, file), archive)


class _Bounded:
    """A file that is read in small pieces only: a zip's list of contents may claim to be as large as the file."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.seek, self.tell, self.seekable, self.close = stream.seek, stream.tell, stream.seekable, stream.close

    def read(self, size: int = -1) -> bytes:
        if size > LONGEST_TEXT:
            raise BackupError("it is no backup: its list of contents is too long")
        found = self._stream.read(LONGEST_TEXT + 1 if size < 0 else size)
        if len(found) > LONGEST_TEXT:
            raise BackupError("it is no backup: its list of contents is too long")
        return found


def _manifest(archive: zipfile.ZipFile, file: Path) -> Manifest:
    names = [member.filename for member in archive.infolist()]
    if MANIFEST not in names:
        raise BackupError(f"{file} is no backup: there is no {MANIFEST} in it")
    _check_members(archive, file.stat().st_size)
    text = _small(archive, MANIFEST)
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        raise BackupError(f"{MANIFEST} is not JSON") from None
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise BackupError(f"{file} is no backup of Greenroom")
    version = said.get("version")
    if isinstance(version, int) and version > VERSION:
        raise NewerBackupError("the backup was made by a newer Greenroom, in a form that this one does not know")
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BackupError(f"{MANIFEST}: {place}: {first['msg'][:100]}") from None
    _check_version(manifest)
    _check_parts(manifest, names)
    return manifest


def _check_members(archive: zipfile.ZipFile, size: int) -> None:
    members = archive.infolist()
    for member in members:
        if member.flag_bits & 1 or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise BackupError("it is no backup: a part of it is encrypted or packed in a way that is not known here")
    unpacked = sum(member.file_size for member in members)
    if unpacked > max(UNPACKED_ANYWAY, UNPACKED_AT_MOST * size):
        raise BackupError(f"it would become {unpacked // size} times as large when unpacked, which no backup does")


def _check_version(manifest: Manifest) -> None:
    known = shapes.versions()
    version = manifest.tables_version
    if version in known:
        return
    if version.isascii() and version.isdigit() and version > known[-1]:
        raise NewerBackupError(
            f"the backup was made by a newer Greenroom (version {version} of its tables, this one knows {known[-1]}): "
            "restore it with that one"
        )
    raise BackupError(f"{MANIFEST}: tables_version is none of {', '.join(known)}")


def _check_parts(manifest: Manifest, names: list[str]) -> None:
    tables = shapes.tables_at(manifest.tables_version)
    entries = [entry.name for entry in manifest.tables]
    if sorted(entries) != sorted(tables):
        raise BackupError(
            f"{MANIFEST} does not name the tables of version {manifest.tables_version}, each of them once"
        )
    for entry in manifest.tables:
        if sorted(entry.columns) != sorted(column.name for column in tables[entry.name].columns):
            raise BackupError(f"{MANIFEST} does not name the columns of {entry.name}, each of them once")
    wanted = [MANIFEST, *(entry.member for entry in manifest.tables), *([KEYS] if manifest.keys else [])]
    if sorted(names) != sorted(wanted):
        raise BackupError(f"the parts of the backup are not those that {MANIFEST} names, each of them once")


def _small(archive: zipfile.ZipFile, name: str) -> bytes:
    with _explained(name), archive.open(name) as stream:
        found = stream.read(LONGEST_TEXT + 1)
        if len(found) > LONGEST_TEXT:
            raise BackupError(f"{name} is too large")
        return found


def _row(line: bytes, columns: list[tuple[str, shapes.Reader]], place: str) -> dict[str, Any]:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        raise BackupError(f"{place} is not JSON") from None
    if not isinstance(values, list) or len(values) != len(columns):
        raise BackupError(f"{place} is not a list of {len(columns)} values")
    row: dict[str, Any] = {}
    for (name, read), value in zip(columns, values, strict=True):
        try:
            row[name] = read(value)
        except shapes.WrongValueError as error:
            raise BackupError(f"{place}: {name} {error}") from None
    return row


@contextmanager
def _explained(place: str) -> Iterator[None]:
    try:
        yield
    except BackupError:
        raise
    except _BROKEN as error:
        raise BackupError(f"{place} is damaged, or no backup at all ({type(error).__name__})") from error
