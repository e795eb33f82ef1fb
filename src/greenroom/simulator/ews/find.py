"""FindItem: items of folders by page, by calendar window, by restriction."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from lxml import etree

from greenroom.simulator.ews.errors import EwsError, SoapFault
from greenroom.simulator.ews.items import write_item
from greenroom.simulator.ews.names import children, m, sub, t
from greenroom.simulator.ews.restriction import Restrictions, goid_of
from greenroom.simulator.ews.shapes import read_item_shape
from greenroom.simulator.ews.zones import local_time
from greenroom.simulator.model import CalendarItem
from greenroom.simulator.occurrence_items import shown
from greenroom.simulator.occurrences import occurrences_within, touches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from greenroom.simulator.ews.call import Call
    from greenroom.simulator.ews.soap import SoapRequest
    from greenroom.simulator.model import Item

_LONGEST_VIEW: Final = timedelta(days=2 * 366)
FIND_COUNT_LIMIT: Final = 1000
"""EWSFindCountLimit: no page is longer."""


def find_item(call: Call, request: SoapRequest) -> etree._Element:
    """Answer FindItem: one response message per parent folder."""
    shape = read_item_shape(request.body.find(m("ItemShape")))
    restrictions = Restrictions(call.exchange)
    restriction, order = request.body.find(m("Restriction")), request.body.find(m("SortOrder"))
    test = restrictions.read(restriction)
    arrange = restrictions.sorter(order)
    shallow = request.body.get("Traversal") == "Shallow"

    def one(element: etree._Element) -> list[etree._Element]:
        mailbox, folder = call.folder(element)
        store = call.exchange.site.store(mailbox)
        goid = goid_of(restriction) if folder.name == "calendar" else None
        found: Sequence[Item]
        if not shallow:
            found = []
        elif goid is not None:
            found = arrange(list(reversed(store.calendar_items(goid))))
        else:
            found = store.arranged(folder.id, b"" if order is None else etree.tostring(order), arrange)
        if restriction is not None:
            found = [item for item in found if test(item)]
        window = request.body.find(m("CalendarView"))
        if window is not None:
            items, total = _window(found, window, folder.name)
            last, following = len(items) == total, None
        else:
            total = len(found)
            items, following = _page(found, request.body.find(m("IndexedPageItemView")))
            last = following is None
        root = etree.Element(m("RootFolder"))
        if following is not None:
            root.set("IndexedPagingOffset", str(following))
        root.set("TotalItemsInView", str(total))
        root.set("IncludesLastItemInRange", "true" if last else "false")
        part = sub(root, t("Items"))
        for item in items:
            write_item(part, call.exchange, item, shape, content=False)
        return [root]

    folders = list(children(request.body.find(m("ParentFolderIds"))))
    return call.batch("FindItem", folders, one)


def page_of(element: etree._Element | None) -> tuple[int, int]:
    """Read an indexed page view: where it begins and how long it may be."""
    if element is None:
        return 0, FIND_COUNT_LIMIT
    try:
        offset, size = int(element.get("Offset", "0")), int(element.get("MaxEntriesReturned", FIND_COUNT_LIMIT))
    except ValueError:
        raise SoapFault("ErrorSchemaValidation", "A page view is invalid.", at=element) from None
    if offset < 0 or size < 1:
        raise EwsError("ErrorInvalidIndexedPagingParameters", "The page view is invalid.")
    return offset, min(size, FIND_COUNT_LIMIT)


def _page(items: Sequence[Item], element: etree._Element | None) -> tuple[Sequence[Item], int | None]:
    offset, size = page_of(element)
    if element is not None and element.get("BasePoint") == "End":
        items = items[::-1]
    page = items[offset : offset + size]
    following = offset + len(page)
    return page, (following if following < len(items) else None)


def _window(items: Sequence[Item], view: etree._Element, folder: str) -> tuple[Sequence[Item], int]:
    """What takes place in the view, series expanded, in order; and how much there is in all."""
    if folder != "calendar":
        raise EwsError("ErrorCalendarFolderIsInvalidForCalendarView", "Only calendars have a calendar view.")
    try:
        start, end = local_time(view.get("StartDate", ""), None), local_time(view.get("EndDate", ""), None)
        most = int(view.get("MaxEntriesReturned", FIND_COUNT_LIMIT))
    except (ValueError, OverflowError):
        raise SoapFault("ErrorSchemaValidation", "The calendar view is invalid.", at=view) from None
    if end < start:
        raise EwsError("ErrorCalendarEndDateIsEarlierThanStartDate")
    if end - start > _LONGEST_VIEW:
        raise EwsError("ErrorCalendarViewRangeTooBig", "The calendar view is longer than two years.")
    inside: list[CalendarItem] = []
    for item in items:
        if isinstance(item, CalendarItem) and item.meeting.is_series:
            inside += [shown(item, one) for one in occurrences_within(item.meeting, start, end)]
        elif isinstance(item, CalendarItem) and touches(item.meeting.start, item.meeting.end, start, end):
            inside.append(item)
    return list(sorted(inside, key=lambda item: item.meeting.start)[:most]), len(inside)
