"""Signing in, asking the server, keeping things for bad times: the modules below the flow."""

import pytest

from support.addin_js import facts_of, outcome_of


@pytest.mark.parametrize("fact", facts_of("client.mjs"))
def test_a_fact_about_what_the_flow_stands_on(fact: str) -> None:
    assert outcome_of("client.mjs")[fact] is None, outcome_of("client.mjs")[fact]
