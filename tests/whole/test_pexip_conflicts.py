"""Aliases that belong to something else at Pexip: of a drawn number nobody notices, a ticketed meeting is declined."""

import re
from pathlib import Path

import pytest

from support.colleague import in_days, in_seconds
from support.pexip_at_work import Home, Way, site
from support.whole import PEXIP_DOMAIN, Spoken, eventually, settles

pytestmark = pytest.mark.slow
over_both = pytest.mark.parametrize("protocol", ["ews", "graph"])
WAYS = pytest.mark.parametrize("way", ["ahead", "both"])
NUMBER = 345678901


def foreigner(home: Home, alias: str) -> None:
    """Let somebody else have an alias."""
    home.pexip.post("seed", conference=[{"name": f"Theirs {alias}", "aliases": [{"alias": alias}]}])


def asked_aliases(home: Home) -> set[str]:
    """The aliases with our prefix that Greenroom has looked for so far."""
    calls = home.pexip.calls("GET", "configuration/conference_alias")
    asked = " ".join(value for call in calls for _, value in call["query"])
    return {f"{user}@{PEXIP_DOMAIN}" for user in re.findall(r"meet1[0-9]{9}", asked)}


@over_both
@WAYS
def test_a_drawn_number_that_belongs_to_another_is_drawn_anew(tmp_path: Path, way: Way, protocol: Spoken) -> None:
    with site(tmp_path, way, protocol=protocol) as home:
        home.pexip.fail("http_503", resource="configuration/conference_alias", method="GET", retry_after=3, times=1)
        home.olga.invite("Planning", in_seconds(-60))
        (drawn,) = eventually(lambda: asked_aliases(home))
        foreigner(home, drawn)
        room = home.accepted("Planning")
        assert room.alias != drawn
        assert room.alias in str(home.olga.own("Planning").body)
        assert drawn not in str(home.olga.own("Planning").body)
        (conference,) = home.conferences()
        assert {alias["alias"] for alias in conference["aliases"]} == {room.alias, room.numeric}
        assert home.admits(room.alias)
        theirs = home.dial(drawn)
        assert (theirs["admitted"], theirs["by"], theirs["name"]) == (True, "database", f"Theirs {drawn}")
        assert settles(home.replies) == ["Accept"]


@over_both
@WAYS
@pytest.mark.parametrize("spelling", ["full", "numeric"])
def test_a_ticketed_meeting_whose_alias_belongs_to_another_is_declined(
    tmp_path: Path, way: Way, protocol: Spoken, spelling: str
) -> None:
    with site(tmp_path, way, protocol=protocol) as home:
        alias = f"meet1{NUMBER}@{PEXIP_DOMAIN}" if spelling == "full" else f"1{NUMBER}"
        foreigner(home, alias)
        home.olga.invite("Ticketed", in_days(1), body=home.ticket(NUMBER))
        eventually(home.replies, seconds=40)
        assert settles(home.replies) == ["Decline"]
        assert home.conferences() == []
        assert all(room.retired for room in home.rooms())
        theirs = home.dial(alias)
        assert (theirs["admitted"], theirs["by"]) == (True, "database")
        told = home.command("explain", f"meet1{NUMBER}")
        assert "alias" in told.stdout, told.stderr
