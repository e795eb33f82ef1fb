"""A whole Greenroom on a simulated Exchange behind a `Door`, and a meeting there."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from greenroom.simulator.model import Attendee, Body, CalendarItem, MeetingDraft, Person
from support.negotiating import Door
from support.simulator import RunningSimulator
from support.whole import (
    ATTENDEE,
    EQUIPMENT,
    ORGANIZER,
    PASSWORD,
    Program,
    configure,
    eventually,
    free_port,
    listens,
    started,
)


@contextmanager
def served(folder: Path, simulator: RunningSimulator, door: Door, signs_in: str, more: str = "") -> Iterator[Program]:
    """Run `greenroom serve`. `signs_in` are lines of the Exchange's section, `more` are tables of the integration."""
    assert door.tls is not None
    port = free_port()
    config = configure(folder, simulator, port=port, more=more)
    text = config.read_text(encoding="utf-8")
    by_basic = f'username = "svc"\npassword = "{PASSWORD}"'
    assert by_basic in text
    config.write_text(text.replace(by_basic, f"{signs_in}\nca_file = '{door.tls.certificate}'"), encoding="utf-8")
    command = [sys.executable, "-m", "greenroom", "serve", "--config", str(config)]
    with started(command, folder / "greenroom.log") as program:
        eventually(lambda: listens(port) or program.process.poll() is not None, seconds=60)
        yield program


def invite(simulator: RunningSimulator) -> str:
    """Have the organizer invite the equipment mailbox for tomorrow; returns the id of the organizer's item."""
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
    draft = MeetingDraft(
        subject="Planning",
        body=Body("<p>Agenda</p>", "HTML"),
        location="",
        start=start,
        end=start + timedelta(hours=1),
        start_zone="W. Europe Standard Time",
        attendees=(Attendee(Person(ATTENDEE, "Anton")), Attendee(Person(EQUIPMENT, "Room"), "resource")),
    )
    return simulator.exchange.create_meeting(ORGANIZER, draft, "SendToAllAndSaveCopy").id


def accepted(simulator: RunningSimulator, item: str) -> bool:
    """Whether the equipment mailbox has accepted, as the organizer sees it."""
    found = simulator.exchange.get(ORGANIZER, item)
    assert isinstance(found, CalendarItem)
    return any(a.person.address == EQUIPMENT and a.response == "Accept" for a in found.meeting.attendees)
