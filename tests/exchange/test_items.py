"""What items say: identity, kinds, times, people, and which of two is newer."""

import binascii
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from lxml import etree

from greenroom.exchange.addresses import address, is_x500
from greenroom.exchange.errors import ExchangeError, ItemBrokenError
from greenroom.exchange.ews import items, values
from greenroom.exchange.ews.items import Item, Source, is_newer
from greenroom.exchange.ews.markup import TYPES, Element
from greenroom.meetings.meeting import Kind, MeetingKey, Observation, Response

MAILBOX = "vmr@example.test"
GOID = bytes.fromhex("040000008200E00074C5B7101A82E008") + bytes(20) + (16).to_bytes(4, "little") + bytes(range(16))
DATED = GOID[:16] + bytes([0x07, 0xEF, 5, 6]) + GOID[20:]
KEY = MeetingKey.of_global_object_id(GOID)
WHEN = "<Start>2031-05-06T09:00:00Z</Start><End>2031-05-06T10:00:00Z</End>"


def extended(
    prop: str, value: bytes | str, kind: str = "Binary", guid: str = "6ED8DA90-450B-101B-98DA-00AA003F1305"
) -> str:
    text = b64encode(value).decode() if isinstance(value, bytes) else value
    return (
        f'<ExtendedProperty><ExtendedFieldURI PropertySetId="{guid}" PropertyId="{prop}" PropertyType="{kind}"/>'
        f"<Value>{text}</Value></ExtendedProperty>"
    )


def element(parts: str, name: str = "CalendarItem") -> Element:
    return etree.fromstring(f'<{name} xmlns="{TYPES}"><ItemId Id="i1" ChangeKey="c1"/>{parts}</{name}>')


def read(parts: str, name: str = "CalendarItem") -> Item | ExchangeError:
    return items.read_item(element(parts, name), MAILBOX)


def observe(parts: str, name: str = "CalendarItem") -> Observation:
    item = read(parts, name)
    assert isinstance(item, Item)
    assert item.observation is not None
    return item.observation


def item(parts: str, name: str = "CalendarItem") -> Item:
    found = read(WHEN + extended("35", GOID) + parts, name)
    assert isinstance(found, Item)
    return found


class TestIdentity:
    def test_the_clean_id_comes_first_in_decimal_or_hexadecimal(self) -> None:
        for number in ("35", "0x23"):
            assert observe(WHEN + extended("3", b"x" * 20) + extended(number, GOID)).key == KEY

    def test_a_dated_id_is_the_key_of_that_day(self) -> None:
        assert observe(WHEN + extended("3", DATED)).key == KEY.on(date(2031, 5, 6))
        assert observe(f"{WHEN}<UID>{DATED.hex()}</UID>").key == KEY.on(date(2031, 5, 6))

    def test_without_ids_the_uid_serves(self) -> None:
        assert observe(f"{WHEN}<UID>{GOID.hex()}</UID>").key == KEY
        assert observe(f"{WHEN}<UID>abc@google.com</UID>").key == MeetingKey.of_uid("abc@google.com")

    def test_a_distinguished_set_is_understood(self) -> None:
        prop = (
            '<ExtendedProperty><ExtendedFieldURI DistinguishedPropertySetId="Meeting" PropertyId="35"/>'
            f"<Value>{b64encode(GOID).decode()}</Value></ExtendedProperty>"
        )
        assert observe(WHEN + prop).key == KEY

    def test_an_id_cut_short_is_not_believed(self) -> None:
        assert observe(WHEN + extended("35", GOID[:-4]) + f"<UID>{GOID.hex()}</UID>").key == KEY

    def test_a_meeting_without_any_identity_is_broken(self) -> None:
        for parts in ("", extended("35", "%%%"), extended("35", b"")):
            broken = read(WHEN + parts)
            assert isinstance(broken, ItemBrokenError)
            assert broken.code == "no-key"


