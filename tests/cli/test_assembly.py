"""What the configuration makes of the adapters, at work against the simulator: both protocols, and both sides at once."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from greenroom.assembly import CalendarError, open_greenroom
from greenroom.calendars import notification_url
from greenroom.settings import load_settings
from greenroom.simulator.model import Attendee, CalendarItem, MeetingDraft, MeetingResponse, Person
from support.house import KEY
from support.simulator import (
    CLIENT_ID,
    CLIENT_SECRET,
    EQUIPMENT,
    ORGANIZER,
    PASSWORD,
    SERVICE,
    SMALL_WORLD,
    RunningSimulator,
    simulator_in_loop,
)


def graph(simulator: RunningSimulator, table: str = "exchange", more: str = "") -> str:
    return f"""
[integration.{table}]
tenant = "{simulator.tenant}"
client_id = "{CLIENT_ID}"
client_secret = "{CLIENT_SECRET}"
cloud = "custom"
login_url = "{simulator.login_url}"
graph_url = "{simulator.url}"
{more}
"""


def ews(simulator: RunningSimulator, table: str = "exchange", more: str = "") -> str:
    return f"""
[integration.{table}]
url = "{simulator.ews_url}"
username = "{SERVICE}"
password = "{PASSWORD}"
{more}
"""


def config(folder: Path, *sections: str, number: int = 1, mailbox: str = EQUIPMENT) -> Path:
    file = folder / "greenroom.toml"
    file.write_text(f"""\
[service]
listen = "127.0.0.1:0"
public_url = "https://meet.example.org"
[storage]
url = "sqlite:///{folder}/greenroom.db"
[[integration]]
number = {number}
name = "main"
mailbox = "{mailbox}"
ticket_keys = [{{ id = 0, key = "{KEY}" }}]
{"".join(sections)}
""")
    return file


def living(equipment: str, organizer: str) -> dict[str, Any]:
    """The small world with its mailboxes on their sides: "cloud" or "on-premises"."""
    home = {EQUIPMENT: equipment, ORGANIZER: organizer}
    boxes = [box | {"home": home.get(box["address"], "both")} for box in SMALL_WORLD["mailboxes"]]
    return {**SMALL_WORLD, "mailboxes": boxes}


def invite(simulator: RunningSimulator) -> CalendarItem:
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
    draft = MeetingDraft(
        subject="Planning",
        start=start,
        end=start + timedelta(hours=1),
        attendees=(Attendee(Person(EQUIPMENT), "resource"),),
    )
    return simulator.exchange.create_meeting(ORGANIZER, draft, "SendToAllAndSaveCopy")


async def own_text_after_the_answer(simulator: RunningSimulator, item: CalendarItem) -> str:
    for _ in range(200):
        if any(isinstance(one, MeetingResponse) for one in simulator.exchange.items(ORGANIZER, "inbox")):
            own = simulator.exchange.get(ORGANIZER, item.id)
            assert isinstance(own, CalendarItem)
            return own.body.content
        await asyncio.sleep(0.05)
    raise AssertionError("the meeting was never answered")


@pytest.mark.parametrize("equipment", ["cloud", "on-premises"])
@pytest.mark.parametrize("second", [True, False])
async def test_organizers_on_the_other_side_have_their_instructions_where_that_side_is_named(
    tmp_path: Path, equipment: str, *, second: bool
) -> None:
    other = {"cloud": "on-premises", "on-premises": "cloud"}[equipment]
    here, there = (graph, ews) if equipment == "cloud" else (ews, graph)
    async with simulator_in_loop(living(equipment, other)) as simulator:
        poll = "poll_seconds = 1\n"
        sections = [here(simulator, more=poll)]
        if second:
            sections.append(there(simulator, "organizers", f'mailbox = "{ORGANIZER}"'))
        async with open_greenroom(load_settings(config(tmp_path, *sections), {})) as greenroom:
            tried = await greenroom.check()
            assert [(one.side, one.error) for one in tried] == [("exchange", None), ("organizers", None)][: 1 + second]
            stop = asyncio.Event()
            running = asyncio.create_task(greenroom.service.run(stop))
            text = await own_text_after_the_answer(simulator, invite(simulator))
            stop.set()
            await running
    assert ("https://meet.example.org/j/" in text) is second


async def test_integrations_of_one_application_sign_in_once(tmp_path: Path) -> None:
    world = {**SMALL_WORLD, "mailboxes": [*SMALL_WORLD["mailboxes"], {"address": "two@sim.test", "name": "Two"}]}
    async with simulator_in_loop(world) as simulator:
        file = config(tmp_path, graph(simulator))
        key = KEY.replace("A", "B", 1)
        file.write_text(f"""{file.read_text()}
[[integration]]
number = 2
name = "two"
mailbox = "two@sim.test"
ticket_keys = [{{ id = 0, key = "{key}" }}]
alias = {{ digits = 12 }}
{graph(simulator)}""")
        async with open_greenroom(load_settings(file, {})) as greenroom:
            assert [one.error for one in await greenroom.check()] == [None, None]
        assert simulator.calls("Token") == 1


@pytest.mark.parametrize(
    ("public", "more", "url"),
    [
        ("https://meet.example.org/greenroom", "", "https://meet.example.org/greenroom/hooks/graph/main"),
        ("http://127.0.0.1:8080", "", ""),
        ("https://meet.example.org", "notifications = false\n", ""),
    ],
)
def test_notifications_go_where_microsoft_can_reach_us(tmp_path: Path, public: str, more: str, url: str) -> None:
    section = f'[integration.exchange]\ntenant = "a.example"\nmanaged_identity = "system"\n{more}'
    file = config(tmp_path, section)
    file.write_text(file.read_text().replace("https://meet.example.org", public))
    settings = load_settings(file, {})
    assert notification_url(settings.service.public_url, settings.integration[0]) == url


async def test_an_address_that_only_the_adapter_refuses_is_told_by_integration(tmp_path: Path) -> None:
    section = """[integration.exchange]
tenant = "example.org"
managed_identity = "system"
cloud = "custom"
login_url = "https://login.example.org"
graph_url = "http://127.0.0.2:9"
"""
    with pytest.raises(CalendarError, match="plain http") as caught:
        async with open_greenroom(load_settings(config(tmp_path, section), {})):
            pass
    assert (caught.value.integration, caught.value.side) == ("main", "exchange")
