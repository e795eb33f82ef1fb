"""Reads PowerShell by the grammar tree-sitter-powershell, and holds scripts against the part of the language we write.

The grammar says what is a string and what is code; `quoting.py` then reads every string as PowerShell does, since the grammar does
not know typographic quotes. What a script may consist of is a list of what is allowed, so that anything new is a problem.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import tree_sitter
import tree_sitter_powershell

from support.powershell.quoting import BrokenStringError, single_quoted

_LANGUAGE: Final = tree_sitter.Language(tree_sitter_powershell.language())
_PARSER: Final = tree_sitter.Parser(_LANGUAGE)
Node = tree_sitter.Node

_KINDS: Final = ("expression", "argument_expression")
_PAIRED: Final = (
    "bitwise_expression",
    *(f"{level}_{kind}" for level in ("additive", "multiplicative", "range") for kind in _KINDS),
    "format_argument_expression",
)
"""Put two values together where they have two parts."""
_TYPE: Final = re.compile(r"\(([a-z_]+)")
LEVELS: Final = frozenset(
    f"{level}_{kind}"
    for level in ("logical", "bitwise", "comparison", "additive", "multiplicative", "format", "range")
    for kind in _KINDS
) | {
    "array_literal_expression",
    "unary_expression",
    "pipeline_chain",
    "argument_expression",
    "expression_with_unary_operator",
}
"""Nodes of one child that only say how tightly something binds."""

_ALLOWED: Final = LEVELS | {
    "program", "param_block", "attribute_list", "attribute", "attribute_name", "attribute_arguments", "attribute_argument",
    "type_spec", "type_name", "type_identifier", "type_literal", "parameter_list", "script_parameter",
    "statement_list", "statement_block", "empty_statement", "comment",
    "pipeline", "command", "command_name", "command_elements", "command_argument_sep", "command_parameter", "generic_token",
    "assignment_expression", "left_assignment_expression", "assignement_operator",
    "if_statement", "elseif_clauses", "elseif_clause", "else_clause", "foreach_statement",
    "try_statement", "catch_clauses", "catch_clause", "flow_control_statement",
    "variable", "string_literal", "verbatim_string_characters", "integer_literal", "decimal_integer_literal",
    "array_expression", "hash_literal_expression", "hash_literal_body", "hash_entry", "key_expression", "simple_name",
    "member_access", "member_name", "invokation_expression", "argument_list", "argument_expression_list", "argument_expression",
    "parenthesized_expression", "comparison_operator", "format_operator",
    "script_block_expression", "script_block", "script_block_body",
}  # fmt: skip
LIST_SEPARATOR: Final = " *, *"
_OPERATORS: Final = frozenset({"-eq", "-ne", "-contains", "-notcontains"})
_WORDS: Final = frozenset({"Latest", "UTF8", "String"})  # bare words that stand for themselves
_METHODS: Final = frozenset({"$PSCmdlet.ShouldProcess"})
_FORBIDDEN: Final = frozenset({"invoke-expression", "iex", "invoke-command", "add-type", "start-process", "new-object"})
_SIGNATURE: Final = re.compile(r"#\s*sig\s*#", re.IGNORECASE)
_REQUIRES: Final = re.compile(r"#requires\b", re.IGNORECASE)
_SCRIPT_BLOCKS: Final = frozenset({"Where-Object"})


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a script that is no PowerShell, or not of the part of it that we write."""

    line: int
    what: str


@lru_cache(maxsize=64)
def parse(text: str) -> tree_sitter.Tree:
    """Return the syntax tree. A byte order mark in front is no part of the script."""
    return _PARSER.parse(text.removeprefix("\ufeff").encode("utf-8", "surrogatepass"))


def text_of(node: Node) -> str:
    """Return what stands in the script at this node."""
    return (node.text or b"").decode("utf-8", "surrogatepass")


