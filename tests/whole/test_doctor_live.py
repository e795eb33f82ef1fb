"""`greenroom doctor --live` as a program, against a service that runs: from red to green, and interrupted."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from support.doctor_house import Examined, examined
from support.simulator import RunningSimulator, running_simulator
from support.trying import GOOD
from support.whole import EQUIPMENT, ORGANIZER, Spoken, configure, eventually, free_port, listens, started, world

pytestmark = pytest.mark.slow
LIVE = ("--live", "--organizer", ORGANIZER, "--yes", "--patience", "40")


@pytest.fixture(scope="module", params=["ews", "graph"])
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator["House"]:
    folder, port = tmp_path_factory.mktemp("live"), free_port()
    with running_simulator(world()) as simulator:
        file = configure(folder, simulator, protocol=request.param, port=port)
        command = [sys.executable, "-m", "greenroom", "serve", "--config", str(file)]
        with started(command, folder / "greenroom.log") as program:
            eventually(lambda: listens(port) or program.process.poll() is not None, seconds=60)
            assert program.process.poll() is None, program.output()
            house = House(file, simulator, request.param)
            eventually(lambda: "heartbeat" not in house.doctor("--only", "heartbeat").notes, seconds=30)
            yield house


class House:
    """A service that runs, and its Exchange."""

    def __init__(self, file: Path, simulator: RunningSimulator, protocol: Spoken) -> None:
        self.file = file
        self.simulator = simulator
        self.protocol = protocol

    def doctor(self, *arguments: str) -> "Looked":
        return Looked(examined(self.file, *arguments))

    def set_processing(self, **settings: object) -> None:
        """Set it well, but for these settings."""
        parameters = {"Identity": EQUIPMENT, **GOOD, **settings}
        order = {"cmdlet": "Set-CalendarProcessing", "parameters": parameters}
        assert "error" not in httpx2.post(f"{self.simulator.url}/control/cmdlet", json=order).json()

    def left(self) -> int:
        return len(self.simulator.exchange.items(ORGANIZER, "calendar"))


class Looked:
    """What the doctor found, by name."""

    def __init__(self, found: Examined) -> None:
        self.code = found.code
        self.findings = {(one["check"], one["state"]): one for one in found.findings}
        self.wrong = found.wrong
        self.notes = {check for check, state in self.findings if state == "note"}


def test_it_turns_from_red_to_green(house: House) -> None:
    house.set_processing(AutomateProcessing="AutoAccept", DeleteComments=True, AllowConflicts=False)
    red = house.doctor(*LIVE)
    assert red.code == 1
    assert red.wrong == {"live-answer", "live-text", "live-conflict"}, red.findings
    assert house.left() == 0
    house.set_processing()
    green = house.doctor(*LIVE)
    assert {check for check in green.wrong if check.startswith("live")} == set(), green.findings
    assert ("live-tidying", "well") in green.findings
    assert house.left() == 0
    after = house.doctor("--only", "processing")
    assert ("processing-answers", "well") in after.findings, after.findings


def test_ctrl_c_leaves_nothing_behind(house: House) -> None:
    house.set_processing(AddNewRequestsTentatively=False)  # nobody answers over Graph
    command = [sys.executable, "-m", "greenroom", "doctor", "--only", "disk", *LIVE, "--config", str(house.file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        eventually(lambda: house.left() > 0 or process.poll() is not None, seconds=60)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=60)
    assert process.returncode == 130, (out, errors)
    assert "Traceback" not in errors
    assert house.left() == 0
