"""A whole Greenroom on an Exchange that lets in nothing but Kerberos, over TLS, bound to the channel; tickets from a real KDC."""

import time
from pathlib import Path

import pytest

from support.behind_door import accepted, invite, served
from support.certificates import of_this_machine
from support.kdc import Kdc, made_kdc, needs_kerberos
from support.kerberos_door import kerberos_acceptor
from support.negotiating import Door
from support.simulator import running_simulator
from support.whole import PASSWORD, eventually, world

pytestmark = [pytest.mark.slow, needs_kerberos]
HTTP = "HTTP/exchange.sim.test"


@pytest.fixture
def kdc(tmp_path: Path) -> Kdc:
    """A realm that nobody serves yet."""
    folder = tmp_path / "kdc"
    folder.mkdir()
    kdc = made_kdc(folder)
    kdc.add("svc", PASSWORD)
    kdc.add(HTTP)
    return kdc


@pytest.fixture
def door(kdc: Kdc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Door:
    monkeypatch.setenv("KRB5_CONFIG", str(tmp_path / "none.conf"))  # the machine's own, which nobody may use
    acceptor = kerberos_acceptor(monkeypatch, kdc.keytab(tmp_path / "exchange.keytab", HTTP), required=True)
    return Door(acceptor, tls=of_this_machine(tmp_path), protection="required")


def table(kdc: Kdc, more: str = "") -> str:
    return f'[integration.exchange.kerberos]\n{kdc.settings()}service = "{HTTP}"\n{more}'


def by_password(password: str = PASSWORD) -> str:
    return f"auth = 'kerberos'\nusername = 'svc@sim.test'\npassword = '{password}'"


@pytest.mark.parametrize("way", ["password", "keytab"])
def test_from_invitation_to_accept(tmp_path: Path, kdc: Kdc, door: Door, way: str) -> None:
    signs_in, more = by_password(), table(kdc)
    if way == "keytab":
        keytab = kdc.keytab(tmp_path / "svc.keytab", "svc")
        signs_in, more = "auth = 'kerberos'\nusername = 'SIM\\svc'", table(kdc, f"keytab_file = '{keytab}'")
    with (
        kdc.running(),
        running_simulator(world(), door=door) as simulator,
        served(tmp_path, simulator, door, signs_in, more) as program,
    ):
        item = invite(simulator)
        eventually(lambda: accepted(simulator, item), seconds=30)
        eventually(lambda: simulator.calls("GetStreamingEvents"))
        assert set(door.outcomes()) == {"in"}
        assert program.stop() == 0
    assert PASSWORD not in program.output()
    assert sum("ISSUE" in line for line in kdc.asked("AS_REQ")) == 1
    assert sum("ISSUE" in line for line in kdc.asked("TGS_REQ")) == 1


def test_a_wrong_password_is_sent_once_and_told(tmp_path: Path, kdc: Kdc, door: Door) -> None:
    with (
        kdc.running(),
        running_simulator(world(), door=door) as simulator,
        served(tmp_path, simulator, door, by_password("wrong"), table(kdc)) as program,
    ):
        eventually(lambda: any("PREAUTH_FAILED" in line for line in kdc.asked()))
        time.sleep(4)  # it polls every second
        program.stop()
    assert sum("PREAUTH_FAILED" in line for line in kdc.asked()) == 1
    assert "refused the password of svc@SIM.TEST" in program.output()


def test_a_domain_controller_that_comes_back_is_all_it_takes(tmp_path: Path, kdc: Kdc, door: Door) -> None:
    with (
        running_simulator(world(), door=door) as simulator,
        served(tmp_path, simulator, door, by_password(), table(kdc)) as program,
    ):
        eventually(lambda: "kerberos-unreachable" in program.output())
        with kdc.running():
            item = invite(simulator)
            eventually(lambda: accepted(simulator, item), seconds=60)
