"""How the service is doing, from what it stored: heartbeat, passes, replies in line, backlog, defects, drift, alarms."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from greenroom.doctor.contract import Check, Finding
from greenroom.doctor.database import is_prepared
from greenroom.doctor.findings import About, age, count
from greenroom.meetings.record import State as Standing
from greenroom.scheduler.watch_book import Watch, WatchStanding, watch_of
from greenroom.settings import Integration
from greenroom.storage import Alarm, MailboxState, Storage, StorageError

NAMES = ("passes", "replies", "backlog", "defects", "drift", "alarms")
_WAITS = "Invitations wait until somebody attends the mailbox."
_PATIENCE = timedelta(minutes=15)
_LATELY = timedelta(hours=24)
_LATE = timedelta(minutes=5)
_MOST_ALARMS = 5
_GUESSES = frozenset({"policy-alias-guessing", "policy-alias-guessing-by-many", "policy-password-guessing"})


@dataclass(frozen=True, slots=True)
class Stored:
    """What the database knows of one integration at `now`."""

    entry: Integration
    mailbox: MailboxState
    watch: Watch
    meetings: dict[Standing, int]
    drifts: dict[str, int]
    alarms: tuple[Alarm, ...]
    now: datetime

    @property
    def attended(self) -> bool:
        """Whether a process of ours has the mailbox."""
        return self.mailbox.claimed_until is not None and self.mailbox.claimed_until > self.now


def attended_check(
    entry: Integration, storage: Storage, clock: Callable[[], datetime], needs: tuple[str, ...]
) -> Check:
    """Make the check of one integration."""

    async def look() -> list[Finding]:
        try:
            if not await is_prepared(storage):
                return [_nobody_yet(entry)]
            return judge(await _stored(entry, storage, clock()))
        except StorageError:
            about = About("heartbeat", entry.name)
            return [about.unknown("What the service stored cannot be read.", "See the check of the database.")]

    return Check("heartbeat", entry.name, look, needs=needs, tells=NAMES)


async def _stored(entry: Integration, storage: Storage, now: datetime) -> Stored:
    async with storage.reading() as work:
        alarms = await work.alarms.since(now - _LATELY)
        return Stored(
            entry,
            await work.mailboxes.get(entry.mailbox),
            await watch_of(work, entry.mailbox),
            await work.meetings.counts(entry.number),
            await work.drifts.counts(entry.number),
            tuple(alarm for alarm in alarms if alarm.integration in {0, entry.number}),
            now,
        )


def judge(stored: Stored) -> list[Finding]:
    """Say in findings how the service is doing."""
    return [
        _heartbeat(stored),
        *_passes(stored),
        _replies(stored),
        *_backlog(stored),
        *_defects(stored),
        *_drift(stored),
        *_alarms(stored),
    ]


def _heartbeat(stored: Stored) -> Finding:
    about, mailbox = About("heartbeat", stored.entry.name), stored.mailbox
    if stored.attended:
        if stored.watch.standing is WatchStanding.KEPT_OUT:
            why = "Ours waits, and answers nothing."
            mend = f"Stop one of them; see which: greenroom watcher --integration {stored.entry.name}"
            return about.wrong("Another Greenroom attends the mailbox and keeps ours out.", why, mend)
        return about.well(f"{mailbox.claimed_by} attends the mailbox.")
    if mailbox.last_pass_at is None:
        return _nobody_yet(stored.entry)
    gone = age(stored.now - mailbox.last_pass_at)
    what = f"No Greenroom attends this mailbox; it was last looked at {gone} ago."
    return about.wrong(what, _WAITS, "Start the service: greenroom serve")


def _nobody_yet(entry: Integration) -> Finding:
    about = About("heartbeat", entry.name)
    return about.note("No Greenroom has attended this mailbox yet.", _WAITS, "greenroom serve")


def _passes(stored: Stored) -> list[Finding]:
    about, mailbox = About("passes", stored.entry.name), stored.mailbox
    if mailbox.last_pass_at is None:
        return []
    if mailbox.failure is None:
        return [about.well(f"The last pass was good, {age(stored.now - mailbox.last_pass_at)} ago.")]
    success = mailbox.last_success_at
    since = "never" if success is None else f"{age(stored.now - success)} ago"
    what = f"The last pass failed ({mailbox.failure}); the last good one was {since}."
    why = "What came since then waits."
    mend = "See what is wrong with Exchange or the platform here; the log tells more."
    failing = success is None or stored.now - success >= _PATIENCE
    return [about.wrong(what, why, mend) if failing else about.note(what, why, mend)]


def _replies(stored: Stored) -> Finding:
    about, mailbox = About("replies", stored.entry.name), stored.mailbox
    waiting, ends = mailbox.waiting_replies, mailbox.replies_end_at
    if not waiting:
        return about.well("No reply waits in line.")
    what = f"{count(waiting, 'reply').replace('replys', 'replies')} wait in line"
    why = "Exchange Online lets a mailbox send 30 messages a minute; rooms are made at once all the same."
    if ends is not None and ends + _LATE < stored.now:
        mend = "See that the service runs (greenroom status), and its log for what Exchange refuses."
        return about.wrong(f"{what} and should have gone out {age(stored.now - ends)} ago.", why, mend)
    done = "" if ends is None or ends <= stored.now else f", done in about {age(ends - stored.now)}"
    return about.note(f"{what}{done}.", why)


def _backlog(stored: Stored) -> list[Finding]:
    total, done, since = stored.mailbox.backlog_total, stored.mailbox.backlog_done, stored.mailbox.backlog_since
    if total is None or since is None:
        return []
    what = f"Catching up: {done or 0} of {total} changes are handled, since {age(stored.now - since)}."
    return [About("backlog", stored.entry.name).note(what, "What starts soonest is handled first.")]


def _defects(stored: Stored) -> list[Finding]:
    about = About("defects", stored.entry.name)
    found = []
    if number := stored.meetings.get(Standing.DEFECTIVE, 0):
        what = f"{count(number, 'meeting')} cannot be read or given a room."
        mend = "greenroom meetings --state defective, then greenroom explain for one of them"
        found.append(about.note(what, "Their organizers get no answer until that is mended.", mend))
    if number := stored.meetings.get(Standing.PENDING, 0):
        what = f"{count(number, 'meeting')} wait for a room or to be tried again."
        found.append(
            about.note(
                what,
                "A few do at any time; many mean that something is out of reach.",
                "greenroom meetings --state pending",
            )
        )
    return found or [about.well("No meeting is defective, none waits.")]


def _drift(stored: Stored) -> list[Finding]:
    about = About("drift", stored.entry.name)
    number = sum(stored.drifts.values())
    if number:
        kinds = ", ".join(f"{kind} {many}" for kind, many in sorted(stored.drifts.items()))
        what = (
            f"Calendar, database and platform disagreed {count(number, 'time')} when they were last compared ({kinds})."
        )
        mend = f"greenroom drift --integration {stored.entry.name}"
        return [about.note(what, "People could be let in where they should not, or the other way round.", mend)]
    return [about.well("Calendar, database and platform agreed.")] if stored.mailbox.last_pass_at else []


def _alarms(stored: Stored) -> list[Finding]:
    found = []
    for alarm in stored.alarms[:_MOST_ALARMS]:
        guess = alarm.code in _GUESSES
        why = (
            "Somebody tries what is not theirs, or a device is set wrongly."
            if guess
            else "It touched meetings or their safety."
        )
        what = f"Alarm {alarm.code}, {count(alarm.count, 'time')} within the last day, last {age(stored.now - alarm.last_at)} ago."
        found.append(About("alarms", stored.entry.name).note(what, why, "greenroom status"))
    return found
