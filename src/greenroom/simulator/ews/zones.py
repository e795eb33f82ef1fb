"""Time zones as EWS writes them: an id of Windows, a definition with periods and the days on which they change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from greenroom.simulator import zones
from greenroom.simulator.ews.names import sub, t, xml_text
from greenroom.simulator.recurrence import DAYS
from greenroom.simulator.zone_years import Switch, eras

if TYPE_CHECKING:
    from lxml import etree


def zone_of(name: str | None) -> tzinfo | None:
    """The zone of a name; None for no name and for one nobody knows."""
    return zones.find(name) if name else None


def local_time(text: str, zone: tzinfo | None) -> datetime:
    """Read an ``xs:dateTime``; one without offset is meant in ``zone`` (default UTC). Raises ValueError."""
    value = datetime.fromisoformat(text.strip())
    return (value.replace(tzinfo=zone or UTC) if value.tzinfo is None else value).astimezone(UTC)


def wall_clock(moment: datetime, name: str | None) -> str:
    """An instant as a clock on the wall of that zone shows it, as StartWallClock does."""
    return moment.astimezone(zone_of(name) or UTC).strftime("%Y-%m-%dT%H:%M:%S")


def write_definition(element: etree._Element, name: str, zone: tzinfo | None, year: int) -> None:
    """Fill a TimeZoneDefinitionType with the rules that hold from that year on.

    `name` is the Id, whatever it is: a name of Windows, or one that only the definition explains (of a meeting from another
    calendar program; exchangelib issues 273, 310 and 1197 show what Exchange writes then).
    """
    element.set("Id", xml_text(name))
    element.set("Name", xml_text(name) if zones.find_exact(name) is not None else "")
    periods = sub(element, t("Periods"))
    groups = sub(element, t("TransitionsGroups"))
    transitions = sub(element, t("Transitions"))
    known: dict[tuple[str, timedelta], str] = {}

    def period(label: str, offset: timedelta) -> str:
        ident = known.get((label, offset))
        if ident is None:
            number = 1 + sum(1 for other, _ in known if other == label)
            ident = known[label, offset] = f"trule:Microsoft/Registry/{name}/{number}-{label}"
            sub(periods, t("Period"), Bias=_duration(-offset), Name=label, Id=ident)
        return ident

    def group(since: datetime | None) -> etree._Element:
        number = str(len(groups))
        absolute = since is not None and len(groups) > 0
        transition = sub(transitions, t("AbsoluteDateTransition" if absolute else "Transition"))
        _to(transition, "Group", number)
        if absolute and since is not None:
            sub(transition, t("DateTime"), since.strftime("%Y-%m-%dT%H:%M:%SZ"))
        return sub(groups, t("TransitionsGroup"), Id=number)

    for era in eras(zone or UTC, year):
        if era.switches:
            low = min(one.offset for one in era.switches)
            made = group(era.begins)
            for switch in era.switches:
                _recurring(made, switch, period("Standard" if switch.offset == low else "Daylight", switch.offset))
            continue
        for since, offset in [(era.begins, era.january), *((one.at, one.offset) for one in era.changes)]:
            _to(sub(group(since), t("Transition")), "Period", period("Standard", offset))


def _to(parent: etree._Element, kind: str, target: str) -> None:
    sub(parent, t("To"), target, Kind=kind)


def _recurring(group: etree._Element, switch: Switch, period: str) -> None:
    by_day = switch.weekday is not None
    element = sub(group, t("RecurringDayTransition" if by_day else "RecurringDateTransition"))
    _to(element, "Period", period)
    sub(element, t("TimeOffset"), _duration(switch.time))
    sub(element, t("Month"), str(switch.month))
    if switch.weekday is None:
        sub(element, t("Day"), str(switch.day))
    else:
        sub(element, t("DayOfWeek"), DAYS[switch.weekday])
        sub(element, t("Occurrence"), str(switch.nth))


def _duration(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    sign = "-" if minutes < 0 else ""
    return f"{sign}PT{abs(minutes)}M"
