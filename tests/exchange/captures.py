"""The recorded traffic of an independent EWS server, as scenarios of requests and answers."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from lxml import etree

from greenroom.exchange.ews import envelope, items
from greenroom.exchange.ews.items import Item
from support.shared import shared_path

MAILBOX = "beamer@gx.test"
SCENARIOS = [
    "accept-by-calendar-item",
    "all-day",
    "batch-get-one-missing",
    "cancel",
    "cancel-inbox-only",
    "copied-body",
    "decline-with-body",
    "delegate-created",
    "dst-weekly-stockholm",
    "equipment-removed",
    "errors-basic",
    "html-body-table",
    "imip-exchange-like",
    "js-client-single",
    "new-single",
    "new-single-inbox-only",
    "new-single-no-uid",
    "organizer-update-by-impersonation",
    "private-meeting",
    "reschedule",
    "series-cancelled",
    "series-daily",
    "series-monthly-absolute",
    "series-no-end",
    "series-occurrence-cancelled",
    "series-weekly",
    "streaming",
    "subject-change",
    "subject-latin-xml-special",
    "sync-idle-and-deletes",
    "text-body",
    "thirty-meetings",
]


@dataclass(frozen=True)
class Recorded:
    number: int
    operation: str
    actor: str
    mailbox: str | None
    request: bytes
    response: bytes


@dataclass(frozen=True)
class Scenario:
    name: str
    expected: list[dict[str, Any]]
    exchanges: list[Recorded]

    def of(self, operation: str, *, mailbox: str = MAILBOX, asking: bytes = b"") -> list[Recorded]:
        return [e for e in self.exchanges if e.operation == operation and e.mailbox == mailbox and asking in e.request]


def scenario(name: str) -> Scenario:
    folder = shared_path("captures/ews") / name
    meta = json.loads((folder / "meta.json").read_text())
    exchanges = []
    for entry in meta["exchanges"]:
        request, response = (_bytes(folder, entry.get(side)) for side in ("request", "response"))
        if request and response:
            exchanges.append(
                Recorded(entry["n"], entry["operation"], entry["actor"], entry["impersonated"], request, response)
            )
    return Scenario(name, meta["expected"], exchanges)


def _bytes(folder: Path, name: str | None) -> bytes:
    return (folder / name).read_bytes() if name and name.endswith(".xml") else b""


def whole_items(recorded: Scenario, *, shuffle: random.Random | None = None) -> Iterator[tuple[int, Item]]:
    """Every item of our mailbox that was read with all its properties, with the number of the exchange."""
    for exchange in recorded.of("GetItem", asking=b"calendar:Start"):
        data = shuffled(exchange.response, shuffle) if shuffle else exchange.response
        found = envelope.read(data)
        for entry in items.read_items(found, count=len(found.messages), mailbox=MAILBOX):
            if isinstance(entry, Item):
                yield exchange.number, entry


def shuffled(data: bytes, source: random.Random) -> bytes:
    """The same document with the children of every item in another order, some of them twice, and strangers among them."""
    root = etree.fromstring(data)
    for parent in root.iter(
        "{*}CalendarItem", "{*}MeetingRequest", "{*}MeetingCancellation", "{*}Recurrence", "{*}Mailbox"
    ):
        parts = list(parent)
        source.shuffle(parts)
        parent[:] = parts
        parent.insert(source.randrange(len(parts) + 1), etree.Element("{urn:elsewhere}Stranger"))
        if parts and not etree.QName(parent).localname.startswith("Recurrence"):
            parent.append(etree.fromstring(etree.tostring(source.choice(parts))))
    return etree.tostring(root)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
