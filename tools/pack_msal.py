"""Copies MSAL and its licence from node_modules to where the add-in's pages are served from: for tests, and for the wheel."""

import shutil
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
PACKAGE = PROJECT / "node_modules" / "@azure" / "msal-browser"
VENDOR = PROJECT / "src" / "greenroom" / "addin" / "static" / "vendor"
FILES = {"lib/msal-browser.min.js": "msal-browser.min.js", "LICENSE": "msal-browser.LICENSE.txt"}


def main() -> int:
    """Copy what is not there yet, or not the same."""
    if not PACKAGE.is_dir():
        print(f"{PACKAGE} is missing: run `npm ci` first", file=sys.stderr)
        return 1
    VENDOR.mkdir(parents=True, exist_ok=True)
    for source, name in FILES.items():
        target = VENDOR / name
        if not target.exists() or target.read_bytes() != (PACKAGE / source).read_bytes():
            shutil.copyfile(PACKAGE / source, target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
