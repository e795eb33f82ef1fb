"""Versions of manifests: Outlook takes a changed manifest only if its version has risen.

A version is made of the time, `1.<year>.<month and day>.<half the seconds of the day>`: it rises also where nobody remembers
the last one, because the database was lost.
"""

import re
from datetime import UTC, datetime

_GROUPS = 4
_LARGEST = 65535
_FORM = re.compile(r"[0-9]{1,5}(?:\.[0-9]{1,5}){0,3}")

Version = tuple[int, int, int, int]


def parse_version(written: str) -> Version | None:
    """Read one to four groups of digits, each at most 65535; None for anything else. Groups left out are 0."""
    if _FORM.fullmatch(written) is None:
        return None
    groups = [int(group) for group in written.split(".")]
    if max(groups) > _LARGEST:
        return None
    first, second, third, fourth = groups + [0] * (_GROUPS - len(groups))
    return first, second, third, fourth


def next_version(now: datetime, last: str = "") -> str:
    """Return a version for a manifest made at `now` (aware), higher than `last` even if the clock was set back."""
    now = now.astimezone(UTC)
    seconds = now.hour * 3600 + now.minute * 60 + now.second
    made: Version = (1, now.year, now.month * 100 + now.day, seconds // 2)
    before = parse_version(last)
    return _written(made if before is None or made > before else _following(before))


def _following(version: Version) -> Version:
    """Return the next version, carrying over; the very last one has no successor and stays."""
    groups = list(version)
    for place in reversed(range(_GROUPS)):
        if groups[place] < _LARGEST:
            groups[place] += 1
            groups[place + 1 :] = [0] * (_GROUPS - place - 1)
            break
    first, second, third, fourth = groups
    return first, second, third, fourth


def _written(version: Version) -> str:
    return ".".join(str(group) for group in version)
