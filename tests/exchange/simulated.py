"""A house on the simulator: people who invite, move and cancel, and what they see. Adapters meet it through their protocol."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import httpx2
from lxml import etree

from exchange.scripted import fault, unread
from greenroom.exchange.contract import Invitation, Mailbox
from greenroom.exchange.ews import Auth, BasicAuth, EwsMailbox, EwsSettings
from greenroom.meetings.meeting import MeetingKey
from greenroom.simulator.model import Attendee, Body, CalendarItem, MeetingDraft, Person
from support.simulator import ATTENDEE, EQUIPMENT, ORGANIZER, PASSWORD, SERVICE, RunningSimulator, simulator_in_loop

Processing = Literal["auto_update", "none"]
START = datetime(2031, 5, 6, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass
class House:
    """One equipment mailbox as an adapter under test sees it, and the people around it."""

    simulator: RunningSimulator
    mailbox: Mailbox
    processing: Processing

    def invite(
        self,
        subject: str = "Planning",
        *,
        start: datetime = START,
        body: str = "<p>Agenda</p>",
        organizer: str = ORGANIZER,
        **more: Any,
    ) -> MeetingKey:
        """Let an organizer invite an attendee and the equipment mailbox."""
        draft: MeetingDraft = {
            "subject": subject,
            "body": Body(body, "HTML"),
            "location": "Room 4",
            "start": start,
            "end": start + HOUR,
            "start_zone": "W. Europe Standard Time",
            "attendees": (
                Attendee(Person(ATTENDEE, "Anton Attendee")),
                Attendee(Person(EQUIPMENT, "Meeting room"), "resource"),
            ),
            **more,  # type: ignore[typeddict-item]  # a test says what it wants in the words of the draft
        }
        item = self.simulator.exchange.create_meeting(organizer, draft, "SendToAllAndSaveCopy")
        return MeetingKey.of_global_object_id(item.meeting.clean_goid)

    def own(self, key: MeetingKey, mailbox: str = ORGANIZER) -> CalendarItem:
        """The calendar item somebody has of this meeting."""
        for item in self.simulator.exchange.items(mailbox, "calendar"):
            if isinstance(item, CalendarItem) and item.meeting.clean_goid == key.to_bytes():
                return item
        raise LookupError(mailbox)

    def has(self, key: MeetingKey, mailbox: str = EQUIPMENT) -> bool:
        try:
            self.own(key, mailbox)
        except LookupError:
            return False
        return True

    def change(self, key: MeetingKey, *, tell: bool = True, **draft: Any) -> None:
        """Let the organizer change the meeting."""
        self.simulator.exchange.update_item(
            ORGANIZER,
            self.own(key).id,
            MeetingDraft(**draft),  # type: ignore[typeddict-item]  # as above
            send="SendToAllAndSaveCopy" if tell else "SendToNone",
        )

    def cancel(self, key: MeetingKey) -> None:
        self.simulator.exchange.cancel_meeting(ORGANIZER, self.own(key).id)

    def answer_seen_by_organizer(self, key: MeetingKey) -> str:
        attendees = self.own(key).meeting.attendees
        return next(a.response for a in attendees if a.person.address == EQUIPMENT)

    def replies_to_organizer(self) -> list[str]:
        """The bodies of the answers in the organizer's Inbox, oldest first."""
        items = self.simulator.exchange.items(ORGANIZER, "inbox")
        return [i.body.content for i in items if i.item_class.startswith("IPM.Schedule.Meeting.Resp")]

    def text(self, key: MeetingKey) -> Invitation:
        item = self.own(key)
        return Invitation(item.body.content, item.meeting.location)

    async def eventually(self, fact: Callable[[], bool], seconds: float = 5.0) -> None:
        async with asyncio.timeout(seconds):
            while not fact():  # noqa: ASYNC110  the fact is a counter of the server's, which has no event to wait for
                await asyncio.sleep(0.02)


def settings(simulator: RunningSimulator, *, auth: Auth | None = None, **more: Any) -> EwsSettings:
    more.setdefault("timeout", timedelta(seconds=5))
    return EwsSettings(url=simulator.ews_url, address=EQUIPMENT, auth=auth or BasicAuth(SERVICE, PASSWORD), **more)


def world(processing: Processing, *, impersonate: object = "everybody", **equipment: Any) -> dict[str, Any]:
    return {
        "mailboxes": [
            {"address": ORGANIZER, "name": "Olga Organizer", "password": PASSWORD},
            {"address": ATTENDEE, "name": "Anton Attendee", "password": PASSWORD},
            {
                "address": EQUIPMENT,
                "name": "Meeting room",
                "password": PASSWORD,
                "kind": "equipment",
                "processing": processing,
                **equipment,
            },
        ],
        "accounts": [{"login": SERVICE, "password": PASSWORD, "impersonate": impersonate, "token": "token-of-svc"}],
    }


class Choosy(httpx2.AsyncBaseTransport):
    """The way to a server that lists nothing but ids, and knows no property that belongs to another kind of item."""

    def __init__(self) -> None:
        self._way = httpx2.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        body = etree.fromstring(await request.aread())
        listed = body.find(".//{*}SyncFolderItems//{*}AdditionalProperties") is not None
        named = [field.get("FieldURI") or "" for field in body.iter("{*}FieldURI")]
        if listed or any(name.startswith("meeting") for name in named):
            return unread(fault("ErrorInvalidPropertyRequest"))
        return await self._way.handle_async_request(request)

    async def aclose(self) -> None:
        await self._way.aclose()


@asynccontextmanager
async def ews_house(processing: Processing, way: httpx2.AsyncBaseTransport | None = None) -> AsyncIterator[House]:
    """A house whose mailbox is reached over EWS."""
    async with simulator_in_loop(world(processing)) as simulator:
        mailbox = EwsMailbox(settings(simulator), way)
        try:
            yield House(simulator, mailbox, processing)
        finally:
            await mailbox.close()
