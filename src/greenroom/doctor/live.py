"""The live test: two meetings are booked in a person's calendar, followed to the reply, and taken away again.

```
service attends? ─▶ whose side ─▶ leftovers removed ─▶ booked ─▶ followed until settled ─▶ judged ─▶ cancelled ─▶ followed ─▶ judged
                                                          └──────── whatever happens: what is marked as a trial is removed ──┘
```
"""

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final, TypeVar

import structlog

from greenroom.doctor.contract import Explain, Finding, Side
from greenroom.doctor.database import is_prepared
from greenroom.doctor.fetching import Page, fetch
from greenroom.doctor.findings import About, age, count
from greenroom.doctor.live_findings import BOOKING, JOIN, TIDYING, failed, judge, judge_end
from greenroom.doctor.live_watch import Followed, Watch
from greenroom.doctor.organizers import Sides, may_act_for, writes
from greenroom.doctor.remedies import grant_script
from greenroom.exchange.contract import Access, Mailbox, OrganizerCalendars, Trial, TrialMeeting
from greenroom.exchange.errors import ExchangeError, OutcomeUnknownError, TryLaterError
from greenroom.outside import parse_json
from greenroom.settings import Integration
from greenroom.storage import Storage, StorageError

T = TypeVar("T")
log = structlog.get_logger(__name__)

SUBJECT: Final = "Greenroom test, please ignore"
SERVICE: Final = "live-service"
USUAL_PATIENCE: Final = timedelta(seconds=90)
_AHEAD: Final = timedelta(days=3)
_NIGHT: Final = 8
"""So many half hours after midnight (UTC) are chosen from: outside of working hours, which some mailboxes keep."""
_LONG: Final = timedelta(minutes=30)
_ENDING: Final = timedelta(seconds=60)
_BUSY: Final = timedelta(seconds=70)
"""So long a mailbox that has sent too many messages in a minute is waited for."""
_SLACK: Final = timedelta(seconds=30)
_LONGEST: Final = timedelta(hours=2)
"""No test lasts longer: what says so is none of ours."""
_UNTIL: Final = re.compile(r"until ([0-9]{8}T[0-9]{6}Z)")
_PAUSE: Final = 1.0
_OK: Final = 200


@dataclass(frozen=True, slots=True)
class Scene:
    """What the live test works with. `tell` is told in a few words how far it got; `pause` waits between two looks."""

    entry: Integration
    mailbox: Mailbox
    sides: Sides
    storage: Storage
    public_url: str
    explain: Explain
    clock: Callable[[], datetime]
    tell: Callable[[str], None]
    patience: timedelta = USUAL_PATIENCE
    pause: Callable[[], Awaitable[None]] = lambda: asyncio.sleep(_PAUSE)
    page: Callable[[str], Awaitable[Page]] = fetch


async def try_live(scene: Scene, organizer: str) -> list[Finding]:
    """Do the test with this person as organizer. Removes what it made whatever happens, also when it is cancelled."""
    entry = scene.entry
    try:
        if (idle := await _idle(scene)) is not None:
            return [idle]
        side, refused = await _side(scene, organizer)
        if refused is not None:
            return [refused]
        return await _Live(scene, organizer, side).run()
    except ExchangeError as error:
        told = scene.explain.exchange(error, entry, "exchange")
        return [failed(BOOKING, entry, (told.what, told.mend))]
    except StorageError as error:
        told = scene.explain.storage(error)
        return [failed(SERVICE, entry, (told.what, told.mend))]


async def _idle(scene: Scene) -> Finding | None:
    """Return what is wrong where no service attends the mailbox: nobody would answer."""
    if await is_prepared(scene.storage):
        async with scene.storage.reading() as work:
            state = await work.mailboxes.get(scene.entry.mailbox)
        if state.claimed_until is not None and state.claimed_until > scene.clock():
            return None
    what = "Start `greenroom serve` first: nobody attends the mailbox, so nobody would answer."
    return failed(SERVICE, scene.entry, (what, "greenroom serve"))


