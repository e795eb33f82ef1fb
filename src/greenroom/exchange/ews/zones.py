"""The time zone of an item: its name, and its definition where the name alone tells nothing.

Source: EWS reference, StartTimeZone (TimeZoneDefinitionType: Periods, TransitionsGroups, Transitions), MeetingTimeZone.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Final

from greenroom.exchange.ews.markup import Element, child, children, local, text_of
from greenroom.exchange.ews.values import number
from greenroom.meetings.zone_rules import MAX_ERAS, MAX_ONSETS, Onset, define
from greenroom.meetings.zones import Zone, zone_of

_LONGEST_NAME: Final = 200
_WEEK: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MOST_PERIODS: Final = 2 * MAX_ERAS
_DURATION: Final = re.compile(
    r"(-)?P(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,8})(?:\.\d{1,9})?S)?)?", re.ASCII
)


def read_zone(fields: Mapping[str, Element], around: datetime) -> Zone:
    """Read the zone an item was meant in, from its properties by local name; a zone without a name where it has none."""
    told = fields.get("StartTimeZone")
    name = (told.get("Id") or "" if told is not None else "") or text_of(fields.get("StartTimeZoneId"))
    if not name and (old := fields.get("MeetingTimeZone")) is not None:
        name = old.get("TimeZoneName") or ""
    name = name.strip()[:_LONGEST_NAME]
    definition = "" if told is None else read_definition(told)
    return _zone_of(name, definition, around.year)


@lru_cache(maxsize=256)
def _zone_of(name: str, definition: str, year: int) -> Zone:
    """Compare name and definition once: a calendar has thousands of meetings, and few zones."""
    return zone_of(name, definition, datetime(year, 1, 1, tzinfo=UTC))


def read_definition(element: Element) -> str:
    """Read a TimeZoneDefinition into its canonical text; empty where it defines nothing, or nothing that makes sense."""
    if child(element, "Periods") is None:
        return ""
    try:
        periods = {
            period.get("Id") or "": _duration(period.get("Bias") or "")
            for period in islice(children(child(element, "Periods"), "Period"), _MOST_PERIODS)
        }
        groups = {
            group.get("Id") or "": [_onset(one) for one in islice(children(group), MAX_ONSETS + 1) if _is_one(one)]
            for group in islice(children(child(element, "TransitionsGroups"), "TransitionsGroup"), _MOST_PERIODS)
        }
        eras = list(_eras(element))
        if not eras and len(periods) == 1:
            eras = [(None, next(iter(periods)))]  # nothing ever changes
        return define(periods, groups, eras)
    except ValueError:
        return ""


def _is_one(element: Element) -> bool:
    return local(element) in ("Transition", "RecurringDayTransition", "RecurringDateTransition")


def _eras(element: Element) -> Iterator[tuple[datetime | None, str]]:
    for one in islice(children(child(element, "Transitions")), MAX_ERAS + 1):
        name = local(one)
        if name == "Transition":
            yield None, text_of(one, "To")
        elif name == "AbsoluteDateTransition":
            yield datetime.fromisoformat(text_of(one, "DateTime")), text_of(one, "To")


def _onset(element: Element) -> Onset:
    to = text_of(element, "To")
    if local(element) == "Transition":
        return Onset(to)
    month, at = _whole(element, "Month"), _duration(text_of(element, "TimeOffset"))
    if local(element) == "RecurringDateTransition":
        return Onset(to, month=month, day=_whole(element, "Day"), at=at)
    weekday = _WEEK.index(text_of(element, "DayOfWeek"))
    return Onset(to, month=month, weekday=weekday, nth=_whole(element, "Occurrence"), at=at)


def _whole(element: Element, name: str) -> int:
    found = number(text_of(element, name))
    if found is None:
        raise ValueError("a number is missing")
    return found


def _duration(text: str) -> timedelta:
    """Read an xs:duration without months and years, which no time zone needs."""
    match = _DURATION.fullmatch(text.strip())
    if match is None or match[0] in ("P", "-P"):
        raise ValueError("no duration")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[1:])
    length = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return -length if match[1] else length
