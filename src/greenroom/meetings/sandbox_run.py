"""What a template runs in: an immutable sandbox whose filters and operators draw from a budget of work."""

import html
import re
from collections.abc import Callable, Iterable
from typing import Any, Final

import jinja2
from jinja2 import filters, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from greenroom.meetings.sandbox_rules import GREATEST, NODE_WORK, TESTS

WORK: Final = 2_000_000  # characters handled and nodes run, times their weight: some tenths of a second at the worst
LONGEST_VALUE: Final = 65_536
MOST_ROUNDS: Final = 5_000
_LONGEST_STRIP: Final = 100
_MOST_DECIMALS: Final = 10
_TAG: Final = re.compile(r"<!--[^>]*+-->|<[^<>]*+>")
_WIDE_FORMAT: Final = re.compile(r"%[^%a-zA-Z(*]*?(?:[(*]|[0-9]{4})")


class Halt(Exception):  # noqa: N818 - a signal between this module and its caller
    """A template wants more work, length or kinds of value than there are. The message quotes no value."""


class MeteredContext(Context):
    """The state of one run, with what is left of its budget."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.work_left = WORK
        self.rounds_left = MOST_ROUNDS

    def spend(self, work: int) -> None:
        """Draw from the budget; raises Halt when it is used up."""
        self.work_left -= work
        if self.work_left < 0:
            raise Halt("the text takes too much work")


class SandboxEnvironment(ImmutableSandboxedEnvironment):
    """One for all templates: it keeps nothing of what it runs."""

    context_class = MeteredContext
    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%"})
    intercepted_unops = frozenset({"+", "-"})

    def __init__(self) -> None:
        super().__init__(
            undefined=jinja2.StrictUndefined,
            autoescape=lambda name: name is not None and name.endswith(".html"),
            finalize=_printed,
            trim_blocks=True,
            lstrip_blocks=True,
            optimized=False,
            cache_size=0,
        )
        self.globals = {"range": _range}
        self.filters = {name: _metered(work) for name, work in _FILTERS.items()}
        self.filters |= {"_each": _each, "_concat": _concat, "_value": _value, "_list": _list}
        self.tests = {name: test for name, test in self.tests.items() if name in TESTS}
        # Their % would format a text instead.
        self.tests |= {"odd": _is_odd, "even": _is_even, "divisibleby": _is_divisible}

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Numbers only; + also joins two texts."""
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return _concat(context, left, right)
        _assert_number(left, right)
        return _scalar(context, super().call_binop(context, operator, left, right))

    def call_unop(self, context: Context, operator: str, arg: Any) -> Any:
        """Numbers only."""
        _assert_number(arg)
        return super().call_unop(context, operator, arg)


def _assert_number(*values: Any) -> None:
    if not all(isinstance(value, int | float) for value in values):
        raise Halt("this is for numbers only")


def _is_divisible(value: Any, by: Any) -> bool:
    _assert_number(value, by)
    return bool(value % by == 0)


def _is_even(value: Any) -> bool:
    return _is_divisible(value, 2)


def _is_odd(value: Any) -> bool:
    return not _is_divisible(value, 2)


def _assert_fits(length: int) -> None:
    if length > LONGEST_VALUE:
        raise Halt(f"a value is longer than {LONGEST_VALUE} characters")


def _spend(context: Context, work: int) -> None:
    assert isinstance(context, MeteredContext)
    context.spend(NODE_WORK + work)


def _scalar(context: Context, value: Any) -> Any:
    """Let pass a text of bounded length, a number, a truth value, None or an undefined; charge for it."""
    if isinstance(value, str):
        _assert_fits(len(value))
        _spend(context, len(value))
    elif isinstance(value, int | float):
        if abs(value) > GREATEST:
            raise Halt("a number has more than 15 digits")
        _spend(context, 0)
    elif value is not None and not isinstance(value, jinja2.Undefined):
        raise Halt("only texts and numbers are allowed here")
    return value


@pass_context
def _printed(context: Context, value: Any) -> Any:
    if isinstance(value, jinja2.Undefined):
        raise Halt("this has no value")
    return _scalar(context, value)


@pass_context
def _value(context: Context, value: Any) -> Any:
    """Let pass a flat list too."""
    if not isinstance(value, list | range):
        return _scalar(context, value)
    _spend(context, sum(len(item) if isinstance(item, str) else 1 for item in value))
    return value


@pass_context
def _list(context: Context, _: None, *items: Any) -> list[Any]:
    return [_scalar(context, item) for item in items]


@pass_context
def _concat(context: Context, *parts: Any) -> str:
    return _joined(context, "", [_scalar(context, part) for part in parts])


