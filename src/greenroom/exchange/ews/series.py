"""Series as EWS describes them: a master's rule in its zone, with the occurrences that differ from it.

Source: EWS reference, Recurrence, OccurrenceInfoType (ModifiedOccurrences), DeletedOccurrenceInfoType. Nothing is expanded here.
"""

import hashlib
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from greenroom.exchange.ews.markup import Element, child, children, local, text_of
from greenroom.exchange.ews.recurrence import read_rule
from greenroom.exchange.ews.values import instant
from greenroom.meetings.meeting import ItemRef
from greenroom.meetings.recurrence import MAX_LENGTH, Series
from greenroom.meetings.rule_days import Days
from greenroom.meetings.rules import FIRST_DAY, LAST_DAY, Rule
from greenroom.meetings.zones import Zone, is_known, unknown_zone

_MOST_EXCEPTIONS: Final = 1000
_LONGEST_VALUE: Final = 100
_RULES: Final = ("Recurrence", "Regeneration")


@dataclass(frozen=True, slots=True)
class Differing:
    """One occurrence that differs from its series: the day it was first meant for, its item, and when it ends now."""

    day: date
    ref: ItemRef
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """What a master says of its recurrence: a series, or some text where its rule cannot be said; `until` as in `Span`."""

    series: Series | None = None
    text: str | None = None
    until: datetime | None = None
    differing: tuple[Differing, ...] = ()


@dataclass(frozen=True, slots=True)
class _Row:
    original: datetime
    start: datetime
    end: datetime
    ref: ItemRef


def read_series(fields: Mapping[str, Element], start: datetime, end: datetime, zone: Zone) -> Told:
    """Read a master's properties (by local name). `start` and `end` are the instants of its first occurrence."""
    recurrence = fields.get("Recurrence")
    modified = _modified(fields.get("ModifiedOccurrences"))
    gone = _deleted(fields.get("DeletedOccurrences"))
    last = instant(text_of(fields.get("LastOccurrence"), "End"))
    if recurrence is None or len(recurrence) == 0:
        # A series brought in with a rule that Exchange's patterns cannot say; its last occurrence may be known all the same.
        return Told(text=None if last is None else f"last={last.isoformat()}", until=last)
    try:
        rule = read_rule(recurrence)
        moved = [(row.original, row.start, row.end) for row in modified]
        zone = _counted_in(zone, rule, start)
        series = Series.of(rule, start, end, zone, moved=moved, gone=gone)
        occurrences = series.occurrences
        until = occurrences.last_end
        days = [(occurrences.day_of(row.original), row) for row in modified]
    except (ValueError, OverflowError):
        endless = child(recurrence, "NoEndRecurrence") is not None
        ends = [row.end for row in modified]
        until = None if endless or last is None else max([last, *ends])
        return Told(text=_digest(recurrence, zone, modified, gone), until=until)
    differing = {day: Differing(day, row.ref, row.start, row.end) for day, row in days if row.ref.id}
    return Told(series, until=until, differing=tuple(differing.values()))


def _counted_in(zone: Zone, rule: Rule, start: datetime) -> Zone:
    """Return the zone, or what stands in for one that nobody knows."""
    if is_known(zone):
        return zone
    first = Days(rule).first
    return unknown_zone(zone.name, start, rule.start if first is None else date.fromordinal(first))


def _modified(container: Element | None) -> list[_Row]:
    """Read ModifiedOccurrences, the latest of very many; what makes no sense is left out."""
    found: dict[datetime, _Row] = {}
    for element in _last(container):
        original, start, end = (instant(text_of(element, name)) for name in ("OriginalStart", "Start", "End"))
        if original is None or start is None or end is None or not (_is_sound(original) and _is_sound(start, end)):
            continue
        ident = child(element, "ItemId")
        ref = ItemRef("") if ident is None else ItemRef(ident.get("Id") or "", ident.get("ChangeKey") or "")
        found.setdefault(original, _Row(original, start, end, ref))
    return sorted(found.values(), key=lambda row: row.original)[-_MOST_EXCEPTIONS:]


def _deleted(container: Element | None) -> list[datetime]:
    """Read DeletedOccurrences, the latest of very many; what makes no sense is left out."""
    found = (instant(text_of(row, "Start")) for row in _last(container))
    return sorted({moment for moment in found if moment is not None and _is_sound(moment)})[-_MOST_EXCEPTIONS:]


def _last(container: Element | None) -> Iterable[Element]:
    """Return the last rows of a list, of which the first ones lie furthest back."""
    return deque(children(container), maxlen=4 * _MOST_EXCEPTIONS)


def _is_sound(start: datetime, end: datetime | None = None) -> bool:
    """Whether a calendar of Exchange could hold an occurrence then."""
    end = end or start
    return start.date() > FIRST_DAY and end.date() < LAST_DAY and timedelta() <= end - start <= MAX_LENGTH


def _digest(recurrence: Element, zone: Zone, modified: list[_Row], gone: list[datetime]) -> str:
    """Describe a rule that cannot be said by something that changes when it does."""
    parts = sorted(_part(element) for element in children(recurrence) if local(element).endswith(_RULES))
    parts.append(f"zone={zone.name} {zone.definition}")
    parts += [f"{row.original}/{row.start}/{row.end}" for row in modified]
    parts += [f"-{moment}" for moment in gone]
    return f"unsaid={hashlib.sha256('; '.join(parts).encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def _part(element: Element) -> str:
    values = sorted(f"{local(one)}={text_of(one)[:_LONGEST_VALUE]}" for one in children(element))
    return " ".join([local(element), *values])
