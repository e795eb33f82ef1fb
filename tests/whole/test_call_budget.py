"""Exchange's limits are counted in calls: five hundred new meetings may cost at most 0.3 of them each, replies included."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench" / "attend.py"


def calls_per_meeting(meetings: int) -> float:
    command = [sys.executable, str(BENCH), "--only", "greenroom", "--json", "--meetings", str(meetings)]
    done = subprocess.run(command, capture_output=True, check=True, text=True, timeout=300)
    (cost,) = json.loads(done.stdout)
    assert cost["meetings"] == meetings
    return float(cost["calls_per_meeting"])


@pytest.mark.slow
def test_a_hundred_new_meetings_cost_at_most_three_tenths_of_a_call_each() -> None:
    assert calls_per_meeting(100) <= 0.3


@pytest.mark.slow
def test_five_hundred_new_meetings_cost_at_most_three_tenths_of_a_call_each() -> None:
    assert calls_per_meeting(500) <= 0.3
