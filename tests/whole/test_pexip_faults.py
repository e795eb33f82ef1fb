"""Whatever goes wrong at Pexip, at whichever call: in the end there is one conference per meeting, and nobody is declined for it.

The matrix lives in real processes that do a day's work sixty times as fast; what an administrator sees is told by commands.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.certificates import of_this_machine
from support.colleague import in_seconds
from support.pexip_at_work import ADMIN_PASSWORD, simulated_pexip, site
from support.pexip_days import Abroad, Stage
from support.simulator import RunningSimulator
from support.whole import Spoken, eventually
from whole.test_kill import Nursery, nursery, simulator

__all__ = ["nursery", "simulator"]  # fixtures are found by their names

pytestmark = pytest.mark.slow
Fault = dict[str, Any]
FAULTS: dict[str, Fault] = {
    "time-out-after-commit": {"kind": "timeout_after_commit", "seconds": 3},
    "cut-after-commit": {"kind": "timeout_after_commit", "seconds": 0},
    "time-out-before": {"kind": "timeout_before", "seconds": 3},
    "cut-before": {"kind": "timeout_before", "seconds": 0},
    "400-of-settings": {"kind": "http_400", "fields": {"ivr_theme": ["Object does not exist."]}},
    "429": {"kind": "http_429"},
    "429-with-time": {"kind": "http_429", "retry_after": 2},
    "503-in-words": {"kind": "http_503", "body": "The system is busy"},
    "500": {"kind": "http_500"},
    "502-after-commit": {"kind": "http_502", "committed": True, "body": "<html>bad gateway</html>"},
    "401": {"kind": "http_401"},
    "truncated": {"kind": "truncated"},
    "cut-in-the-middle": {"kind": "cut_body"},
    "garbage": {"kind": "garbage"},
    "half-a-page": {"kind": "half_page"},
}
CALLS: dict[str, Fault] = {
    "find": {"method": "GET", "resource": "configuration/conference"},
    "aliases": {"method": "GET", "resource": "configuration/conference_alias"},
    "make": {"method": "POST", "resource": "configuration/conference"},
    "running": {"method": "GET", "resource": "status/conference"},
    "change": {"method": "PATCH", "resource": "configuration/conference"},
    "delete": {"method": "DELETE", "resource": "configuration/conference"},
}
HOUSES: tuple[Abroad, Abroad] = (("ews", "ahead"), ("graph", "both"))
"""They take turns."""
MATRIX = [
    pytest.param(HOUSES[row % 2], fault, call, id=f"{'-'.join(HOUSES[row % 2])}-{fault}-{call}")
    for row, fault in enumerate(FAULTS)
    for column, call in enumerate(CALLS)
    if (CALLS[call]["method"] == "GET" if fault == "half-a-page" else (row // 2 + column) % 3 == 0)
]
"""Every fault, at two calls or so, and every call; tests/platforms/test_pexip_platform_faults.py strikes all with all."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, simulator: RunningSimulator, nursery: Nursery) -> Iterator[Stage]:
    with simulated_pexip(tmp_path_factory.mktemp("pexip")) as pexip:
        yield Stage(simulator, pexip, nursery)


@pytest.mark.parametrize(("abroad", "fault", "call"), MATRIX)
async def test_a_fault_that_passes_leaves_one_conference_per_meeting_and_no_decline(
    stage: Stage,
    tmp_path: Path,
    abroad: Abroad,
    fault: str,
    call: str,
) -> None:
    day = stage.day(tmp_path, f"{'-'.join(abroad)}-{fault}-{call}", abroad)
    stage.pexip.mend()
    # A credential that is refused twice is left alone for longer than a test may take.
    stage.pexip.fail(**FAULTS[fault], **CALLS[call], times=1 if fault == "401" else 2)
    day.morning()
    stage.nursery.live(day.folder)
    await day.check_morning()
    await day.check_pexip("ticketed", "plain", "copy")
    day.afternoon()
    stage.nursery.live(day.folder)
    await day.check_pexip("plain", "copy", renamed=True)
    assert set(day.replies("plain")) == {"Accept"}
    assert day.replies("ticketed") == day.replies("copy") == ["Accept"]
    assert sum(one["struck"] for one in stage.pexip.get("faults")) > 0, "the fault met nothing"


@pytest.mark.parametrize("protocol", ["ews", "graph"])
@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({"kind": "http_503", "body": "busy"}, "again"),
        ({"kind": "http_401"}, "password"),
        ({"kind": "timeout_before", "seconds": 3}, "again"),
    ],
    ids=["503", "401", "time-out"],
)
def test_while_pexip_is_out_of_order_a_meeting_waits_and_its_story_says_so(
    tmp_path: Path, protocol: Spoken, rule: Fault, says: str
) -> None:
    with site(tmp_path, "both", protocol=protocol) as home:
        home.pexip.fail(**rule)
        home.olga.invite("Planning", in_seconds(-60))
        room = eventually(lambda: next(iter(home.rooms()), None), seconds=40)
        assert room is not None
        eventually(lambda: home.admits(room.alias), seconds=5)
        story = home.command("explain", room.alias)
        assert story.returncode == 0, story.stderr
        assert "platform" in story.stdout.casefold(), story.stdout
        checked = home.command("config", "check", "--connect")
        assert checked.returncode != 0
        assert says in checked.stderr.casefold() + checked.stdout.casefold(), checked.stderr
        assert home.replies() == []
        home.pexip.mend()
        if rule["kind"] == "http_401":  # refused credentials are tried again ever more seldom
            home.stop()
            home.start()
        eventually(home.replies, seconds=120)
        assert home.replies() == ["Accept"]
        (conference,) = home.conferences()
        assert conference["tag"] == room.tag
        assert home.dial(room.alias)["name"] == conference["name"]


def test_a_certificate_nobody_trusts_declines_nobody_and_says_what_to_do(tmp_path: Path) -> None:
    papers = of_this_machine(tmp_path)
    options = ("--tls-cert", str(papers.certificate), "--tls-key", str(papers.key))
    with site(tmp_path, "ahead", options=options) as home:
        home.olga.invite("Planning", in_seconds(-60))
        eventually(lambda: "bad-certificate" in home.greenroom.output(), seconds=40)
        assert home.replies() == []
        checked = home.command("config", "check", "--connect")
        assert checked.returncode != 0
        assert "ca_file" in checked.stderr
        assert ADMIN_PASSWORD not in checked.stderr + checked.stdout
        home.stop()
        home.pexip_tables = home.pexip_tables.replace(
            "timeout_seconds", f'ca_file = "{papers.certificate}"\ntimeout_seconds'
        )
        home.start()
        home.answered("Accept")
        assert home.command("config", "check", "--connect").returncode == 0
        (conference,) = home.conferences()
        assert conference["tag"] == home.room("Planning").tag
