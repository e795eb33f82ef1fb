"""Single occurrences of a series that is in the store, and ids that outlast moves."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from greenroom.simulator import goid, ids, snapshot
from greenroom.simulator.errors import InvalidOperation, IrresolvableConflict, NoSuchItem
from greenroom.simulator.graph.entries import READING
from greenroom.simulator.model import Body, CalendarItem, MeetingCancellation, MeetingResponse
from greenroom.simulator.occurrences import occurrence_on, occurrences_within
from greenroom.simulator.recurrence import Recurrence, Weekly
from support.box import ANN, AUTO, BOB, HOUR, NONE, OUTSIDE, START, Box, attendees
from support.graph_calls import Graph

WEEKLY = Recurrence(Weekly(1, ("Wednesday",)), START.date(), count=5)
SECOND = datetime(2026, 12, 9, 9, tzinfo=UTC)


def series(*addresses: str) -> tuple[Box, CalendarItem]:
    box = Box()
    return box, box.invite(*(addresses or (AUTO,)), draft={"recurrence": WEEKLY})


def test_occurrences_are_found_by_day_and_by_span() -> None:
    _, item = series()
    found = occurrence_on(item.meeting, date(2026, 12, 9))
    assert found is not None
    assert (found.original_start, found.end) == (SECOND, SECOND + HOUR)
    assert occurrence_on(item.meeting, date(2026, 12, 10)) is None
    assert occurrence_on(item.meeting, date(2027, 1, 6)) is None
    assert len(occurrences_within(item.meeting, START, SECOND + HOUR)) == 2
    assert occurrences_within(item.meeting, START + HOUR, SECOND) == []


def test_a_moved_occurrence_is_where_it_is_now() -> None:
    box, item = series()
    box.exchange.update_occurrence(ANN, item.id, SECOND, {"start": SECOND + 5 * HOUR})
    (found,) = occurrences_within(item.meeting, SECOND + 5 * HOUR, SECOND + 6 * HOUR)
    assert (found.original_start, found.start) == (SECOND, SECOND + 5 * HOUR)
    assert occurrences_within(item.meeting, SECOND, SECOND + HOUR) == []
    assert occurrence_on(item.meeting, date(2026, 12, 9)) == found


def test_an_occurrence_is_changed_without_a_word_unless_it_is_to_be_sent() -> None:
    box, item = series()
    box.exchange.update_occurrence(ANN, item.id, SECOND, {"subject": "Special"})
    assert len(box.inbox(AUTO)) == 1
    box.exchange.update_occurrence(ANN, item.id, SECOND, {"location": "Attic"}, send="SendToAllAndSaveCopy")
    (change,) = box.copy(AUTO).meeting.modified
    assert (change.subject, change.location) == ("Special", "Attic")
    assert len(box.exchange.items(ANN, "sentitems")) == 2


def test_the_answer_to_an_occurrence_outlives_small_changes_and_not_a_move() -> None:
    box, item = series()
    box.exchange.respond_to_occurrence(AUTO, box.copy(AUTO).id, SECOND, "Accept")
    box.exchange.update_occurrence(ANN, item.id, SECOND, {"location": "Attic"}, send="SendOnlyToAll")
    assert box.copy(AUTO).meeting.modified[0].my_response == "Accept"
    box.exchange.update_occurrence(ANN, item.id, SECOND, {"start": SECOND + HOUR}, send="SendOnlyToAll")
    assert box.copy(AUTO).meeting.modified[0].my_response == "NoResponseReceived"


def test_an_occurrence_taken_out_is_cancelled_for_those_invited_to_it() -> None:
    box, item = series(AUTO, OUTSIDE)
    box.exchange.delete_occurrence(ANN, item.id, SECOND, body=Body("Off"), send="SendToAllAndSaveCopy")
    assert [one.start for one in box.copy(AUTO).meeting.deleted] == [SECOND]
    message = box.inbox(AUTO)[-1]
    assert isinstance(message, MeetingCancellation)
    assert goid.occurrence_date(message.meeting.goid) == date(2026, 12, 9)
    assert box.exchange.outbound[-1].ics is not None
    assert b"RECURRENCE-ID" in box.exchange.outbound[-1].ics
    with pytest.raises(NoSuchItem):
        box.exchange.delete_occurrence(ANN, item.id, SECOND)


def test_what_cannot_be_done_to_an_occurrence() -> None:
    box, item = series()
    single = box.invite(BOB)
    other = START.replace(hour=10)
    for work in (
        lambda: box.exchange.update_occurrence(ANN, single.id, START, {"subject": "x"}),
        lambda: box.exchange.update_occurrence(ANN, item.id, SECOND, {"recurrence": WEEKLY}),
        lambda: box.exchange.update_occurrence(ANN, item.id, SECOND, {"end": SECOND - HOUR}),
        lambda: box.exchange.respond_to_occurrence(ANN, item.id, SECOND, "Accept"),
    ):
        with pytest.raises(InvalidOperation):
            work()
    with pytest.raises(NoSuchItem):
        box.exchange.update_occurrence(ANN, item.id, other, {"subject": "x"})
    with pytest.raises(IrresolvableConflict):
        box.exchange.update_occurrence(
            ANN, item.id, SECOND, {"subject": "x"}, change_key="old", resolution="NeverOverwrite"
        )


def test_a_request_for_an_occurrence_leaves_the_inbox_when_it_is_answered() -> None:
    box, item = series()
    box.exchange.update_occurrence(ANN, item.id, SECOND, {"start": SECOND + HOUR}, send="SendOnlyToAll")
    assert len(box.inbox(AUTO)) == 2
    box.exchange.respond_to_occurrence(AUTO, box.copy(AUTO).id, SECOND, "Tentative", body=Body("Perhaps"))
    assert len(box.inbox(AUTO)) == 1
    reply = box.inbox(ANN)[-1]
    assert isinstance(reply, MeetingResponse)
    assert (reply.response, reply.meeting.recurrence_id) == ("Tentative", SECOND)


def test_people_of_one_occurrence_have_only_that(tmp_path: Path) -> None:
    box, item = series(AUTO)
    draft = attendees(AUTO, BOB)
    box.exchange.update_occurrence(ANN, item.id, SECOND, {"attendees": draft}, send="SendToChangedAndSaveCopy")
    assert box.copy(BOB).meeting.recurrence_id == SECOND
    snapshot.save(box.exchange, tmp_path / "kept.json")
    loaded = snapshot.load(tmp_path / "kept.json", lambda: box.now)
    kept = loaded.items(ANN, "calendar")[0]
    assert isinstance(kept, CalendarItem)
    assert kept.meeting.modified == item.meeting.modified


def test_an_immutable_id_outlasts_moves_and_a_snapshot(tmp_path: Path) -> None:
    box, _ = series(AUTO, NONE)
    item = box.copy(AUTO)
    first, lasting = item.id, item.immutable_id
    assert box.exchange.get_immutable(AUTO, lasting) is item
    box.exchange.move_item(AUTO, item.id, "deleteditems")
    assert (item.immutable_id, item.id != first) == (lasting, True)
    assert box.exchange.owner_of_item(lasting) == AUTO
    snapshot.save(box.exchange, tmp_path / "kept.json")
    loaded = snapshot.load(tmp_path / "kept.json", lambda: box.now)
    assert loaded.get_immutable(AUTO, lasting).id == item.id
    box.exchange.delete_item(AUTO, item.id, "HardDelete")
    with pytest.raises(NoSuchItem):
        box.exchange.get_immutable(AUTO, lasting)


def test_no_two_items_share_an_immutable_id() -> None:
    box, _ = series(AUTO, BOB)
    every = [
        item.immutable_id
        for mailbox in box.exchange.mailboxes()
        for folder in box.exchange.folders(mailbox.address)
        for item in box.exchange.items(mailbox.address, folder.id)
    ]
    assert len(set(every)) == len(every) > 4
    assert not set(every) & {ids.item_id(ids.mailbox_guid(AUTO), number) for number in range(9)}


def test_a_test_may_have_deleted_events_found_by_their_immutable_id(monkeypatch: pytest.MonkeyPatch) -> None:
    box, _ = series()
    graph = Graph(box.exchange, AUTO, immutable_ids=True)
    lasting = graph.only()["id"]
    graph.post(f"events/{lasting}/decline")
    assert graph.refused("GET", f"events/{lasting}")[0] == 404
    monkeypatch.setattr(READING, "deleted", True)
    assert graph.get(f"events/{lasting}")["responseStatus"]["response"] == "declined"
    assert graph.value("events") == []
