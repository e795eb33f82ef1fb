"""Where the shared recordings and schemas lie; tests that need them skip where they are missing."""

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


def shared_path(relative: str) -> Path:
    """Return a file or folder of the shared material, or skip the test with the reason."""
    root = Path(os.environ.get("GREENROOM_SHARED", PROJECT.parent / "shared"))
    path = root / relative
    if not path.exists():
        pytest.skip(f"{relative} is not there: set GREENROOM_SHARED to the folder of recordings and schemas")
    return path
