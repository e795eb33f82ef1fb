"""Finding a meeting's items in any mailbox we may act for: by the key, or one occurrence of a series by its day."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import structlog

from greenroom.exchange.errors import ExchangeError
from greenroom.exchange.ews import search
from greenroom.exchange.ews.series import Told
from greenroom.exchange.ews.transport import EwsTransport
from greenroom.meetings.meeting import MeetingKey
from greenroom.meetings.rule_days import Days

log = structlog.get_logger(__name__)

MOST_READ: Final = 10
_MOST_COUNTED: Final = 5000
_ANYWHERE: Final = timedelta(hours=14)
_MOMENT: Final = timedelta(minutes=1)


async def find_ids(transport: EwsTransport, mailbox: str, key: MeetingKey) -> list[str]:
    """Find the calendar items of a meeting; of one occurrence its own and that of its series.

    Bounded where the server cannot search.
    """
    try:
        page = search.read_page(await transport.call(search.find_by_key(key), mailbox), mailbox=mailbox)
        return _fitting(page, key)
    except ExchangeError as error:
        if error.code not in search.UNSEARCHABLE:
            raise
        log.info("ews.find.listing", mailbox=mailbox, code=error.code)
    offset = 0
    for _ in range(search.MOST_PAGES):
        page = search.read_page(
            await transport.call(search.list_calendar(offset), mailbox), mailbox=mailbox, offset=offset
        )
        if hits := _fitting(page, key, sure=True):
            return hits
        if page.next_offset is None:
            return []
        offset = page.next_offset
    log.warning("ews.find.too-many", mailbox=mailbox, listed=search.MOST_PAGES * search.PAGE)
    return []


def _fitting(page: search.Page, key: MeetingKey, *, sure: bool = False) -> list[str]:
    fitting = [hit for hit in page.items if hit.may_be(key) and (hit.key is not None or not sure)]
    exact = sorted(fitting, key=lambda hit: hit.day is None)  # the occurrence itself comes before its series
    return [hit.id for hit in exact][:MOST_READ]


def number_of(day: date, told: Told) -> int | None:
    """Return which occurrence of a series was first meant for a day, counted from 1; 0 where there is none, None if not known.

    Exchange counts the occurrences of the rule, whether they were taken out or not (EWS, OccurrenceItemId).
    """
    series = told.series
    if series is None:
        return None
    if series.occurrences.on(day) is None:
        return 0
    for number, found in enumerate(Days(series.rule), 1):
        if found == day.toordinal():
            return number
        if found > day.toordinal() or number == _MOST_COUNTED:
            break
    return None


async def find_in_view(transport: EwsTransport, mailbox: str, key: MeetingKey, told: Told) -> list[str]:
    """Find one occurrence among what takes place when it does; its exceptions are known by their own items instead."""
    day = key.occurrence
    if day is None:
        return []
    midnight = datetime.combine(day, time(), UTC)
    start, end = midnight - _ANYWHERE, midnight + timedelta(days=1) + _ANYWHERE
    known = None if told.series is None else told.series.occurrences.on(day)
    if known is not None:
        start, end = known.start, max(known.end, known.start + _MOMENT)
    page = search.read_page(await transport.call(search.view_calendar(start, end), mailbox), mailbox=mailbox)
    return [hit.id for hit in page.items if hit.part_of_series and hit.key == key.clean and _day(hit, told) == day]


def _day(hit: search.Hit, told: Told) -> date | None:
    if hit.day is not None:
        return hit.day
    meant = hit.original or hit.start
    if meant is None:
        return None
    return meant.date() if told.series is None else told.series.occurrences.day_of(meant)
