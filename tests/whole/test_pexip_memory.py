"""What is left when a database is lost, and what another process on the same database knows."""

from pathlib import Path

import pytest

from support.colleague import in_days, in_seconds
from support.pexip_at_work import BOTH_PINS, TO_THE_SECOND, Home, Way, site
from support.postgres import postgres_server, postgres_url
from support.whole import ATTENDEE, Spoken, eventually, free_port, serving, settles

__all__ = ["postgres_server", "postgres_url"]  # fixtures are found by their names

pytestmark = pytest.mark.slow
over_both = pytest.mark.parametrize("protocol", ["ews", "graph"])


def mail(home: Home) -> list[tuple[str, str]]:
    """Everything in the Inboxes of people."""
    people = (home.olga.address, ATTENDEE)
    return [(one, item["id"]) for one in people for item in home.exchange.state(one)["inbox"]]


@over_both
@pytest.mark.parametrize("way", ["both", "policy", "ahead"])
def test_a_lost_database_changes_neither_alias_nor_pins_nor_mails_anybody(
    tmp_path: Path, way: Way, protocol: Spoken
) -> None:
    with site(tmp_path, way, protocol=protocol, more=TO_THE_SECOND + BOTH_PINS) as home:
        home.olga.invite("Planning", in_seconds(-60), attendees=[ATTENDEE])
        home.olga.invite("Ticketed", in_days(1), attendees=[ATTENDEE], body=home.ticket(345678901))
        home.answered("Accept", "Accept")
        settles(lambda: str(home.olga.own("Planning").body))
        assert home.room("Ticketed").numeric == "1345678901"
        before, conferences = sorted(home.rooms(), key=lambda room: room.mark), home.conferences()
        assert len(conferences) == (0 if way == "policy" else 2)
        seen = settles(lambda: mail(home))
        home.stop()
        for file in tmp_path.glob("greenroom.db*"):
            file.unlink()
        home.start()
        eventually(lambda: len(home.rooms()) == 2, seconds=40)
        assert sorted(home.rooms(), key=lambda room: room.mark) == before
        assert settles(lambda: mail(home), still=3) == seen
        assert [one["id"] for one in home.conferences()] == [one["id"] for one in conferences]
        report = home.dial(home.room("Planning").alias, pin=home.room("Planning").host_pin)
        assert (report["admitted"], report["role"]) == (True, "host")
        assert len(home.pexip.calls("POST")) == len(conferences)


@pytest.mark.postgres
@over_both
def test_a_room_that_one_process_made_is_answered_by_another_within_a_second(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch, protocol: Spoken
) -> None:
    monkeypatch.setenv("GREENROOM_STORAGE__URL", postgres_url)
    second = tmp_path / "second"
    second.mkdir()
    with site(tmp_path, "policy", protocol=protocol) as home:
        home.postgres = postgres_url
        port = free_port()
        with serving(
            second, home.exchange, protocol=protocol, pexip=home.pexip_tables, more=home.more, port=port
        ) as other:
            home.pexip.asks(port)
            home.olga.invite("Planning", in_seconds(-60))
            room = home.accepted("Planning")
            eventually(lambda: home.admits(room.alias), seconds=1)
            home.olga.cancel("Planning")
            eventually(lambda: home.room("Planning").retired)
            eventually(lambda: not home.admits(room.alias), seconds=1)
            home.kill()
            home.olga.invite("Strategy", in_seconds(-60))
            home.answered("Accept", "Accept")
            assert home.admits(home.room("Strategy").alias)
            assert other.stop() == 0
        assert "Traceback" not in other.output()