def _joined(context: Context, separator: Any, items: list[Any]) -> str:
    # Escaping makes a text up to five times as long; the result is looked at once more.
    _assert_fits(sum(len(str(item)) for item in items) + len(str(separator)) * max(0, len(items) - 1))
    if context.eval_ctx.autoescape and any(isinstance(item, Markup) for item in (separator, *items)):
        result: str = escape(separator).join(items)
    else:
        result = str(separator).join(map(str, items))
    _scalar(context, result)
    return result


@pass_context
def _each(context: Context, values: Any, cost: int) -> Iterable[Any]:
    if not isinstance(values, str | list | range):
        raise Halt("only lists, ranges and texts can be looped over")
    assert isinstance(context, MeteredContext)
    context.rounds_left -= len(values)
    if context.rounds_left < 0:
        raise Halt(f"more than {MOST_ROUNDS} rounds of loops")
    context.spend(len(values) * cost)
    return values


@pass_context
def _range(context: Context, *args: Any) -> range:
    if not all(isinstance(_scalar(context, arg), int) for arg in args):
        raise Halt("range is for whole numbers")
    values = range(*args)
    if len(values) > MOST_ROUNDS:
        raise Halt(f"a range of more than {MOST_ROUNDS}")
    return values


def _metered(work: Callable[..., Any]) -> Callable[..., Any]:
    check = _value if work in _FOR_LISTS else _scalar

    @pass_context
    def run(context: Context, value: Any, *args: Any, **named: Any) -> Any:
        check(context, value)
        for arg in (*args, *named.values()):
            _scalar(context, arg)
        return _scalar(context, work(context, value, *args, **named))

    return run


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)


def _replace(context: Context, value: Any, old: Any, new: Any, count: int = -1) -> str:
    text, old, new = _text(value), str(old), _text(new)
    times = text.count(old) if count < 0 else min(count, text.count(old))
    _assert_fits(len(text) + times * len(new))
    return filters.do_replace(context.eval_ctx, text, old, new, count)


def _truncate(context: Context, value: Any, length: int = 255, killwords: bool = False, end: str = "...") -> str:
    if not len(end) <= length <= LONGEST_VALUE:
        raise Halt("truncate takes a length of at least its ending")
    return filters.do_truncate(context.environment, _text(value), length, killwords, end, 0)


def _format(_: Context, value: Any, *args: Any) -> str:
    text = _text(value)
    if _WIDE_FORMAT.search(text):
        raise Halt("format takes widths of at most three digits, and no names or stars")
    _assert_fits(len(text) + sum(len(str(arg)) + 1000 for arg in args))
    return filters.do_format(text, *args)


def _trim(_: Context, value: Any, chars: str | None = None) -> str:
    if chars is not None and len(chars) > _LONGEST_STRIP:
        raise Halt(f"trim takes at most {_LONGEST_STRIP} characters")
    return filters.do_trim(_text(value), chars)


def _round(_: Context, value: Any, precision: int = 0, method: str = "common") -> float:
    _assert_number(value)
    if not 0 <= precision <= _MOST_DECIMALS or method not in {"common", "ceil", "floor"}:
        raise Halt(f"round takes 0 to {_MOST_DECIMALS} decimals, and common, ceil or floor")
    return filters.do_round(value, precision, method)  # type: ignore[arg-type]  # the literal was just checked


def _abs(_: Context, value: Any) -> Any:
    _assert_number(value)
    return abs(value)


def _first(context: Context, value: Any) -> Any:
    return value[0] if value else context.environment.undefined("an empty list has no first item")


def _last(context: Context, value: Any) -> Any:
    return value[-1] if value else context.environment.undefined("an empty list has no last item")


def _length(_: Context, value: Any) -> int:
    return len(value)


def _join(context: Context, value: Any, separator: Any = "") -> str:
    return _joined(context, separator, [_scalar(context, item) for item in value])


def _striptags(_: Context, value: Any) -> str:
    return " ".join(html.unescape(_TAG.sub("", str(value))).split())


def _default(_: Context, value: Any, instead: Any = "", boolean: bool = False) -> Any:
    return filters.do_default(value, instead, boolean)


_FOR_LISTS: Final = frozenset({_first, _last, _length, _join})
_FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "abs": _abs,
    "capitalize": lambda _, value: _text(value).capitalize(),
    "default": _default,
    "first": _first,
    "float": lambda _, value, instead=0.0: filters.do_float(value, instead),
    "format": _format,
    "int": lambda _, value, instead=0: filters.do_int(value, instead),
    "join": _join,
    "last": _last,
    "length": _length,
    "lower": lambda _, value: _text(value).lower(),
    "replace": _replace,
    "round": _round,
    "striptags": _striptags,
    "trim": _trim,
    "truncate": _truncate,
    "upper": lambda _, value: _text(value).upper(),
}
