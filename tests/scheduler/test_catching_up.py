"""After an outage: soonest first, nothing lost, nothing done twice, and everybody can see how far it is."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from greenroom.exchange.errors import CursorExpiredError, ExchangeError, NotPermittedError, TryLaterError
from greenroom.meetings.meeting import MeetingKey, Response
from greenroom.meetings.record import InstructionsState, State
from greenroom.meetings.rules import Daily
from greenroom.meetings.ticket import OFFLINE
from greenroom.platforms.errors import PlatformUnavailableError
from greenroom.scheduler import backlog, catching_up
from greenroom.scheduler.attend import Attendant
from greenroom.scheduler.integration import Manner
from greenroom.storage import MailboxState
from support.greenroom_at_work import AtWork, Died, at_work, die_at
from support.observations import NOW, observation, recurring, weekly
from support.stubborn_platform import StubbornPlatform

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def invite(work: AtWork, count: int, *, first: int = 0) -> None:
    """Invitations with tickets, the one that starts soonest came last."""
    for n in range(first, first + count):
        body = f"<p>{work.ticket(100000000 + n)}</p>"
        work.mailbox.invite(observation(f"m{n}", starts_in=timedelta(days=40, minutes=-n), body_html=body))


def answered(work: AtWork) -> list[MeetingKey]:
    return [sent.key for sent in work.mailbox.sent]


def keys(*numbers: int) -> list[MeetingKey]:
    return [MeetingKey.of_uid(f"m{n}") for n in numbers]


async def stored(work: AtWork) -> MailboxState:
    async with work.storage.reading() as reading:
        return await reading.mailboxes.get(work.mailbox.address)


def attendant(work: AtWork, step: Callable[[str], None] = lambda _name: None, *, slice_size: int = 4) -> Attendant:
    return Attendant(work.integration, work.storage, work.clock, step=step, slice_size=slice_size)


def at(name: str, number: int, do: Callable[[], None]) -> Callable[[str], None]:
    """A listener that does something when a step is done for the n-th time."""
    heard: list[str] = []

    def step(told: str) -> None:
        heard.append(told)
        if told == name and heard.count(name) == number:
            do()

    return step


async def test_the_soonest_meetings_are_answered_first_though_they_came_last() -> None:
    async with at_work() as work:
        invite(work, 20)
        await attendant(work).attend()
        # Within a slice replies go out in the order of the starts, too.
        assert answered(work) == keys(*reversed(range(20)))


async def test_what_is_new_while_a_backlog_is_worked_through_does_not_wait_for_its_end() -> None:
    async with at_work() as work:
        invite(work, 32)

        def urgent() -> None:
            work.mailbox.invite(observation("urgent", starts_in=5 * MINUTE, body_html=work.ticket(200000000)))

        await attendant(work, at("answered", 2, urgent)).attend()
        place = answered(work).index(MeetingKey.of_uid("urgent"))
        assert 8 <= place < 29, "a few slices later, and not behind all of them"


async def test_newer_changes_are_looked_for_every_few_seconds_where_slices_take_long() -> None:
    async with at_work() as work:
        invite(work, 20)

        def urgent() -> None:
            work.clock.forward(seconds=20)
            work.mailbox.invite(observation("urgent", starts_in=5 * MINUTE, body_html=work.ticket(200000000)))

        await attendant(work, at("answered", 1, urgent)).attend()
        assert answered(work).index(MeetingKey.of_uid("urgent")) == 4


async def test_nothing_but_glances_is_read_before_the_first_slice() -> None:
    async with at_work() as work:
        invite(work, 20)
        reads: list[int] = []
        await attendant(work, at("observed", 1, lambda: reads.append(work.mailbox.reads))).attend()
        assert reads == [4]
        assert work.mailbox.reads == 20


@pytest.mark.parametrize("where", [9, *(pytest.param(n, marks=pytest.mark.slow) for n in (3, 7, 14, 20))])
async def test_after_a_crash_in_the_middle_what_is_done_is_neither_read_nor_said_again(where: int) -> None:
    async with at_work() as work:
        invite(work, 20)
        step, _ = die_at(where)
        with pytest.raises(Died):
            await attendant(work, step).attend()
        done, reads = len(work.mailbox.sent), work.mailbox.reads
        assert (await stored(work)).cursor == ""
        await attendant(work).attend()
        assert sorted(answered(work)) == sorted(keys(*range(20)))
        assert work.mailbox.reads - reads <= 20 - done + 4, "but the slice in which it died"


async def test_how_far_it_is_is_stored_and_logged_and_forgotten_at_the_end() -> None:
    async with at_work() as work:
        invite(work, 20)
        began = work.clock.now
        told: list[MailboxState] = []
        forward = at("answered", 2, lambda: work.clock.forward(minutes=2))
        running = attendant(work, forward)
        store = work.integration.mailbox.respond

        async def respond(replies: Any) -> Any:
            told.append(await stored(work))
            return await store(replies)

        work.mailbox.respond = respond  # type: ignore[method-assign]  # looks from outside while replies go out
        with capture_logs() as logs:
            await running.attend()
        assert [(one.backlog_done, one.backlog_total) for one in told] == [(n, 20) for n in (0, 4, 8, 12, 16)]
        assert {one.backlog_since for one in told} == {began}
        after = await stored(work)
        assert (after.backlog_total, after.backlog_done, after.backlog_since) == (None, None, None)
        lines = [(one["done"], one["waiting"], one["ends_at"]) for one in logs if one["event"] == "catching up"]
        assert lines == [(0, 20, None), (8, 12, (began + 5 * MINUTE).isoformat())]
        (end,) = [one for one in logs if one["event"] == "caught up"]
        assert (end["done"], end["seconds"], end["mailbox"]) == (20, 120.0, work.mailbox.address)


async def test_one_slice_is_no_backlog_and_what_a_process_before_told_is_forgotten() -> None:
    async with at_work() as work:
        async with work.storage.work() as storing:
            await storing.mailboxes.note_backlog(work.mailbox.address, 500, 120, NOW)
        invite(work, 4)
        with capture_logs() as logs:
            await attendant(work).attend()
        assert not [one for one in logs if one["event"] in ("catching up", "caught up")]
        assert (await stored(work)).backlog_total is None


async def test_our_own_echoes_are_no_backlog_to_tell_of() -> None:
    async with at_work() as work:
        invite(work, 20)
        await attendant(work).attend()
        with capture_logs() as logs:
            await attendant(work).attend()
        assert not [one for one in logs if one["event"] == "catching up"]
        assert work.mailbox.reads == 20


async def test_a_fault_in_the_middle_goes_on_where_it_was() -> None:
    async with at_work() as work:
        invite(work, 20)
        running = attendant(work, at("answered", 2, lambda: work.mailbox.fail("read", TryLaterError("busy"))))
        with pytest.raises(TryLaterError):
            await running.attend()
        half = await stored(work)
        assert (half.backlog_done, half.backlog_total, half.cursor) == (8, 20, "")
        assert half.failure is not None
        invite(work, 2, first=20)
        await running.attend()
        assert sorted(answered(work)) == sorted(keys(*range(22)))
        assert answered(work)[8:10] == keys(21, 20)
        assert work.mailbox.reads == 22
        assert (await stored(work)).backlog_total is None


async def test_a_feed_that_breaks_off_holds_up_nobody_whom_it_told_of() -> None:
    async with at_work() as work:
        invite(work, 6)
        running = attendant(work)
        pages = 0
        usual = work.mailbox.changes

        async def changes(cursor: str, *, limit: int) -> Any:
            nonlocal pages
            pages += 1
            if pages > 1:
                raise TryLaterError("busy", code="http-503")
            return await usual(cursor, limit=limit)

        work.mailbox.changes = changes  # type: ignore[method-assign]  # a page that fails again and again
        with pytest.raises(TryLaterError):
            await running.attend()
        assert len(work.mailbox.sent) == 4
        assert (await stored(work)).cursor == "4"
        work.mailbox.changes = usual  # type: ignore[method-assign]
        await running.attend()
        assert sorted(answered(work)) == sorted(keys(*range(6)))


async def test_a_cursor_that_runs_out_while_the_feed_is_read_starts_it_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catching_up, "_PAGE", 4)
    async with at_work() as work:
        invite(work, 20)
        usual, asked = work.mailbox.changes, list[str]()

        async def changes(cursor: str, *, limit: int) -> Any:
            asked.append(cursor)
            if len(asked) == 3:
                raise CursorExpiredError("too old")
            return await usual(cursor, limit=limit)

        work.mailbox.changes = changes  # type: ignore[method-assign]
        await attendant(work).attend()
        assert asked[:5] == ["", "4", "8", "", "4"]
        assert answered(work) == keys(*reversed(range(20)))


async def test_a_backlog_beyond_all_bounds_is_taken_in_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catching_up, "_PAGE", 4)
    monkeypatch.setattr(backlog, "MOST", 10)
    async with at_work() as work:
        invite(work, 30)
        await attendant(work).attend()
        assert sorted(answered(work)) == sorted(keys(*range(30)))
        assert answered(work)[:12] == keys(*reversed(range(12)))
        assert (await stored(work)).backlog_total is None


@pytest.mark.slow
async def test_rooms_close_in_time_while_a_backlog_is_worked_through() -> None:
    async with at_work() as work:
        work.mailbox.invite(observation("old", starts_in=MINUTE, body_html=work.ticket(300000000)))
        running = attendant(work, at("answered", 3, lambda: work.clock.forward(hours=3)))
        await running.attend()
        invite(work, 20)
        await running.attend()
        record = await work.record(MeetingKey.of_uid("old"))
        assert record is not None
        assert record.state is State.ENDED


async def test_a_pass_that_takes_long_ends_early_when_a_command_wants_the_mailbox_and_goes_on_after_it() -> None:
    async with at_work() as work:
        invite(work, 12)
        address = work.mailbox.address
        running = attendant(work)
        async with work.storage.work() as storing:
            await storing.mailboxes.claim(address, "service", work.clock.now, work.clock.now + HOUR)
            await storing.mailboxes.want(address, "command", work.clock.now, work.clock.now + MINUTE)
        assert (await running.attend()).slices == 1
        assert (await stored(work)).last_success_at is None
        work.clock.forward(minutes=2)
        assert (await running.attend()).meetings == 8
        assert sorted(answered(work)) == sorted(keys(*range(12)))


async def test_who_borrowed_the_mailbox_is_not_interrupted_by_its_own_wish() -> None:
    async with at_work() as work:
        invite(work, 12)
        async with work.storage.work() as storing:
            await storing.mailboxes.claim(work.mailbox.address, "command", work.clock.now, work.clock.now + HOUR)
            await storing.mailboxes.want(work.mailbox.address, "command", work.clock.now, work.clock.now + MINUTE)
        assert (await attendant(work).attend()).slices == 3


# --- what becomes of meetings that wait for their room ------------------------------------------------------------


def promised(work: AtWork) -> str:
    return f"<p>Meeting reference: {work.integration.ring.issue(5, NOW, OFFLINE)}</p>"


@pytest.mark.parametrize("kind", ["placeholder", "promise", "series"])
async def test_a_meeting_that_is_over_gets_no_alias_and_no_update(kind: str) -> None:
    async with at_work() as work:
        body = promised(work) if kind == "promise" else "<p>Agenda</p>"
        invite(work, 10)
        if kind == "series":
            one = weekly("over", starts_in=-70 * DAY, body_html=body, received_at=NOW - 90 * DAY)
        else:
            one = observation("over", starts_in=-2 * HOUR, body_html=body)
        work.mailbox.invite(one)
        before = work.mailbox.organizer_bodies[one.key]
        await attendant(work).attend()
        record = await work.record(one.key)
        assert record is not None
        assert (record.alias_number, record.room, record.instructions) == (None, None, InstructionsState.NONE)
        assert work.mailbox.organizer_bodies[one.key] == before
        assert one.key not in work.mailbox.updated


async def test_a_meeting_that_is_over_before_its_turn_gets_no_update_either() -> None:
    async with at_work(platform=lambda inner: StubbornPlatform(inner, [PlatformUnavailableError("down")])) as work:
        one = observation("one", starts_in=10 * MINUTE, body_html=promised(work))
        work.mailbox.invite(one)
        await work.attend()
        work.clock.forward(hours=2)
        await work.attend()
        record = await work.record(one.key)
        assert record is not None
        assert (record.state, record.room) == (State.ENDED, None)
        assert work.mailbox.updated == []


@pytest.mark.parametrize("body", ["placeholder", pytest.param("promise", marks=pytest.mark.slow)])
async def test_however_often_a_meeting_changed_its_organizers_is_updated_once(body: str) -> None:
    async with at_work() as work:
        text = promised(work) if body == "promise" else ""
        invite(work, 12)
        for number in range(3):
            work.mailbox.invite(observation("one", starts_in=DAY + number * HOUR, body_html=text))
            invite(work, 3, first=20 + 3 * number)
        asked = observation("one", starts_in=2 * DAY, body_html=text)
        message = replace(asked, ref=replace(asked.ref, id="request", is_message=True))
        work.mailbox.put(message)
        await attendant(work).attend()
        await work.settle_quickly()
        assert work.mailbox.updated.count(asked.key) == 1
        assert len(work.mailbox.replies_to(asked.key)) == 1


async def test_a_series_with_changed_occurrences_is_updated_once() -> None:
    async with at_work() as work:
        invite(work, 6)
        day = (NOW + 8 * DAY).date()
        work.mailbox.invite(weekly("series"))
        invite(work, 6, first=20)
        moved = {day: HOUR, (NOW + 15 * DAY).date(): 2 * HOUR}
        work.mailbox.invite(recurring("series", pattern=Daily(7), count=10, moved=moved))
        await attendant(work).attend()
        await work.settle_quickly()
        series = MeetingKey.of_uid("series")
        assert [key for key in work.mailbox.updated if key.clean == series] == [series]


async def test_organizers_who_may_not_be_touched_read_the_way_in_our_reply_and_the_journal_tells_so() -> None:
    async with at_work() as work:
        invite(work, 6)
        work.mailbox.refused_organizers.add("ada@greenroom.example")
        one = observation("one", body_html=promised(work))
        work.mailbox.invite(one)
        await attendant(work).attend()
        (reply,) = work.mailbox.replies_to(one.key)
        room = await work.room(one.key)
        assert room is not None
        assert room.spec.join_id in reply.body_html
        ways = [(entry.code, entry.detail) for entry in await work.journal(one.key) if entry.step == "instructions"]
        assert ways == [("refused", "")]


@pytest.mark.parametrize(
    ("error", "way"),
    [
        (NotPermittedError("no", code="ErrorAccessDenied"), "refused"),
        (TryLaterError("busy", code="http-503"), "given-up"),
    ],
    ids=["refused", "given-up"],
)
async def test_the_journal_tells_what_kept_us_from_an_organizers_meeting(error: ExchangeError, way: str) -> None:
    async with at_work() as work:
        one = observation("one", starts_in=DAY)
        work.mailbox.invite(one)
        for _ in range(6):
            work.mailbox.fail("update_invitation", error)
            await work.attend()
            work.clock.forward(hours=1)
        lines = [(entry.code, entry.detail) for entry in await work.journal(one.key) if entry.step == "instructions"]
        assert lines[-1] == (way, error.code)
        assert lines[:-1] == [("postponed", error.code)] * (len(lines) - 1)
        record = await work.record(one.key)
        assert record is not None
        assert record.instructions is InstructionsState.IN_REPLY
        assert len(work.mailbox.replies_to(one.key)) == 1


async def test_the_journal_tells_that_an_organizers_meeting_was_left_alone_as_asked_for() -> None:
    async with at_work() as work:
        one = observation("one", response=Response.ACCEPTED)
        work.mailbox.put(one)
        await attendant(work).take_up([one], manner=Manner(updates=False))
        lines = [(entry.code, entry.detail) for entry in await work.journal(one.key) if entry.step == "instructions"]
        assert (lines, work.mailbox.updated) == ([("left", "")], [])


async def test_what_left_the_calendar_meanwhile_ends_and_what_came_back_stays() -> None:
    async with at_work() as work:
        invite(work, 12)
        running = attendant(work)
        await running.attend()
        for n in (3, 4):
            work.mailbox.remove(f"item-m{n}")
        back = observation("m4", starts_in=timedelta(days=40, minutes=-4), body_html=f"<p>{work.ticket(100000004)}</p>")
        back = replace(back, ref=replace(back.ref, id="item-other"), response=Response.ACCEPTED)
        invite(work, 12, first=20)
        work.mailbox.put(back)
        await running.attend()
        gone, kept = [await work.record(key) for key in keys(3, 4)]
        assert gone is not None
        assert kept is not None
        assert (gone.state, gone.room, kept.state) == (State.ENDED, None, State.SCHEDULED)
