"""Which cmdlets a script calls, with the parameters as they are written and splatted."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from support.powershell.reading import LEVELS, Node, captured, parts, splatted, text_of, walk


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a cmdlet.

    `given` are the named parameters, the splatted ones with them, each with the kind of its value: text, bool, int, null, list,
    table, switch (no value), or value for what is only known when the script runs. `guarded` is a call within `ShouldProcess`.
    """

    name: str
    given: tuple[tuple[str, str], ...]
    line: int
    guarded: bool
    positional: int = 0


@lru_cache(maxsize=1024)
def calls(text: str) -> list[Call]:
    """Every call in the script, with the names of the parameters it is given."""
    tables = _tables(text)
    return [_call(node, tables) for node in captured(text, "call")]


_Tables = dict[str, list[tuple[int, tuple[tuple[str, str], ...]]]]
_VALUES: Final = {
    "string_literal": "text",
    "generic_token": "text",
    "integer_literal": "int",
    "array_expression": "list",
    "array_literal_expression": "list",
    "hash_literal_expression": "table",
}


def _kind(node: Node) -> str:
    node = _inner(node)
    if node.type == "variable":
        return {"$true": "bool", "$false": "bool", "$null": "null"}.get(text_of(node).lower(), "value")
    return _VALUES.get(node.type, "value")


def _inner(node: Node) -> Node:
    while node.type == "pipeline" or (node.type in LEVELS and node.child_count == 1):
        node = node.children[0]
    return node


def _tables(text: str) -> _Tables:
    """Which hashtable a variable holds, by the place from which on."""
    found: _Tables = {}
    for node in captured(text, "assignment"):
        value = _inner(node.children[-1])
        if value.type == "hash_literal_expression":
            entries = [parts(entry) for body in parts(value) for entry in parts(body)]
            keys = tuple((text_of(entry[0]), _kind(entry[-1])) for entry in entries)
            found.setdefault(text_of(node.children[0]).lstrip("$").lower(), []).append((node.start_byte, keys))
    return found


def _call(node: Node, tables: _Tables) -> Call:
    given: list[tuple[str, str]] = []
    positional, waiting = 0, ""
    elements = [part for block in node.children[1:] for part in parts(block) if part.type != "command_argument_sep"]
    for part in elements:
        text = text_of(part)
        if part.type == "command_parameter":
            given += [(waiting, "switch")] if waiting else []
            waiting = text.lstrip("-")
        elif splatted(text):
            earlier = [keys for at, keys in tables.get(text[1:].lower(), []) if at < node.start_byte]
            given += earlier[-1] if earlier else [(text, "a table that is nowhere")]
        elif waiting:
            given.append((waiting, _kind(part)))
            waiting = ""
        else:
            positional += 1
    given += [(waiting, "switch")] if waiting else []
    return Call(text_of(node.children[0]), tuple(given), node.start_point.row + 1, _guarded(node), positional)


def _guarded(node: Node) -> bool:
    block = node.parent
    while block is not None:
        above = block.parent
        if above is not None and above.type == "if_statement" and block.type == "statement_block":
            condition = next(part for part in parts(above) if part.type == "pipeline")
            if any(one.type == "invokation_expression" for one in walk(condition)):
                return True
        block = above
    return False
