"""How the service is doing, from what it stored."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from greenroom.doctor.attended import Stored, attended_check, judge
from greenroom.doctor.contract import State
from greenroom.meetings.record import State as Standing
from greenroom.scheduler.watch_book import Watch, WatchStanding
from greenroom.settings import Integration
from greenroom.storage import Alarm, MailboxState, Storage
from support.empty import empty_storage

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def stored(entry: Integration) -> Stored:
    mailbox = MailboxState(
        entry.mailbox,
        last_pass_at=NOW - MINUTE,
        last_success_at=NOW - MINUTE,
        claimed_by="host/4711",
        claimed_until=NOW + MINUTE,
    )
    return Stored(entry, mailbox, Watch(WatchStanding.HOLDS), {}, {}, (), NOW)


def states(stored: Stored) -> dict[str, State]:
    return {one.check: one.state for one in judge(stored)}


def but(stored: Stored, **changes: object) -> dict[str, State]:
    """The states that are not well, with some facts of the mailbox changed."""
    changed = replace(stored, mailbox=replace(stored.mailbox, **changes))  # type: ignore[arg-type]  # what the tests give
    return {name: state for name, state in states(changed).items() if state is not State.WELL}


def test_a_service_that_is_well_is_well(stored: Stored) -> None:
    assert set(states(stored).values()) == {State.WELL}


def test_a_heartbeat_that_stopped_is_wrong_and_one_that_never_was_a_note(stored: Stored) -> None:
    assert but(stored, claimed_until=NOW - MINUTE) == {"heartbeat": State.WRONG}
    assert but(stored, claimed_until=None, last_pass_at=None, last_success_at=None) == {"heartbeat": State.NOTE}


def test_who_is_kept_out_attends_nothing(stored: Stored) -> None:
    assert states(replace(stored, watch=Watch(WatchStanding.KEPT_OUT)))["heartbeat"] is State.WRONG


def test_passes_that_fail_are_borne_for_a_quarter_of_an_hour(stored: Stored) -> None:
    assert but(stored, failure="http-503") == {"passes": State.NOTE}
    assert but(stored, failure="http-401", last_success_at=NOW - 16 * MINUTE) == {"passes": State.WRONG}
    assert but(stored, failure="http-401", last_success_at=None) == {"passes": State.WRONG}


def test_replies_in_line_are_a_note_until_they_are_overdue(stored: Stored) -> None:
    assert but(stored, waiting_replies=40, replies_end_at=NOW + 2 * MINUTE) == {"replies": State.NOTE}
    assert but(stored, waiting_replies=1, replies_end_at=NOW - 9 * MINUTE) == {"replies": State.WRONG}


def test_backlog_defects_drift_and_alarms_are_noted(stored: Stored) -> None:
    assert but(stored, backlog_total=100, backlog_done=3, backlog_since=NOW - MINUTE) == {"backlog": State.NOTE}
    changed = replace(
        stored,
        meetings={Standing.DEFECTIVE: 2, Standing.PENDING: 1, Standing.SCHEDULED: 9},
        drifts={"room-missing": 3},
        alarms=tuple(Alarm(1, f"code-{n}", "who", 2, NOW, NOW - MINUTE) for n in range(9)),
    )
    found = judge(changed)
    assert [one.check for one in found if one.state is State.NOTE] == ["defects", "defects", "drift", *["alarms"] * 5]
    assert all(one.why for one in found if one.state is not State.WELL)


async def test_what_nobody_stored_yet_is_a_note(entry: Integration) -> None:
    async with empty_storage() as storage:
        found = await attended_check(entry, storage, lambda: NOW, ()).look()
    assert [(one.check, one.state) for one in found if one.state is not State.WELL] == [("heartbeat", State.NOTE)]
    missing = Storage.open("sqlite:////nowhere/greenroom.db")
    (one,) = await attended_check(entry, missing, lambda: NOW, ()).look()
    assert one.state is State.NOTE
