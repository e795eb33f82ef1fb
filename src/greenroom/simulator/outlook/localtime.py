"""Times as people see them: in a chosen zone, in words, and back from what they typed."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from greenroom.simulator import zones
from greenroom.simulator.windows_zones import IANA_TO_WINDOWS, to_windows

COOKIE = "mail_zone"
_MAX_NAME = 60


class LocalTimeError(ValueError):
    """Clocks jump over this wall-clock time on that day (the start of daylight saving)."""


@lru_cache(maxsize=1024)
def known_zone(name: str | None) -> ZoneInfo | None:
    """An IANA zone by name, None for anything else."""
    if not name or len(name) > _MAX_NAME or name not in available_timezones():
        return None
    return ZoneInfo(name)


def zone_names(*also: str) -> list[str]:
    """The zones a meeting can be composed in: those with a Windows name, and `also` (the visitor's own)."""
    return sorted({*(name for name in IANA_TO_WINDOWS if "/" in name), *(name for name in also if known_zone(name))})


def iana_name(stored: str | None) -> str | None:
    """The IANA name of a meeting's zone as it is stored (Windows name or TZID); None when it has none."""
    zone = zones.find(stored)
    if zone is UTC:
        return "Etc/UTC"
    return zone.key if isinstance(zone, ZoneInfo) else None


def stored_name(iana: str) -> str:
    """What the store keeps for a zone: the Windows name as Outlook would, where there is one."""
    return to_windows(iana) or iana


def to_utc(day: date, at: time, zone: tzinfo) -> datetime:
    """A wall-clock time in UTC. Raises LocalTimeError when the clocks jump over it."""
    local = datetime.combine(day, at, tzinfo=zone)
    moment = local.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise LocalTimeError
    return moment


@dataclass(frozen=True, slots=True)
class Clock:
    """Words for moments, seen from `zone` at the moment `now`."""

    zone: ZoneInfo
    now: datetime

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    def day_of(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()

    def time(self, moment: datetime) -> str:
        return f"{moment.astimezone(self.zone):%H:%M}"

    def day(self, day: date) -> str:
        """Like "Today", "Tomorrow" or "Mon 3 March", with the year where it is another one."""
        names = {0: "Today", 1: "Tomorrow", -1: "Yesterday"}
        name = names.get((day - self.today).days)
        return name or self.full_day(day)

    def full_day(self, day: date) -> str:
        year = "" if day.year == self.today.year else f" {day.year}"
        return f"{day:%a} {day.day} {day:%B}{year}"

    def received(self, moment: datetime) -> str:
        """Short, for lists: the time today, else the day."""
        day = self.day_of(moment)
        if day == self.today:
            return self.time(moment)
        return f"{day.day} {day:%b}" if day.year == self.today.year else f"{day.day} {day:%b} {day.year}"

    def exactly(self, moment: datetime) -> str:
        return f"{self.full_day(self.day_of(moment))}, {self.time(moment)}"

    def span(self, start: datetime, end: datetime) -> str:
        """Like "Mon 3 March, 14:00 - 15:00"; both days where they differ."""
        first, last = self.day_of(start), self.day_of(end)
        if first == last:
            return f"{self.full_day(first)}, {self.time(start)} \u2013 {self.time(end)}"  # an en dash, as in print
        return f"{self.exactly(start)} \u2013 {self.exactly(end)}"
