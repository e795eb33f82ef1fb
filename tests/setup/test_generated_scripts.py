"""The scripts of every kind, with every option: PowerShell of the part that we write, cmdlets that there are, and safe values.

What stands in a value cannot change what a script does: with hostile values a script has the same syntax tree as with harmless
ones, and every string is read back as exactly the value.
"""

import re
import tomllib
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from greenroom.setup.contract import Preparation
from greenroom.setup.powershell import UnsafeValueError, as_file
from support.powershell.calls import calls
from support.powershell.cmdlets import PLAIN, misused
from support.powershell.reading import literals, problems, shape
from support.preparations import ADDRESSES, KINDS, VARIANTS, shell_of, written

LOOKING = ("Get-", "Test-", "Connect-", "Disconnect-")
MARKER = "Zq7Marker"
HOSTILE = {
    "quote": "it's",
    "quotes": "''' ' ''",
    "typographic": "\u2018a\u2019 \u201ab\u201b \u201cc\u201d \u201ed\u2032",
    "ends the string": "'; Remove-Mailbox -Identity 'ceo' -Confirm:$false; '",
    "ends it typographically": "\u2019; Remove-Mailbox -Identity \u2019ceo\u2019 #",
    "substitution": "$(Remove-Mailbox) $env:PATH ${x} @(1) @{a=1}",
    "backticks": "`n`0`'`\"",
    "here-string": "@'x'@ @\"y\"@",
    "comment": "<# #> # #Requires -Version 9",
    "operators": "| & ; > < && || -and . ..\\ % ?",
    "format": "{0} {1} {{}} {",
    "double quotes": '" "" \\"',
    "unicode": "Räume für 会議 \U0001f3a5 \u00a0 e\u0301",
    "backslashes": "\\\\server\\share\\",
    "just fits": "x'" * 500,
    "newline": "a\nRemove-Mailbox",
    "carriage return": "a\rRemove-Mailbox",
    "next line": "a\u0085b",
    "line separator": "a\u2028b",
    "nul": "a\x00b",
    "escape": "a\x1b[2Jb",
    "right to left": "a\u202etxt.1sp",
    "isolate": "a\u2066b\u2069",
    "surrogate": "a\ud800b",
    "no character": "a\ufffeb",
    "byte order mark": "\ufeffa",
    "long": "x" * 65_536,
    "long quotes": "'" * 65_536,
    "signature": "SIG # Begin signature block",
}


@pytest.mark.parametrize(("kind", "option"), VARIANTS)
def test_every_script_is_powershell_that_its_shell_takes(kind: str, option: str) -> None:
    found = [
        (script.name, problem)
        for script in written(kind, option).scripts
        for problem in [*problems(script.body), *misused(script.body, shell_of(script))]
    ]
    assert found == []


@pytest.mark.parametrize(("kind", "option"), VARIANTS)
def test_nothing_is_changed_but_what_was_asked_for(kind: str, option: str) -> None:
    for script in written(kind, option).scripts:
        changing = [c for c in calls(script.body) if c.name not in PLAIN and not c.name.startswith(LOOKING)]
        assert [c for c in changing if not c.guarded] == [], script.name
        assert bool(changing) is script.changes, script.name
        assert all(
            dict(call.given).get("ErrorAction") == "text" for call in calls(script.body) if call.name not in PLAIN
        )


@pytest.mark.parametrize(("kind", "option"), VARIANTS)
def test_files_are_numbered_and_read_right_by_windows_powershell(kind: str, option: str) -> None:
    scripts = written(kind, option).scripts
    assert [script.name[:3] for script in scripts] == [f"{place:02}-" for place in range(1, len(scripts) + 1)]
    assert all(script.name.endswith(".ps1") and script.name.isascii() for script in scripts)
    for script in scripts:
        data = as_file(script.body)
        assert data.startswith(b"\xef\xbb\xbf")
        assert data.count(b"\n") == data.count(b"\r\n") > 0


@pytest.mark.parametrize(("kind", "option"), VARIANTS)
def test_the_configuration_that_is_told_is_toml(kind: str, option: str) -> None:
    read = tomllib.loads(written(kind, option).settings)
    assert read["integration"][0]["mailbox"] == "vmr@example.com"


def _same_but_for(harmless: Preparation, hostile: Preparation, value: str) -> None:
    """Compare two preparations that differ in one value, of which the harmless one is the marker."""
    assert [one.name for one in harmless.scripts] == [one.name for one in hostile.scripts]
    for one, other in zip(harmless.scripts, hostile.scripts, strict=True):
        if one.body == other.body:
            continue
        assert problems(other.body) == ()
        assert shape(one.body) == shape(other.body), one.name
        for expected, found in zip(literals(one.body), literals(other.body), strict=True):
            doubled = value.replace("'", "''")  # within a filter, which has quotes of its own
            assert found in {expected.replace(MARKER, value), expected.replace(MARKER, doubled)}


@lru_cache(maxsize=64)
def _harmless(kind: str, name: str, marker: str) -> Preparation:
    return KINDS[kind].with_(**{name: marker})


def _try(kind: str, name: str, value: str) -> bool:
    """Put a hostile value into a parameter; True if it was written. Refused is right as well, as long as it is refused at once."""
    address = "@example.com" if name in ADDRESSES else ""
    marker = MARKER + address
    try:
        harmless = _harmless(kind, name, marker)
    except UnsafeValueError:  # what this parameter may be is a short list: hostile values are none of it
        if re.fullmatch("[a-z0-9-]+", value) is None:
            with pytest.raises(UnsafeValueError):
                KINDS[kind].with_(**{name: value})
        return False
    try:
        hostile = KINDS[kind].with_(**{name: value + address})
    except UnsafeValueError:
        return False
    _same_but_for(harmless, hostile, value)
    tomllib.loads(hostile.settings)
    return True


TEXTS = [(kind, name) for kind, one in KINDS.items() for name in one.texts()]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "name"), TEXTS)
def test_every_hostile_value_stays_a_value(kind: str, name: str) -> None:
    for value in HOSTILE.values():
        _try(kind, name, value)


@pytest.mark.parametrize("kind", ["exchange-server"])  # the others are among the slow ones above
def test_a_name_with_quotes_is_written_and_one_with_a_line_break_refused(kind: str) -> None:
    assert _try(kind, "title", HOSTILE["ends it typographically"])
    for refused in ("newline", "nul", "right to left", "surrogate", "long"):
        assert not _try(kind, "title", HOSTILE[refused])


SIGNS = "'\"`$@#<>(){};|&\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u2013\u2014\u2015\r\n\x00\u0085\u2028"
NASTY = [*SIGNS, "'@", "#>", "a", " ", "x = 1"]
ANY_TEXT = st.lists(st.one_of(st.sampled_from(NASTY), st.characters()), min_size=1, max_size=40).map("".join)
FREE: Any = st.sampled_from([(kind, name) for kind, name in TEXTS if name not in ADDRESSES])


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ANY_TEXT, FREE)
def test_any_text_is_refused_or_stays_a_value(value: str, where: tuple[str, str]) -> None:
    _try(*where, value)


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ANY_TEXT, FREE)
def test_very_many_texts_are_refused_or_stay_values(value: str, where: tuple[str, str]) -> None:
    _try(*where, value)
