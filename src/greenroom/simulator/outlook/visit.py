"""Who looks at which mailbox, from where, and the addresses of the pages they can go to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from urllib.parse import quote, urlencode

from greenroom.simulator import Exchange
from greenroom.simulator.model import Item, Mailbox
from greenroom.simulator.outlook.localtime import Clock

Place = Literal["inbox", "calendar", "sent", "deleted"]
FOLDERS: dict[str, tuple[str, str]] = {
    "inbox": ("inbox", "Inbox"),
    "calendar": ("calendar", "Calendar"),
    "sent": ("sentitems", "Sent"),
    "deleted": ("deleteditems", "Deleted"),
}  # place in the address -> distinguished folder of the store, name on the page


@dataclass(frozen=True, slots=True)
class Visit:
    """One request's view of one mailbox. `read_only`: the mailbox belongs to equipment, and only Greenroom acts there."""

    exchange: Exchange
    mailbox: Mailbox
    clock: Clock
    base: str
    place: str
    item_id: str = ""
    occurrence: datetime | None = None
    first_day: date | None = None
    page: int = 0

    @property
    def read_only(self) -> bool:
        return self.mailbox.kind == "equipment"

    def url(self, page: str, /, **query: object) -> str:
        """The address of a page of this mailbox; empty query values are left out."""
        given = {key: str(value) for key, value in query.items() if value not in {None, ""}}
        path = f"{self.base}/m/{quote(self.mailbox.address, safe='@')}/{page}"
        return path + (f"?{urlencode(given)}" if given else "")

    def item_url(self, item: Item, place: str | None = None, **query: object) -> str:
        """The address of the page that shows an item, in the folder it lies in."""
        return self.url(place or self.place_of(item), item=item.id, **query)

    def place_of(self, item: Item) -> str:
        name = self.exchange.folder(self.mailbox.address, item.folder_id).name
        return next((place for place, (folder, _) in FOLDERS.items() if folder == name), "deleted")

    def here(self, **query: object) -> str:
        """This page, with other query values."""
        return self._like_this(self.place, query)

    def live_url(self) -> str:
        """Where the parts of this page that follow the mailbox come from."""
        return self._like_this(f"live/{self.place}", {})

    def _like_this(self, page: str, query: Mapping[str, object]) -> str:
        known: dict[str, object] = {
            "item": self.item_id,
            "on": "" if self.occurrence is None else self.occurrence.isoformat(),
            "from": "" if self.first_day is None else self.first_day.isoformat(),
            "page": self.page or "",
        }
        return self.url(page, **(known | dict(query)))
