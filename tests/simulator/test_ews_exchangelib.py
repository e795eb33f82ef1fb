"""exchangelib as the referee: somebody else's client sees the whole life of a meeting."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import exchangelib
import pytest
from exchangelib import items as ews_items

from support.simulator import ATTENDEE, EQUIPMENT, ORGANIZER, PASSWORD, SERVICE, RunningSimulator, running_simulator

START = exchangelib.EWSDateTime(2026, 12, 3, 10, tzinfo=exchangelib.EWSTimeZone("Europe/Berlin"))


def account(sim: RunningSimulator, address: str, *, login: str | None = None, **options: Any) -> Any:
    config = exchangelib.Configuration(
        service_endpoint=sim.ews_url,
        credentials=exchangelib.Credentials(login or address, PASSWORD),
        auth_type=exchangelib.BASIC,
        version=exchangelib.Version(exchangelib.version.EXCHANGE_2016),
        **options,
    )
    access = exchangelib.IMPERSONATION if login else exchangelib.DELEGATE
    return exchangelib.Account(address, config=config, autodiscover=False, access_type=access)


@pytest.fixture
def sim() -> Iterator[RunningSimulator]:
    with running_simulator() as running:
        yield running


def invite(organizer: Any, subject: str = "Weekly status", **more: Any) -> Any:
    item = exchangelib.CalendarItem(
        account=organizer,
        folder=organizer.calendar,
        subject=subject,
        body=exchangelib.HTMLBody("<p>Agenda</p>"),
        start=START,
        end=START + timedelta(hours=1),
        location="Room 4",
        required_attendees=[ATTENDEE],
        resources=[EQUIPMENT],
        **more,
    )
    item.save(send_meeting_invitations=ews_items.SEND_TO_ALL_AND_SAVE_COPY)
    return item


def responses(organizer: Any) -> dict[str, str]:
    item = organizer.calendar.all()[0]
    everybody = [*(item.required_attendees or []), *(item.resources or [])]
    return {attendee.mailbox.email_address: attendee.response_type for attendee in everybody}


def test_exchangelib_sees_the_whole_life_of_a_meeting(sim: RunningSimulator) -> None:
    organizer, equipment = account(sim, ORGANIZER), account(sim, EQUIPMENT, login=SERVICE)
    attendee = account(sim, ATTENDEE)
    invite(organizer)

    (request,) = equipment.inbox.all()
    assert isinstance(request, ews_items.MeetingRequest)
    assert request.meeting_request_type == "NewMeetingRequest"
    (copy,) = equipment.calendar.all()
    assert (copy.subject, copy.start, copy.my_response_type) == ("Weekly status", START, "NoResponseReceived")
    assert copy.organizer.email_address == ORGANIZER
    assert copy.uid == organizer.calendar.all()[0].uid

    copy.accept(body=exchangelib.HTMLBody("<p>Your room is ready</p>"))
    attendee.calendar.all()[0].tentatively_accept(body="perhaps")
    assert responses(organizer) == {EQUIPMENT: "Accept", ATTENDEE: "Tentative"}
    bodies = {message.sender.email_address: message.body for message in organizer.inbox.all()}
    assert "Your room is ready" in bodies[EQUIPMENT]

    item = organizer.calendar.all()[0]
    item.start += timedelta(days=1)
    item.end += timedelta(days=1)
    item.save(
        update_fields=["start", "end"],
        send_meeting_invitations=ews_items.SEND_TO_ALL_AND_SAVE_COPY,
    )
    (moved,) = equipment.calendar.all()
    assert moved.start == START + timedelta(days=1)
    assert moved.my_response_type == "NoResponseReceived"
    moved.accept(body="again")
    assert responses(organizer)[EQUIPMENT] == "Accept"

    organizer.calendar.all()[0].cancel(body="not needed")
    (gone,) = equipment.calendar.all()
    assert gone.is_cancelled
    assert gone.subject.startswith("Canceled:")
    assert any(isinstance(message, ews_items.MeetingCancellation) for message in equipment.inbox.all())
    assert not organizer.calendar.all().count()


def test_a_declined_meeting_tells_the_organizer_why(sim: RunningSimulator) -> None:
    organizer, equipment = account(sim, ORGANIZER), account(sim, EQUIPMENT)
    invite(organizer)
    equipment.inbox.all()[0].decline(body=exchangelib.HTMLBody("<p>No room left</p>"))
    assert responses(organizer)[EQUIPMENT] == "Decline"
    (message,) = organizer.inbox.all()
    assert message.response_type == "Decline"
    assert "No room left" in message.body
    assert equipment.calendar.all().count() == 0


def test_a_series_comes_through_as_it_was_made(sim: RunningSimulator) -> None:
    organizer, equipment = account(sim, ORGANIZER), account(sim, EQUIPMENT)
    recurrence = exchangelib.recurrence.Recurrence(
        pattern=exchangelib.recurrence.WeeklyPattern(interval=2, weekdays=["Thursday"], first_day_of_week="Monday"),
        start=START.date(),
        number=6,
    )
    invite(organizer, recurrence=recurrence)
    (copy,) = equipment.calendar.all()
    assert copy.type == "RecurringMaster"
    assert copy.recurrence.pattern.interval == 2
    assert copy.recurrence.boundary.number == 6


def test_exchangelib_synchronises_page_by_page(sim: RunningSimulator) -> None:
    organizer, equipment = account(sim, ORGANIZER), account(sim, EQUIPMENT, login=SERVICE)
    for number in range(7):
        invite(organizer, f"Meeting {number}")
    folder = equipment.calendar
    changes = list(folder.sync_items(max_changes_returned=3))
    assert [kind for kind, _ in changes] == ["create"] * 7
    state = folder.item_sync_state
    organizer.calendar.get(subject="Meeting 3").cancel()
    assert [kind for kind, _ in folder.sync_items(sync_state=state)] == ["update"]


def test_exchangelib_is_told_of_a_new_meeting_by_the_stream(sim: RunningSimulator) -> None:
    organizer, equipment = account(sim, ORGANIZER), account(sim, EQUIPMENT, login=SERVICE, max_connections=2)
    subscription_id = equipment.inbox.subscribe_to_streaming()
    heard: list[tuple[float, str]] = []

    def listen() -> None:
        for notification in equipment.inbox.get_streaming_events(
            subscription_id, connection_timeout=1, max_notifications_returned=1
        ):
            heard.extend((time.monotonic(), type(event).__name__) for event in notification.events)

    listener = threading.Thread(target=listen)
    listener.start()
    _wait_for_stream(sim)
    invite(organizer)
    sent = time.monotonic()
    listener.join(10)
    assert not listener.is_alive()
    assert {name for _, name in heard} & {"NewMailEvent", "CreatedEvent"}
    assert min(at for at, _ in heard) - sent < 0.5
    equipment.inbox.unsubscribe(subscription_id)


def _wait_for_stream(sim: RunningSimulator) -> None:
    for _ in range(200):
        if sim.face.streams.count:
            return
        time.sleep(0.02)
    pytest.fail("no streaming connection came")


def test_exchangelib_finds_by_the_clean_global_object_id(sim: RunningSimulator) -> None:
    class CleanGoid(exchangelib.ExtendedProperty):  # type: ignore[misc]  # exchangelib comes without types
        property_set_id = "6ED8DA90-450B-101B-98DA-00AA003F1305"
        property_id = 0x23
        property_type = "Binary"

    organizer, equipment = account(sim, ORGANIZER), account(sim, EQUIPMENT)
    exchangelib.CalendarItem.register("clean_goid", CleanGoid)
    try:
        for number in range(3):
            invite(organizer, f"Meeting {number}")
        wanted = organizer.calendar.filter(subject="Meeting 1").only("clean_goid")[0].clean_goid
        (found,) = equipment.calendar.filter(clean_goid=wanted)
        assert found.subject == "Meeting 1"
    finally:
        exchangelib.CalendarItem.deregister("clean_goid")


def test_exchangelib_walks_the_folders_and_filters(sim: RunningSimulator) -> None:
    organizer = account(sim, ORGANIZER)
    invite(organizer)
    names = {folder.name for folder in organizer.root.walk()}
    assert {"Inbox", "Calendar", "Sent Items", "Deleted Items"} <= names
    window = organizer.calendar.view(start=START - timedelta(hours=1), end=START + timedelta(hours=2))
    assert [item.subject for item in window] == ["Weekly status"]
    assert organizer.calendar.filter(start__gte=START, subject__icontains="STATUS").count() == 1
    assert organizer.calendar.filter(start__gt=START).count() == 0
    assert [i.subject for i in organizer.calendar.all().order_by("-start")] == ["Weekly status"]


def test_exchangelib_sends_a_plain_mail_and_deletes_it(sim: RunningSimulator) -> None:
    organizer, attendee = account(sim, ORGANIZER), account(sim, ATTENDEE)
    message = exchangelib.Message(
        account=organizer, folder=organizer.sent, subject="Hello", body="text", to_recipients=[ATTENDEE]
    )
    message.send_and_save()
    (received,) = attendee.inbox.all()
    assert (received.subject, received.is_read) == ("Hello", False)
    received.is_read = True
    received.save(update_fields=["is_read"])
    assert attendee.inbox.all()[0].is_read
    received.refresh()
    received.move_to_trash()
    assert attendee.inbox.all().count() == 0
    assert attendee.trash.all().count() == 1


def test_names_are_resolved_and_ids_converted(sim: RunningSimulator) -> None:
    organizer = account(sim, ORGANIZER)
    item = invite(organizer)
    (found,) = organizer.protocol.resolve_names(["anton"])
    assert found.email_address == ATTENDEE
    x500 = sim.exchange.mailbox(ORGANIZER).x500
    (found,) = organizer.protocol.resolve_names([x500])
    assert found.email_address == ORGANIZER
    alternate = exchangelib.properties.AlternateId(id=item.id, format="EwsId", mailbox=ORGANIZER)
    (converted,) = organizer.protocol.convert_ids([alternate], destination_format="HexEntryId")
    (back,) = organizer.protocol.convert_ids([converted], destination_format="EwsId")
    assert back.id == item.id


def test_the_server_knows_the_zones_of_windows(sim: RunningSimulator) -> None:
    zones = {zone.id: zone for zone in account(sim, ORGANIZER).protocol.get_timezones()}
    standard, daylight, _ = zones["W. Europe Standard Time"].get_std_and_dst(for_year=2026)
    assert (standard.iso_month, standard.weekday, daylight.iso_month, daylight.weekday) == (10, 7, 3, 7)
    assert standard.bias - daylight.bias == 60


def test_times_are_kept_in_utc(sim: RunningSimulator) -> None:
    invite(account(sim, ORGANIZER))
    (copy,) = sim.exchange.items(EQUIPMENT, "calendar")
    assert copy.meeting.start == datetime(2026, 12, 3, 9, tzinfo=UTC)  # type: ignore[attr-defined]  # calendars hold calendar items


def test_exchangelib_opens_answers_and_changes_single_occurrences(sim: RunningSimulator) -> None:
    organizer, equipment = account(sim, ORGANIZER), account(sim, EQUIPMENT)
    pattern = exchangelib.recurrence.WeeklyPattern(interval=1, weekdays=["Thursday"], first_day_of_week="Monday")
    invite(organizer, recurrence=exchangelib.recurrence.Recurrence(pattern=pattern, start=START.date(), number=5))
    week = timedelta(days=7)
    own = organizer.calendar.all()[0]
    second = organizer.calendar.view(start=START + timedelta(days=3), end=START + timedelta(days=9))[0]
    assert (second.type, second.original_start) == ("Occurrence", START + week)
    second.start += timedelta(hours=2)
    second.end += timedelta(hours=2)
    second.save(update_fields=["start", "end"], send_meeting_invitations=ews_items.SEND_ONLY_TO_ALL)
    third = own.occurrence(index=3)
    third.refresh()
    assert third.original_start == START + 2 * week
    third.delete(send_meeting_cancellations=ews_items.SEND_ONLY_TO_ALL)

    master = equipment.calendar.all()[0]
    assert master.first_occurrence.start == START
    assert master.last_occurrence.start == START + 4 * week
    assert [one.start for one in master.deleted_occurrences] == [START + 2 * week]
    (modified,) = master.modified_occurrences
    assert (modified.original_start, modified.start) == (START + week, START + week + timedelta(hours=2))
    view = list(equipment.calendar.view(start=START, end=START + 6 * week))
    assert [one.type for one in view] == ["Occurrence", "Exception", "Occurrence", "Occurrence"]
    exception = view[1]
    assert (exception.id, exception.my_response_type) == (modified.id, "NoResponseReceived")
    exception.accept(body="the room is open then")
    answered = list(equipment.calendar.view(start=START, end=START + 6 * week))[1]
    assert answered.my_response_type == "Accept"
    assert equipment.calendar.all()[0].my_response_type == "NoResponseReceived"
    above = answered.recurring_master()
    above.refresh()
    assert above.id == master.id
