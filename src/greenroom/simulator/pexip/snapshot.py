"""Keeping the configuration of a platform in one JSON file, so that a demo finds its rooms again.

PINs are in it: it is for made-up data. What runs is not: whoever was in a room is not any more. Loading trusts the file no
further than its shape.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from greenroom.simulator.snapshot import replace_file

if TYPE_CHECKING:
    from pathlib import Path

    from greenroom.simulator.pexip.platform import Pexip

_VERSION: Final = 1


def save(pexip: Pexip, path: Path) -> None:
    """Write the configuration to a file, in one step. Raises OSError."""
    replace_file(path, json.dumps({"version": _VERSION, **pexip.store.state()}, default=_told, separators=(",", ":")))


def load(pexip: Pexip, path: Path) -> None:
    """Fill an empty platform from a file. Raises OSError, and ValueError for a file that `save` did not write."""
    try:
        state = json.loads(path.read_text(encoding="utf-8"), object_hook=_understood)
        if state["version"] != _VERSION:
            raise ValueError(f"the snapshot has version {state['version']}, this program reads {_VERSION}")
        pexip.store.restore(state)
    except (KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise ValueError(f"the file is no snapshot of a simulated Pexip ({type(error).__name__})") from error


def _told(value: Any) -> dict[str, str]:
    assert isinstance(value, datetime), "rows hold nothing else that JSON does not know"
    return {"$time": value.astimezone(UTC).isoformat()}


def _understood(value: dict[str, Any]) -> Any:
    if set(value) == {"$time"}:
        return datetime.fromisoformat(value["$time"])
    return {name: tuple(one) if isinstance(one, list) else one for name, one in value.items()}
