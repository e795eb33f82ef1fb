"""Every wrong setting of calendar processing that has a symptom over a protocol is named by the live test, over both."""

from typing import Any, Literal

import pytest

from greenroom.doctor.contract import State
from greenroom.settings import Integration
from support.simulator import ORGANIZER
from support.trying import bad, trying_on_the_simulator

pytestmark = pytest.mark.slow
Protocol = Literal["ews", "graph"]
BY_ITSELF = {"AutomateProcessing": "AutoAccept"}
CASES: list[tuple[dict[str, Any], str, str]] = [
    ({"RemovePrivateProperty": True}, "live-private", "-RemovePrivateProperty $false"),
    ({"RemoveCanceledMeetings": True}, "live-cancelling", "-RemoveCanceledMeetings $false"),
    (BY_ITSELF, "live-answer", "-AutomateProcessing 'AutoUpdate'"),
    (BY_ITSELF | {"AllowConflicts": False}, "live-conflict", "-AllowConflicts $true"),
    (BY_ITSELF | {"DeleteSubject": True}, "live-subject", "-DeleteSubject $false"),
    (BY_ITSELF | {"AddOrganizerToSubject": True}, "live-subject", "-AddOrganizerToSubject $false"),
    (BY_ITSELF | {"DeleteComments": True}, "live-text", "-DeleteComments $false"),
    (BY_ITSELF | {"RemovePrivateProperty": True}, "live-private", "-RemovePrivateProperty $false"),
    (
        BY_ITSELF | {"ScheduleOnlyDuringWorkHours": True},
        "live-answer",
        "-ScheduleOnlyDuringWorkHours $false",
    ),
    (BY_ITSELF | {"AllBookInPolicy": False}, "live-answer", "-AllBookInPolicy $true"),
]
UNWRITTEN = [{"AutomateProcessing": "None"}, {"AddNewRequestsTentatively": False}]


def named(case: dict[str, Any]) -> str:
    return "-".join(f"{name}-{value}" for name, value in case.items())


@pytest.mark.parametrize("protocol", ["ews", "graph"])
async def test_a_mailbox_that_is_set_up_well_passes(protocol: Protocol, entry: Integration) -> None:
    async with trying_on_the_simulator(entry, protocol) as (trying, simulator):
        assert bad(await trying.run()) == {}
        assert simulator.exchange.items(ORGANIZER, "calendar") == []


@pytest.mark.parametrize(("processing", "check", "mend"), CASES, ids=[named(case[0]) for case in CASES])
@pytest.mark.parametrize("protocol", ["ews", "graph"])
async def test_one_wrong_setting_is_named(
    protocol: Protocol, processing: dict[str, Any], check: str, mend: str, entry: Integration
) -> None:
    async with trying_on_the_simulator(entry, protocol, **processing) as (trying, simulator):
        found = await trying.run()
        assert found[check].state is State.WRONG, found
        assert mend in found[check].mend
        others = set(bad(found)) - {check}
        assert others <= ({"live-answer"} if "AutomateProcessing" in processing else set()), found
        assert simulator.exchange.items(ORGANIZER, "calendar") == []


@pytest.mark.parametrize("processing", UNWRITTEN, ids=named)
@pytest.mark.parametrize("protocol", ["ews", "graph"])
async def test_invitations_that_are_not_written_into_the_calendar_are_named(
    protocol: Protocol, processing: dict[str, Any], entry: Integration
) -> None:
    """Over EWS their messages are answered all the same, over Graph nothing can be."""
    async with trying_on_the_simulator(entry, protocol, **processing) as (trying, _):
        found = await trying.run()
        assert bad(found) == {"live-arrival": State.NOTE if protocol == "ews" else State.WRONG}, found
        assert "-AutomateProcessing 'AutoUpdate' -AddNewRequestsTentatively $true" in found["live-arrival"].mend
