"""A whole Greenroom on an Exchange that lets in nothing but NTLM, over TLS, bound to the channel (Extended Protection)."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from greenroom.simulator.model import Attendee, Body, CalendarItem, MeetingDraft, Person
from support.certificates import of_this_machine
from support.negotiating import Door, ntlm_acceptor, ntlm_users
from support.simulator import RunningSimulator, running_simulator
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
    world,
)

pytestmark = pytest.mark.slow
USER = "SIM\\svc"


@contextmanager
def served(folder: Path, simulator: RunningSimulator, door: Door, password: str = PASSWORD) -> Iterator[Program]:
    assert door.tls is not None
    port = free_port()
    config = configure(folder, simulator, port=port)
    text = config.read_text(encoding="utf-8")
    by_basic = f'username = "svc"\npassword = "{PASSWORD}"'
    assert by_basic in text
    by_ntlm = f"auth = 'ntlm'\nusername = '{USER}'\npassword = '{password}'\nca_file = '{door.tls.certificate}'"
    config.write_text(text.replace(by_basic, by_ntlm), encoding="utf-8")
    command = [sys.executable, "-m", "greenroom", "serve", "--config", str(config)]
    with started(command, folder / "greenroom.log") as program:
        eventually(lambda: listens(port) or program.process.poll() is not None, seconds=60)
        yield program


def invite(simulator: RunningSimulator) -> str:
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


def test_from_invitation_to_accept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ntlm_users(tmp_path, monkeypatch, {USER: PASSWORD})
    door = Door(ntlm_acceptor(), tls=of_this_machine(tmp_path), protection="required")
    with running_simulator(world(), door=door) as simulator, served(tmp_path, simulator, door) as program:
        item = invite(simulator)

        def accepted() -> bool:
            found = simulator.exchange.get(ORGANIZER, item)
            assert isinstance(found, CalendarItem)
            return any(a.person.address == EQUIPMENT and a.response == "Accept" for a in found.meeting.attendees)

        eventually(accepted, seconds=30)
        eventually(lambda: simulator.calls("GetStreamingEvents"))
        assert set(door.outcomes()) == {"in"}
        assert program.stop() == 0
    assert PASSWORD not in program.output()
    assert len(door.tries) <= door.connections


def test_a_wrong_password_is_tried_once_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ntlm_users(tmp_path, monkeypatch, {USER: PASSWORD})
    door = Door(ntlm_acceptor(), tls=of_this_machine(tmp_path), protection="required", lock_after=3)
    with running_simulator(world(), door=door) as simulator, served(tmp_path, simulator, door, "wrong") as program:
        eventually(lambda: door.tries)
        time.sleep(4)  # it polls every second
        program.stop()
    assert door.outcomes() == {"wrong": 1}
    assert "refused the sign-in by NTLM over the certificate" in program.output()
    assert "Get-ADUser 'svc'" in program.output()
