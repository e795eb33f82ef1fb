"""The service worker in a small browser written by hand: what it keeps for the time when nobody answers."""

import pytest

from support.addin_js import facts_of, outcome_of


@pytest.mark.parametrize("fact", facts_of("worker.mjs"))
def test_a_fact_about_the_service_worker(fact: str) -> None:
    assert outcome_of("worker.mjs")[fact] is None, outcome_of("worker.mjs")[fact]
