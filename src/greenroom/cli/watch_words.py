"""How a mailbox is watched, in words: for `greenroom status` and `greenroom watcher`."""

from datetime import datetime, timedelta
from typing import Any

from greenroom.cli.reading import local, stamp
from greenroom.scheduler.watch_book import Other, Watch, WatchStanding
from greenroom.storage import MailboxState

LATELY = timedelta(minutes=10)
"""So long ago another one may have been seen for the last time to be told as being there."""
_NOTES = {
    WatchStanding.UNSETTLED: "waits until it is clear that no other Greenroom does",
    WatchStanding.UNGUARDED: "no mark may be left on the mailbox, so a second Greenroom would go unnoticed",
}


def other_words(installation: str, host: str, *, copy: bool) -> str:
    """Name another Greenroom."""
    return f"a copy of this database on {host}" if copy else f"installation {installation[:8]} on {host}"


def lent_to(mailbox: MailboxState, now: datetime) -> str | None:
    """Return the command that borrows the mailbox, or waits for it."""
    until = mailbox.wanted_until
    return mailbox.wanted_by if until is not None and until > now else None


def attended_words(mailbox: MailboxState, watch: Watch, attended_by: str | None, now: datetime) -> tuple[str, str]:
    """Say who attends a mailbox, and in which style."""
    borrower = lent_to(mailbox, now)
    if attended_by is None:
        return "nobody; start `greenroom serve`", "yellow"
    if attended_by == borrower:
        return f"lent to {borrower}, a command that works on the mailbox", "yellow"
    if is_kept_out(watch, attended_by) and watch.by is not None:
        by = other_words(watch.by.installation, watch.by.host, copy=watch.by.copy)
        return f"{attended_by}, kept out by {by}, since {local(watch.since)}", "red"
    if borrower is not None:
        return f"{attended_by}; {borrower} waits to borrow the mailbox", "yellow"
    note = _NOTES.get(watch.standing)
    return (attended_by, "") if note is None else (f"{attended_by}; {note}", "yellow")


def is_kept_out(watch: Watch, attended_by: str | None) -> bool:
    """Whether a process of ours is at the mailbox and another installation keeps it out."""
    return attended_by is not None and watch.standing is WatchStanding.KEPT_OUT


def rival_of(watch: Watch, attended_by: str | None, now: datetime) -> Other | None:
    """Return who else wants to attend the mailbox and is kept out by us."""
    rival = watch.contender
    holds = attended_by is not None and watch.standing is WatchStanding.HOLDS
    return rival if holds and rival is not None and now - rival.seen < LATELY else None


def watch_json(watch: Watch) -> dict[str, Any]:
    """Write for `--json` how a mailbox is watched, as it was noted last."""
    return {
        "standing": watch.standing.value,
        "since": stamp(watch.since),
        "kept_out_by": _other_json(watch.by),
        "contender": _other_json(watch.contender),
    }


def _other_json(other: Other | None) -> dict[str, Any] | None:
    if other is None:
        return None
    return {
        "installation": other.installation,
        "host": other.host,
        "copy_of_this_database": other.copy,
        "since": stamp(other.since),
        "seen": stamp(other.seen),
    }