class TestKinds:
    def test_a_lone_item_with_a_date_in_its_id_is_an_occurrence(self) -> None:
        seen = observe(
            WHEN + extended("35", GOID) + extended("3", DATED) + "<CalendarItemType>Single</CalendarItemType>"
            "<RecurrenceId>2031-05-06T08:00:00Z</RecurrenceId>"
        )
        assert seen.kind is Kind.OCCURRENCE
        assert seen.key == KEY.on(date(2031, 5, 6))
        assert seen.original_start == datetime(2031, 5, 6, 8, tzinfo=UTC)

    @pytest.mark.parametrize("name", ["RecurrenceId", "OriginalStart"])
    def test_an_occurrence_without_a_date_in_its_id_is_of_the_day_it_was_meant_for_in_its_zone(self, name: str) -> None:
        kind = "<CalendarItemType>Exception</CalendarItemType>"
        meant = f"<{name}>2031-05-04T22:30:00Z</{name}>"
        zone = "<StartTimeZoneId>W. Europe Standard Time</StartTimeZoneId>"
        seen = observe(WHEN + extended("35", GOID) + kind + meant + zone)
        assert (seen.key, seen.kind) == (KEY.on(date(2031, 5, 5)), Kind.OCCURRENCE)

    def test_an_occurrence_that_says_nothing_of_its_day_is_of_the_day_it_takes_place(self) -> None:
        kind = "<CalendarItemType>Occurrence</CalendarItemType>"
        assert observe(WHEN + extended("35", GOID) + kind).key == KEY.on(date(2031, 5, 6))
        found = read(extended("35", GOID) + kind, "MeetingCancellation")
        assert isinstance(found, ItemBrokenError)
        assert found.code == "no-day"

    @pytest.mark.parametrize("date_", ["07ef0d01", "07ef021e", "00000101", "ffffffff"])
    def test_a_date_that_is_none_does_not_count(self, date_: str) -> None:
        odd = GOID[:16] + bytes.fromhex(date_) + GOID[20:]
        assert observe(WHEN + extended("35", GOID) + extended("3", odd)).key == KEY.on(date(2031, 5, 6))

    def test_a_single_meeting_has_no_original_start(self) -> None:
        seen = observe(
            WHEN + extended("35", GOID) + extended("3", GOID) + "<OriginalStart>2031-05-06T08:00:00Z</OriginalStart>"
        )
        assert (seen.kind, seen.original_start) == (Kind.SINGLE, None)

    def test_an_appointment_without_people_is_no_meeting(self) -> None:
        found = read("<IsMeeting>false</IsMeeting>" + WHEN)
        assert isinstance(found, Item)
        assert found.observation is None

    def test_a_note_or_an_answer_is_no_meeting(self) -> None:
        for name in ("Message", "MeetingResponse", "Task", "Surprise"):
            found = read(WHEN + extended("35", GOID), name)
            assert isinstance(found, Item)
            assert found.observation is None

    def test_copies_for_information_are_marked(self) -> None:
        for parts in (
            "<IsDelegated>true</IsDelegated>",
            "<MeetingRequestType>PrincipalWantsCopy</MeetingRequestType>",
        ):
            assert observe(WHEN + extended("35", GOID) + parts, "MeetingRequest").informational_copy

    def test_old_messages_are_marked(self) -> None:
        assert item("<IsOutOfDate>true</IsOutOfDate>", "MeetingRequest").outdated
        assert item("<MeetingRequestType>Outdated</MeetingRequestType>", "MeetingRequest").outdated

    def test_the_mailboxs_own_meetings_are_known_as_such(self) -> None:
        organizer = f"<Organizer><Mailbox><EmailAddress>SMTP:{MAILBOX.upper()}</EmailAddress></Mailbox></Organizer>"
        for parts in (organizer, "<IsOrganizer>true</IsOrganizer>", "<MyResponseType>Organizer</MyResponseType>"):
            assert observe(WHEN + extended("35", GOID) + parts).is_organizer

    def test_cancelled_by_state_or_by_flag(self) -> None:
        for parts in ("<AppointmentState>7</AppointmentState>", "<IsCancelled>true</IsCancelled>"):
            assert observe(WHEN + extended("35", GOID) + parts).cancelled

    def test_a_cancellation_needs_no_times_but_anything_else_does(self) -> None:
        assert observe(extended("35", GOID), "MeetingCancellation").span is None
        for times in ("", "<Start>2031-05-06T09:00:00Z</Start>", WHEN.replace("T10", "T08")):
            broken = read(times + extended("35", GOID))
            assert isinstance(broken, ItemBrokenError)
            assert broken.code == "no-times"

    def test_a_message_never_shows_an_answer(self) -> None:
        seen = observe(WHEN + extended("35", GOID) + "<MyResponseType>Accept</MyResponseType>", "MeetingRequest")
        assert seen.response is Response.NONE


class TestPeopleAndText:
    def test_addresses_lose_prefixes_and_capitals(self) -> None:
        assert address(" MAILTO:Olga@Example.TEST ") == "olga@example.test"
        assert address("SMTP:x@y") == "x@y"
        assert is_x500(address("EX:/O=Org/OU=a/CN=b"))

    def test_a_cancellation_without_organizer_is_from_its_sender(self) -> None:
        sender = "<From><Mailbox><Name>O</Name><EmailAddress>o@x.test</EmailAddress></Mailbox></From>"
        assert observe(extended("35", GOID) + sender, "MeetingCancellation").organizer.address == "o@x.test"

    def test_a_text_body_becomes_html_that_says_the_same(self) -> None:
        body = '<Body BodyType="Text">a &lt;b&gt; &amp;  c\nd</Body>'
        assert observe(WHEN + extended("35", GOID) + body).body_html == "a &lt;b&gt; &amp;&nbsp; c<br>\nd"

    def test_a_body_is_cut_at_two_mebibytes(self) -> None:
        body = f'<Body BodyType="HTML">{"x" * (items.LONGEST_BODY + 5)}</Body>'
        assert len(observe(WHEN + extended("35", GOID) + body).body_html) == items.LONGEST_BODY

    def test_what_a_repr_shows_holds_no_content(self) -> None:
        seen = observe(
            WHEN + extended("35", GOID) + "<Subject>secret1</Subject><Location>secret2</Location><Body>secret3</Body>"
            "<Organizer><Mailbox><Name>secret4</Name><EmailAddress>o@x.test</EmailAddress></Mailbox></Organizer>"
        )
        assert "secret" not in repr(seen)


