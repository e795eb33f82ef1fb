"""What the writer of PowerShell makes is read back as exactly what was meant."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenroom.setup.powershell import (
    LONGEST_VALUE,
    Switch,
    UnsafeValueError,
    Value,
    Var,
    Writer,
    as_file,
    both,
    holds,
    is_,
    is_not,
    lacks,
    literal,
    missing,
    negated,
    present,
)
from greenroom.setup.powershell import given as switched
from support.powershell.reading import literals, problems, shape

QUOTES = "'\u2018\u2019\u201a\u201b\"\u201c\u201d\u201e`$"
HOSTILE = {
    "quote": "O'Brien",
    "typographic quotes": "\u2018a\u2019 \u201ab\u201b",
    "only quotes": "'\u2018\u2019\u201a\u201b'",
    "subexpression": "$(Remove-Mailbox 'x')",
    "variable": "${env:x} $true @splat",
    "backtick": "a`nb``",
    "here-string": "@' x '@",
    "comment ends": "#> <# x #>",
    "statement": "'; Remove-Mailbox vmr; '",
    "dashes": "\u2013Confirm \u2014 \u2015",
    "pipe": "a | b & c && d > e",
    "emoji": "\U0001f3a5 Besprechung \u00fc\u00df \u4f1a\u8b70",
    "empty": "",
    "spaces": "  a  ",
}
REFUSED = {
    "newline": "a\nb",
    "carriage return": "a\rb",
    "NUL": "a\0b",
    "escape": "\x1b[31m",
    "C1": "a\x85b",
    "line separator": "a\u2028b",
    "right to left": "a\u202eb",
    "isolate": "a\u2066b",
    "half a character": "a\ud800b",
    "byte order mark": "\ufeffa",
    "no character": "a\uffffb",
    "too long": "a" * (LONGEST_VALUE + 1),
}


def unseen(sign: str) -> bool:
    return unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"}


texts = st.text(
    st.one_of(st.sampled_from(QUOTES), st.characters(exclude_categories=("Cc", "Cf", "Cs", "Cn", "Zl", "Zp"))),
    max_size=60,
)


def everything(value: str) -> str:
    """Write a script with the value wherever a value can be."""
    w = Writer()
    w.header("A title.", f"About {value}.", switches={"All": f"For {value}."})
    w.assign("Name", value)
    w.splat(
        "Create",
        {"Name": value, "Many": [value, "b"], "Table": {"Inner": value}, "On": Switch()},
        {"Name": f"As {value}."},
    )
    with w.unless_exists("Get-Thing", {"Identity": value}, into="Found", where=("Name", value)):
        with w.should_process(value, f"make {value}"):
            w.call("New-Thing", splat="Create")
        with w.otherwise():
            w.say(value)
    with w.when(
        both(is_(Var("Found", "Name"), value), negated(is_not(Var("Found", "Name"), value)), present(Var("Found")))
    ):
        w.warn(value)
    with w.otherwise():
        w.stop(value)
    with w.each("One", [value], into="All"):
        w.emit({"Name": value})
    with w.when(both(switched(Var("All")), missing(Var("None")), holds(Var("All"), value), lacks(Var("All"), value))):
        w.write_json(Var("All"), value)
    with w.attempt():
        w.call("Get-Thing", {"CustomAttribute1": value}, into="Thing", select=(value,))
    with w.on_failure():
        w.stop(value)
    return w.text()


HARMLESS = everything("harmless")
PLACES = literals(HARMLESS).count("harmless")


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_value_changes_nothing_but_its_own_text(value: str) -> None:
    script = everything(value)
    assert not problems(script)
    assert shape(script) == shape(HARMLESS)
    assert literals(script).count(value) == PLACES


@given(texts)
@settings(max_examples=60)
def test_any_text_is_read_back_as_itself(value: str) -> None:
    assert literals(f"$Name = {literal(value)}") == [value]


@given(texts, texts)
@settings(max_examples=25)
def test_any_two_texts_side_by_side_stay_two(first: str, second: str) -> None:
    script = f"$Name = {literal([first, second])}"
    assert literals(script) == [first, second]
    assert shape(script) == shape("$Name = @('a', 'b')")


@pytest.mark.slow
@given(texts)
@settings(max_examples=400)
def test_no_text_anywhere_changes_what_a_script_does(value: str) -> None:
    script = everything(value)
    assert shape(script) == shape(HARMLESS)
    assert literals(script).count(value) >= PLACES


@pytest.mark.parametrize("value", REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_seen_as_it_is_is_refused_by_the_name_of_its_parameter(value: str) -> None:
    with pytest.raises(UnsafeValueError, match=r"^DisplayName ") as refused:
        literal(value, "DisplayName")
    assert refused.value.parameter == "DisplayName"
    assert value not in str(refused.value)
    with pytest.raises(UnsafeValueError, match=r"^Name "):
        Writer().splat("Create", {"Name": value})


@pytest.mark.parametrize("value", [one for key, one in REFUSED.items() if key != "too long"])
def test_a_comment_cannot_be_ended_by_what_is_in_it(value: str) -> None:
    with pytest.raises(UnsafeValueError):
        Writer().comment(f"About {value}.")


def test_a_comment_that_powershell_takes_for_a_signature_is_refused() -> None:
    with pytest.raises(UnsafeValueError, match="signature"):
        Writer().comment("x SIG # Begin signature block")


@given(st.characters())
@settings(max_examples=100)
def test_every_character_is_written_as_itself_or_refused(sign: str) -> None:
    try:
        written = literal(sign)
    except UnsafeValueError:
        assert unseen(sign)
    else:
        assert literals(f"$Name = {written}") == [sign]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (True, "$true"),
        (False, "$false"),
        (None, "$null"),
        (0, "0"),
        (1080, "1080"),
        ([], "@()"),
        (("a", "b"), "@('a', 'b')"),
    ],
)
def test_other_values_are_written_as_powershell_has_them(value: bool | int | list[str] | None, written: str) -> None:
    assert literal(value) == written


@pytest.mark.parametrize("name", ["a b", "x;y", "", "$x", "1a", "a-b", "a'"])
def test_names_of_variables_and_parameters_are_no_place_for_values(name: str) -> None:
    w = Writer()
    calls: list[Value] = [name]
    for given_name in calls:
        assert isinstance(given_name, str)
        with pytest.raises(ValueError, match="not a name"):
            w.assign(given_name, 1)
        with pytest.raises(ValueError, match="not a name"):
            w.splat("Create", {given_name: 1})
        with pytest.raises(ValueError, match="not a name"):
            w.call(given_name)
    assert w.text().strip() in {"", "$Create = @{"}


def test_files_have_a_byte_order_mark_and_the_line_ends_of_windows() -> None:
    w = Writer()
    w.header("A title.")
    data = as_file(w.text())
    assert data.startswith(b"\xef\xbb\xbf#")
    assert data.count(b"\n") == data.count(b"\r\n")


def test_every_change_stands_within_whatif_and_confirm() -> None:
    w = Writer()
    w.header("A title.")
    with w.should_process("vmr", "make it"):
        w.call("New-Thing", {"Name": "vmr"})
    assert "[CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]" in w.text()
    assert "if ($PSCmdlet.ShouldProcess('vmr', 'make it')) {" in w.text()


def test_a_quote_in_the_name_of_a_group_cannot_end_the_filter_made_of_it() -> None:
    w = Writer()
    w.filter_by_group("Filter", Var("Group"))
    assert not problems(w.text())
    assert literals(w.text()) == ["'", "''", "MemberOfGroup -eq '{0}'"]


def test_otherwise_comes_right_after_a_block() -> None:
    w = Writer()
    w.say("x")
    with pytest.raises(ValueError, match="else"), w.otherwise():
        pass
