"""Who watches a mailbox: the marks that Greenrooms leave on it, and what they say to each other. Pure.

Two installations on one mailbox, each with a database of its own, would answer the same meetings. What they share is the mailbox:
whoever attends it leaves a mark on its calendar folder and renews it every minute. A mark is one line of text::

    greenroom 1 <installation> <token> <time> holds|tries <machine> <process> <host>

The token is new in every mark and was stored in the writer's database before it was written. So a mark is ours if and only if our
database knows its token: a copy of the database that was restored elsewhere has the same installation id, and is found out by
tokens that are none of ours. Whether another's mark lives is judged by how long it has not moved while we looked on, by a clock
that nobody sets; the time that it names only speaks against it. The text may be anybody's: what is not exactly of this form is
nobody's mark.
"""

import re
from collections.abc import Container
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Self

_VERSION = 1
_LONGEST = 1000
_LINE = re.compile(
    r"greenroom ([1-9][0-9]{0,2}) ([0-9a-f]{32}) ([0-9a-f]{16}) ([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)"
    r" (holds|tries) ([0-9a-f]{16}|-) ([1-9][0-9]{0,9}) ([A-Za-z0-9._-]{1,64})( [^\r\n]*)?",
    re.ASCII,
)
_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class Times:
    """How long things take. A judgement lapses sooner than another's patience ends, so that there is no moment with two.

    `beat`: between two looks at the marks, and two renewals of our own. `lapse`: after so long without one nothing more is done
    before the next. `stale`: a mark that did not move for so long, and whose time is as old, is nobody's. `forgotten`: after so
    long without a move it is nobody's, whatever time it names. `settle`: who cannot be sure to be alone waits so long. `again`:
    between two tries to find that out. `tell`: between two warnings. `permit`: between two tries to leave a mark where that was
    not permitted.
    """

    beat: timedelta = timedelta(seconds=60)
    lapse: timedelta = timedelta(minutes=4)
    stale: timedelta = timedelta(minutes=5)
    forgotten: timedelta = timedelta(minutes=15)
    settle: timedelta = timedelta(minutes=5)
    again: timedelta = timedelta(seconds=5)
    tell: timedelta = timedelta(minutes=15)
    permit: timedelta = timedelta(hours=1)


USUAL = Times()


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark as it was read. `holds` False: its writer is not sure yet to be alone and answers nothing."""

    installation: str
    token: str
    at: datetime
    holds: bool
    machine: str
    process: int
    host: str

    @classmethod
    def read(cls, text: str | None) -> Self | None:
        """Read a mark; None if this is none. Of later versions, whose lines may go on, it reads what all have."""
        match = _LINE.fullmatch(text) if text is not None and len(text) <= _LONGEST else None
        if match is None or (int(match[1]) == _VERSION and match[9] is not None):
            return None
        try:
            at = datetime.strptime(match[4], _TIME).replace(tzinfo=UTC)
        except ValueError:
            return None
        return cls(match[2], match[3], at, match[5] == "holds", match[6], int(match[7]), match[8])

    def write(self) -> str:
        """Write the mark's line."""
        at = self.at.astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat()
        how = "holds" if self.holds else "tries"
        fields = (_VERSION, self.installation, self.token, f"{at}Z", how, self.machine, self.process, self.host)
        return f"greenroom {' '.join(str(field) for field in fields)}"


@dataclass(slots=True)
class Sight:
    """What was seen of one mark so far: since when it has not moved, by a clock that nobody sets, and whether it ever did."""

    text: str | None = None
    since: float | None = None
    moved: bool = False

    def see(self, text: str | None, at: float) -> timedelta:
        """Look again at `at` seconds; returns for how long the mark has been as it is."""
        if self.since is None or text != self.text:
            self.moved = self.since is not None
            self.text, self.since = text, at
        return timedelta(seconds=max(at - self.since, 0.0))


class Whose(StrEnum):
    """Whose mark that is."""

    NOBODYS = "nobody's"
    OURS = "ours"
    ANOTHERS = "another's"


def judge(
    mark: Mark | None,
    ours: Container[str],
    unmoved: timedelta,
    now: datetime,
    *,
    dead: bool = False,
    times: Times = USUAL,
) -> Whose:
    """Say whose mark that is. `ours` are the tokens that our database knows; `dead`: its process is known to be dead."""
    if mark is None:
        return Whose.NOBODYS
    if mark.token in ours:
        return Whose.OURS
    age = now - mark.at
    is_left = dead or unmoved >= times.forgotten or (unmoved >= times.stale and age >= times.stale)
    return Whose.NOBODYS if is_left else Whose.ANOTHERS


def contends(
    mark: Mark | None,
    ours: Container[str],
    unmoved: timedelta,
    now: datetime,
    *,
    moved: bool,
    times: Times = USUAL,
) -> bool:
    """Whether somebody else wants the mailbox now: one who was kept out long ago and went away left a mark that stays."""
    if mark is None or mark.token in ours or unmoved >= times.stale:
        return False
    return moved or abs(now - mark.at) < times.stale
