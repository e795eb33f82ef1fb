"""What Microsoft 365 allows is counted in requests and in messages a minute, and a benchmark counts both by a simulated clock.

A mailbox costs four looks a minute whether anything happens in it or not. What meetings cost is told beyond that: the looks
that an idle mailbox cost in the same time are taken off. The whole is bounded too: while replies wait, there is a look for every
seven of them (29 in 61 s, a look every 15 s), which is 0.14 for each.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCH = Path(__file__).parents[2] / "bench" / "graph.py"


@pytest.mark.slow
@pytest.mark.parametrize("meetings", [100, 500])
def test_new_meetings_cost_what_microsoft_365_allows_and_no_more(meetings: int) -> None:
    cost = cost_of(meetings)
    a_meeting_costs_little_more_than_its_reply(cost)
    each_is_answered_once_and_nothing_is_refused_for_being_too_much(cost)
    replies_drain_at_nearly_the_rate_that_is_allowed(cost)
    assert cost["rooms_complete_after"] < cost["second_look_after"]


def cost_of(meetings: int) -> dict[str, Any]:
    command = [sys.executable, str(BENCH), "--only", "greenroom", "--json", "--meetings", str(meetings)]
    done = subprocess.run(command, capture_output=True, check=True, text=True, timeout=300)
    (cost,) = json.loads(done.stdout)
    assert cost["meetings"] == meetings
    return dict(cost)


def a_meeting_costs_little_more_than_its_reply(cost: dict[str, Any]) -> None:
    assert cost["calls_per_meeting_beyond_polls"] <= 1.1
    assert cost["calls_per_meeting_without_replies_beyond_polls"] <= 0.1
    assert cost["calls_per_meeting"] <= 1.2
    assert cost["calls_per_meeting_without_replies"] <= 0.2


def each_is_answered_once_and_nothing_is_refused_for_being_too_much(cost: dict[str, Any]) -> None:
    assert cost["operations"]["AcceptEvent"] == cost["meetings"]
    assert cost["throttled"] == 0


def replies_drain_at_nearly_the_rate_that_is_allowed(cost: dict[str, Any]) -> None:
    assert 28 <= cost["replies_per_minute"] <= 30
    assert len(cost["replies_in_full_minutes"]) == (cost["meetings"] - 1) // 29
    assert all(28 <= replies <= 30 for replies in cost["replies_in_full_minutes"])
    assert cost["most_replies_in_a_minute"] <= 30
    assert cost["last_reply_after"] <= cost["meetings"] / 28 * 60
