"""Every request we make fits the official schema, and says what it must."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from lxml import etree

from greenroom.exchange.contract import MARKS, Invitation, Reply, Verdict
from greenroom.exchange.ews import (
    envelope,
    exceptions,
    items,
    listing,
    marks,
    replies,
    search,
    streaming,
    sync,
    updates,
)
from greenroom.exchange.ews.envelope import Call
from greenroom.exchange.ews.replies import BATCH
from greenroom.meetings.meeting import ItemRef, MeetingKey
from support.ews_schema import validate_body

KEY = MeetingKey.of_uid("some-uid@example.test")
NASTY = "<p>\x00\x1f\ufffe\ud800]]> &amp; \u202e \U0001f600</p>"
REF = ItemRef("AAMk<&>\"'", "CQ==")


def _reply(verdict: Verdict, body: str = NASTY, *, send: bool = True) -> Reply:
    return Reply(REF, verdict, body, send=send)


def calls() -> Iterator[tuple[str, Call | None]]:
    old = Invitation("<p>old</p>", "Room 4")
    yield "sync the inbox from the beginning", sync.sync("inbox", "", 100)
    yield "sync the calendar from a state", sync.sync("calendar", "AAA=", 10_000)
    yield "sync with ids alone", sync.sync("calendar", "AAA=", 100, plain=True)
    yield "get items", items.get_items(["a", "b"])
    yield "get items without naming properties", items.get_items(["a", "b"], plain=True)
    yield "get texts", items.get_texts(["a"])
    yield "get masters", items.get_masters(["a", "b"])
    yield "get masters without naming properties", items.get_masters(["a"], plain=True)
    yield "get what became of occurrences", exceptions.get_facts(["a", "b"])
    yield "get what became of occurrences without naming properties", exceptions.get_facts(["a"], plain=True)
    yield "accept and decline", replies.respond([_reply(Verdict.ACCEPT), _reply(Verdict.DECLINE)])
    yield "accept without a word or a mail", replies.respond([_reply(Verdict.ACCEPT, "", send=False)])
    yield "find by key", search.find_by_key(KEY)
    yield "list the calendar", search.list_calendar(500)
    yield (
        "look at a stretch of time",
        search.view_calendar(datetime(2031, 5, 6, tzinfo=UTC), datetime(2031, 5, 7, tzinfo=UTC)),
    )
    yield "resolve", search.resolve("/o=Org/ou=Exchange/cn=Recipients/cn=olga")
    yield "look at the calendar", search.look_at_calendar()
    yield "get meetings", updates.get_meetings(["a"])
    yield "get an occurrence", updates.get_occurrence(REF, 7)
    yield "update all", updates.update(REF, old, Invitation(NASTY, "x\x01y"), notify=True)
    yield (
        "update the location silently",
        updates.update(ItemRef("a"), old, Invitation("<p>old</p>", "new"), notify=False),
    )
    yield "list the calendar by start", listing.list_by_start(950)
    yield "list the calendar by change", listing.list_by_change(0, 1)
    yield "get marks", marks.get_marks(MARKS)
    yield "leave a mark", marks.set_mark("Watcher", NASTY)
    yield "take a mark away", marks.set_mark("Watcher", None)
    yield "subscribe", streaming.subscribe()
    yield "listen", streaming.listen("abc", 29)
    yield "unsubscribe", streaming.unsubscribe("abc")


@pytest.mark.parametrize(("name", "call"), list(calls()), ids=lambda value: value if isinstance(value, str) else "")
def test_every_request_fits_the_schema(name: str, call: Call | None) -> None:
    assert call is not None
    for impersonate in (True, False):
        data = envelope.write(call, "vmr@example.test", impersonate=impersonate)
        validate_body(data)
        assert (b"ExchangeImpersonation" in data) is impersonate
        assert data.count(b"<t:DistinguishedFolderId") == data.count(b"</t:DistinguishedFolderId>") or impersonate
        assert b'RequestServerVersion Version="Exchange2013_SP1"' in data


def test_only_what_changes_something_is_marked_as_writing() -> None:
    writing = {call.operation for _, call in calls() if call is not None and call.writes}
    assert writing == {"CreateItem", "UpdateItem", "UpdateFolder"}


def test_illegal_characters_never_reach_the_wire_and_legal_ones_all_do() -> None:
    data = envelope.write(replies.respond([_reply(Verdict.ACCEPT)]), "vmr@example.test", impersonate=True)
    body = etree.fromstring(data).findtext(".//{*}AcceptItem/{*}Body")
    assert body == "<p>]]> &amp; \u202e \U0001f600</p>"


def test_nothing_to_change_is_no_request() -> None:
    same = Invitation("<p>x</p>", "y")
    assert updates.update(REF, same, same, notify=True) is None


def test_a_binary_property_is_searched_for_in_base64() -> None:
    data = envelope.write(search.find_by_key(MeetingKey("00FF10")), "vmr@example.test", impersonate=True)
    assert b'Constant Value="AP8Q"' in data


def test_replies_are_grouped_by_sending_and_in_batches_each_once() -> None:
    wanted = [_reply(Verdict.ACCEPT, send=n % 3 != 0) for n in range(100)]
    batches = replies.batches(wanted)
    assert sorted(i for batch in batches for i in batch) == list(range(100))
    assert all(len(batch) <= BATCH for batch in batches)
    assert all(len({wanted[i].send for i in batch}) == 1 for batch in batches)


def test_silent_replies_are_saved_only() -> None:
    loud = envelope.write(replies.respond([_reply(Verdict.ACCEPT)]), "vmr@example.test", impersonate=True)
    silent = envelope.write(replies.respond([_reply(Verdict.ACCEPT, send=False)]), "vmr@example.test", impersonate=True)
    assert b'MessageDisposition="SendAndSaveCopy"' in loud
    assert b'MessageDisposition="SaveOnly"' in silent
