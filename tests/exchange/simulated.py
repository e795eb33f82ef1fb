"""A house on the simulator: people who invite, move and cancel, and what they see. Adapters meet it through their protocol.

What a protocol calls its operations, how many calls something costs in it and how it is disturbed the house knows
(`EwsHouse`, `GraphHouse`), so that the suite asks the same of every adapter.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal

import httpx2
from lxml import etree

from exchange.scripted import fault, unread
from greenroom.exchange.contract import Invitation, Mailbox
from greenroom.exchange.ews import Auth, BasicAuth, EwsMailbox, EwsSettings
from greenroom.exchange.graph.intake import GraphIntake
from greenroom.exchange.graph.limits import Limits
from greenroom.exchange.graph.mailbox import GraphMailbox
from greenroom.exchange.graph.settings import Cloud, GraphSettings
from greenroom.meetings.meeting import ItemRef, MeetingKey
from greenroom.simulator.applications import Application
from greenroom.simulator.graph.ids import from_url
from greenroom.simulator.model import Attendee, Body, CalendarItem, MeetingDraft, MeetingMessage, Person
from support.issued import Issued
from support.simulator import (
    ATTENDEE,
    CLIENT_ID,
    CLIENT_SECRET,
    EQUIPMENT,
    ORGANIZER,
    PASSWORD,
    SERVICE,
    RunningSimulator,
    simulator_in_loop,
)

Processing = Literal["auto_update", "none"]
Work = Literal["changes", "read", "find", "reply", "update"]
START = datetime(2031, 5, 6, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
RESOURCE = Attendee(Person(EQUIPMENT, "Meeting room"), "resource")


@dataclass
class House(ABC):
    """One equipment mailbox as an adapter under test sees it, and the people around it."""

    simulator: RunningSimulator
    mailbox: Mailbox
    processing: Processing

    operations: ClassVar[Mapping[Work, str]]
    """The protocol's operation by which an adapter does this."""
    many_replies: ClassVar[int]
    """So many replies an adapter sends at once, and they fit what Exchange allows a minute."""
    calls_of_a_refusal: ClassVar[int]
    """How often a refused sign-in may be tried before it counts as refused."""

    @abstractmethod
    def item_id(self, ref: ItemRef) -> str:
        """The store's id of an item the adapter refers to."""

    @abstractmethod
    def calls_to_reply(self, count: int) -> int:
        """How many calls so many replies may cost."""

    @abstractmethod
    def lose_answer(self, work: Work) -> None:
        """Let the next such change be made, and its answer be lost."""

    @abstractmethod
    def forbid_organizers(self) -> None:
        """Take away the right to open organizers' mailboxes."""

    @abstractmethod
    def open(self, mailbox: str) -> Mailbox:
        """Open somebody's mailbox over the same protocol. The caller closes it."""

    @abstractmethod
    def open_other_face(self, mailbox: str) -> Mailbox:
        """Open somebody's mailbox over the other protocol. The caller closes it."""

    @abstractmethod
    def listeners_made(self) -> int:
        """How often the adapter began to listen for hints."""

    @abstractmethod
    def listeners_ended(self) -> int:
        """How often it told Exchange that it listens no more."""

    @abstractmethod
    def stop_listening(self) -> None:
        """Let Exchange end what the adapter listens to."""

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
                RESOURCE,
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

    def change_one(self, key: MeetingKey, original: datetime, *, tell: bool = True, **draft: Any) -> None:
        """Let the organizer change one occurrence of the series."""
        self.simulator.exchange.update_occurrence(
            ORGANIZER,
            self.own(key).id,
            original,
            MeetingDraft(**draft),  # type: ignore[typeddict-item]  # as above
            send="SendToAllAndSaveCopy" if tell else "SendToNone",
        )

    def take_out(self, key: MeetingKey, original: datetime) -> None:
        """Let the organizer cancel one occurrence of the series."""
        self.simulator.exchange.delete_occurrence(ORGANIZER, self.own(key).id, original, send="SendToAllAndSaveCopy")

    def invite_to_one(self, key: MeetingKey, original: datetime, **draft: Any) -> None:
        """Let the organizer invite the equipment mailbox to one occurrence of a series."""
        self.change_one(key, original, attendees=(*self.own(key).meeting.attendees, RESOURCE), **draft)

    def body_of_one(self, key: MeetingKey, original: datetime) -> str:
        """The text the organizer's own calendar shows with one occurrence of the series."""
        series = self.own(key)
        found = next((one for one in series.meeting.modified if one.original_start == original), None)
        return series.body.content if found is None or found.body is None else found.body.content

    def cancel(self, key: MeetingKey) -> None:
        self.simulator.exchange.cancel_meeting(ORGANIZER, self.own(key).id)

    def remove(self, key: MeetingKey) -> None:
        """Let somebody take the meeting out of the equipment mailbox, with all messages about it: nobody is told."""
        for folder in ("calendar", "inbox"):
            for item in self.simulator.exchange.items(EQUIPMENT, folder):
                if isinstance(item, CalendarItem | MeetingMessage) and item.meeting.clean_goid == key.to_bytes():
                    self.simulator.exchange.delete_item(EQUIPMENT, item.id, "HardDelete")

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