class TestValues:
    @pytest.mark.parametrize(
        ("text", "wanted"),
        [
            ("2031-05-06T09:00:00Z", datetime(2031, 5, 6, 9, tzinfo=UTC)),
            ("2031-05-06T09:00:00", datetime(2031, 5, 6, 9, tzinfo=UTC)),
            ("2031-05-06T09:00:00.1Z", datetime(2031, 5, 6, 9, 0, 0, 100000, tzinfo=UTC)),
            ("2031-05-06T09:00:00.123456789Z", datetime(2031, 5, 6, 9, 0, 0, 123456, tzinfo=UTC)),
            ("2031-05-06T09:00:00+02:00", datetime(2031, 5, 6, 7, tzinfo=UTC)),
            ("2031-05-06T09:00:00-05:30", datetime(2031, 5, 6, 14, 30, tzinfo=UTC)),
            (" 2031-05-06T09:00:00Z\n", datetime(2031, 5, 6, 9, tzinfo=UTC)),
            ("2031-13-06T09:00:00Z", None),
            ("0001-01-01T00:00:00+14:00", None),
            ("9999-12-31T23:59:59-14:00", None),
            ("2031-05-06T09:00:00+99:99", None),
            ("\uff12\uff10\uff13\uff11-05-06T09:00:00Z", None),
            ("yesterday", None),
            ("", None),
        ],
    )
    def test_instants(self, text: str, wanted: datetime | None) -> None:
        assert values.instant(text) == wanted

    def test_days_with_and_without_a_time_part(self) -> None:
        assert str(values.day("2026-12-01T00:00:00.000000Z")) == "2026-12-01"
        assert str(values.day("2026-12-01+01:00")) == "2026-12-01"
        assert values.day("2026-02-31") is None

    def test_numbers_are_bounded(self) -> None:
        assert values.number("7") == 7
        assert values.number("9" * 5000) is None
        assert values.number("٣") is None


class TestNewer:
    def stamped(self, name: str, sequence: int | None, stamp: str, received: str = "2031-01-01T00:00:00Z") -> Item:
        number = "" if sequence is None else f"<AppointmentSequenceNumber>{sequence}</AppointmentSequenceNumber>"
        at = f"<DateTimeStamp>2031-01-01T00:00:{stamp}Z</DateTimeStamp>" if stamp else ""
        return item(number + at + f"<DateTimeReceived>{received}</DateTimeReceived>", name)

    def test_by_sequence_then_by_stamp(self) -> None:
        old = self.stamped("CalendarItem", 1, "10")
        assert is_newer(self.stamped("MeetingRequest", 2, "05"), old)
        assert not is_newer(self.stamped("MeetingRequest", 0, "50"), old)
        assert is_newer(self.stamped("MeetingRequest", 1, "11"), old)
        assert not is_newer(self.stamped("MeetingRequest", 1, "10"), old)

    def test_without_either_by_arrival(self) -> None:
        old = self.stamped("CalendarItem", None, "")
        assert is_newer(self.stamped("MeetingRequest", None, "", "2031-01-01T00:01:00Z"), old)
        assert not is_newer(self.stamped("MeetingRequest", None, ""), old)

    def test_a_cancellation_of_the_same_version_is_newer(self) -> None:
        old = self.stamped("CalendarItem", 1, "10")
        assert is_newer(self.stamped("MeetingCancellation", 1, "10"), old)
        assert not is_newer(self.stamped("MeetingCancellation", 1, "09"), old)
        assert not is_newer(self.stamped("MeetingCancellation", 0, "50"), old)

    def test_what_exchange_has_applied_or_outdated_is_never_newer(self) -> None:
        old = self.stamped("CalendarItem", 1, "10")
        new = self.stamped("MeetingRequest", 2, "20")
        assert not is_newer(replace(new, processed=True), old)
        assert not is_newer(replace(new, outdated=True), old)

    def test_a_cancellations_sequence_comes_from_its_property_if_it_has_no_element(self) -> None:
        sequence = extended("33281", "3", "Integer", "00062002-0000-0000-C000-000000000046")
        assert observe(extended("35", GOID) + sequence, "MeetingCancellation").sequence == 3


def test_base64_of_any_length_is_read_or_not_but_never_fails() -> None:
    for text in ("A", "AA", "A===", "\u00e9", "A" * 9000, "=" * 10):
        found = read(WHEN + extended("35", text) + "<UID>x@y</UID>")
        assert isinstance(found, Item)
    assert binascii is not None
    assert isinstance(Source.CALENDAR, Source)
