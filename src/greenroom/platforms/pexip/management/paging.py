"""Reading a list page by page, so that nothing is missed or told twice: what is odd raises. Pure.

A page is `{"meta": {"limit", "offset", "total_count", "next", "previous"}, "objects": [...]}` (known-product.md 10.1). Every page
after the first begins with the last object of the one before: where it does not, objects before it came or went, and some would
be missed. `next` is hostile: only where it leads is looked at, and it is not followed but asked for in our own words.
"""

from typing import Any, Final

from greenroom.platforms.pexip.management import addresses
from greenroom.platforms.pexip.management.call import Call
from greenroom.platforms.pexip.management.errors import GarbledAnswerError, ShiftedListError
from greenroom.platforms.pexip.management.values import bounded

MOST_OBJECTS: Final = 500_000
PAGE: Final = 1000


class Paging:
    """One reading of one list: `call` is what to ask for next (None at the end), `take` reads the answer to it."""

    def __init__(
        self,
        path: str,
        here: addresses.Root,
        filters: tuple[tuple[str, str], ...] = (),
        *,
        page: int = PAGE,
        most: int = MOST_OBJECTS,
    ) -> None:
        if page < 2:  # noqa: PLR2004
            raise ValueError("a page of one object has no room for the one before")
        self._path, self._here, self._filters, self._page, self._most = path, here, filters, page, most
        self._operation = f"list {path.rstrip('/').rsplit('/', 1)[-1]}"
        self._offset = 0
        self._total: int | None = None
        self._last: object = None
        self._seen: set[str] = set()
        self._done = False

    @property
    def call(self) -> Call | None:
        """What to ask for next; None when the list is read to its end."""
        if self._done:
            return None
        pages = (("limit", str(self._page)), ("offset", str(self._offset)))
        return Call(self._operation, "GET", self._path, (*self._filters, *pages))

    def take(self, told: Any) -> list[dict[str, Any]]:
        """Return what the answer to `call` brings that was not told before; raises ShiftedListError, GarbledAnswerError."""
        meta, objects = (told.get("meta"), told.get("objects")) if isinstance(told, dict) else (None, None)
        if not isinstance(meta, dict) or not isinstance(objects, list):
            raise ShiftedListError("odd-page")
        total, limit = _number(meta, "total_count"), _number(meta, "limit")
        if _number(meta, "offset") != self._offset or not 0 < limit <= self._page:
            raise ShiftedListError("odd-page")
        if self._total is not None and total != self._total:
            raise ShiftedListError("changed-total")
        if total > self._most:
            raise GarbledAnswerError("too-many")
        if len(objects) != max(0, min(limit, total - self._offset)):
            raise ShiftedListError("half-page")
        end = self._offset + len(objects)
        self._check_next(meta.get("next"), end, total)
        fresh = self._unseen([bounded(part) for part in objects])
        if end < total and not fresh:
            raise ShiftedListError("no-progress")
        self._total, self._done = total, end >= total
        self._offset = end - 1
        return fresh

    def _check_next(self, link: object, end: int, total: int) -> None:
        if end >= total:
            if link not in (None, ""):
                raise ShiftedListError("endless")
        elif addresses.follows(link, self._path, self._here) != end:
            raise ShiftedListError("foreign-link")

    def _unseen(self, objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
        names = [part.get("resource_uri") for part in objects]
        if self._last is not None:
            if names[:1] != [self._last]:
                raise ShiftedListError("shifted")
            objects, names = objects[1:], names[1:]
        for name in names:
            if not isinstance(name, str) or not name:
                raise ShiftedListError("odd-object")
            if name in self._seen:
                raise ShiftedListError("repeated")
            self._seen.add(name)
        self._last = names[-1] if names else self._last
        return objects


def _number(meta: dict[str, Any], name: str) -> int:
    value = meta.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 10**9:
        raise ShiftedListError("odd-page")
    return value
