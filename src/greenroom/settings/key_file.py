"""The file that `ticket_keys_file` names: one key per line as id:key, the current one first. Comments begin with #.

It is replaced whole, with its mode, its owner and a copy of what was there beside it; whoever reads it meanwhile sees the old or
the new one.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

_MAX_BYTES = 65_536


class KeyFileError(Exception):
    """The file is not what it was taken for; the text never shows a line of it."""


def with_key_first(text: str, key_id: int, key: str) -> str:
    """Put a key before all others. Raises KeyFileError if its id is there already."""
    if any(_id_of(line) == key_id for line in text.splitlines()):
        raise KeyFileError(f"there is a key {key_id} in it already")
    end = "\r\n" if "\r\n" in text else "\n"
    return f"{key_id}:{key}{end}{text}"


def without_key(text: str, key_id: int) -> str:
    """Take a key out. Raises KeyFileError if it is not there, or the only one or the first."""
    lines = text.splitlines(keepends=True)
    ids = [found for line in lines if (found := _id_of(line)) is not None]
    if key_id not in ids:
        raise KeyFileError(f"there is no key {key_id} in it")
    if ids[0] == key_id:
        raise KeyFileError(f"key {key_id} is the current one")
    return "".join(line for line in lines if _id_of(line) != key_id)


def change_key_file(path: Path, now: datetime, change: Callable[[str], str]) -> Path:
    """Replace the file by what `change` makes of it; returns where the old one is kept. Raises KeyFileError and OSError.

    A link stays one: what it leads to is replaced.
    """
    file = path.resolve(strict=True)
    with file.open("rb") as stream:
        content = stream.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise KeyFileError("it is too large for a file of keys")
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise KeyFileError("it is not text in UTF-8") from None
    changed = change(text)
    kept = file.with_name(f"{file.name}.{now:%Y%m%dT%H%M%SZ}.old")
    if kept.exists():
        raise FileExistsError(f"{kept} exists")
    _write_like(file, kept, content)
    _write_like(file, file, changed.encode())
    return kept


def write_key_file(path: Path, keys: Sequence[tuple[int, str]]) -> bool:
    """Write a new file, for its owner alone, with the keys (id and base64) in this order.

    False if it is there already and holds the same. Raises FileExistsError if it holds anything else, and OSError.
    """
    content = "".join(f"{key_id}:{key}\n" for key_id, key in keys).encode()
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        with suppress(OSError), path.open("rb") as stream:
            if stream.read(_MAX_BYTES) == content:
                return False
        raise FileExistsError(f"{path} exists, and does not hold these keys") from None
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    return True


def _id_of(line: str) -> int | None:
    name, colon, _key = line.partition(":")
    if not colon or line.lstrip().startswith("#") or not name.strip().isdecimal():
        return None
    return int(name)


def _write_like(model: Path, file: Path, content: bytes) -> None:
    """Put a file into its place with the mode and owner of another one."""
    like = model.stat()
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name[:100]}.", suffix=".part")
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        shutil.copymode(model, beside)
        made = beside.stat()
        if (made.st_uid, made.st_gid) != (like.st_uid, like.st_gid):
            # The service could not read it any more; where we may not give it away, this says so.
            os.chown(beside, like.st_uid, like.st_gid)
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)
