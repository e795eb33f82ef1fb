"""The live test: two meetings are booked in a person's calendar, followed to the reply, and taken away again.

```
service attends? ─▶ whose side ─▶ leftovers removed ─▶ booked ─▶ followed until settled ─▶ judged ─▶ cancelled ─▶ followed ─▶ judged
                                                          └──────── whatever happens: what is marked as a trial is removed ──┘
```
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final

import structlog

from greenroom.doctor.contract import Explain, Finding, Side
from greenroom.doctor.database import is_prepared
from greenroom.doctor.fetching import Page, fetch
from greenroom.doctor.findings import About, count
from greenroom.doctor.live_findings import BOOKING, JOIN, TIDYING, failed, judge, judge_end
from greenroom.doctor.live_watch import Followed, Watch
from greenroom.doctor.organizers import Sides, may_act_for, writes
from greenroom.doctor.remedies import grant_script
from greenroom.exchange.contract import Access, Mailbox, OrganizerCalendars, Trial
from greenroom.exchange.errors import ExchangeError, OutcomeUnknownError, TryLaterError
from greenroom.outside import parse_json
from greenroom.settings import Integration
from greenroom.storage import Storage, StorageError

log = structlog.get_logger(__name__)

SUBJECT: Final = "Greenroom test, please ignore"
SERVICE: Final = "live-service"
USUAL_PATIENCE: Final = timedelta(seconds=90)
_AHEAD: Final = timedelta(days=3)
_NIGHT: Final = 8
"""So many half hours after midnight (UTC) are chosen from: outside of working hours, which some mailboxes keep."""
_LONG: Final = timedelta(minutes=30)
_ENDING: Final = timedelta(seconds=60)
_ROUNDS: Final = 70
"""So many seconds a mailbox that has sent too many messages in a minute is waited for."""
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
        removed = await self._removed()
        if not removed:
            return []
        about = About(TIDYING, self._entry.name)
        return [about.note(f"{count(removed, 'meeting')} of an earlier test, which had been cut off, removed.")]

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
        body = f"<html><body><p>{text}</p><p>{word}</p></body></html>"
        trial = Trial(SUBJECT, body, start, start + _LONG, private)
        self._watch.followed.append(Followed(trial, word, self._scene.clock()))
        with suppress(OutcomeUnknownError):  # the looks tell whether it is there
            await self._theirs.book_trial(self._organizer, self._entry.mailbox, trial)

    async def _followed(self, done: Callable[[Followed], bool], patience: timedelta, what: str) -> None:
        """Look until all is done, or patience is at its end. What passes is left for the next look."""
        began = self._scene.clock()
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
            if page.status == _OK and "state" in (parse_json(page.body) or {}):
                return [about.well("Its join page answers.")]
        what = f"Its join page does not answer ({page.failure or f'HTTP {page.status}'})."
        return [about.wrong(what, "People who click the link do not get in.", "greenroom doctor --only service")]

    async def _removed(self) -> int:
        """Cancel all trials of our mailbox in this calendar; returns how many. Raises the last TryLaterError of many.

        After an answer that was lost the next round looks whether the meeting is gone.
        """
        removed: set[str] = set()
        for rounds_left in range(_ROUNDS, -1, -1):
            try:
                for one in await self._theirs.trials(self._organizer, self._entry.mailbox):
                    removed.add(one.ref.id)
                    await self._theirs.cancel_trial(self._organizer, one.ref)
                break
            except TryLaterError as error:
                log.info("doctor.trial_waits", code=error.code)
                if not rounds_left:
                    raise
                await self._scene.pause()
        return len(removed)

    async def _tidied(self) -> list[Finding]:
        """Remove what is left, also while the test is being cancelled; say what could not be."""
        self._scene.tell("tidying up")
        tidying = asyncio.ensure_future(self._swept())
        try:
            return await asyncio.shield(tidying)
        except asyncio.CancelledError:
            await tidying
            raise

    async def _swept(self) -> list[Finding]:
        about = About(TIDYING, self._entry.name)
        try:
            await self._removed()
            if not await self._theirs.trials(self._organizer, self._entry.mailbox):
                return [about.well("The meetings are out of the organizer's calendar again.")]
        except ExchangeError as error:
            log.warning("doctor.trial_left", error=type(error).__name__, code=error.code)
        what = "The trial meetings could not be taken out of the organizer's calendar."
        mend = f"Run the live test again, which removes them first; or delete them by hand: {SUBJECT}"
        return [about.wrong(what, "They would take place, with nobody in them.", mend)]


__all__ = ["SUBJECT", "USUAL_PATIENCE", "Scene", "try_live"]