async def _side(scene: Scene, organizer: str) -> tuple[Side, Finding | None]:
    entry = scene.entry
    if not writes(entry):
        what = "As configured, nothing is written into people's calendars, so no trial can be booked there."
        return "exchange", failed(BOOKING, entry, (what, f"Invite {entry.mailbox} by hand, then: greenroom meetings"))
    side, permitted = await may_act_for(scene.sides, organizer)
    if permitted.access is Access.YES:
        return side, None
    if permitted.access is Access.NO:
        what = f"Greenroom may not book in the calendar of {organizer} ({permitted.code})."
        return side, failed(BOOKING, entry, (what, grant_script(entry, side)))
    what = f"{organizer} has no mailbox on an Exchange that is configured here ({permitted.code})."
    return side, failed(BOOKING, entry, (what, "Name somebody who has: --organizer ADDRESS"))


class _Live:
    def __init__(self, scene: Scene, organizer: str, side: Side) -> None:
        self._scene = scene
        self._entry = scene.entry
        self._organizer = organizer
        self._side = side
        self._theirs: OrganizerCalendars = scene.sides[side]
        self._watch = Watch(scene.entry.number, scene.mailbox, self._theirs, organizer, scene.storage, scene.clock)

    async def run(self) -> list[Finding]:
        found = [*await self._leftovers()]
        try:
            await self._tried(found)
        except ExchangeError as error:
            told = self._scene.explain.exchange(error, self._entry, self._side)
            found.append(failed(BOOKING, self._entry, (told.what, told.mend)))
        except StorageError as error:
            told = self._scene.explain.storage(error)
            found.append(failed(SERVICE, self._entry, (told.what, told.mend)))
        finally:
            found += await self._tidied()
        return found

    async def _leftovers(self) -> list[Finding]:
        about, now, left = About(TIDYING, self._entry.name), self._scene.clock(), await self._removed()
        found = []
        if left.removed:
            what = f"{count(left.removed, 'meeting')} of an earlier test, which had been cut off, removed."
            found.append(about.note(what))
        if left.others_until is not None:
            what = (
                "Another live test is under way in this calendar, or was cut off lately; its meetings are left alone."
            )
            soon = f"A live test after {left.others_until:%H:%M:%S} UTC, {age(left.others_until - now)} from now, removes them."
            found.append(about.note(what, "", soon))
        return found

    async def _tried(self, found: list[Finding]) -> None:
        scene, followed = self._scene, self._watch.followed
        scene.tell("booking")
        midnight = datetime.combine((scene.clock() + _AHEAD).date(), time(), UTC)
        start = midnight + _LONG * secrets.randbelow(_NIGHT)
        for private in (True, False):
            await self._book(start, private=private)
        about = About(BOOKING, self._entry.name)
        found.append(about.well(f"{count(len(followed), 'meeting')} booked in the calendar of {self._organizer}."))
        await self._followed(lambda one: one.settled, scene.patience, "waiting for the answer")
        found += judge(followed, self._entry, scene.patience)
        found += await self._join_page(followed[0])
        scene.tell("cancelling")
        await self._removed()
        patience = min(scene.patience, _ENDING)
        await self._followed(lambda one: one.ended or one.vanished, patience, "waiting for the cancellation")
        found += judge_end(followed, self._entry, patience)

    async def _book(self, start: datetime, *, private: bool) -> None:
        word = secrets.token_hex(8)
        text = "Greenroom tests itself with this meeting and takes it away again. Nothing needs to be done."
        until = self._scene.clock() + self._scene.patience + _ENDING + _SLACK
        body = f"<html><body><p>{text}</p><p>{word}</p><p>{mark_until(until)}</p></body></html>"
        trial = Trial(SUBJECT, body, start, start + _LONG, private)
        self._watch.followed.append(Followed(trial, word, self._scene.clock()))
        with suppress(OutcomeUnknownError):  # the looks tell whether it is there
            await _wholly(self._theirs.book_trial(self._organizer, self._entry.mailbox, trial))

    async def _followed(self, done: Callable[[Followed], bool], patience: timedelta, what: str) -> None:
        """Look until all is done, or patience is at its end. What passes is left for the next look."""
        began = self._scene.clock()
        with suppress(TimeoutError):  # one look may hang as long as the settings wait for an answer
            async with asyncio.timeout((patience + _SLACK).total_seconds()):
                while True:
                    with suppress(TryLaterError):
                        await self._watch.look()
                        if all(done(one) for one in self._watch.followed):
                            return
                    passed = self._scene.clock() - began
                    if passed >= patience:
                        return
                    self._scene.tell(f"{what} ({passed.total_seconds():.0f} s)")
                    await self._scene.pause()

    async def _join_page(self, one: Followed) -> list[Finding]:
        if one.room is None:
            return []
        about = About(JOIN, self._scene.public_url)
        page = await self._scene.page(f"{self._scene.public_url}/j/{one.room.spec.join_id}.json")
        with suppress(ValueError):
            told = parse_json(page.body) if page.status == _OK else None
            if isinstance(told, dict) and "state" in told:
                return [about.well("Its join page answers.")]
        what = f"Its join page does not answer ({page.failure or f'HTTP {page.status}'})."
        return [about.wrong(what, "People who click the link do not get in.", "greenroom doctor --only service")]

    async def _removed(self) -> "_Left":
        """Cancel our trials in this calendar, and those of tests that are over.

        After an answer that was lost the next round looks whether the meeting is gone. Raises TryLaterError if Exchange is still
        busy, or silent, after a while.
        """
        removed: set[str] = set()
        try:
            async with asyncio.timeout((_BUSY + _SLACK).total_seconds()):
                return await self._removed_at_last(removed)
        except TimeoutError:
            raise TryLaterError("no answer in time", code="timeout", mailbox=self._organizer) from None

    async def _removed_at_last(self, removed: set[str]) -> "_Left":
        began = self._scene.clock()
        while True:
            try:
                ours, others_until = self._sorted(await self._theirs.trials(self._organizer, self._entry.mailbox))
                for one in ours:
                    removed.add(one.ref.id)
                    await self._theirs.cancel_trial(self._organizer, one.ref)
                return _Left(len(removed), others_until)
            except TryLaterError as error:
                log.info("doctor.trial_waits", code=error.code)
                if self._scene.clock() - began >= _BUSY:
                    raise
                await self._scene.pause()

    def _sorted(self, trials: Sequence[TrialMeeting]) -> tuple[list[TrialMeeting], datetime | None]:
        """Part what is ours to remove from what belongs to a test that may still be under way, and say until when that may be."""
        words, now = [one.word for one in self._watch.followed], self._scene.clock()
        ours, others = [], []
        for one in trials:
            text = one.invitation.body_html
            until = None if any(word in text for word in words) else until_of(text)
            if until is None or not now < until <= now + _LONGEST:
                ours.append(one)
            else:
                others.append(until)
        return ours, max(others, default=None)

    async def _tidied(self) -> list[Finding]:
        """Remove what is left, also while the test is being cancelled; say what could not be."""
        self._scene.tell("tidying up")
        return await _wholly(self._swept())

    async def _swept(self) -> list[Finding]:
        about = About(TIDYING, self._entry.name)
        try:
            await self._removed()
            if not self._sorted(await self._theirs.trials(self._organizer, self._entry.mailbox))[0]:
                return [about.well("The meetings are out of the organizer's calendar again.")]
        except ExchangeError as error:
            log.warning("doctor.trial_left", error=type(error).__name__, code=error.code)
        what = "The trial meetings could not be taken out of the organizer's calendar."
        mend = f"Run the live test again, which removes them first; or delete them by hand: {SUBJECT}"
        return [about.wrong(what, "They would take place, with nobody in them.", mend)]


@dataclass(frozen=True, slots=True)
class _Left:
    """What was removed, and until when tests of others may be under way."""

    removed: int
    others_until: datetime | None


async def _wholly(work: Coroutine[Any, Any, T]) -> T:
    """Bring something to its end also while the test is being cancelled: half of it would be left in a calendar."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        _ = task.cancelled() or task.exception()  # nobody else hears of it
        raise


def mark_until(until: datetime) -> str:
    """Write into a trial how long its test may last: until then another one leaves it alone."""
    return f"until {until.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def until_of(text: str) -> datetime | None:
    """Read what `mark_until` wrote; None where there is nothing of the kind."""
    found = _UNTIL.search(text)
    with suppress(ValueError):
        return None if found is None else datetime.strptime(found[1], "%Y%m%dT%H%M%S%z")
    return None


__all__ = ["SUBJECT", "USUAL_PATIENCE", "Scene", "try_live"]
