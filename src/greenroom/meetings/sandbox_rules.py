"""What a template may be made of, judged from its syntax tree before anything runs."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from jinja2 import nodes

NODE_WORK: Final = 8
_FILTERS_OF_TEXT: Final = ("capitalize", "format", "lower", "replace", "striptags", "trim", "truncate", "upper")
_FILTERS_OF_OTHERS: Final = ("abs", "default", "first", "float", "int", "join", "last", "length", "round")
FILTERS: Final = frozenset(_FILTERS_OF_TEXT + _FILTERS_OF_OTHERS)
_TESTS_OF_KIND: Final = (
    "boolean",
    "defined",
    "false",
    "float",
    "integer",
    "none",
    "number",
    "string",
    "true",
    "undefined",
)
_TESTS_OF_VALUE: Final = ("divisibleby", "even", "in", "lower", "odd", "upper")
_COMPARISONS: Final = ("eq", "equalto", "ge", "greaterthan", "gt", "le", "lessthan", "lt", "ne")
TESTS: Final = frozenset(_TESTS_OF_KIND + _TESTS_OF_VALUE + _COMPARISONS + ("==", "!=", "<", "<=", ">", ">="))
GLOBALS: Final = frozenset({"range"})
_LOOP_PLACES: Final = ("index", "index0", "revindex", "revindex0", "first", "last", "length", "depth", "depth0")
_LOOP: Final = frozenset((*_LOOP_PLACES, "previtem", "nextitem"))
_RESERVED: Final = frozenset(("loop", "range", "self", "super", "caller", "varargs", "kwargs"))
GREATEST: Final = 10**15
_DEEPEST: Final = 40
_ALLOWED: Final = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.If,
    nodes.For,
    nodes.Assign,
    nodes.AssignBlock,
    nodes.FilterBlock,
    nodes.Name,
    nodes.Const,
    nodes.List,
    nodes.Tuple,
    nodes.CondExpr,
    nodes.Filter,
    nodes.Test,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Slice,
    nodes.Concat,
    nodes.Compare,
    nodes.Operand,
    nodes.Add,
    nodes.Sub,
    nodes.Mul,
    nodes.Div,
    nodes.FloorDiv,
    nodes.Mod,
    nodes.Not,
    nodes.Neg,
    nodes.Pos,
    nodes.And,
    nodes.Or,
    nodes.Call,
    nodes.Keyword,
)


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """What is wrong in which line, and what is allowed instead."""

    line: int
    text: str
    allowed: str = ""


def find_problems(tree: nodes.Template, names: Collection[str]) -> list[Problem]:
    """Judge every node of a tree; `names` are the variables it may use. Walks without recursion, whatever the depth."""
    known = set(names) | GLOBALS | _stored(tree)
    problems: set[Problem] = set()
    waiting: list[tuple[nodes.Node, int, bool]] = [(tree, 1, False)]
    while waiting:
        node, depth, in_loop = waiting.pop()
        if depth > _DEEPEST:
            return [Problem(node.lineno or 1, "nested too deeply", f"at most {_DEEPEST} levels")]
        text, allowed = _judge(node, known if not in_loop else known | {"loop"}, names)
        if text:
            problems.add(Problem(node.lineno or 1, text, allowed))
        inside = in_loop or isinstance(node, nodes.For)
        waiting.extend((child, depth + 1, inside) for child in node.iter_child_nodes())
    return sorted(problems)


def _stored(tree: nodes.Template) -> set[str]:
    found = set()
    waiting: list[nodes.Node] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, nodes.Name) and node.ctx == "store":
            found.add(node.name)
        waiting.extend(node.iter_child_nodes())
    return found


def _judge(node: nodes.Node, known: Collection[str], names: Collection[str]) -> tuple[str, str]:  # noqa: C901, PLR0911 - a case for each rule
    match node:
        case nodes.For(recursive=True):
            return "a loop cannot call itself", "for without recursive"
        case nodes.Name(ctx="store", name=name) if name in _RESERVED or name.startswith("_"):
            return f"the name {name[:40]} cannot be set", "another name"
        case nodes.Name(ctx="load", name=name) if name not in known:
            return f"unknown variable {name[:40]}", ", ".join(sorted(names)) or "no variables"
        case nodes.Filter(name=name) if name not in FILTERS:
            return f"unknown filter {name[:40]}", ", ".join(sorted(FILTERS))
        case nodes.Filter() | nodes.Test() | nodes.Call() if node.dyn_args or node.dyn_kwargs:
            return "arguments cannot be unpacked", "without a star"
        case nodes.Test(name=name) if name not in TESTS:
            return f"unknown test {name[:40]}", ", ".join(sorted(TESTS))
        case nodes.Call(node=target) if not (isinstance(target, nodes.Name) and target.name in GLOBALS):
            return "only range can be called", "range(...), and filters"
        case nodes.Getattr(node=target, attr=attr) if not _is_loop_attribute(target, attr):
            return f"no attribute {attr[:40]}", ", ".join(f"loop.{name}" for name in sorted(_LOOP))
        case nodes.Const(value=value) if isinstance(value, int | float) and abs(value) > GREATEST:
            return "a number is too great", f"at most {GREATEST}"
        case _ if type(node) not in _ALLOWED:
            return f"{_spoken(node)} is not allowed", "if, for, set, raw, filter blocks and expressions"
        case _:
            return "", ""


def _is_loop_attribute(target: nodes.Node, attr: str) -> bool:
    return isinstance(target, nodes.Name) and target.name == "loop" and attr in _LOOP


def _spoken(node: nodes.Node) -> str:
    return {"Pow": "the operator **", "CallBlock": "call", "FromImport": "import"}.get(
        type(node).__name__, type(node).__name__.lower()
    )
