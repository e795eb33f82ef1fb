"""The page beside the scripts."""

import re

import pytest

from greenroom.setup.contract import Preparation, Script
from greenroom.setup.pages import page
from support.preparations import KINDS

BUILT = {kind: one.with_() for kind, one in KINDS.items()}


def script(name: str, *, changes: bool = True) -> Script:
    return Script(name, "A title", "Because.", "A shell", "code", changes)


@pytest.mark.parametrize("kind", BUILT)
def test_every_file_has_its_place_in_the_order_in_which_it_is_run(kind: str) -> None:
    preparation = BUILT[kind]
    text = page(preparation, "test")
    run = re.findall(r"^\.\\(\S+)$", text, re.MULTILINE)
    assert run == [one.name for one in preparation.scripts]
    tried = re.findall(r"^\.\\(\S+) -WhatIf$", text, re.MULTILINE)
    assert tried == [one.name for one in preparation.scripts if one.changes]


@pytest.mark.parametrize("kind", BUILT)
def test_settings_and_steps_by_hand_stand_there_whole(kind: str) -> None:
    preparation = BUILT[kind]
    text = page(preparation, "test")
    assert preparation.settings.rstrip() in text
    assert all(step in text.partition("## Then, by hand")[2] for step in preparation.by_hand)
    assert all(text.index(step) < text.index(".\\01-") for step in preparation.before)
    assert text.index("## greenroom.toml") < text.index("## Is it right?")


def test_a_warning_comes_before_all_else_with_its_commands_as_commands() -> None:
    text = page(BUILT["microsoft-365-service-account"], "production")
    assert text.splitlines()[2].startswith("> **This ends on 2027-04-01")
    assert "\\`" not in text


def test_who_has_to_sign_in_once_is_told_when() -> None:
    text = page(BUILT["microsoft-365-service-account"], "production")
    commands = [line for line in text.splitlines() if line.startswith("greenroom ") and "new-key" not in line]
    assert [line.split("    ")[0] for line in commands] == [
        "greenroom config check",
        "greenroom signin",
        "greenroom config check --connect",
        "greenroom serve",
        "greenroom doctor --facts greenroom-facts.json --environment production",
    ]
    assert "greenroom signin" not in page(BUILT["microsoft-365"], "production")


def test_what_undoes_comes_last_and_says_what_stays() -> None:
    text = page(BUILT["exchange-server"], "production")
    assert text.rindex("## ") == text.index("## Undoing it")
    assert "stays unless `-RemoveMailbox`" in text


def test_nothing_in_a_title_or_in_settings_is_markup() -> None:
    evil = "<img src=x> [a](b) `c` **d** # e | f"
    one = Script("01-x.ps1", evil, evil, evil, "code")
    text = page(Preparation("kind", evil, evil, (one,), 'name = "````\\n# x"'), "test")
    assert re.search(r"(?<!\\)[<\[]", text.partition("## Then, by hand")[0].partition("## greenroom")[0]) is None
    assert '`````toml\nname = "````' in text


def test_what_only_looks_is_not_run_with_whatif() -> None:
    text = page(Preparation("kind", "t", "i", (script("01-a.ps1"), script("02-b.ps1", changes=False)), ""), "test")
    assert ".\\01-a.ps1 -WhatIf" in text
    assert ".\\02-b.ps1 -WhatIf" not in text
