"""Ids as Graph shows them: url-safe, with a date behind the id of a series for one of its occurrences. Opaque to clients."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from greenroom.simulator import ids
from greenroom.simulator.errors import NoSuchItem
from greenroom.simulator.graph.errors import malformed_id, not_found

if TYPE_CHECKING:
    from greenroom.simulator.exchange import Exchange
    from greenroom.simulator.model import Item

_OCCURRENCE: Final = re.compile(r"(.+)\.(\d{4})(\d\d)(\d\d)", re.ASCII)


def url_safe(store_id: str) -> str:
    """The store's id (base64, as EWS shows it) as Graph shows it."""
    return store_id.replace("/", "-").replace("+", "_")


def from_url(graph_id: str) -> str:
    """The store's form of an id of Graph."""
    return graph_id.replace("-", "/").replace("_", "+")


def item_id(item: Item, *, immutable: bool) -> str:
    """The id of an item in the form the caller prefers."""
    return url_safe(item.immutable_id if immutable else item.id)


def occurrence_id(series_id: str, day: date) -> str:
    """The id of one occurrence; `day` is the local date it was first meant for."""
    return f"{series_id}.{day:%Y%m%d}"


def quoted(segment: str) -> str:
    """A value as one segment of an address."""
    return quote(segment, safe="@")


def split(graph_id: str) -> tuple[str, date | None]:
    """Take an id apart: of the item, in the store's form, and the date of an occurrence. Raises GraphError (400)."""
    day = None
    match = _OCCURRENCE.fullmatch(graph_id)
    if match is not None:
        graph_id = match[1]
        try:
            day = date(int(match[2]), int(match[3]), int(match[4]))
        except ValueError:
            raise malformed_id() from None
    plain = from_url(graph_id)
    # Only what `url_safe` writes: "+" and "/" themselves are no letters of Graph's ids.
    if ids.guid_of(plain) is None or {"+", "/"} & set(graph_id):
        raise malformed_id()
    return plain, day


def find_item(exchange: Exchange, mailbox: str, plain: str) -> Item:
    """The item of an id of either kind. Raises GraphError (404)."""
    try:
        return exchange.get(mailbox, plain)
    except NoSuchItem:
        pass
    try:
        return exchange.get_immutable(mailbox, plain)
    except NoSuchItem:
        raise not_found() from None
