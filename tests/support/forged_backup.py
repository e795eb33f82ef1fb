"""Backups that somebody changed by hand, sums and all."""

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

Lines = list[bytes]


def parts_of(file: Path) -> dict[str, bytes]:
    """Unpack a backup."""
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(file: Path, parts: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> None:
    """Pack it again."""
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def rewritten(file: Path, table: str, change: Callable[[Lines], Lines]) -> None:
    """Change the lines of a table, and make the manifest fit them."""
    parts = parts_of(file)
    name = f"tables/{table}.jsonl"
    lines = change(parts[name].splitlines(keepends=True))
    parts[name] = b"".join(lines)
    manifest = json.loads(parts["manifest.json"])
    (entry,) = [one for one in manifest["tables"] if one["name"] == table]
    entry |= {"rows": len(lines), "sha256": hashlib.sha256(parts[name]).hexdigest()}
    parts["manifest.json"] = json.dumps(manifest).encode()
    pack(file, parts)


def said_otherwise(file: Path, **said: Any) -> None:
    """Change what the manifest says."""
    parts = parts_of(file)
    parts["manifest.json"] = json.dumps(json.loads(parts["manifest.json"]) | said).encode()
    pack(file, parts)
