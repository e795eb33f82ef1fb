import asyncio
from typing import get_args

import pytest

from greenroom.simulator import subscriptions
from greenroom.simulator.errors import InvalidOperation, NoSuchSubscription
from greenroom.simulator.model import Body, EventType, Message, Person
from support.box import ANN, AUTO, BOB, OUTSIDE, Box

ALL: tuple[EventType, ...] = get_args(EventType)


def test_a_plain_mail_reaches_mailboxes_here_and_outside() -> None:
    box = Box()
    kept = box.exchange.create_message(
        ANN, {"subject": "Hi", "body": Body("x"), "to": (Person(BOB),), "cc": (Person(OUTSIDE),)}, "SendAndSaveCopy"
    )
    assert kept is not None
    assert kept.folder_id == box.exchange.folder(ANN, "sentitems").id
    (got,) = box.inbox(BOB)
    assert type(got) is Message
    assert (got.subject, got.is_read, got.mailbox) == ("Hi", False, BOB)
    assert got.id != kept.id
    assert [(one.recipient, one.ics) for one in box.exchange.outbound] == [(OUTSIDE, None)]


def test_a_draft_stays_in_drafts_and_a_mail_for_nobody_is_refused() -> None:
    box = Box()
    draft = box.exchange.create_message(ANN, {"subject": "Hi"})
    assert draft is not None
    assert draft.is_draft
    assert box.exchange.items(ANN, "drafts") == [draft]
    with pytest.raises(InvalidOperation):
        box.exchange.create_message(ANN, {"subject": "Hi"}, "SendOnly")


async def test_a_request_is_told_as_created_and_as_new_mail() -> None:
    box = Box()
    running = box.exchange.subscribe(AUTO, ["inbox", "calendar"], ALL)
    box.invite(AUTO)
    events = await running.next_events(1)
    calendar, inbox = (box.exchange.folder(AUTO, name).id for name in ("calendar", "inbox"))
    assert [(one.type, one.folder_id) for one in events] == [
        ("CreatedEvent", calendar),
        ("CreatedEvent", inbox),
        ("NewMailEvent", inbox),
    ]
    assert events[-1].item_id == box.request(AUTO).id
    assert events[-1].timestamp == box.now


async def test_an_answer_is_told_as_modified_and_moved() -> None:
    box = Box()
    box.invite(AUTO)
    request_id = box.request(AUTO).id
    running = box.exchange.subscribe(AUTO, ["inbox", "calendar"], ALL)
    box.exchange.respond(AUTO, box.copy(AUTO).id, "Accept")
    modified, moved = await running.next_events(1)
    assert (modified.type, modified.item_id) == ("ModifiedEvent", box.copy(AUTO).id)
    assert (moved.type, moved.old_item_id) == ("MovedEvent", request_id)
    assert moved.old_folder_id == box.exchange.folder(AUTO, "inbox").id


async def test_only_what_was_asked_for_is_told() -> None:
    box = Box()
    running = box.exchange.subscribe(AUTO, ["calendar"], ["ModifiedEvent"])
    everywhere = box.exchange.subscribe(ANN, None, ["CreatedEvent"])
    box.invite(AUTO)
    assert await running.next_events(0.01) == []
    assert len(await everywhere.next_events(0.01)) == 2


async def test_waiting_ends_with_an_event_or_with_the_subscription() -> None:
    box = Box()
    running = box.exchange.subscribe(ANN, None, ALL)
    waiting = asyncio.create_task(running.next_events(5))
    await asyncio.sleep(0)
    box.invite(send="SendToNone")
    assert len(await waiting) == 1
    waiting = asyncio.create_task(running.next_events(5))
    await asyncio.sleep(0)
    box.exchange.unsubscribe(running.id)
    assert await waiting == []
    assert running.closed
    with pytest.raises(NoSuchSubscription):
        box.exchange.subscription(running.id)


def test_an_overflowing_queue_is_confessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "QUEUE_LIMIT", 2)
    box = Box()
    running = box.exchange.subscribe(ANN, None, ALL)
    for _ in range(3):
        box.invite(send="SendToNone")
    assert running.missed
    assert len(running.drain()) == 2
