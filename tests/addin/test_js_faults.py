"""Every call of Outlook fails once, in every way, in every generation of it."""

import pytest

from support.addin_js import outcome_of

WORK = [
    f"{work} survives every fault (Mailbox {s})"
    for s in ("1.3", "1.5", "1.8", "1.14")
    for work in ("adding", "removing")
]


@pytest.mark.slow
@pytest.mark.parametrize("fact", WORK)
def test_every_fault_of_outlook_is_survived(fact: str) -> None:
    outcome = outcome_of("faults.mjs", fact)
    assert outcome == {fact: None}, outcome[fact]
