"""PowerShell, written so that no value can become code.

`literal` makes a value into text that PowerShell reads back as exactly that value; `Writer` makes scripts out of calls, so that no
module ever puts a value between pieces of code. A string is always in single quotes, where PowerShell inserts nothing:
https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_quoting_rules
"""

import re
import textwrap
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

LONGEST_VALUE: Final = 1000
_QUOTES: Final = re.compile("(['\u2018\u2019\u201a\u201b])")  # all of them end a single-quoted string
_BIDI: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_REFUSED: Final = {"Cc": "a control character", "Cs": "half a character", "Zl": "a line break", "Zp": "a line break"}
_NONCHARACTERS: Final = 0xFFFE  # the last two of every plane, and with them a byte order mark read backwards
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_CMDLET: Final = re.compile(r"[A-Z][a-z]+-[A-Za-z][A-Za-z0-9]*")
_SIGNATURE: Final = "sig # begin signature block"  # PowerShell reads a file up to this comment only
_QUIET: Final = frozenset({"Read-Host", "Get-Credential", "Write-Host", "Write-Warning", "Format-List"})
_QUOTE: Final = "''''"  # one quote and two, as PowerShell has them between quotes
_TWO_QUOTES: Final = "''''''"
_GROUP_FILTER: Final = "'MemberOfGroup -eq ''{0}'''"
_COLUMNS: Final = 110
_EOL: Final = "\r\n"


class UnsafeValueError(ValueError):
    """A value that is not written into a script. `parameter` is what it was meant for; the text does not repeat the value."""

    def __init__(self, parameter: str, reason: str) -> None:
        """Name the parameter and what is wrong with its value."""
        super().__init__(f"{parameter} {reason}")
        self.parameter = parameter
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Var:
    """A variable of the script, or with `prop` a property of it."""

    name: str
    prop: str = ""


@dataclass(frozen=True, slots=True)
class Switch:
    """The value of a parameter that takes none (`-Equipment`)."""


@dataclass(frozen=True, slots=True)
class Joined:
    """Texts, one after the other, with `between` between them."""

    items: Var | tuple[str | Var, ...]
    between: str


@dataclass(frozen=True, slots=True)
class Split:
    """The texts between the commas of a text; of no text at all it is one that is empty."""

    text: Var


Value = str | bool | int | Var | Switch | Joined | Split | Sequence["Value"] | Mapping[str, "Value"] | None
"""What a parameter can be given. A mapping is a hashtable."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What `Writer.when` asks. Made by the functions below alone."""

    text: str


def literal(value: str | bool | int | Sequence[str] | None, parameter: str = "value") -> str:
    """Write a value as PowerShell that means exactly this value.

    Raises `UnsafeValueError` naming `parameter` for text that an administrator could not see as it is, or that is too long.
    """
    return _written(value, parameter)


def checked(value: str, parameter: str) -> str:
    """Return the text as it is, or raise `UnsafeValueError`."""
    if len(value) > LONGEST_VALUE:
        raise UnsafeValueError(parameter, f"is longer than {LONGEST_VALUE:,} characters")
    return _visible(value, parameter)


def _visible(value: str, parameter: str) -> str:
    for sign in value:
        what = _REFUSED.get(unicodedata.category(sign))
        if what is None and sign in _BIDI:
            what = "a sign that turns the direction of text"
        if what is None and (sign == "\ufeff" or ord(sign) & _NONCHARACTERS == _NONCHARACTERS):
            what = "a code that is no character"
        if what is not None:
            raise UnsafeValueError(parameter, f"has {what} in it (U+{ord(sign):04X})")
    return value


def is_(left: Value, right: Value) -> Condition:
    """Both are equal (PowerShell does not mind upper and lower case)."""
    return Condition(f"{_written(left)} -eq {_written(right)}")


def is_not(left: Value, right: Value) -> Condition:
    """Both differ."""
    return Condition(f"{_written(left)} -ne {_written(right)}")


