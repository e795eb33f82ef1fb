"""A law changes the clocks, and somebody installs the new time zone data: the program is started again, and that is all."""

import sqlite3
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

import httpx2
import pytest

from greenroom.simulator.model import Attendee, MeetingDraft, MeetingResponse, Person
from greenroom.simulator.recurrence import Daily, Recurrence
from support.simulator import running_simulator
from support.tzdata import change_law
from support.whole import ATTENDEE, EQUIPMENT, ORGANIZER, Spoken, eventually, serving, settles, world

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
ZONE = "W. Europe Standard Time"


def pages(folder: Path) -> dict[str, Any]:
    """What the join page of each meeting says, by the first word of its title."""
    with sqlite3.connect(folder / "greenroom.db") as database:
        rooms = database.execute("SELECT name, join_id FROM rooms").fetchall()
    address = tomllib.loads((folder / "greenroom.toml").read_text())["service"]["public_url"]
    found = {name.split()[0]: httpx2.get(f"{address}/j/{join_id}.json").json() for name, join_id in rooms}
    return {name: {what: said for what, said in page.items() if what != "now"} for name, page in found.items()}


def records(folder: Path) -> list[tuple[Any, ...]]:
    with sqlite3.connect(folder / "greenroom.db") as database:
        return database.execute(
            "SELECT key, state, series, span_start, seen, replied, room, alias_number FROM meetings ORDER BY key"
        ).fetchall()


@pytest.mark.slow
@pytest.mark.parametrize("protocol", get_args(Spoken))
def test_new_zone_data_move_the_coming_occurrences_of_series_and_nothing_else(
    tmp_path: Path, protocol: Spoken, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + 40 * DAY
    law = tmp_path / "zoneinfo"
    change_law(law, "Europe/Berlin", start - 20 * DAY, timedelta(hours=5))
    with running_simulator(world()) as simulator:

        def invite(subject: str, **more: Any) -> None:
            people = (Attendee(Person(ATTENDEE)), Attendee(Person(EQUIPMENT), "resource"))
            times = {"start": start, "end": start + HOUR, "start_zone": ZONE, "end_zone": ZONE}
            draft = MeetingDraft(subject=subject, attendees=people, **times, **more)  # type: ignore[typeddict-item]  # as named
            simulator.exchange.create_meeting(ORGANIZER, draft, "SendToAllAndSaveCopy")

        def replies() -> int:
            inbox = simulator.exchange.items(ORGANIZER, "inbox")
            return sum(isinstance(item, MeetingResponse) for item in inbox)

        def seen() -> tuple[int, list[tuple[Any, ...]]]:
            return replies(), records(tmp_path)

        with serving(tmp_path, simulator, protocol=protocol) as program:
            invite("Single")
            invite("Series", recurrence=Recurrence(Daily(7), start.date()))
            eventually(lambda: replies() == 2)
            told = settles(seen)
            before = pages(tmp_path)
            assert program.stop() == 0
        monkeypatch.setenv("PYTHONTZPATH", str(law))
        with serving(tmp_path, simulator, protocol=protocol):
            assert settles(seen, still=4) == told
            after = pages(tmp_path)
    assert after["Single"] == before["Single"]
    clock = start.astimezone(ZoneInfo("Europe/Berlin"))
    assert before["Series"]["starts"] == start.isoformat()
    assert after["Series"]["starts"] == (clock.replace(tzinfo=UTC) - 5 * HOUR).isoformat()
