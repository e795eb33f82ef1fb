"""`greenroom demo --platform pexip`: rooms at a simulated Pexip, people who dial, and what both have after a restart."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser, Page, expect

from greenroom.cli import main
from greenroom.cli.demonstration.script_pexip import PexipDay
from greenroom.cli.demonstration.world import open_world
from greenroom.settings import load_settings
from support.browser import DESKTOP, PHONE, chromium, open_page

PATIENCE = 120.0
INVITATION = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Test//EN
METHOD:REQUEST
BEGIN:VEVENT
UID:dialled-from-a-file
DTSTAMP:20160301T080000Z
ORGANIZER;CN=Eve:mailto:eve@elsewhere.example
SUMMARY:Review
DTSTART:20160305T090000Z
DURATION:PT1H
END:VEVENT
END:VCALENDAR
"""


def played(*arguments: str | Path) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "greenroom", "demo", "--platform", "pexip", "--once", "--json", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@contextmanager
def shown(data: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A demo with its pages; the address, and the process."""
    command = [sys.executable, "-m", "greenroom", "demo", "--platform", "pexip", "--port", "0", "--no-browser"]
    with subprocess.Popen([*command, "--data", str(data)], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
            assert address is not None
            yield address[0], process
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE)


async def test_a_meeting_that_starts_now_is_dialled_by_policy_before_nodes_know_its_vmr(tmp_path: Path) -> None:
    told: list[str] = []
    async with open_world(tmp_path, platform="pexip") as world:
        assert world.pexip is not None
        item = await PexipDay(world, lambda line: told.append(line.what), pexip=world.pexip)._starts_at_once()
        assert "nodes have not heard of its VMR yet" in told[-1]
        own = world.exchange.get("ada@greenroom.example", item.id).body.content
        assert "+49 30 23125 000" in own
        assert "/qr.png" in own
        settings = load_settings(world.folder / "greenroom.toml", {})
        assert settings.integration[0].pexip is not None
    kept = json.loads((tmp_path / "pexip.json").read_text(encoding="utf-8"))
    assert [one["tag"][:12] for one in kept["rows"]["conference"]] == ["", "", "greenroom-1-"]


def test_a_folder_of_another_platform_is_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "exchange.json").write_text("{}")
    told = CliRunner().invoke(main, ["demo", "--once", "--platform", "pexip", "--data", str(tmp_path)])
    assert told.exit_code == 1
    assert "--platform embedded" in " ".join(told.output.split())
    (tmp_path / "pexip.json").write_text("{}")
    told = CliRunner().invoke(main, ["demo", "--once", "--data", str(tmp_path)])
    assert "--platform pexip" in " ".join(told.output.split())
    told = CliRunner().invoke(main, ["demo", "--once", "--platform", "pexip", "--data", str(tmp_path)])
    assert "pexip.json: it is damaged" in " ".join(told.output.split())


@pytest.mark.slow
def test_a_scripted_day_at_pexip_goes_well_over_graph_and_then_over_ews_with_the_same_data(tmp_path: Path) -> None:
    for protocol in ("graph", "ews"):
        day = played("--data", tmp_path, "--exchange", protocol)
        assert day["ok"], day
        told = [line["what"] for line in day["timeline"]]
        assert any("to the same conference" in line for line in told)
        assert sum("VMR is taken away" in line for line in told) == 2
        assert max(line["seconds"] for line in day["timeline"] if line["what"].startswith("It is dialled at once")) < 1
    kept = json.loads((tmp_path / "pexip.json").read_text(encoding="utf-8"))
    marked = [one["tag"] for one in kept["rows"]["conference"] if one["tag"]]
    assert len(marked) == len(set(marked)) == 2, "the two series without an end"


@pytest.mark.slow
def test_an_invitation_out_of_a_file_gets_its_room_at_pexip(tmp_path: Path) -> None:
    (tmp_path / "review.ics").write_text(INVITATION)
    (found,) = played("--invitation", tmp_path / "review.ics", "--now", "invitation", "--data", tmp_path / "data")
    kept = json.loads((tmp_path / "data" / "pexip.json").read_text(encoding="utf-8"))
    assert found["room"] in {one["alias"] for one in kept["rows"]["conference_alias"]}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


def compose(page: Page, address: str, title: str) -> None:
    """Invite the equipment mailbox to a meeting in five minutes, in the mail client."""
    page.goto(f"{address}/mail/m/ada@greenroom.example/compose")
    page.get_by_label("Title").fill(title)
    page.get_by_text("Invite the room mailbox").click()
    date, time = page.evaluate("new Date(Date.now() + 300000).toISOString()").split("T")
    page.get_by_label("Start date").fill(date)
    page.get_by_label("Start time").fill(time[:5])
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", name=title)).to_be_visible()


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_newcomer_books_dials_joins_and_finds_all_of_it_after_a_crash(
    browser: Browser, tmp_path: Path, size: tuple[int, int]
) -> None:
    with shown(tmp_path) as (address, process), open_page(browser, size, zone="UTC") as (page, errors):
        compose(page, address, "Kick-off")
        page.goto(address)
        row = page.locator("article.meeting", has_text="Kick-off")
        expect(row).to_contain_text("scheduled", timeout=20_000)
        row.get_by_role("button", name="Dial").click()
        latest = page.locator(".px-call").first
        expect(latest).to_contain_text("PIN asked")
        expect(latest).to_contain_text("by policy")
        room = page.locator(".px-room", has_text="Kick-off")
        pins = re.search(r"PIN (\d+), guests (\d+)", room.inner_text())
        assert pins is not None
        page.get_by_label("PIN").fill(pins[2])
        page.get_by_role("button", name="Dial", exact=True).click()
        expect(latest).to_contain_text("Admitted as guest")
        expect(room).to_contain_text("running, 1 inside")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

        row.get_by_role("link", name="join page").click()
        page.get_by_role("link", name="Join now").click()
        expect(page).to_have_url(re.compile("/webapp3/m/77"))
        page.get_by_label("Your name").fill("Ada")
        page.get_by_label("PIN").fill("000")
        page.get_by_role("button", name="Join").click()
        expect(page.get_by_role("alert")).to_have_text("This PIN is wrong.")
        page.get_by_label("PIN").fill(pins[1])
        page.get_by_role("button", name="Join").click()
        expect(page.get_by_role("heading", name=re.compile("Kick-off.* as host"))).to_be_visible()
        page.get_by_role("button", name="Leave").click()
        expect(page.get_by_role("heading", name="You have left")).to_be_visible()

        page.goto(address)
        page.get_by_role("button", name="Cut the nodes").click()
        expect(page.get_by_text("The line to the policy server is cut.")).to_be_visible()
        row.get_by_role("button", name="Dial").click()
        expect(latest).to_contain_text("database: policy gave no answer")
        page.get_by_role("button", name="Mend the nodes").click()
        expect(page.get_by_role("button", name="Cut the nodes")).to_be_visible()
        assert not [error for error in errors if "404" not in error], "the browser asks for an icon"
        process.kill()
        process.wait(timeout=PATIENCE)
    with shown(tmp_path) as (address, _):
        home = httpx2.get(address).text
        assert home.count("greenroom-1-") == 1
        alias = re.search(r'value="(77\d+@video\.example)"', home)
        assert alias is not None
        there = httpx2.post(f"{address}/webapp3/m/{alias[1]}", data={"pin": pins[2]}, follow_redirects=True)
        assert "as guest" in there.text