def holds(items: Var | Split, value: Value) -> Condition:
    """One of the items is this value."""
    return Condition(f"{_written(items)} -contains {_written(value)}")


def lacks(items: Var | Split, value: Value) -> Condition:
    """None of the items is this value."""
    return Condition(f"{_written(items)} -notcontains {_written(value)}")


def missing(found: Var) -> Condition:
    """Nothing was found."""
    return Condition(f"$null -eq {_written(found)}")


def present(found: Var) -> Condition:
    """Something was found; for a switch: it was given."""
    return Condition(f"$null -ne {_written(found)}")


def given(switch: Var) -> Condition:
    """The script's switch was given; also for any variable that is true or false."""
    return Condition(_written(switch))


def both(*conditions: Condition) -> Condition:
    """All of them."""
    return Condition(" -and ".join(f"({one.text})" for one in conditions))


def either(*conditions: Condition) -> Condition:
    """At least one of them."""
    return Condition(" -or ".join(f"({one.text})" for one in conditions))


def negated(condition: Condition) -> Condition:
    """Not this."""
    return Condition(f"-not ({condition.text})")


class Writer:
    """Script text out of calls. Names of cmdlets, parameters and variables are ours and are checked; values may be hostile."""

    def __init__(self) -> None:
        """Begin an empty script."""
        self._lines: list[str] = []
        self._depth = 0

    def text(self) -> str:
        """Return the script, its lines ended as Windows ends them."""
        return _EOL.join(self._lines) + _EOL

    def header(self, *about: str, switches: Mapping[str, str] | None = None, changes: bool = True) -> None:
        """Write what stands above everything: comments, -WhatIf and -Confirm, the script's own switches with what they are for."""
        for paragraph in about:
            self.comment(paragraph)
            self.blank()
        binding = "SupportsShouldProcess, ConfirmImpact = 'High'" if changes else ""
        self._line(f"[CmdletBinding({binding})]")
        self._line("param(")
        for place, (name, why) in enumerate((switches or {}).items(), start=1):
            with self._indented():
                self.comment(why)
                self._line(f"[switch]{_variable(name)}{',' if place < len(switches or {}) else ''}")
        self._line(")")
        self.blank()
        self._line("Set-StrictMode -Version Latest")
        self.assign("ErrorActionPreference", "Stop")

    def blank(self) -> None:
        """Leave a line empty."""
        self._lines.append("")

    def comment(self, text: str) -> None:
        """Write a comment, wrapped. Nothing in it can end the line, and so the comment."""
        if _SIGNATURE in text.lower():
            raise UnsafeValueError("a comment", "would end the script, since PowerShell takes it for a signature")
        text = _visible(text, "a comment").replace("#>", "# >").replace("<#", "< #")
        for line in textwrap.wrap(text, _COLUMNS - 4 * self._depth - 2, break_long_words=False, break_on_hyphens=False):
            self._line(f"# {line}")

    def assign(self, name: str, value: Value) -> None:
        """Set a variable."""
        self._line(f"{_variable(name)} = {_written(value, name, 4 * self._depth)}")

    def filter_by_group(self, name: str, group: Var) -> None:
        """Set a variable to the recipient filter that means: direct members of this group.

        Such a filter takes a distinguished name alone, which is only known there. Its quotes are doubled as Microsoft asks for:
        https://learn.microsoft.com/powershell/module/exchangepowershell/new-managementscope
        """
        self._line(f"$GroupName = {_written(Var(group.name, 'DistinguishedName'))} -replace {_QUOTE}, {_TWO_QUOTES}")
        self._line(f"{_variable(name)} = {_GROUP_FILTER} -f $GroupName")

    def splat(self, name: str, parameters: Mapping[str, Value], because: Mapping[str, str] | None = None) -> None:
        """Collect the parameters of a call in a variable, for `call(..., splat=name)`. `because` puts the reason above a value."""
        self._line(f"{_variable(name)} = @{{")
        with self._indented():
            for key, value in parameters.items():
                self.comment((because or {}).get(key, ""))
                self._line(f"{_named(key)} = {_written(value, key, 4 * self._depth)}")
        self._line("}")

    def call(
        self,
        cmdlet: str,
        parameters: Mapping[str, Value] | None = None,
        *,
        splat: str = "",
        into: str = "",
        show: bool = False,
        quiet_failure: bool = False,
        where: tuple[str, Value] | None = None,
        first: bool = False,
        select: Sequence[str] = (),
        into_file: Value = "",
    ) -> None:
        """Call a cmdlet; what it returns is put `into` a variable, shown, or dropped.

        A failure ends the script, since it is said at every call: cmdlets of a remote session do not see the script's
        `$ErrorActionPreference`. With `quiet_failure` nothing comes back instead. `where` keeps what has this property,
        `first` the first, `select` only these properties.
        """
        if not splat and any(name[-1].isdigit() for name in parameters or {}):
            # The grammar that scripts are checked with takes the digit of `-CustomAttribute1 x` for the number of a stream.
            splat = "Given"
            self.splat(splat, parameters or {})
            parameters = {}
        words = [_cmdlet(cmdlet)]
        if splat:
            words.append(f"@{_named(splat)}")
        words += [_argument(name, value) for name, value in (parameters or {}).items()]
        if cmdlet not in _QUIET:
            words.append(f"-ErrorAction '{'SilentlyContinue' if quiet_failure else 'Stop'}'")
        steps = [" ".join(words)]
        if where is not None:
            steps.append(f"Where-Object {{ $_.{_named(where[0])} -eq {_written(where[1], where[0])} }}")
        if select:
            steps.append(f"Select-Object -Property {_written(list(select))}")
        if first:
            steps.append("Select-Object -First 1")
        if into_file:
            steps.append(f"Set-Content -Encoding 'UTF8' -LiteralPath {_written(into_file, 'into_file')}")
        if not into and not show and not into_file and cmdlet not in _QUIET:
            steps.append("Out-Null")
        self._line((f"{_variable(into)} = " if into else "") + " | ".join(steps))

    def look(
        self,
        cmdlet: str,
        parameters: Mapping[str, Value],
        *,
        into: str,
        where: tuple[str, Value] | None = None,
        first: bool = False,
    ) -> None:
        """Look whether something is there: the variable is `$null` if it is not."""
        self.call(cmdlet, parameters, into=into, where=where, first=first, quiet_failure=True)

    def write_json(self, value: Var, path: Value) -> None:
        """Write a variable into a file as JSON."""
        self._line(
            f"ConvertTo-Json -InputObject {_written(value)} -Depth 5"
            f" | Set-Content -Encoding 'UTF8' -LiteralPath {_written(path, 'path')}"
        )

    def say(self, text: str | Var) -> None:
        """Tell the administrator something."""
        self.call("Write-Host", {"Object": text})

    def warn(self, text: str | Var) -> None:
        """Tell the administrator something that should be looked into."""
        self.call("Write-Warning", {"Message": text})

    def stop(self, text: str) -> None:
        """End the script with a sentence."""
        self._line(f"throw {literal(text)}")

    @contextmanager
    def when(self, condition: Condition) -> Iterator[None]:
        """Do what follows only if this is so; `otherwise` may come right after."""
        with self._block(f"if ({condition.text})"):
            yield

    @contextmanager
    def otherwise(self) -> Iterator[None]:
        """Do this instead. Comes right after `when`, `unless_exists` or `should_process`."""
        self._reopen("else")
        with self._closed():
            yield

    @contextmanager
    def unless_exists(
        self,
        cmdlet: str,
        parameters: Mapping[str, Value],
        *,
        into: str,
        where: tuple[str, Value] | None = None,
    ) -> Iterator[None]:
        """Look, and do what follows only if nothing was found."""
        self.look(cmdlet, parameters, into=into, where=where, first=where is not None)
        with self.when(missing(Var(into))):
            yield

    @contextmanager
    def should_process(self, target: str | Var, action: str) -> Iterator[None]:
        """Keep a change within what -WhatIf tells and -Confirm asks."""
        asked = f"{_written(target, 'target')}, {literal(action, 'action')}"
        with self._block(f"if ($PSCmdlet.ShouldProcess({asked}))"):
            yield

    @contextmanager
    def each(self, name: str, items: Value, *, into: str = "") -> Iterator[None]:
        """Do what follows for each item; `into` collects what is written by `emit` in a list."""
        head = f"foreach ({_variable(name)} in {_written(items, name)})"
        with self._block(f"{_variable(into)} = @({head}" if into else head, ends="})" if into else "}"):
            yield

    def emit(self, value: Value) -> None:
        """Return a value, within `each(..., into=...)`."""
        self._line(_written(value, "value", 4 * self._depth))

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Try what follows; `on_failure` comes right after."""
        with self._block("try"):
            yield

    @contextmanager
    def on_failure(self) -> Iterator[None]:
        """Say what it means that this failed."""
        self._reopen("catch")
        with self._closed():
            yield

    def _line(self, text: str) -> None:
        self._lines.append(" " * 4 * self._depth + text)

    @contextmanager
    def _indented(self) -> Iterator[None]:
        self._depth += 1
        yield
        self._depth -= 1

    @contextmanager
    def _closed(self, ends: str = "}") -> Iterator[None]:
        with self._indented():
            yield
        self._line(ends)

    @contextmanager
    def _block(self, head: str, ends: str = "}") -> Iterator[None]:
        self._line(f"{head} {{")
        with self._closed(ends):
            yield

    def _reopen(self, word: str) -> None:
        if not self._lines or self._lines[-1].strip() != "}":
            raise ValueError(f"`{word}` comes right after a block")
        self._lines[-1] += f" {word} {{"


def as_file(text: str) -> bytes:
    """Return a script as the bytes of a file. Windows PowerShell takes a file without a byte order mark for ANSI."""
    return text.encode("utf-8-sig")


def _written(value: Value, parameter: str = "value", indent: int = 0) -> str:
    if isinstance(value, str):
        doubled = _QUOTES.sub(r"\1\1", checked(value, parameter))
        return f"'{doubled}'"
    if isinstance(value, Var):
        return _variable(value.name) + (f".{_named(value.prop)}" if value.prop else "")
    if isinstance(value, Joined | Split):
        return _text(value, parameter)
    if isinstance(value, Mapping):
        inner = " " * (indent + 4)
        rows = [f"{inner}{_named(key)} = {_written(one, key, indent + 4)}" for key, one in value.items()]
        return _EOL.join(["@{", *rows, " " * indent + "}"])
    if isinstance(value, Sequence):
        return f"@({', '.join(_written(one, parameter, indent) for one in value)})"
    return _plain(value)


def _text(value: Joined | Split, parameter: str) -> str:
    if isinstance(value, Split):
        return f"({_written(value.text)} -split ' *, *')"
    return f"({_written(value.items, parameter)} -join {_written(value.between)})"


def _plain(value: bool | int | Switch | None) -> str:
    if value is None:
        return "$null"
    if value is True or isinstance(value, Switch):
        return "$true"
    return "$false" if value is False else str(value)


def _argument(name: str, value: Value) -> str:
    if isinstance(value, Switch):
        return f"-{_named(name)}"
    return f"-{_named(name)}{':' if isinstance(value, bool) else ' '}{_written(value, name)}"


def _variable(name: str) -> str:
    return f"${_named(name)}"


def _named(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError("not a name of a variable, a parameter or a property")
    return name


def _cmdlet(name: str) -> str:
    if not _CMDLET.fullmatch(name):
        raise ValueError("not a name of a cmdlet")
    return name
