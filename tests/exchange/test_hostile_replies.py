"""Whatever a server sends, the answer is a clean error, soon."""

import contextlib
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.scripted import Server, answer, folder_found, ok
from greenroom.exchange.errors import ExchangeError, TryLaterError
from greenroom.exchange.ews import envelope, items, markup, search, streaming, sync
from greenroom.exchange.ews.faults import GarbledReplyError
from greenroom.exchange.ews.markup import MarkupError, parse

SOON = 1.0
LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(12))
    + "]><s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body>&m;</s:Body></s:Envelope>"
)
ATTRIBUTE_LAUGHS = LAUGHS.replace("<s:Body>&m;</s:Body>", "<s:Body a='&m;'/>")


@pytest.mark.parametrize(
    "data",
    [
        LAUGHS.encode(),
        ATTRIBUTE_LAUGHS.encode(),
        b"<!DOCTYPE x SYSTEM 'file:///etc/passwd'><x/>",
        b"<!-- <a --><!DOCTYPE x [<!ENTITY e SYSTEM 'http://127.0.0.1:1/'>]><x>&e;</x>",
        b"<?xml version='1.0'?><!--x--><?p <a ?><!DOCTYPE x [<!ENTITY % e SYSTEM 'file:///x'>%e;]><x/>",
        b"",
        b"\xff\xfe<\x00a\x00/\x00>\x00",
        b"<x a='" + b"y" * 11_000_000 + b"'/>",
        b"<x>" * 100_000 + b"</x>" * 100_000,
        b"<x>" + b"y" * 11_000_000 + b"</x>",
        b"<x " + b" ".join(b"a%d='1'" % n for n in range(50_000)) + b"><",
        b"<x>&undefined;</x>",
        b"<x><y></x></y>",
        b"<a/><b/>",
    ],
    ids=lambda data: repr(data[:20]),
)
def test_what_is_not_plain_xml_is_refused_soon(data: bytes) -> None:
    began = time.process_time()
    with pytest.raises(MarkupError):
        envelope.read(data)
    assert time.process_time() - began < SOON


def test_illegal_characters_are_dropped_raw_and_as_references() -> None:
    raw = b"<x>a\x00\x0b\x1fb&#0;&#x1F;&#xB;&#xFFFE;&#55296;&#xd800;&#1114112;c&#xD;&#10;&#x41;\xef\xbf\xbfd</x>"
    assert parse(raw).text == "abc\r\nAd"


def test_a_single_broken_byte_does_not_cost_the_reply() -> None:
    assert parse(b"<x>a\xe9b</x>").text == "a\ufffdb"


def test_legal_text_is_left_alone() -> None:
    text = "\t\n\u0020\ud7ff\ue000\ufffd\U00010000\U0010ffff"
    assert markup.clean(text) == text


@pytest.mark.parametrize("cut", range(0, 1000, 37))
async def test_a_truncated_reply_is_a_passing_fault(cut: int) -> None:
    whole = folder_found()
    broken = type(whole)(200, content=whole.content[:cut])
    mailbox = Server(lambda _: broken).mailbox()
    if cut < len(whole.content):
        with pytest.raises(TryLaterError):
            await mailbox.check()


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_an_envelope_or_refused(data: bytes) -> None:
    with contextlib.suppress(MarkupError):
        envelope.read(data)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 30))
def test_a_mutilated_reply_is_read_or_refused_but_never_crashes(seed: int, wounds: int) -> None:
    source = random.Random(seed)
    item = (
        '<t:CalendarItem><t:ItemId Id="a" ChangeKey="b"/><t:Subject>s</t:Subject><t:Start>2031-05-06T09:00:00Z</t:Start>'
        "<t:End>2031-05-06T10:00:00Z</t:End><t:UID>x@y</t:UID><t:Recurrence><t:DailyRecurrence><t:Interval>1</t:Interval>"
        "</t:DailyRecurrence><t:NumberedRecurrence><t:StartDate>2031-05-06</t:StartDate><t:NumberOfOccurrences>3"
        "</t:NumberOfOccurrences></t:NumberedRecurrence></t:Recurrence><t:CalendarItemType>RecurringMaster"
        "</t:CalendarItemType></t:CalendarItem>"
    )
    data = bytearray(answer("GetItem", ok(f"<m:Items>{item}</m:Items>")).content)
    for _ in range(wounds):
        data[source.randrange(len(data))] = source.randrange(256)
    try:
        found = envelope.read(bytes(data))
        items.read_items(found, count=1, mailbox="vmr@x.test")
        sync.read_sync(found, "calendar", mailbox="vmr@x.test")
        search.read_page(found, mailbox="vmr@x.test")
    except (MarkupError, ExchangeError):
        pass


def test_more_changes_than_anybody_asked_for_are_not_taken() -> None:
    change = '<t:Create><t:CalendarItem><t:ItemId Id="{}"/></t:CalendarItem></t:Create>'
    changes = "".join(change.format(n) for n in range(6000))
    reply = answer("SyncFolderItems", ok(f"<m:SyncState>s</m:SyncState><m:Changes>{changes}</m:Changes>"))
    with pytest.raises(TryLaterError):
        sync.read_sync(envelope.read(reply.content), "calendar", mailbox="vmr@x.test")


def test_a_notification_without_end_is_given_up() -> None:
    splitter = streaming.Splitter()
    for _ in range(streaming.LONGEST_ENVELOPE // 10_000):
        assert list(splitter.feed(b" " * 10_000)) == []
    with pytest.raises(GarbledReplyError):
        list(splitter.feed(b" " * 10_000))


def test_a_large_reply_is_read_soon() -> None:
    item = (
        '<t:CalendarItem><t:ItemId Id="i{}" ChangeKey="c"/><t:Start>2031-05-06T09:00:00Z</t:Start>'
        "<t:End>2031-05-06T10:00:00Z</t:End><t:UID>x{}@y</t:UID><t:Body BodyType='HTML'>{}</t:Body></t:CalendarItem>"
    )
    messages = [
        ok(f"<m:Items>{item.format(n, n, '&lt;p&gt;text&#xD;&lt;/p&gt;' * 20_000)}</m:Items>") for n in range(10)
    ]
    data = answer("GetItem", *messages).content
    assert len(data) > 5_000_000
    began = time.process_time()
    assert len(items.read_items(envelope.read(data), count=10, mailbox="vmr@x.test")) == 10
    assert time.process_time() - began < 2 * SOON
