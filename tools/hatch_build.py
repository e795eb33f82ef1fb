"""Packs MSAL into the wheel: fetched from npm by package-lock.json, never from the repository."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_WANTED = (
    "The wheel packs MSAL, which comes from npm: install Node.js, or run `./test` once, which fetches it into .venv."
)


class PackMsal(BuildHookInterface[Any]):
    """Runs before a wheel is built; an editable installation does without."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the signature is hatchling's
        """Fetch MSAL if it is not there, and put it where the pages are served from. Raises RuntimeError without npm."""
        if version == "editable":
            return
        root = Path(self.root)
        if not (root / "node_modules" / "@azure" / "msal-browser").is_dir():
            beside = Path(sys.executable).parent
            npm = shutil.which("npm") or shutil.which("npm", path=str(beside))
            if npm is None:
                raise RuntimeError(_WANTED)
            path = os.pathsep.join([str(Path(npm).parent), os.environ.get("PATH", "")])
            subprocess.run([npm, "ci", "--omit=dev", "--silent"], cwd=root, check=True, env=os.environ | {"PATH": path})
        subprocess.run([sys.executable, str(root / "tools" / "pack_msal.py")], check=True)
