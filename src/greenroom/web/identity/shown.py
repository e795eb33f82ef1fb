"""How details of refusals show what a token held: short, on one line, and nothing that is a person's."""

from collections.abc import Iterable
from typing import Any

_LONGEST = 160
_MOST = 5


def shown(value: Any) -> str:
    """Show a value that is a code (an audience, an issuer, a tenant, a key's id); of anything but text only what it is."""
    if value is None:
        return "nothing"
    if isinstance(value, str):
        whole = "".join(letter if letter.isprintable() else "?" for letter in value[:_LONGEST])
        return f'"{whole}{"..." if len(value) > _LONGEST else ""}"'
    if isinstance(value, bool):
        return "a truth value"
    return {int: "a number", float: "a number", list: "a list", dict: "an object"}.get(type(value), "something else")


def listed(values: Iterable[str]) -> str:
    """Show what was expected, at most a few."""
    every = list(values)
    more = ["..."] if len(every) > _MOST else []
    return " or ".join([shown(value) for value in every[:_MOST]] + more)
