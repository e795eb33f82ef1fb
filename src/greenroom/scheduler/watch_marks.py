"""The two marks on one mailbox's calendar folder, as one process reads and writes them."""

import asyncio
from collections.abc import Callable, Container
from dataclasses import dataclass
from datetime import timedelta

import structlog

from greenroom.exchange.contract import MARKS, Mailbox
from greenroom.exchange.errors import ExchangeError, MisconfiguredError, SignInError, TryLaterError
from greenroom.scheduler import whereabouts
from greenroom.scheduler.case import Clock
from greenroom.scheduler.watching import Mark, Sight, Times, Whose, contends, judge

log = structlog.get_logger(__name__)

_WATCHER, _CONTENDER = MARKS
_NO_MAILBOX = (TryLaterError, SignInError, MisconfiguredError)
"""What concerns the mailbox as a whole; everything else says that marks are not to be had there."""
_LEAVE_WITHIN = 5.0
"""Seconds: who is told to stop stops soon, also when Exchange does not answer."""


class NoMarksError(Exception):
    """Marks can not be read or left there: there is no right to, or Exchange knows no such thing."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Both marks at one moment. `whose` is the watcher's mark, `rival` another's live contender mark.

    `watcher_is_mine` and `contender_is_mine`: it is what this process wrote last. `contender_is_ours`: it is of our database.
    """

    watcher: Mark | None
    whose: Whose
    watcher_is_mine: bool
    contender_is_mine: bool
    contender_is_ours: bool
    rival: Mark | None

    @property
    def other(self) -> Mark | None:
        """The mark of another one that lives."""
        return self.watcher if self.whose is Whose.ANOTHERS else None


class FolderMarks:
    """Reads, judges, writes and takes away. `monotonic` are seconds of a clock that nobody sets."""

    def __init__(self, mailbox: Mailbox, clock: Clock, monotonic: Callable[[], float], times: Times) -> None:
        self._mailbox = mailbox
        self._clock = clock
        self._monotonic = monotonic
        self._times = times
        self._watcher, self._contender = Sight(), Sight()
        self._written: dict[str, str] = {}
        self._may_write_at: float | None = None
        self._told_at: float | None = None

    @property
    def may_write(self) -> bool:
        """Whether nobody forbade it lately."""
        return self._may_write_at is None or self._monotonic() >= self._may_write_at

    async def read(self, ours: Container[str]) -> Seen:
        """Read both marks; `ours` are the tokens that our database knows.

        Raises NoMarksError, and what keeps the mailbox as a whole from being asked.
        """
        try:
            marks = await self._mailbox.marks()
        except _NO_MAILBOX:
            raise
        except ExchangeError as error:
            log.info("marks cannot be read", mailbox=self._mailbox.address, code=error.code)
            raise NoMarksError from error
        text, beside = marks.get(_WATCHER), marks.get(_CONTENDER)
        at, now = self._monotonic(), self._clock()
        unmoved, watcher = self._watcher.see(text, at), Mark.read(text)
        self._tell_what_is_odd(text, watcher)
        rival, still = Mark.read(beside), self._contender.see(beside, at)
        wants = contends(rival, ours, still, now, moved=self._contender.moved, times=self._times)
        dead = watcher is not None and is_dead(watcher)
        return Seen(
            watcher=watcher,
            whose=judge(watcher, ours, unmoved, now, dead=dead, times=self._times),
            watcher_is_mine=text is not None and text == self._written.get(_WATCHER),
            contender_is_mine=beside is not None and beside == self._written.get(_CONTENDER),
            contender_is_ours=rival is not None and rival.token in ours,
            rival=rival if wants else None,
        )

    async def watch(self, installation: str, token: str, *, holds: bool) -> None:
        """Leave the watcher's mark. Raises NoMarksError, and as `read` does."""
        await self._write(_WATCHER, installation, token, holds=holds)

    async def contend(self, installation: str, token: str) -> None:
        """Leave the contender's mark. Raises as `watch` does."""
        await self._write(_CONTENDER, installation, token, holds=False)

    async def leave(self) -> None:
        """Take away what this process wrote. What goes wrong does not matter: marks get stale by themselves."""
        if not self._written:
            return
        # The watcher's first: one that tries beside no contender of ours would be doubted, if we died in between.
        written, self._written = {name: self._written[name] for name in MARKS if name in self._written}, {}
        try:
            async with asyncio.timeout(_LEAVE_WITHIN):
                marks = await self._mailbox.marks()
                for name, text in written.items():
                    if marks.get(name) == text:
                        await self._mailbox.mark(name, None)
        except (ExchangeError, TimeoutError) as error:
            log.info("mark left behind", mailbox=self._mailbox.address, error=type(error).__name__)

    async def _write(self, name: str, installation: str, token: str, *, holds: bool) -> None:
        here = whereabouts.machine(), whereabouts.process(), whereabouts.host()
        text = Mark(installation, token, self._clock(), holds, *here).write()
        self._written[name] = text  # before it is known to be written: an answer may get lost
        try:
            await self._mailbox.mark(name, text)
        except _NO_MAILBOX:
            raise
        except ExchangeError as error:
            log.info("mark cannot be left", mailbox=self._mailbox.address, code=error.code)
            self._written.pop(name)
            self._may_write_at = self._monotonic() + self._times.permit.total_seconds()
            raise NoMarksError from error

    def _tell_what_is_odd(self, text: str | None, mark: Mark | None) -> None:
        now = self._monotonic()
        due = self._told_at is None or timedelta(seconds=now - self._told_at) >= self._times.tell
        if text is not None and mark is None and due:
            self._told_at = now
            log.warning(
                "the watcher's mark is not one of Greenroom's; taken for nobody's", mailbox=self._mailbox.address
            )


def is_dead(mark: Mark) -> bool:
    """Whether the process that left a mark is known to be dead: it was one of this machine."""
    here = mark.machine != whereabouts.NO_MACHINE and mark.machine == whereabouts.machine()
    return here and whereabouts.is_dead(mark.process)
