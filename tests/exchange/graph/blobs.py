"""Binary rules of series, as another program writes them."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from exchange.graph.whole_events import START
from greenroom.simulator.model import DeletedOccurrence, Meeting, ModifiedOccurrence, Person
from greenroom.simulator.recurrence import Pattern, Recurrence, Weekly
from greenroom.simulator.rule_blob import write_rule

TUESDAYS = Recurrence(Weekly(1, ("Tuesday",)), START.date())
HOUR = timedelta(hours=1)


def written(
    rule: Recurrence | Pattern,
    *,
    start: datetime = START,
    length: timedelta = HOUR,
    gone: Iterable[datetime] = (),
    moved: Iterable[datetime] = (),
) -> bytes:
    """The rule of a series that begins then; `moved` are the original starts of what takes place an hour later."""
    meeting = Meeting(
        uid="u",
        goid=b"",
        clean_goid=b"",
        start=start,
        end=start + length,
        organizer=Person("olga@example.test"),
        stamp=start,
        recurrence=rule if isinstance(rule, Recurrence) else Recurrence(rule, start.date()),
        deleted=tuple(DeletedOccurrence(one) for one in gone),
        modified=tuple(ModifiedOccurrence(one, one + HOUR, one + HOUR + length) for one in moved),
    )
    blob = write_rule(meeting)
    assert blob is not None
    return blob
