"""`greenroom sweep`: how far back, what is told, and how it ends."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from greenroom.cli import main
from greenroom.cli import sweep as command
from greenroom.cli.sweep import Since
from greenroom.platforms.errors import RoomRefusedError
from greenroom.recovering import Desk
from greenroom.scheduler.attend import Attendant
from support.greenroom_at_work import AtWork, Clock, at_work
from support.observations import observation
from support.stubborn_platform import StubbornPlatform
from support.whole import configure

Scene = Callable[[AtWork], Awaitable[None]]


class _Nowhere:
    """No Exchange at all."""

    url = ews_url = "http://127.0.0.1:9/EWS/Exchange.asmx"
    login_url = "http://127.0.0.1:9"
    tenant = "t"


async def missed(work: AtWork) -> None:
    """Two meetings that nobody saw."""
    for name in ("one", "two"):
        work.mailbox.put(observation(name))
        work.mailbox.log.pop()


async def refused(work: AtWork) -> None:
    """A meeting that was declined because the platform refused its room, and left the calendar by that."""
    assert isinstance(work.integration.platform, StubbornPlatform)
    work.integration.platform.ensuring.append(RoomRefusedError("pin: too-long"))
    work.mailbox.invite(observation())
    await work.attend()


def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scene: Scene, *words: str) -> Result:
    """Run the command on a Greenroom in this process, a year ago by the calendar of whoever says "since"."""
    clock = Clock()

    @asynccontextmanager
    async def opened(*_given: object, **_more: object) -> AsyncIterator[Desk]:
        async with at_work(platform=StubbornPlatform) as work:
            await scene(work)
            clock.now = work.clock.now
            yield Desk(work.integration, work.storage, lambda: Attendant(work.integration, work.storage, clock))

    @asynccontextmanager
    async def lent(*_given: object, **_more: object) -> AsyncIterator[None]:
        yield

    monkeypatch.setattr(command, "open_recovery", opened)
    monkeypatch.setattr(command, "borrowed", lent)
    monkeypatch.setattr(command, "wall_clock", clock)
    config = configure(tmp_path, _Nowhere())
    line = ["sweep", "--since", "2020-01-01", *words, "--config", str(config)]
    return CliRunner(env={"COLUMNS": "200"}).invoke(main, line)


def test_a_dry_run_counts_and_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = run(tmp_path, monkeypatch, missed, "--dry-run")
    assert done.exit_code == 0, done.output
    assert "2 items would be looked at again" in done.output


def test_what_came_of_it_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = run(tmp_path, monkeypatch, missed)
    assert done.exit_code == 0, done.output
    assert [line.split() for line in done.output.splitlines()] == [
        ["2", "looked", "at"],
        ["2", "changed"],
        ["2", "answered"],
        ["0", "failed"],
    ]


def test_a_script_gets_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = run(tmp_path, monkeypatch, missed, "--json")
    (told,) = json.loads(done.stdout)["integrations"]
    assert (told["items"], told["looked_at"], told["changed"], told["answered"]) == (2, 2, 2, 2)
    assert (told["dry_run"], told["failed"], told["lost"]) == (False, [], [])


def test_who_has_to_send_again_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = run(tmp_path, monkeypatch, refused)
    assert done.exit_code == 1
    assert "have to send them again" in done.output


@pytest.mark.parametrize(("text", "ago"), [("90m", 5400), ("2h", 7200), ("3d", 259_200), ("1W", 604_800)])
def test_how_long_ago_is_a_time(text: str, ago: int) -> None:
    since = Since().convert(text, None, None)
    assert abs((datetime.now().astimezone() - since) - timedelta(seconds=ago)) < timedelta(minutes=1)


def test_a_day_or_a_time_is_meant_here() -> None:
    assert Since().convert("2020-11-20", None, None).hour == 0
    assert Since().convert("2020-11-20T14:00", None, None).hour == 14


@pytest.mark.parametrize("text", ["2x", "soon", "tomorrow", "99999w", ""])
def test_what_is_no_time_in_the_past_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        Since().convert(text, None, None)


def test_what_is_no_time_is_told_with_what_may_be_written(tmp_path: Path) -> None:
    config = configure(tmp_path, _Nowhere())
    done = CliRunner().invoke(main, ["sweep", "--since", "lately", "--config", str(config)], env={"COLUMNS": "200"})
    assert (done.exit_code, "write 30m, 2h, 3d, 1w, today" in done.output) == (2, True), done.output
