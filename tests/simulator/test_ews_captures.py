"""Requests that real clients sent to another server, played to the simulator: each gets a valid reply."""

import json
import re
from pathlib import Path

import httpx2
import pytest

from support.shared import shared_path
from support.simulator import PASSWORD, simulator_in_loop

PEOPLE = ("organizer@gx.test", "attendee@gx.test")
WORLD = {
    "mailboxes": [
        *({"address": address, "name": address.partition("@")[0].title(), "password": PASSWORD} for address in PEOPLE),
        {"address": "beamer@gx.test", "name": "Beamer", "kind": "equipment", "processing": "auto_update"},
    ],
    "accounts": [{"login": "svc@gx.test", "password": PASSWORD, "impersonate": "everybody"}],
}
ANSWERED_BY_A_FAULT = {
    # ews-javascript-api writes HTML unescaped into Body: no valid request, at Exchange neither.
    "js-client-single": {"CreateItem", "UpdateItem"},
    # Managing delegates is not offered here.
    "delegate-created": {"AddDelegate"},
}


def scenarios() -> list[str]:
    try:
        return sorted(path.name for path in shared_path("captures/ews").iterdir() if path.is_dir())
    except pytest.skip.Exception:
        return ["not there"]


@pytest.mark.parametrize("scenario", scenarios())
async def test_every_recorded_request_gets_a_reply_that_fits_the_schema(scenario: str) -> None:
    folder = shared_path("captures/ews") / scenario
    meta = json.loads((folder / "meta.json").read_text())
    # The recorded ids and states are strange to the simulator, so most answers are errors; a made-up set of ids from
    # this simulator takes their place where there is one, in the order in which they were handed out.
    async with (
        simulator_in_loop(WORLD, minute=0.2, check_requests=False) as sim,
        httpx2.AsyncClient(verify=False) as http,
    ):
        ours: dict[str, str] = {}
        played = 0
        for exchange in meta["exchanges"]:
            request = folder / exchange.get("request", "nothing")
            if request.suffix != ".xml":
                continue
            body = _translate(request.read_text(), ours)
            reply = await http.post(
                sim.ews_url, content=body.encode(), auth=(f"{exchange['actor']}@gx.test", PASSWORD), timeout=10
            )
            faulty = exchange["operation"] in ANSWERED_BY_A_FAULT.get(scenario, ())
            assert reply.status_code == 200 or faulty, f"{request.name}: {reply.status_code}"
            played += 1
            _learn(folder / exchange["response"], reply.text, ours)
        assert played


def _translate(text: str, ours: dict[str, str]) -> str:
    for theirs, own in ours.items():
        text = text.replace(f'"{theirs}"', f'"{own}"').replace(f">{theirs}<", f">{own}<")
    return text


def _learn(recorded: Path, reply: str, ours: dict[str, str]) -> None:
    """Pair the ids and states of the recorded response with those of ours, kind by kind, as far as both have them."""
    theirs = recorded.read_text()
    kinds = r"CalendarItem|MeetingRequest|MeetingResponse|MeetingCancellation|Folder|CalendarFolder"
    for pattern in (
        rf'<t:(?:{kinds})><t:(?:ItemId|FolderId) Id="([^"]+)"',
        rf'<t:(?:{kinds})><t:ItemId Id="[^"]+" ChangeKey="([^"]+)"',
        r"<m:SyncState>([^<]+)<",
        r"<m:SubscriptionId>([^<]+)<",
    ):
        ours.update(zip(re.findall(pattern, theirs), re.findall(pattern, reply), strict=False))
