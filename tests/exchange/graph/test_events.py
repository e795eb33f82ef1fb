"""What one event says: lenient towards what is unknown or missing, strict about kinds and sizes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from exchange.graph.answering import MAILBOX
from exchange.graph.whole_events import DATED, GOID, KEY, START, extended, whole
from greenroom.exchange.errors import ExchangeError, ItemBrokenError
from greenroom.exchange.graph import facts
from greenroom.exchange.graph.events import Broken, Event, read_event
from greenroom.meetings.meeting import Kind, MeetingKey, Observation, Response
from support import planted


def read_one(**more: Any) -> Observation | ExchangeError | None:
    """What an event says, as `read` would tell it."""
    found = read_event(whole("a", **more))
    if isinstance(found, Broken):
        return found.error
    return facts.observation(found, MAILBOX)


def seen(**more: Any) -> Observation:
    found = read_one(**more)
    assert isinstance(found, Observation), found
    return found


class TestWhatAnEventSays:
    def test_people_times_and_texts_are_read(self) -> None:
        found = seen(
            location={"displayName": "Room 4; Room 5"},
            sensitivity="confidential",
            responseStatus={"response": "accepted", "time": "2031-01-02T03:04:05.6789012Z"},
        )
        assert found.organizer.address == "olga@example.test"
        assert [person.address for person in found.attendees] == [MAILBOX]
        assert found.span is not None
        assert (found.span.start, found.span.zone) == (START, "UTC")
        assert found.location == "Room 4; Room 5"
        assert found.sensitivity.value == "confidential"
        assert found.response is Response.ACCEPTED
        assert found.replied_at == datetime(2031, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
        assert found.received_at == datetime(2031, 1, 1, tzinfo=UTC)

    @pytest.mark.parametrize(
        "name",
        ["organizer", "attendees", "body", "location", "locations", "responseStatus", "sensitivity", "isCancelled",
         "isOrganizer", "responseRequested", "isAllDay", "subject", "originalStartTimeZone", "singleValueExtendedProperties",
         "recurrence", "createdDateTime", "changeKey", "type", "originalStart", "seriesMasterId"],
    )  # fmt: skip
    def test_what_is_missing_or_null_is_no_fault(self, name: str) -> None:
        without = whole("a")
        without.pop(name, None)
        for raw in (without, without | {name: None}):
            found = read_event(raw)
            assert isinstance(found, Event)

    def test_what_is_unknown_is_no_fault(self) -> None:
        found = seen(
            type="somethingNew",
            sensitivity="somethingNew",
            responseStatus={"response": "somethingNew", "time": "never", "extra": 1},
            newThing={"a": [1]},
            organizer={"emailAddress": {"address": None}, "more": 1},
            attendees=[{"emailAddress": None}, {}, {"emailAddress": {"address": "a@b.test", "x": 2}}],
        )
        assert (found.kind, found.response) == (Kind.SINGLE, Response.NONE)
        assert [person.address for person in found.attendees] == ["a@b.test"]

    @pytest.mark.parametrize(
        "more",
        [
            {"id": 5},
            {"id": "x" * 5000},
            {"subject": {"a": 1}},
            {"body": "text"},
            {"start": "2031"},
            {"attendees": {"a": 1}},
            {"isCancelled": "perhaps"},
            {"recurrence": {"pattern": {"interval": "often"}}},
            {"recurrence": {"pattern": {"interval": 10**30}}},
            {"exceptionOccurrences": "x"},
            {"cancelledOccurrences": {"a": 1}},
        ],
        ids=lambda more: next(iter(more)),
    )
    def test_what_is_of_the_wrong_kind_or_size_is_broken_and_told_without_content(self, more: dict[str, Any]) -> None:
        found = read_event(whole("a", **more))
        assert isinstance(found, Broken)
        assert next(iter(more)) in str(found.error)
        assert not planted.found_in(str(found.error))
        assert "often" not in str(found.error)

    def test_long_texts_are_cut(self) -> None:
        found = seen(subject="x" * 9000, body={"contentType": "html", "content": "y" * 3_000_000})
        assert len(found.subject) == 4000
        assert len(found.body_html) == 2 * 1024 * 1024

    def test_a_body_in_plain_text_keeps_its_words(self) -> None:
        found = seen(body={"contentType": "text", "content": "One <two>\r\n  three"})
        assert found.body_html == "One &lt;two&gt;<br>\n&nbsp; three"

    @pytest.mark.parametrize(
        ("properties", "uid", "key"),
        [
            ({"clean": GOID, "goid": GOID}, "", KEY),
            ({"goid": GOID}, "", KEY),
            ({"clean": GOID[:-4]}, GOID.hex(), KEY),
            ({"clean": "%%%"}, GOID.hex().upper(), KEY),
            ({"clean": GOID, "goid": DATED}, "", KEY.on(START.date())),
            ({"goid": DATED}, "", KEY.on(START.date())),
            ({}, DATED.hex(), KEY.on(START.date())),
            ({"clean": GOID}, DATED.hex(), KEY.on(START.date())),
            ({}, "7k2m@calendar.example.test", MeetingKey.of_uid("7k2m@calendar.example.test")),
        ],
    )
    def test_the_key_is_that_of_the_global_object_id(
        self, properties: dict[str, bytes | str], uid: str, key: MeetingKey
    ) -> None:
        assert seen(singleValueExtendedProperties=extended(**properties), iCalUId=uid).key == key

    def test_without_identity_or_times_a_meeting_makes_no_sense(self) -> None:
        for more, code in (({"iCalUId": ""}, "no-key"), ({"start": None}, "no-times"), ({"end": {}}, "no-times")):
            found = read_one(**more)
            assert isinstance(found, ItemBrokenError)
            assert found.code == code
        assert seen(start=None, isCancelled=True).span is None

    def test_an_end_before_the_start_makes_no_sense(self) -> None:
        early = {"dateTime": "2031-05-06T08:00:00", "timeZone": "UTC"}
        assert isinstance(read_one(end=early), ItemBrokenError)

    @pytest.mark.parametrize(
        ("text", "zone"),
        [
            ("2031-05-06T09:00:00.0000000", "UTC"),
            ("2031-05-06T09:00:00Z", "Nowhere"[:0]),
            ("2031-05-06T11:00:00.0000000", "Europe/Berlin"),
            ("2031-05-06T09:00", "tzone://Microsoft/Utc"),
        ],
    )
    def test_times_are_read_in_their_zone(self, text: str, zone: str) -> None:
        span = seen(start={"dateTime": text, "timeZone": zone}).span
        assert span is not None
        assert span.start == START

    def test_a_time_in_a_zone_not_known_here_is_not_guessed(self) -> None:
        assert isinstance(read_one(start={"dateTime": "2031-05-06T09:00:00", "timeZone": "Moon"}), ItemBrokenError)

    def test_an_all_day_meeting_takes_the_instants_of_its_organizers_zone(self) -> None:
        midnights = {
            "start": {"dateTime": "2031-05-06T00:00:00.0000000", "timeZone": "UTC"},
            "end": {"dateTime": "2031-05-07T00:00:00.0000000", "timeZone": "UTC"},
        }
        properties = [
            {"id": "SystemTime {00062002-0000-0000-c000-000000000046} Id 0x820d", "value": "2031-05-05T22:00:00Z"},
            {"id": "SystemTime {00062002-0000-0000-c000-000000000046} Id 33294", "value": "2031-05-06T22:00:00Z"},
        ]
        span = seen(isAllDay=True, **midnights, singleValueExtendedProperties=properties).span
        assert span is not None
        assert span.all_day
        assert (span.start.hour, span.end.hour) == (22, 22)
        bare = seen(isAllDay=True, **midnights).span
        assert bare is not None
        assert (bare.start.hour, bare.end.hour) == (0, 0)

    def test_a_lone_occurrence_is_known_by_its_global_object_id(self) -> None:
        for more in (
            {"singleValueExtendedProperties": extended(clean=GOID, goid=DATED)},
            {"iCalUId": DATED.hex()},
            {"type": "exception"},
        ):
            found = seen(**more, originalStart="2031-05-06T08:00:00Z")
            assert (found.kind, found.original_start) == (Kind.OCCURRENCE, START - timedelta(hours=1))
        assert seen(originalStart="2031-05-06T08:00:00Z").original_start is None

    def test_our_own_meetings_are_known_as_such(self) -> None:
        ours = {"emailAddress": {"address": MAILBOX.upper()}}
        for more in ({"isOrganizer": True}, {"organizer": ours}, {"responseStatus": {"response": "organizer"}}):
            assert seen(**more).is_organizer
