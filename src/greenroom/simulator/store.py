"""One mailbox's folders and items, with its log of changes and its notifications."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from greenroom.simulator import ids
from greenroom.simulator.errors import NoSuchFolder, NoSuchItem
from greenroom.simulator.model import (
    CalendarItem,
    Event,
    EventType,
    Folder,
    FolderName,
    Item,
    Mailbox,
    MeetingMessage,
    SyncResult,
)
from greenroom.simulator.synclog import FolderLog, Kind, sync_page

_FOLDERS: tuple[tuple[FolderName, str, str, FolderName | None], ...] = (
    ("root", "Root", "", None),
    ("msgfolderroot", "Top of Information Store", "IPF.Note", "root"),
    ("calendar", "Calendar", "IPF.Appointment", "msgfolderroot"),
    ("inbox", "Inbox", "IPF.Note", "msgfolderroot"),
    ("sentitems", "Sent Items", "IPF.Note", "msgfolderroot"),
    ("deleteditems", "Deleted Items", "IPF.Note", "msgfolderroot"),
    ("drafts", "Drafts", "IPF.Note", "msgfolderroot"),
    ("outbox", "Outbox", "IPF.Note", "msgfolderroot"),
    ("recoverableitems", "Recoverable Items", "", "root"),
)
_MOST_ARRANGEMENTS = 8


@dataclass(frozen=True, slots=True)
class NewIds:
    """What a new item starts with."""

    id: str
    change_key: str
    folder_id: str


class MailboxStore:
    """The items of one mailbox. Callers change items in place and then say so with `touch`."""

    def __init__(self, owner: Mailbox, clock: Callable[[], datetime], emit: Callable[[str, Event], None]) -> None:
        self.owner = owner
        self.guid = ids.mailbox_guid(owner.address)
        self._clock = clock
        self._emit = emit
        self.number = 0  # of the newest change
        self.made = 0  # ids given out
        self.items: dict[str, Item] = {}
        self.logs: dict[str, FolderLog] = {}
        self.folders: dict[str, Folder] = {}
        self.folder_properties: dict[str, str] = {}  # of the calendar folder: strings of PS_PUBLIC_STRINGS, by name
        self._contents: dict[str, dict[str, Item]] = {}
        self._arranged: dict[tuple[str, bytes], tuple[int, list[Item]]] = {}
        self._by_meeting: dict[bytes, dict[str, Item]] = defaultdict(dict)
        self._by_immutable: dict[str, Item] = {}
        self._immutable: dict[str, str] = {}  # every id ever given -> the immutable id of that item
        for number, (name, display, class_, parent) in enumerate(_FOLDERS):
            id_ = ids.folder_id(self.guid, number)
            parent_id = None if parent is None else self.folder(parent).id
            key = ids.change_key(number, kind=b"\x01")
            self.folders[id_] = Folder(id_, key, name, display, class_, parent_id)
            self.logs[id_] = FolderLog()
            self._contents[id_] = {}

    def folder(self, name_or_id: str) -> Folder:
        """Raises NoSuchFolder."""
        known = self.folders.get(name_or_id)
        if known is None:
            known = next((one for one in self.folders.values() if one.name == name_or_id.lower()), None)
        if known is None:
            raise NoSuchFolder("the mailbox has no such folder")
        return known

    def describe(self, name: str, value: str | None) -> None:
        """Give the calendar folder a property, or take it away; the folder gets a new change key."""
        if value is None:
            self.folder_properties.pop(name, None)
        else:
            self.folder_properties[name] = value
        self.number += 1
        calendar = self.folder("calendar")
        key = ids.change_key(self.number, kind=b"\x01")
        self.folders[calendar.id] = replace(calendar, change_key=key)
        watermark = ids.change_key(self.number, kind=b"\x02")
        event = Event("ModifiedEvent", "", key, calendar.id, self._clock(), watermark, parent_id=calendar.parent_id)
        self._emit(self.owner.address, event)

    def get(self, item_id: str) -> Item:
        """Raises NoSuchItem."""
        item = self.items.get(item_id)
        if item is None:
            raise NoSuchItem("the mailbox has no such item")
        return item

    def get_immutable(self, immutable_id: str) -> Item:
        """Like `get`, by the id that moving does not change. Raises NoSuchItem."""
        item = self._by_immutable.get(immutable_id)
        if item is None:
            raise NoSuchItem("the mailbox has no such item")
        return item

    def immutable_id_of(self, item_id: str) -> str:
        """The immutable id of an item that has, or once had, this id."""
        return self._immutable.get(item_id) or ids.immutable_of(item_id)

    def contents(self, folder: str) -> list[Item]:
        return list(self._contents[self.folder(folder).id].values())

    def arranged(self, folder: str, order: bytes, arrange: Callable[[list[Item]], list[Item]]) -> Sequence[Item]:
        """The items of a folder as `arrange` puts them, newest first before; done anew only when the folder has changed.

        `order` names the arrangement. Large folders are listed page by page, each time in the same order.
        """
        folder_id = self.folder(folder).id
        numbers = self.logs[folder_id].numbers
        at = numbers[-1] if numbers else 0
        known = self._arranged.get((folder_id, order))
        if known is None or known[0] != at:
            if len(self._arranged) >= _MOST_ARRANGEMENTS:
                self._arranged.clear()
            known = at, arrange(list(reversed(self._contents[folder_id].values())))
            self._arranged[folder_id, order] = known
        return known[1]

    def about(self, clean_goid: bytes) -> list[Item]:
        """Everything about one meeting, oldest first, in whatever folder."""
        return list(self._by_meeting.get(clean_goid, {}).values())

    def calendar_items(self, clean_goid: bytes) -> list[CalendarItem]:
        """The calendar entries of one meeting: normally one, several where only lone occurrences came."""
        calendar = self.folder("calendar").id
        return [
            item for item in self.about(clean_goid) if isinstance(item, CalendarItem) and item.folder_id == calendar
        ]

    def new_ids(self, folder: str) -> NewIds:
        self.made += 1
        return NewIds(ids.item_id(self.guid, self.made), ids.change_key(self.number + 1), self.folder(folder).id)

    def add(self, item: Item, *, new_mail: bool = False) -> None:
        """Put a new item into its folder."""
        item.immutable_id = ids.immutable_of(item.id)
        self._enter(item)
        self._record(item.folder_id, item.id, "create")
        self._tell("CreatedEvent", item)
        if new_mail:
            self._tell("NewMailEvent", item)

    def touch(self, item: Item, *, read_flag_only: bool = False) -> None:
        """An item was changed: it gets a new change key."""
        item.modified = self._clock()
        self._record(item.folder_id, item.id, "read" if read_flag_only else "update")
        item.change_key = ids.change_key(self.number)
        self._tell("ModifiedEvent", item)

    def move(self, item: Item, folder: str) -> None:
        """Move an item, which gives it a new id (as in Exchange)."""
        target = self.folder(folder).id
        if target == item.folder_id:
            return
        old_id, old_folder = item.id, item.folder_id
        self._leave(item)
        self._record(old_folder, old_id, "delete")
        fresh = self.new_ids(target)
        item.id, item.change_key, item.folder_id = fresh.id, fresh.change_key, target
        item.modified = self._clock()
        self._enter(item)
        self._record(target, item.id, "create")
        self._tell("MovedEvent", item, old_id=old_id, old_folder=old_folder)

    def remove(self, item: Item) -> None:
        """Delete for good."""
        self._leave(item)
        self._record(item.folder_id, item.id, "delete")
        self._tell("DeletedEvent", item)

    def sync(self, folder: str, state: str | None, max_changes: int, generation: int) -> SyncResult:
        """See Exchange.sync."""
        folder_id = self.folder(folder).id

        def find(item_id: str) -> Item | None:
            return self._contents[folder_id].get(item_id)

        log = self.logs[folder_id]
        return sync_page(log, folder_id, state, max_changes, generation=generation, now_at=self.number, find=find)

    def restore(self, item: Item) -> None:
        """Put back an item from a snapshot, without log and notification."""
        self._enter(item)

    def _enter(self, item: Item) -> None:
        item.immutable_id = item.immutable_id or ids.immutable_of(item.id)
        self._immutable[item.id] = item.immutable_id
        self._by_immutable[item.immutable_id] = item
        self.items[item.id] = item
        self._contents[item.folder_id][item.id] = item
        if isinstance(item, CalendarItem | MeetingMessage):
            self._by_meeting[item.meeting.clean_goid][item.id] = item

    def _leave(self, item: Item) -> None:
        del self.items[item.id]
        self._by_immutable.pop(item.immutable_id, None)
        del self._contents[item.folder_id][item.id]
        if isinstance(item, CalendarItem | MeetingMessage):
            self._by_meeting[item.meeting.clean_goid].pop(item.id, None)
        if isinstance(item, CalendarItem):
            for other in self.about(item.meeting.clean_goid):
                if isinstance(other, MeetingMessage) and other.associated_id == item.id:
                    other.associated_id = None

    def _record(self, folder_id: str, item_id: str, kind: Kind) -> None:
        self.number += 1
        self.logs[folder_id].add(self.number, item_id, kind)

    def _tell(self, type_: EventType, item: Item, *, old_id: str | None = None, old_folder: str | None = None) -> None:
        watermark = ids.change_key(self.number, kind=b"\x02")
        event = Event(type_, item.id, item.change_key, item.folder_id, self._clock(), watermark, old_id, old_folder)
        self._emit(self.owner.address, event)
