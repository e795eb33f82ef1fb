"""The reader and the interpreter by which generated scripts are tested are right themselves."""

import pytest

from support.powershell.calls import calls
from support.powershell.cmdlets import misused
from support.powershell.plain import Outcome
from support.powershell.quoting import BrokenStringError, single_quoted
from support.powershell.reading import literals, problems, shape
from support.powershell.running import run
from support.powershell.values import Stopped


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("''", ""),
        ("'a'", "a"),
        ("'it''s'", "it's"),
        ("'$(x)`n'", "$(x)`n"),
        ("'\u2019\u2019'", "\u2019"),
        ("'\u2018''\u2019'", "'\u2019"),  # any two quotes stand for the second of them
        ("'a\u2019", "a"),  # and any of them ends a string
    ],
    ids=range(7),
)
def test_a_string_is_read_as_powershell_reads_it(written: str, value: str) -> None:
    assert single_quoted(written) == value


@pytest.mark.parametrize("written", ["", "a", "'", "'a", "'a'b'", "'a\u2019b'"])
def test_a_string_that_ends_elsewhere_is_no_string(written: str) -> None:
    with pytest.raises(BrokenStringError):
        single_quoted(written)


@pytest.mark.parametrize(
    "text",
    [
        "if (",
        '$a = "b"',
        '$a = "b$c"',
        '$a = "$(Get-Mailbox)"',
        "$a = $(Get-Mailbox)",
        "& 'Get-Mailbox'",
        ". 'x.ps1'",
        "Invoke-Expression -Command 'x'",
        "iex 'x'",
        "Get-Mailbox `\n -Identity 'x'",
        "Get-Mailbox -Identity x",
        "Get-Mailbox | ForEach-Object { $_ }",
        "$a = { Get-Mailbox }",
        "$a = [System.IO.File]::ReadAllText('x')",
        "$a = 'b' + 'c'",
        "$a = $b -f 'c'",
        "$a = $b -replace $c, 'd'",
        "$a = $b -replace '.*', 'd'",
        "$a = $b -match 'c'",
        "$a.ToString()",
        "$a = @'\nx\n'@",
        "<# x #>",
        "# SIG # Begin signature block",
        "#Requires -Version 9",
        "$a = 'it\u2019s'",
        "Get-Mailbox \u2013Identity 'x'",
        "$a = \u2018b\u2019",
        "notepad.exe",
        "function x { 'y' }",
        "while ($true) { 'y' }",
        "$a = 'b'; exit 1; $c = \u201cx\u201d",
    ],
    ids=range(31),
)
def test_what_we_do_not_write_is_a_problem(text: str) -> None:
    assert problems(text)


NO_PROPERTY = "The property 'c' cannot be found on this object. Verify that the property exists."
GOOD = """\
# A comment with 'quotes', $(values) and `ticks`
[CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
param(
    # why
    [switch]$Remove
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$Mailbox = 'it''s'
$Create = @{
    # because
    Name = $Mailbox
    Equipment = $true
    Rights = @('a', 'b')
}
$Found = Get-Mailbox -Identity $Mailbox -ErrorAction 'SilentlyContinue'
if ($null -eq $Found) {
    if ($PSCmdlet.ShouldProcess($Mailbox, 'create')) {
        $Found = New-Mailbox @Create -ErrorAction 'Stop'
    }
} else {
    Write-Host -Object 'There already.'
}
if ($Remove) { throw 'asked to' }
$Rows = @(foreach ($One in $Found) {
    @{
        Name = $One.Name
    }
})
$Facts = @{ rows = $Rows; none = $null; names = (@('x', 'y') -join ', ') }
ConvertTo-Json -InputObject $Facts -Depth 5 | Set-Content -Encoding 'UTF8' -LiteralPath 'facts.json'
"""


def test_what_we_write_is_no_problem() -> None:
    assert problems(GOOD) == ()
    assert literals(GOOD)[2] == "it's"
    new = next(call for call in calls(GOOD) if call.name == "New-Mailbox")
    assert new.given == (("Name", "value"), ("Equipment", "bool"), ("Rights", "list"), ("ErrorAction", "text"))
    assert new.guarded
    assert not next(call for call in calls(GOOD) if call.name == "Write-Host").guarded


def test_only_what_stands_in_strings_is_left_out_of_a_shape() -> None:
    assert shape(GOOD) == shape(GOOD.replace("it''s", "'' } Remove-Mailbox #"))
    assert shape(GOOD) == shape(GOOD.replace("# because", "# for another reason"))
    assert shape(GOOD) != shape(GOOD.replace("it''s", "it's"))
    assert shape(GOOD) != shape(GOOD.replace("$Found =", "$Other ="))
    assert shape(GOOD) != shape(GOOD.replace("-eq", "-ne"))


