from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from greenroom.simulator import zones
from greenroom.simulator.envelope import Envelope
from greenroom.simulator.goid import from_uid
from greenroom.simulator.ics_read import ReadEvent, read_ics
from greenroom.simulator.ics_write import plain, write_envelope
from greenroom.simulator.model import Attendee, Body, Meeting, Person
from greenroom.simulator.recurrence import (
    DAYS,
    AbsoluteMonthly,
    AbsoluteYearly,
    Daily,
    Recurrence,
    RelativeMonthly,
    RelativeYearly,
    Weekly,
)
from support.box import ANN, AUTO, BOB, Box, ics
from support.shared import shared_path

ZONES = [
    None,
    "W. Europe Standard Time",
    "America/New_York",
    "Australia/Sydney",
    "India Standard Time",
    "Asia/Kathmandu",
]
TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters="\ufffe\uffff"), max_size=60
)
LINE = TEXT.map(lambda text: " ".join(text.split()))
NAME = LINE.filter(lambda text: text.strip("'\"") == text)
ADDRESS = st.from_regex(r"[a-z0-9.+_-]{1,20}@[a-z]{1,10}\.test", fullmatch=True)
START = st.datetimes(datetime(2000, 1, 1), datetime(2050, 1, 1)).map(  # noqa: DTZ001  made aware here
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)
PATTERN = st.one_of(
    st.builds(Daily, st.integers(1, 999)),
    st.builds(
        Weekly,
        st.integers(1, 99),
        st.sets(st.sampled_from(DAYS), min_size=1).map(lambda days: tuple(sorted(days, key=DAYS.index))),
        st.sampled_from(DAYS),
    ),
    st.builds(AbsoluteMonthly, st.integers(1, 99), st.integers(1, 31)),
    st.builds(
        RelativeMonthly,
        st.integers(1, 99),
        st.sampled_from([*DAYS, "Day", "Weekday", "WeekendDay"]),
        st.sampled_from(["First", "Second", "Third", "Fourth", "Last"]),
    ),
    st.builds(AbsoluteYearly, st.integers(1, 12), st.integers(1, 31)),
    st.builds(
        RelativeYearly,
        st.integers(1, 12),
        st.sampled_from([*DAYS, "Weekday"]),
        st.sampled_from(["First", "Second", "Last"]),
    ),
)


@st.composite
def meetings(draw: st.DrawFn) -> Meeting:
    zone = draw(st.sampled_from(ZONES))
    start = draw(START)
    uid = draw(LINE.filter(bool).map(lambda text: "u-" + text))
    people = draw(st.lists(st.tuples(ADDRESS, NAME), max_size=4, unique_by=lambda one: one[0]))
    meeting = Meeting(
        uid=uid,
        goid=from_uid(uid),
        clean_goid=from_uid(uid),
        start=start,
        end=start
        + draw(
            st.timedeltas(timedelta(0), timedelta(days=3)).map(
                lambda one: one - timedelta(microseconds=one.microseconds)
            )
        ),
        organizer=Person("org@maker.test", draw(NAME)),
        start_zone=zone,
        end_zone=zone,
        location=draw(LINE),
        free_busy=draw(st.sampled_from(["Free", "Busy", "OOF", "Tentative", "WorkingElsewhere"])),
        attendees=tuple(
            Attendee(
                Person(address, name), draw(st.sampled_from(["required", "optional", "resource"])), "NoResponseReceived"
            )
            for address, name in people
        ),
        sequence=draw(st.integers(0, 99)),
        stamp=draw(START),
    )
    if draw(st.booleans()):
        first = start.astimezone(read_zone(zone)).date()
        ends = draw(st.sampled_from(["none", "count", "until"]))
        meeting.recurrence = Recurrence(
            draw(PATTERN),
            first,
            draw(st.integers(1, 500)) if ends == "count" else None,
            first + timedelta(days=draw(st.integers(0, 2000))) if ends == "until" else None,
        )
    return meeting


def read_zone(name: str | None) -> tzinfo:
    zone = zones.find(name)
    assert zone is not None
    return zone


def read_back(meeting: Meeting, subject: str = "s", body: Body | None = None) -> ReadEvent:
    envelope = Envelope("REQUEST", meeting, subject, body or Body(), meeting.organizer, meeting.organizer)
    return read_ics(write_envelope(envelope)).events[0]


@settings(max_examples=80, deadline=timedelta(seconds=2), suppress_health_check=[HealthCheck.too_slow])
@given(
    meetings(),
    LINE,
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=200),
)
def test_what_is_written_is_read_again(meeting: Meeting, subject: str, text: str) -> None:
    event = read_back(meeting, subject, Body(text))
    expected = replace(meeting, uid=event.meeting.uid)
    if not unambiguous(meeting):
        expected = replace(expected, start=event.meeting.start, end=event.meeting.end)
    assert event.meeting == expected
    assert event.meeting.uid == meeting.uid
    assert (event.subject, event.body) == (subject, Body(text))


