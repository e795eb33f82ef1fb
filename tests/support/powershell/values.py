"""What PowerShell's values do: comparing, being true, having properties. As strict as `Set-StrictMode -Version Latest` makes it."""

import base64
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final


class Stopped(Exception):  # noqa: N818  (it is how a script ends, not an error of ours)
    """A terminating error of the script; `category` is the cmdlet's, or empty for `throw` and for errors of the language.

    `binding` is an error of the command line (no such cmdlet, no such parameter), which no -ErrorAction silences.
    """

    def __init__(self, text: str, category: str = "", *, binding: bool = False) -> None:
        super().__init__(text)
        self.text = text
        self.category = category
        self.binding = binding


class Nothing:
    """What a command leaves that returned no object. Compares as $null, but is no element of a list."""

    def __repr__(self) -> str:
        return "NOTHING"


NOTHING: Final = Nothing()


class Secret(str):
    """What was typed into `Read-Host -AsSecureString`: never shown."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret(...)"


class Record(dict[str, Any]):
    """An object of PowerShell, or with `is_table` a hashtable: names in any case."""

    def __init__(self, values: Mapping[str, Any] | None = None, *, is_table: bool = False) -> None:
        super().__init__()
        self.is_table = is_table
        for name, value in (values or {}).items():
            if self.spelled(name) is not None:
                raise Stopped(f"Duplicate keys '{name}' are not allowed in hash literals.")
            self[name] = value

    def spelled(self, name: str) -> str | None:
        """Return the name as it was written first, or None if there is none."""
        return next((own for own in self if own.lower() == name.lower()), None)


def brought_in(value: Any) -> Any:
    """Make JSON into objects as a remote session does."""
    if isinstance(value, Mapping):
        return Record({name: brought_in(one) for name, one in value.items()})
    if isinstance(value, list | tuple):
        return [brought_in(one) for one in value]
    return value


def sent_out(value: Any) -> Any:
    """Make a value into JSON, as a parameter of a cmdlet."""
    if isinstance(value, Mapping):
        return {name: sent_out(one) for name, one in value.items()}
    if isinstance(value, list):
        return [sent_out(one) for one in value]
    if isinstance(value, Secret):
        return str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return None if value is NOTHING else value


def collected(values: list[Any]) -> Any:
    """What a variable holds of so many objects: none, the one, or a list."""
    return NOTHING if not values else values[0] if len(values) == 1 else list(values)


def unrolled(value: Any) -> list[Any]:
    """What a value sends down a pipeline."""
    return [] if value is NOTHING else list(value) if isinstance(value, list) else [value]


def is_null(value: Any) -> bool:
    return value is None or value is NOTHING


def truth(value: Any) -> bool:
    if isinstance(value, list):
        return truth(value[0]) if len(value) == 1 else len(value) > 1
    if isinstance(value, Record):
        return True
    return not is_null(value) and bool(value)


def spoken(value: Any) -> str:
    """How a value looks in text."""
    if isinstance(value, Secret):
        return "System.Security.SecureString"
    if isinstance(value, Record):
        return "System.Collections.Hashtable" if value.is_table else "@{...}"
    if isinstance(value, list):
        return " ".join(spoken(one) for one in value)
    return "" if is_null(value) else str(value)


def equal(left: Any, right: Any) -> bool:
    """`-eq` between single values: the right one is made into what the left one is."""
    if is_null(left) or is_null(right):
        return is_null(left) and is_null(right)
    if isinstance(left, bool):
        return left is truth(right)
    if isinstance(left, int) and not isinstance(right, list | Record):
        try:
            return left == int(right)
        except ValueError:
            return False
    if isinstance(left, str) and not isinstance(right, Record):
        return left.casefold() == spoken(right).casefold()
    return left is right


def compared(left: Any, operator: str, right: Any) -> Any:
    """`-eq`, `-ne`, `-contains`, `-notcontains`; the first two filter a list, as PowerShell's do."""
    if operator in {"-contains", "-notcontains"}:
        found = any(equal(one, right) for one in unrolled(left))
        return found is (operator == "-contains")
    wanted = operator == "-eq"
    if operator not in {"-eq", "-ne"}:
        raise NotImplementedError(operator)
    if isinstance(left, list):
        return [one for one in left if equal(one, right) is wanted]
    return equal(left, right) is wanted


def replaced(value: Any, operator: str, by: list[str]) -> str:
    """`-replace` with a pattern and a replacement that mean nothing but themselves."""
    pattern, replacement = by
    return spoken(value).replace(pattern, replacement)


def joined(items: Any, operator: str, between: str) -> str:
    return between.join(spoken(one) for one in unrolled(items))


def split(text: Any, operator: str, pattern: str) -> list[str]:
    """`-split`, which makes one empty text out of no text at all."""
    return re.split(pattern, spoken(text))


TEXTS: Final[Mapping[str, Callable[[Any, str, Any], Any]]] = {"-replace": replaced, "-join": joined, "-split": split}


def formatted(text: str, value: Any) -> str:
    """`-f` with one value in the place of `{0}`; no other braces are written."""
    if set(text.replace("{0}", "")) & {"{", "}"}:
        raise NotImplementedError(text)
    return text.replace("{0}", spoken(value))


def member(value: Any, name: str) -> Any:
    """A property. One that is not there ends a strict script."""
    missing = Stopped(f"The property '{name}' cannot be found on this object. Verify that the property exists.")
    if isinstance(value, Record):
        spelled = value.spelled(name)
        if spelled is not None:
            return value[spelled]
        if value.is_table and name.lower() == "count":
            return len(value)
        raise missing
    if isinstance(value, list):
        if name.lower() in {"count", "length"}:
            return len(value)
        having = [one for one in value if isinstance(one, Record) and one.spelled(name) is not None]
        if not having:
            raise missing
        return collected([inner for one in having for inner in unrolled(member(one, name))])
    if isinstance(value, str) and name.lower() == "length":
        return len(value)
    raise missing


def as_json(value: Any, depth: int) -> str:
    """`ConvertTo-Json`. PowerShell cuts off what is deeper than `depth` without saying so; here that is an error."""
    if _depth(value) > depth:
        raise AssertionError(f"ConvertTo-Json -Depth {depth} cuts off what is deeper")
    return json.dumps(sent_out(value), ensure_ascii=False, indent=4)


def _depth(value: Any) -> int:
    inner: Iterable[Any] = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return max((1 + _depth(one) for one in inner), default=0)