@pytest.mark.parametrize(
    ("call", "shell", "what"),
    [
        ("Get-Mailbox -Identity 'x'", "server", None),
        ("Get-Mailboxes -Identity 'x'", "server", "not a cmdlet"),
        ("Get-Mailbox -Identity 'x'", "graph", "not in this shell"),
        ("Get-Mailbox -Identiti 'x'", "server", "no parameter"),
        ("Get-Mailbox 'x'", "server", "without a name"),
        ("New-Mailbox -Name 'x' -Equipment", "online", None),
        ("New-Mailbox -Name 'x' -Equipment -Room", "online", "do not go together"),
        ("New-Mailbox -Equipment", "online", "do not go together"),
        ("Set-CalendarProcessing -Identity 'x' -AllowConflicts", "server", "takes a bool"),
        ("Set-CalendarProcessing -Identity 'x' -AllowConflicts 'true'", "server", "takes a bool"),
        ("Set-CalendarProcessing -Identity 'x' -BookingWindowInDays '9'", "server", "takes a int"),
        ("Set-CalendarProcessing -Identity 'x' -RemoveCanceledMeetings $false", "online", None),
        ("Set-CalendarProcessing -Identity 'x' -RemoveCanceledMeetings $false", "server", "not in this shell"),
        ("New-ManagementRoleAssignment -App 'x' -Role 'y' -RecipientGroupScope 'z'", "server", "not in this shell"),
        ("New-ManagementRoleAssignment -App 'x' -User 'u' -Role 'y'", "online", "do not go together"),
    ],
    ids=range(15),
)
def test_calls_are_held_against_the_reference(call: str, shell: str, what: str | None) -> None:
    found = misused(call, shell)  # type: ignore[arg-type]  # parametrized texts are no literals to mypy
    assert any(what in one.what for one in found) if what else found == []


def _run(text: str, **more: object) -> Outcome:
    there: list[str] = []

    def cmdlets(name: str, given: dict[str, object]) -> list[dict[str, object]]:
        if name == "New-Mailbox":
            there.append(str(given["Name"]))
        elif not there:
            raise Stopped("There is none.", "ObjectNotFound")
        return [{"Name": one} for one in there]

    return run(text, cmdlets, **more)  # type: ignore[arg-type]  # handed through


def test_a_script_runs() -> None:
    outcome = _run(GOOD)
    assert outcome.error == ""
    assert outcome.asked == [("it's", "create")]
    assert outcome.changes == [("New-Mailbox", {"Name": "it's", "Equipment": True, "Rights": ["a", "b"]})]
    assert '"rows": [\n        {\n            "Name": "it\'s"' in outcome.files["facts.json"]


def test_what_if_and_a_no_keep_a_script_from_changing_anything() -> None:
    assert _run(GOOD, what_if=True).changes == []
    assert _run(GOOD, confirm=lambda target, action: False).changes == []


def test_switches_reach_the_script_and_throw_ends_it() -> None:
    outcome = _run(GOOD, switches=["remove"])
    assert outcome.error == "asked to"
    assert outcome.files == {}


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("Get-Mailbox -Identity 'x'", "There is none."),
        ("Get-Mailbox -Identity 'x' -ErrorAction 'SilentlyContinue'", ""),
        ("try { Get-Mailbox -Identity 'x' } catch { throw 'said otherwise' }", "said otherwise"),
        ("try { Get-Mailbox -Identity 'x' } catch { throw }", "There is none."),
        ("try { Get-Mailbox -Identity 'x' } catch { Write-Warning -Message 'w' }", ""),
        ("Write-Host -Object $never", "The variable '$never' cannot be retrieved because it has not been set."),
        (
            "$a = @{ b = 1 }\nWrite-Host -Object $a.c",
            NO_PROPERTY,
        ),
        (
            "$a = $null\nWrite-Host -Object $a.c",
            NO_PROPERTY,
        ),
        ("return\nthrow 'not reached'", ""),
    ],
    ids=range(9),
)
def test_errors_end_a_script_unless_they_are_caught(text: str, error: str) -> None:
    assert _run(text).error == error


@pytest.mark.parametrize(
    "condition",
    [
        "'A' -eq 'a'",
        "1 -eq '1'",
        "'True' -eq $true",
        "$true -eq 'no'",
        "$null -eq $none",
        "@('a', 'B') -contains 'b'",
        "@('a') -notcontains 'c'",
        "-not (@())",
        "-not ($none)",
        "@(@('a', 'b') -ne 'a')",
        "('x, y ,z' -split ' *, *') -contains 'y'",
        "(@('x', 'y') -join ', ') -eq 'x, y'",
        "('a''b' -replace '''', '''''') -eq 'a''''b'",
        "($true -or $never) -and $true",
        "-not ($false -and $never)",
    ],
    ids=range(15),
)
def test_conditions_are_as_in_powershell(condition: str) -> None:
    text = f"$none = Get-Mailbox -Identity 'x' -ErrorAction 'Ignore'\nif ({condition}) {{ Write-Host -Object 'yes' }}"
    assert _run(text).said == ["yes"]
