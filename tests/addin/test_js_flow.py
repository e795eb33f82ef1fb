"""The work of the add-in against a small Outlook and a small server, both written by hand."""

import pytest

from support.addin_js import facts_of, outcome_of


@pytest.mark.parametrize("fact", facts_of("flow.mjs"))
def test_a_fact_about_the_flow(fact: str) -> None:
    assert outcome_of("flow.mjs")[fact] is None, outcome_of("flow.mjs")[fact]