def walk(node: Node) -> Iterator[Node]:
    """Every node, in the order of the text."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        waiting.extend(reversed(one.children))


def parts(node: Node) -> list[Node]:
    """What a node consists of, without its punctuation and without comments."""
    return [part for part in node.named_children if part.type != "comment"]


def bare(node: Node) -> Node:
    """Go down through nodes that hold exactly one other and mean nothing by themselves."""
    while node.type in LEVELS and node.child_count == 1:
        (node,) = node.children
    return node


@lru_cache(maxsize=1024)
def problems(text: str) -> tuple[Problem, ...]:
    """Everything that is wrong with a script, in the order of its lines."""
    root = parse(text).root_node
    found = [Problem(node.start_point.row + 1, what) for node in _captured(text, "judged") for what in _wrong(node)]
    if root.has_error or set(_TYPE.findall(str(root))) - _ALLOWED:
        found += _unknown(root)
    return tuple(sorted([*found, *_signs(text)], key=lambda problem: problem.line))


def _unknown(root: Node) -> Iterator[Problem]:
    for node in walk(root):
        line = node.start_point.row + 1
        if node.is_missing or node.is_error:
            yield Problem(line, f"no PowerShell: {text_of(node)[:60]!r}")
        elif node.is_named and node.type not in _ALLOWED:
            yield Problem(line, f"{node.type} is not used here: {text_of(node)[:60]!r}")


def _captured(text: str, name: str) -> list[Node]:
    """Nodes of a kind that matters, in the order of the text, found without a look at all others."""
    return sorted(_found(text).get(name, []), key=lambda node: node.start_byte)


def _found(text: str) -> dict[str, list[Node]]:
    return tree_sitter.QueryCursor(_query()).captures(parse(text).root_node)


def captured(text: str, name: Literal["call", "assignment"]) -> list[Node]:
    """Every call or every assignment of a script."""
    return _captured(text, name)


def _wrong(node: Node) -> Iterator[str]:
    rule = _RULES.get(node.type)
    text = text_of(node)
    if rule is not None and (what := rule(node, text)):
        yield f"{what}: {text[:60]!r}"


def _string(node: Node, text: str) -> str | None:
    try:
        single_quoted(text)
    except BrokenStringError as error:
        return str(error)
    return None


def _comment(node: Node, text: str) -> str | None:
    if "<#" in text or "#>" in text or "\n" in text or "\r" in text.rstrip("\r"):
        return "a comment of several lines"
    return "PowerShell obeys this comment" if _SIGNATURE.match(text) or _REQUIRES.match(text) else None


def _cmdlet(node: Node, text: str) -> str | None:
    return "no cmdlet of ours" if text.lower() in _FORBIDDEN or "-" not in text else None


def _operator(node: Node, text: str) -> str | None:
    allowed = text.lower() in _OPERATORS or _on_texts(node, text.lower())
    return None if allowed else "an operator that is not used here"


def _on_texts(node: Node, operator: str) -> bool:
    """Texts are replaced, joined and split only by what is written right there, and is no pattern but that of a list."""
    if node.parent is None:
        return False
    right = bare(node.parent.children[-1])
    written = [bare(n) for n in parts(right)] if right.type == "array_literal_expression" else [right]
    if any(one.type != "string_literal" for one in written):
        return False
    texts = [single_quoted(text_of(one)) for one in written]
    match operator:
        case "-replace":
            return len(texts) == len(("pattern", "by")) and all(text.strip("'") == "" for text in texts)
        case "-join":
            return len(texts) == 1
        case "-split":
            return texts == [LIST_SEPARATOR]
    return False


def _word(node: Node, text: str) -> str | None:
    return None if text in _WORDS or splatted(text) else "a bare word"


def _method(node: Node, text: str) -> str | None:
    return None if text.partition("(")[0] in _METHODS else "a method that is not used here"


def _code(node: Node, text: str) -> str | None:
    return None if _owner(node) in _SCRIPT_BLOCKS else "code as a value"


def _format(node: Node, text: str) -> str | None:
    """A value may be put into a text that is written right there: for filters, which take no variables."""
    if node.child_count == 1:
        return None
    kinds = [bare(part).type for part in (node.children[0], node.children[-1])]
    return (
        None
        if kinds == ["string_literal", "variable"]
        else "a text that is not written there with something put into it"
    )


def _unary(node: Node, text: str) -> str | None:
    return None if text.lower().startswith(("-not", "!")) else "an operator that is not used here"


def _together(node: Node, text: str) -> str | None:
    return "an expression that puts values together" if node.child_count > 1 else None


_RULES: Final[dict[str, Callable[[Node, str], str | None]]] = {
    "verbatim_string_characters": _string,
    "comment": _comment,
    "command_name": _cmdlet,
    "comparison_operator": _operator,
    "generic_token": _word,
    "invokation_expression": _method,
    "script_block_expression": _code,
    "format_expression": _format,
    "expression_with_unary_operator": _unary,
    **dict.fromkeys(_PAIRED, _together),
}


@lru_cache(maxsize=1)
def _query() -> tree_sitter.Query:
    judged = [f"({one}) @judged" for one in _RULES if one not in _PAIRED]
    pairs = [f"({one} (_) (_)) @judged" for one in _PAIRED]
    kinds = {
        "string": "verbatim_string_characters",
        "comment": "comment",
        "call": "command",
        "assignment": "assignment_expression",
    }
    others = [f"({kind}) @{name}" for name, kind in kinds.items()]
    return tree_sitter.Query(_LANGUAGE, "\n".join([*judged, *pairs, *others]))


def _owner(node: Node) -> str | None:
    above = node.parent
    while above is not None and above.type != "command":
        above = above.parent
    return text_of(above.children[0]) if above is not None else None


def splatted(text: str) -> bool:
    return re.fullmatch(r"@[A-Za-z][A-Za-z0-9]*", text) is not None


def _signs(text: str) -> list[Problem]:
    """Outside strings and comments there is ASCII alone: PowerShell knows typographic dashes and quotes, too."""
    found_there = _found(text)
    inside = sorted((n.start_byte, n.end_byte) for kind in ("comment", "string") for n in found_there.get(kind, []))
    data = text.removeprefix("\ufeff").encode("utf-8", "surrogatepass")
    found: list[Problem] = []
    at = 0
    for start, end in [*inside, (len(data), len(data))]:
        code = data[at:start]
        if not code.isascii() or any(sign < ord(" ") and sign not in b"\r\n" for sign in code) or b"`" in code:
            found.append(
                Problem(data.count(b"\n", 0, start) + 1, "a sign in code that is not plain ASCII, or a backtick")
            )
        at = end
    return found


def literals(text: str) -> list[str]:
    """What PowerShell reads from every string of the script."""
    return [single_quoted(text_of(node)) for node in _captured(text, "string")]


@lru_cache(maxsize=1024)
def shape(text: str) -> tuple[str, tuple[bytes, ...]]:
    """The script without what its strings and its comments say: equal shapes do equal things with other values.

    The nodes of the tree, and the code between the strings without the space that means nothing.
    """
    found = _found(text)
    data = text.removeprefix("\ufeff").encode("utf-8", "surrogatepass")
    left_out = [(n.start_byte, n.end_byte, kind) for kind in ("comment", "string") for n in found.get(kind, [])]
    code: list[bytes] = []
    at, joined = 0, b""
    for start, end, kind in sorted(left_out):
        joined += data[at:start]
        at = end
        if kind == "string":
            code.append(b" ".join(joined.split()))
            joined = b""
    code.append(b" ".join((joined + data[at:]).split()))
    return re.sub(r" ?\(comment\)", "", str(parse(text).root_node)), tuple(code)
