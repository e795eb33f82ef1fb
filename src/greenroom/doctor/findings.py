"""What many checks say in the same way: ends of certificates and secrets, spans of time, and numbers."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from greenroom.doctor.certificates import AHEAD
from greenroom.doctor.contract import Finding, State

_MEGA, _GIGA = 10**6, 10**9


@dataclass(frozen=True, slots=True)
class About:
    """One check of one subject: makes its findings."""

    check: str
    subject: str

    def well(self, what: str) -> Finding:
        """Say that it is well."""
        return Finding(self.check, self.subject, State.WELL, what)

    def note(self, what: str, why: str = "", mend: str = "") -> Finding:
        """Say what is good to know."""
        return Finding(self.check, self.subject, State.NOTE, what, why, mend)

    def wrong(self, what: str, why: str, mend: str) -> Finding:
        """Say what is wrong."""
        return Finding(self.check, self.subject, State.WRONG, what, why, mend)

    def unknown(self, what: str, mend: str = "") -> Finding:
        """Say that it could not be looked at."""
        return Finding(self.check, self.subject, State.UNKNOWN, what, mend=mend)


def expiry(about: About, what: str, until: datetime, now: datetime, *, why: str, mend: str) -> Finding:
    """Say how long a certificate or secret lasts; `what` names it at the beginning of a sentence."""
    day = f"{until:%Y-%m-%d}"
    if until <= now:
        return about.wrong(f"{what} ran out on {day}.", why, mend)
    if until - now > AHEAD:
        return about.well(f"{what} is valid until {day}.")
    left = (until - now).days
    when = "today" if left == 0 else f"in {left} day{'' if left == 1 else 's'}"
    return about.note(f"{what} runs out on {day}, {when}.", why, mend)


def age(span: timedelta) -> str:
    """Write a span in its largest unit."""
    seconds = max(round(span.total_seconds()), 0)
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            return count(seconds // size, unit)
    return count(seconds, "second")


def count(number: int, unit: str) -> str:
    """Write a number of things."""
    return f"{number} {unit}{'' if number == 1 else 's'}"


def size(number: int) -> str:
    """Write a number of bytes."""
    return f"{number / _GIGA:.1f} GB" if number >= _GIGA else f"{max(number, 0) // _MEGA} MB"
