"""A whole Greenroom on an Exchange that lets in nothing but NTLM, over TLS, bound to the channel (Extended Protection)."""

import time
from pathlib import Path

import pytest

from support.behind_door import accepted, invite, served
from support.certificates import of_this_machine
from support.negotiating import Door, ntlm_acceptor, ntlm_users
from support.simulator import running_simulator
from support.whole import PASSWORD, eventually, world

pytestmark = pytest.mark.slow
USER = "SIM\\svc"


def by_ntlm(password: str = PASSWORD) -> str:
    return f"auth = 'ntlm'\nusername = '{USER}'\npassword = '{password}'"


def test_from_invitation_to_accept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ntlm_users(tmp_path, monkeypatch, {USER: PASSWORD})
    door = Door(ntlm_acceptor(), tls=of_this_machine(tmp_path), protection="required")
    with running_simulator(world(), door=door) as simulator, served(tmp_path, simulator, door, by_ntlm()) as program:
        item = invite(simulator)
        eventually(lambda: accepted(simulator, item), seconds=30)
        eventually(lambda: simulator.calls("GetStreamingEvents"))
        assert set(door.outcomes()) == {"in"}
        assert program.stop() == 0
    assert PASSWORD not in program.output()
    assert len(door.tries) <= door.connections


def test_a_wrong_password_is_tried_once_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ntlm_users(tmp_path, monkeypatch, {USER: PASSWORD})
    door = Door(ntlm_acceptor(), tls=of_this_machine(tmp_path), protection="required", lock_after=3)
    with (
        running_simulator(world(), door=door) as simulator,
        served(tmp_path, simulator, door, by_ntlm("wrong")) as program,
    ):
        eventually(lambda: door.tries)
        time.sleep(4)  # it polls every second
        program.stop()
    assert door.outcomes() == {"wrong": 1}
    assert "refused the sign-in by NTLM over the certificate" in program.output()
    assert "Get-ADUser 'svc'" in program.output()
