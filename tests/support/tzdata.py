"""Time zone data that somebody has changed: what happens to meetings when a law changes the clocks.

```
folder = tmp_path / "zoneinfo"
change_law(folder, "Europe/Berlin", datetime(2027, 10, 31, 1, tzinfo=UTC), timedelta(hours=2))   # summer time for ever
subprocess.run(..., env=os.environ | environment(folder))                                      # another process has it
with installed(folder): ...                                                                    # or this one, for a while
```

Written is a TZif file (RFC 8536) of one zone; all others stay what they are.
"""

import struct
import zoneinfo
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from greenroom.meetings import zones
from greenroom.storage import kept_text

_SINCE = datetime(1990, 1, 1, tzinfo=UTC)
_HEADER = struct.Struct(">4sc15x6I")
_TYPE = struct.Struct(">lBB")
_Clock = tuple[int, bool, str]


def change_law(folder: Path, name: str, since: datetime, offset: timedelta) -> Path:
    """Write the data of a zone that is as it is until an instant, and at a fixed offset from UTC from then on."""
    then = int(offset.total_seconds())
    kept = [change for change in _changes(ZoneInfo.no_cache(name), _SINCE, since) if change[0] < since]
    return write(folder, name, _clock(ZoneInfo.no_cache(name), _SINCE), [*kept, (since, (then, False, "NEW"))])


def write(folder: Path, name: str, first: _Clock, changes: list[tuple[datetime, _Clock]]) -> Path:
    """Write a zone from its changes: instant, and (offset in seconds, whether it is summer time, short name) from then on."""
    types = list(dict.fromkeys([first, *(clock for _, clock in changes)]))
    names = "".join(f"{short}\0" for _, _, short in types).encode()
    at, starts = 0, []
    for _, _, short in types:
        starts.append(at)
        at += len(short) + 1
    data = b"".join(struct.pack(">q", int(instant.timestamp())) for instant, _ in changes)
    data += bytes(types.index(clock) for _, clock in changes)
    data += b"".join(_TYPE.pack(clock[0], clock[1], start) for clock, start in zip(types, starts, strict=True))
    last = (changes[-1][1] if changes else first)[0]
    hours, rest = divmod(abs(last), 3600)
    footer = f"\n<NEW>{'-' if last >= 0 else '+'}{hours}:{rest // 60:02}\n".encode()
    empty = _HEADER.pack(b"TZif", b"2", 0, 0, 0, 0, 1, 1) + _TYPE.pack(0, 0, 0) + b"\0"
    header = _HEADER.pack(b"TZif", b"2", 0, 0, 0, len(changes), len(types), len(names))
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(empty + header + data + names + footer)
    return path


def environment(folder: Path) -> dict[str, str]:
    """Return what another process needs in its environment to have the data of this folder before its own."""
    return {"PYTHONTZPATH": str(folder.resolve())}


@contextmanager
def installed(folder: Path) -> Iterator[None]:
    """Have the data of a folder in this process, and then the old data again.

    Zones are looked up anew; a `Series` that was asked before keeps the clocks it has, as in a process that runs on.
    """
    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath([folder.resolve(), *before])
    _forget()
    try:
        yield
    finally:
        zoneinfo.reset_tzpath(before)
        _forget()


def _forget() -> None:
    ZoneInfo.clear_cache()
    zones.find.cache_clear()
    zones.tzinfo_of.cache_clear()
    kept_text.forget()


def _clock(zone: ZoneInfo, at: datetime) -> _Clock:
    local = at.astimezone(zone)
    return int((local.utcoffset() or timedelta()).total_seconds()), bool(local.dst()), local.tzname() or "LOC"


def _changes(zone: ZoneInfo, since: datetime, until: datetime) -> Iterator[tuple[datetime, _Clock]]:
    at, step = since, timedelta(days=1)
    while at < until:
        if _clock(zone, at) != _clock(zone, at + step):
            low, high = at, at + step
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) // 2
                low, high = (middle, high) if _clock(zone, middle) == _clock(zone, low) else (low, middle)
            instant = high.replace(microsecond=0)
            yield instant, _clock(zone, instant)
        at += step
