"""How old the rules of time zones are: meetings far away in time are only as right as they."""

import re
import zoneinfo
from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from pathlib import Path

from greenroom.doctor.blocking import in_thread
from greenroom.doctor.contract import Check, Finding
from greenroom.doctor.findings import About

_RELEASE = re.compile(r"(20[0-9]{2})([a-z]{1,2})")
_WHY = "Governments change the rules several times a year; meetings in such a zone would then open an hour off."
_OLD_MONTHS = 18


def zones_check(clock: Callable[[], datetime], *, release: Callable[[], tuple[str, str]] | None = None) -> Check:
    """Make the check. `release` tells release and source in tests."""
    about = About("clock-zones", "this computer")

    async def look() -> list[Finding]:
        found, source = await in_thread(release or in_use)
        year = _RELEASE.fullmatch(found)
        if year is None:
            return [about.unknown(f"The release of the time zone rules ({source}) is not told.")]
        now = clock()
        # Releases come about every other month: the letter tells roughly which.
        month = min((ord(year[2][0]) - ord("a")) * 2 + 1, 12)
        months = (now.year - int(year[1])) * 12 + now.month - month
        if months > _OLD_MONTHS:
            mend = "Update them: apt-get install --only-upgrade tzdata (or your system's like), or pip install --upgrade tzdata"
            return [about.note(f"The time zone rules are of {found} ({source}), {months} months old.", _WHY, mend)]
        return [about.well(f"The time zone rules are of {found} ({source}).")]

    return Check("clock-zones", about.subject, look)


def in_use() -> tuple[str, str]:
    """Return the release of the rules in use and where they are from: the system's, if there are any, else the package's."""
    for folder in zoneinfo.TZPATH:
        data = Path(folder) / "tzdata.zi"
        if data.is_file():
            with data.open(encoding="ascii", errors="replace") as file:
                return file.readline(200).rpartition(" ")[2].strip(), folder
        if Path(folder).is_dir() and (Path(folder) / "Europe").is_dir():
            return "", folder
    # The package is only there where the system has no rules, and has no types.
    return str(getattr(import_module("tzdata"), "IANA_VERSION", "")), "package tzdata"
