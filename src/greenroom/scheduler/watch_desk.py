"""Looking at a mailbox's marks once, and taking it over by order of a person who knows that the other one is gone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from greenroom.exchange.contract import MARKS, Mailbox
from greenroom.scheduler import whereabouts
from greenroom.scheduler.case import Clock
from greenroom.scheduler.watch_book import WatchBook, watch_of
from greenroom.scheduler.watch_marks import is_dead
from greenroom.scheduler.watching import USUAL, Mark
from greenroom.storage import Storage
from greenroom.storage.facts import INSTALLATION

_WATCHER, _CONTENDER = MARKS


class MarkMovedError(Exception):
    """The mark is not any more as it was shown: whoever left it is alive."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One mark as it is now. `ours`: our database knows it; `copy`: it has our installation id, and our database does not.

    `lives`: its time is not long past, and its process is not known to be dead; who it is may be looked at for longer.
    """

    mark: Mark
    ours: bool
    copy: bool
    lives: bool


@dataclass(frozen=True, slots=True)
class Marks:
    """Both marks of a mailbox. `odd`: there is a watcher's mark that is none of Greenroom's. `text` is its line as it was read."""

    watcher: Shown | None
    contender: Shown | None
    odd: bool
    text: str | None

    @property
    def is_anothers(self) -> bool:
        """Whether another installation has the mailbox."""
        return self.watcher is not None and not self.watcher.ours

    @property
    def is_disputed(self) -> bool:
        """Whether two live on the mailbox."""
        other = self.is_anothers and self.watcher is not None and self.watcher.lives
        rival = self.contender is not None and not self.contender.ours and self.contender.lives
        return other or rival


async def look_at_marks(mailbox: Mailbox, storage: Storage | None, now: datetime) -> Marks:
    """Read the marks from the mailbox. `storage` is None where nothing was ever remembered. Raises ExchangeError, StorageError."""
    found = await mailbox.marks()
    tokens: tuple[str, ...] = ()
    installation: str | None = None
    if storage is not None:
        async with storage.reading() as work:
            tokens = (await watch_of(work, mailbox.address)).tokens
            installation = await work.facts.get(INSTALLATION)
    watcher = _shown(found, _WATCHER, tokens, installation, now)
    contender = _shown(found, _CONTENDER, tokens, installation, now)
    if watcher is not None and contender is not None and _writer(watcher.mark) == _writer(contender.mark):
        contender = None  # whoever watches leaves both
    text = found.get(_WATCHER)
    return Marks(watcher, contender, text is not None and watcher is None, text)


async def take_over(mailbox: Mailbox, storage: Storage, number: int, clock: Clock, seen: Marks) -> None:
    """Leave our mark in place of another's; our service goes on from it, and the other one, should it live, stops.

    Raises MarkMovedError if somebody renewed the mark since it was looked at; NotPermittedError; as `look_at_marks` does.
    """
    book = WatchBook(storage, mailbox.address, number, clock)
    installation = await book.installation()
    (token,), _ = await book.tokens(1)
    if (await mailbox.marks()).get(_WATCHER) != seen.text:
        raise MarkMovedError
    here = whereabouts.machine(), whereabouts.process(), whereabouts.host()
    await mailbox.mark(_WATCHER, Mark(installation, token, clock(), True, *here).write())


def _writer(mark: Mark) -> tuple[str, str, int]:
    return mark.installation, mark.machine, mark.process


def _shown(
    found: Mapping[str, str], name: str, tokens: tuple[str, ...], installation: str | None, now: datetime
) -> Shown | None:
    mark = Mark.read(found.get(name))
    if mark is None:
        return None
    ours = mark.token in tokens
    lives = abs(now - mark.at) < USUAL.stale and not is_dead(mark)
    return Shown(mark, ours, not ours and mark.installation == installation, lives)
