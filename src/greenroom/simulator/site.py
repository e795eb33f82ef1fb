"""The inside of the store: what its operations (organizer, attendee, delivery) share."""

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from greenroom.simulator import ids
from greenroom.simulator.directory import Directory
from greenroom.simulator.model import Event, Mailbox, OutboundMail
from greenroom.simulator.store import MailboxStore

if TYPE_CHECKING:
    from greenroom.simulator.subscriptions import Subscription


class Site:
    """One organisation: directory, mailbox stores, mail that left, subscriptions."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.directory = Directory()
        self.stores: dict[str, MailboxStore] = {}
        self.outbound: list[OutboundMail] = []
        self.bounced: list[OutboundMail] = []
        self.subscriptions: dict[str, Subscription] = {}
        self.subscriptions_made = 0
        self.generation = 1  # of sync states
        self.random: Callable[[int], bytes] = os.urandom
        self._last_stamp: datetime | None = None

    def now(self) -> datetime:
        return self.clock()

    def stamp(self) -> datetime:
        """The time of a sending, never the same twice (to the millisecond), so that two updates keep their order."""
        now = self.clock()
        if self._last_stamp is not None and now <= self._last_stamp < now + timedelta(seconds=1):
            now = self._last_stamp + timedelta(milliseconds=1)
        self._last_stamp = now
        return now

    def add_store(self, mailbox: Mailbox) -> MailboxStore:
        store = MailboxStore(mailbox, self.now, self.tell)
        self.stores[mailbox.address] = store
        return store

    def store(self, address: str) -> MailboxStore:
        """The store of a mailbox by any of its addresses. Raises NoSuchMailbox."""
        return self.stores[self.directory.get(address).address]

    def owner_of(self, id_: str) -> str | None:
        guid = ids.guid_of(id_)
        return next((address for address, store in self.stores.items() if store.guid == guid), None)

    def base_fields(self, store: MailboxStore, folder: str) -> dict[str, Any]:
        """The fields every new item in this folder starts with."""
        now = self.clock()
        fresh = store.new_ids(folder)
        return {
            "id": fresh.id,
            "change_key": fresh.change_key,
            "folder_id": fresh.folder_id,
            "mailbox": store.owner.address,
            "created": now,
            "received": now,
            "sent": now,
            "modified": now,
            "internet_message_id": f"<{fresh.change_key.rstrip('=').lower()}.{store.guid}@{_domain(store)}>",
        }

    def tell(self, address: str, event: Event) -> None:
        """Pass an event on to the subscriptions of this mailbox."""
        for subscription in self.subscriptions.values():
            if subscription.mailbox == address:
                subscription.offer(event)


def _domain(store: MailboxStore) -> str:
    return store.owner.address.rpartition("@")[2]
