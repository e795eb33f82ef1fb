"""The inside of the store: what its operations (organizer, attendee, delivery) share."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from greenroom.simulator import ids
from greenroom.simulator.directory import Directory
from greenroom.simulator.envelope import Envelope
from greenroom.simulator.model import Event, Mailbox, OutboundMail, Person
from greenroom.simulator.organisation import Organisation
from greenroom.simulator.store import MailboxStore

if TYPE_CHECKING:
    from greenroom.simulator.subscriptions import Subscription


TENANT = "3f9c2c1a-5b7e-4d0a-9c41-6d2f8e0b7a55"
"""The id of the directory (Entra tenant) of every simulated organisation."""


@dataclass(frozen=True, slots=True)
class Held:
    """A scheduling message that waits in the outbox because its sender is over the message rate."""

    until: datetime
    envelope: Envelope
    recipients: tuple[Person, ...]


class Site:
    """One organisation: directory, mailbox stores, mail that left, subscriptions."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.tenant = TENANT
        self.silent_updates = False  # see processing.py
        self.hold_until: datetime | None = None  # while set, messages are not delivered but held until then
        self.held: list[Held] = []
        self.sent: dict[
            str, list[datetime]
        ] = {}  # when each mailbox sent lately; kept only where there is a rate limit
        self.listeners: list[Callable[[str, Event], None]] = []  # told of every event of every mailbox
        self.directory = Directory()
        self.organisation = Organisation()
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

    def remove_store(self, mailbox: Mailbox) -> None:
        """Take a mailbox away with all that is in it, and end who follows it."""
        self.directory.remove(mailbox)
        del self.stores[mailbox.address]
        self.organisation.recipients.pop(mailbox.address, None)
        for id_, subscription in list(self.subscriptions.items()):
            if subscription.mailbox == mailbox.address:
                subscription.close()
                del self.subscriptions[id_]

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
        """Pass an event on to the subscriptions of this mailbox, and to who listens to all."""
        for subscription in self.subscriptions.values():
            if subscription.mailbox == address:
                subscription.offer(event)
        for listener in self.listeners:
            listener(address, event)


def _domain(store: MailboxStore) -> str:
    return store.owner.address.rpartition("@")[2]
