"""Waiting when Exchange asks for it, per mailbox: sending on while throttled prolongs the throttling.

Source: "EWS throttling" of the Exchange documents, "Microsoft Graph throttling guidance".
"""

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from greenroom.exchange.errors import TryLaterError

LONGEST_BACK_OFF: Final = timedelta(hours=1)
_FIRST = timedelta(seconds=5)
_LONGEST_GUESS = timedelta(minutes=5)
_MOST_MAILBOXES = 10_000


class BackOff:
    """Which mailboxes must be left alone until when."""

    def __init__(self) -> None:
        self._until: dict[str, datetime] = {}
        self._times: dict[str, int] = {}

    def check(self, mailbox: str, now: datetime) -> None:
        """Raise TryLaterError with the rest of the wait, if there is one."""
        until = self._until.get(mailbox)
        if until is not None and now < until <= now + LONGEST_BACK_OFF:  # later than that if the clock was set back
            sentence = "Exchange asked us to wait; not sent"
            raise TryLaterError(sentence, after=until - now, code="backing-off", mailbox=mailbox)

    def wait(self, mailbox: str, now: datetime, asked: timedelta | None) -> timedelta:
        """Begin a wait, as long as asked for or else twice the one before; returns how long it is."""
        times = self._times.get(mailbox, 0)
        length = asked if asked is not None else min(_FIRST * 2 ** min(times, 10), _LONGEST_GUESS)
        length = max(timedelta(), min(length, LONGEST_BACK_OFF))
        self._times[mailbox] = times + 1
        before = min(self._until.get(mailbox, now), now + LONGEST_BACK_OFF)
        self._until[mailbox] = max(now + length, before)
        if len(self._until) > _MOST_MAILBOXES:
            self._forget(now)
        return length

    def heed(self, mailbox: str, now: datetime, error: TryLaterError) -> None:
        """Begin the wait that an error asks for, if it does; the error then says how long that really is."""
        if error.after is not None:
            error.after = self.wait(mailbox, now, error.after)

    def succeeded(self, mailbox: str) -> None:
        """Note an answer without complaint: the next wait begins short again."""
        self._times.pop(mailbox, None)

    def _forget(self, now: datetime) -> None:
        self._until = {mailbox: until for mailbox, until in self._until.items() if until > now}
        self._times = {mailbox: times for mailbox, times in self._times.items() if mailbox in self._until}


def retry_after(text: str | None, now: datetime) -> timedelta | None:
    """Read a Retry-After header: seconds, or a date (RFC 9110 10.2.3)."""
    text = (text or "").strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), LONGEST_BACK_OFF.total_seconds()))
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
        return max(timedelta(), moment - now) if moment.tzinfo else None
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
