"""What every conversation with the outside needs, whoever is there: JSON read strictly, and what led to an error.

Imports nothing of ours; `exchange` and `platforms`, which do not know each other, both use it.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

_UNMENDED = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


def parse_json(data: bytes) -> Any:
    """Parse JSON strictly; ValueError for anything else. What no database and no mail holds (NUL, half characters) is replaced."""
    try:
        # Left to itself json takes UTF-16 too, and half characters that stand in UTF-8 as they are (RFC 8259 8.1).
        value = json.loads(data.decode("utf-8", "replace"), parse_constant=_no_constant)
        return _mended(value) if _UNMENDED.search(data) else value
    except RecursionError:
        raise ValueError("too deep") from None


def causes_of(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what led to it, groups opened, at most a few dozen."""
    waiting, seen = [error], set[int]()
    while waiting and len(seen) < 32:  # noqa: PLR2004  chains are short; cycles end here too
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        waiting.extend(c for c in (current.__cause__, current.__context__) if c is not None)
        if isinstance(current, BaseExceptionGroup):
            waiting.extend(current.exceptions)


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, list):
        return [_mended(part) for part in value]
    if isinstance(value, dict):
        return {_mended(key): _mended(part) for key, part in value.items()}
    return value
