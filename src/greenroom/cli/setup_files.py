"""The files of a preparation on disk: what is there already, what would change, and writing them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from greenroom.setup.contract import Preparation
from greenroom.setup.pages import PAGE, page
from greenroom.setup.powershell import as_file

_OURS: Final = re.compile(r"\d\d-[a-z0-9-]+\.ps1")
_LARGEST: Final = 4_000_000


class State(StrEnum):
    """How a file on disk is, seen from what would be written."""

    NEW = "new"
    SAME = "same"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Planned:
    """A file that is to be written."""

    name: str
    content: bytes
    state: State


def contents(preparation: Preparation, environment: str) -> dict[str, bytes]:
    """Return every file with its bytes, in order."""
    files = {script.name: as_file(script.body) for script in preparation.scripts}
    return files | {PAGE: page(preparation, environment).encode()}


def compare(folder: Path, files: Mapping[str, bytes]) -> list[Planned]:
    """Look at what is on disk. Raises `OSError`."""
    return [Planned(name, content, _state(folder / name, content)) for name, content in files.items()]


def left_over(folder: Path, files: Iterable[str]) -> list[str]:
    """Return scripts of an earlier run that are no longer among them. Raises `OSError`."""
    if not folder.is_dir():
        return []
    known = set(files)
    return sorted(one.name for one in folder.iterdir() if _OURS.fullmatch(one.name) and one.name not in known)


def write(folder: Path, planned: Iterable[Planned]) -> None:
    """Write what is not there yet or differs. Raises `OSError`."""
    folder.mkdir(parents=True, exist_ok=True)
    for one in planned:
        if one.state is not State.SAME:
            (folder / one.name).write_bytes(one.content)


def _state(file: Path, content: bytes) -> State:
    if not file.exists():
        return State.NEW
    with file.open("rb") as opened:
        return State.SAME if opened.read(_LARGEST) == content else State.CHANGED
