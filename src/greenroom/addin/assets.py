"""The files that the add-in's pages load, read once, under an address that changes with any of them.

Scripts import each other by relative names, so it is the whole tree that gets a version, not each file.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

MSAL: Final = "vendor/msal-browser.min.js"
"""Microsoft's sign-in library, which a build packs in."""
LAUNCH_EVENT: Final = "js/launchevent.js"
SERVICE_WORKER: Final = "js/sw.js"
_NOT_OF_THE_SHELL: Final = ("js/launchevent.js", "js/sw.js", "js/sign-in.js", "js/signed-in.js")

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is served."""

    content: bytes = field(repr=False)
    media_type: str
    digest: str


class Assets:
    """All files below `static/` that a browser may load. Others, such as an editor's backups, are not served."""

    def __init__(self, folder: Traversable | Path | None = None) -> None:
        root = files("greenroom.addin") / "static" if folder is None else folder
        self._assets = {name: _asset(entry) for name, entry in sorted(_walk(root))}
        tree = "".join(f"{name}\0{asset.digest}\n" for name, asset in self._assets.items())
        self.version = hashlib.sha256(tree.encode()).hexdigest()[:16]
        self.shell = tuple(
            name
            for name in self._assets
            if name.endswith((".css", ".js")) and not name.startswith("vendor/")
            if name not in _NOT_OF_THE_SHELL
        )  # what a page needs to work while the server is away

    def __contains__(self, path: str) -> bool:
        return path in self._assets

    def get(self, path: str) -> Asset | None:
        """Return a file by its path below `static/`, such as "js/pane.js"; None if there is none."""
        return self._assets.get(path)

    def address(self, path: str) -> str:
        """Return where a file is served: for good, as another content has another address."""
        return f"/addin/static/{self.version}/{path}"


def _walk(folder: Traversable | Path, above: str = "") -> Iterator[tuple[str, Traversable | Path]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{above}{entry.name}/")
        elif _suffix(entry.name) in _TYPES and not entry.name.startswith("."):
            yield above + entry.name, entry


def _asset(entry: Traversable | Path) -> Asset:
    content = entry.read_bytes()
    return Asset(content, _TYPES[_suffix(entry.name)], hashlib.sha256(content).hexdigest())


def _suffix(name: str) -> str:
    return name[name.rfind(".") :] if "." in name else ""