class EwsHouse(House):
    """A house whose mailbox is reached over EWS."""

    operations: ClassVar[Mapping[Work, str]] = {
        "changes": "SyncFolderItems",
        "read": "GetItem",
        "find": "GetItem",
        "reply": "CreateItem",
        "update": "UpdateItem",
    }
    many_replies: ClassVar[int] = 30
    calls_of_a_refusal: ClassVar[int] = 1

    def item_id(self, ref: ItemRef) -> str:
        return ref.id

    def calls_to_reply(self, count: int) -> int:
        return -(-count // 25)

    def lose_answer(self, work: Work) -> None:
        self.simulator.fail(kind="truncated_reply", operation=self.operations[work], times=1)

    def forbid_organizers(self) -> None:
        self.simulator.exchange.grant_impersonation(SERVICE, [EQUIPMENT])

    def open(self, mailbox: str) -> Mailbox:
        return open_ews(self.simulator, mailbox)

    def open_other_face(self, mailbox: str) -> Mailbox:
        return open_graph(self.simulator, mailbox)

    def listeners_made(self) -> int:
        return self.simulator.calls("GetStreamingEvents")

    def listeners_ended(self) -> int:
        return self.simulator.calls("Unsubscribe")

    def stop_listening(self) -> None:
        self.simulator.fail(kind="drop_stream", times=1)


class GraphHouse(House):
    """A house whose mailbox is reached over Graph."""

    operations: ClassVar[Mapping[Work, str]] = {
        "changes": "ListEvents",
        "read": "GetEvent",
        "find": "ListEvents",
        "reply": "AcceptEvent",
        "update": "UpdateEvent",
    }
    many_replies: ClassVar[int] = 28
    calls_of_a_refusal: ClassVar[int] = 2  # a token may have run out a moment ago: a fresh one is tried once

    def item_id(self, ref: ItemRef) -> str:
        return self.simulator.exchange.get_immutable(EQUIPMENT, from_url(ref.id)).id

    def calls_to_reply(self, count: int) -> int:
        return count

    def lose_answer(self, work: Work) -> None:
        self.simulator.fail(kind="timeout_after_commit", operation=self.operations[work], times=1)

    def forbid_organizers(self) -> None:
        self.simulator.exchange.add_application(Application(CLIENT_ID, secret=CLIENT_SECRET, scope=(EQUIPMENT,)))

    def open(self, mailbox: str) -> Mailbox:
        return open_graph(self.simulator, mailbox)

    def open_other_face(self, mailbox: str) -> Mailbox:
        return open_ews(self.simulator, mailbox)

    def listeners_made(self) -> int:
        made = self.simulator.calls("CreateSubscription")
        return made if self.simulator.graph.subscriptions.active() else 0  # one that is being made does not count yet

    def listeners_ended(self) -> int:
        return self.simulator.calls("DeleteSubscription")

    def stop_listening(self) -> None:
        (subscription,) = self.simulator.graph.subscriptions.active()
        self.simulator.graph.lifecycle(subscription.id, "subscriptionRemoved")


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
        "applications": [{"client_id": CLIENT_ID, "secret": CLIENT_SECRET, "scope": "everybody"}],
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


@dataclass
class Hook(httpx2.AsyncBaseTransport):
    """The way from Graph to our notification endpoint: validates addresses and hands on what is posted."""

    intake: GraphIntake | None = field(default=None)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        body = await request.aread()
        token = request.url.params.get("validationToken")
        if token is not None:
            return httpx2.Response(200, text=token)
        assert self.intake is not None
        self.intake.take(body)
        return httpx2.Response(202)


def open_ews(simulator: RunningSimulator, mailbox: str, way: httpx2.AsyncBaseTransport | None = None) -> EwsMailbox:
    """Open a mailbox over EWS."""
    auth = BasicAuth(SERVICE, PASSWORD)
    return EwsMailbox(EwsSettings(simulator.ews_url, mailbox, auth, timeout=timedelta(seconds=5)), way)


def open_graph(simulator: RunningSimulator, mailbox: str, intake: GraphIntake | None = None) -> GraphMailbox:
    """Open a mailbox over Graph; with an intake it listens to notifications."""
    hook = "https://greenroom.example.test/hooks/graph/main" if intake is not None else ""
    wanted = GraphSettings(
        mailbox,
        simulator.tenant,
        Issued(simulator),
        Cloud(simulator.login_url, simulator.url),
        notification_url=hook,
        lifecycle_url=hook,
        timeout=timedelta(seconds=5),
    )
    return GraphMailbox(wanted, limits=Limits(simulator.clock), clock=simulator.clock, intake=intake)


@asynccontextmanager
async def ews_house(processing: Processing, way: httpx2.AsyncBaseTransport | None = None) -> AsyncIterator[House]:
    """A house whose mailbox is reached over EWS."""
    async with simulator_in_loop(world(processing)) as simulator:
        mailbox = open_ews(simulator, EQUIPMENT, way)
        try:
            yield EwsHouse(simulator, mailbox, processing)
        finally:
            await mailbox.close()


@asynccontextmanager
async def graph_house() -> AsyncIterator[House]:
    """A house whose mailbox is reached over Graph, with notifications; the mailbox must be one the server keeps."""
    hook = Hook()
    async with simulator_in_loop(world("auto_update"), callback_transport=hook) as simulator:
        hook.intake = GraphIntake(simulator.tenant, clock=simulator.clock)
        mailbox = open_graph(simulator, EQUIPMENT, hook.intake)
        try:
            yield GraphHouse(simulator, mailbox, "auto_update")
        finally:
            await mailbox.close()