def unambiguous(meeting: Meeting) -> bool:
    """Local times that come twice when clocks go back cannot be told apart in iCalendar."""
    zone = read_zone(meeting.start_zone)
    return all(
        moment.astimezone(zone).replace(fold=0).astimezone(UTC) == moment for moment in (meeting.start, meeting.end)
    )


def test_all_day_meetings_are_written_as_dates_or_keep_their_zone() -> None:
    midnight = datetime(2026, 12, 2, tzinfo=UTC)
    id_ = from_uid("u")
    person = Person("org@maker.test")
    day = Meeting(uid="u", goid=id_, clean_goid=id_, start=midnight, end=midnight + timedelta(days=1), organizer=person,
                  stamp=midnight, all_day=True)  # fmt: skip
    assert read_back(day).meeting == day
    berlin = replace(day, start=midnight - timedelta(hours=1), end=midnight + timedelta(hours=23), start_zone="Europe/Berlin",
                     end_zone="Europe/Berlin")  # fmt: skip
    assert read_back(berlin).meeting == berlin


def test_html_is_written_beside_its_text() -> None:
    box = Box()
    item = box.invite(BOB, draft={"body": Body("<style>x</style><p>One</p>Two<br>Three &amp; four", "HTML")})
    assert plain(item.body) == "One\nTwo\nThree & four"
    data = box.exchange.export_ics(ANN, item.id)
    assert read_ics(data).events[0].body == item.body
    assert b"DESCRIPTION:One\\nTwo\\nThree & four" in data


def test_a_cancellation_and_an_answer_are_written_with_their_methods() -> None:
    box = Box()
    item = box.invite(AUTO)
    box.exchange.respond(AUTO, box.copy(AUTO).id, "Tentative")
    assert b"METHOD:REPLY" in box.exchange.export_ics(ANN, box.inbox(ANN)[0].id)
    box.later()
    box.exchange.cancel_meeting(ANN, item.id)
    data = box.exchange.export_ics(AUTO, box.inbox(AUTO)[-1].id)
    assert b"METHOD:CANCEL" in data
    assert b"STATUS:CANCELLED" in data
    assert b"METHOD:PUBLISH" in box.exchange.export_ics(AUTO, box.copy(AUTO).id, "PUBLISH")


def test_lines_are_folded_at_75_octets_and_a_name_cannot_smuggle_a_line() -> None:
    box = Box()
    item = box.invite("evil@elsewhere.test\r\nX-EVIL:1", draft={"subject": "ü" * 200, "location": "a\r\nX-EVIL:1"})
    data = box.exchange.export_ics(ANN, item.id)
    assert all(len(line) <= 75 for line in data.split(b"\r\n"))
    assert not [line for line in data.split(b"\r\n") if line.startswith(b"X-EVIL")]
    assert read_ics(data).events[0].subject == "ü" * 200


def test_recorded_files_delivered_and_exported_say_the_same() -> None:
    for path in sorted(shared_path("captures/ics").glob("*.ics")):
        box = Box()
        (event,) = read_ics(path.read_bytes()).events
        done = box.exchange.deliver_ics(AUTO, path.read_bytes())
        again = read_ics(box.exchange.export_ics(AUTO, done.message_ids[0])).events[0].meeting
        told = event.meeting
        assert (again.uid, again.start, again.end, again.all_day) == (told.uid, told.start, told.end, told.all_day), (
            path.name
        )
        assert (again.recurrence, again.sequence, again.stamp) == (told.recurrence, told.sequence, told.stamp)
        assert [one.person.address for one in again.attendees] == [one.person.address for one in told.attendees]


def test_a_series_with_exceptions_is_exported_whole() -> None:
    box = Box()
    series = (
        "DTSTART;TZID=Europe/Berlin:20261202T090000",
        "RRULE:FREQ=WEEKLY;COUNT=5",
        "EXDATE;TZID=Europe/Berlin:20261209T090000",
    )
    box.exchange.deliver_ics(AUTO, ics(*series))
    moved = "RECURRENCE-ID;TZID=Europe/Berlin:20261216T090000"
    box.exchange.deliver_ics(
        AUTO, ics(moved, "DTSTART;TZID=Europe/Berlin:20261216T150000", "SUMMARY:Later", "SEQUENCE:1")
    )
    other = Box()
    other.exchange.deliver_ics(BOB, box.exchange.export_ics(AUTO, box.copy(AUTO).id))
    kept = [
        replace(one, my_response=None, free_busy=None) for one in box.copy(AUTO).meeting.modified
    ]  # an answer is one's own
    assert list(other.copy(BOB).meeting.modified) == kept
    assert other.copy(BOB).meeting.deleted == box.copy(AUTO).meeting.deleted
