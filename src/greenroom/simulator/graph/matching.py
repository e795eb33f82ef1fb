"""Which operation a request means: method and address against the table of routes."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from greenroom.simulator.graph.call import GraphError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from greenroom.simulator.graph.call import Route

_KEY_IN_BRACKETS: Final = re.compile(r"^([A-Za-z]+)\('([^']*)'\)$")
_MAX_SEGMENTS: Final = 12


class Router:
    """Finds routes. Literal parts of an address are compared without regard to case, as Graph does."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._by_length: defaultdict[int, list[tuple[tuple[str, ...], Route]]] = defaultdict(list)
        self.add(*routes)

    def add(self, *routes: Route) -> None:
        """Take in further routes."""
        for route in routes:
            parts = tuple(route.template.split("/"))
            self._by_length[len(parts)].append((parts, route))

    def match(self, method: str, path: str) -> tuple[Route, Mapping[str, str]]:
        """The route of an address (below the service's root, still percent-encoded), and its values.

        Raises GraphError for an address that is none, and for a method that the address does not have.
        """
        given = _segments(path)
        if given[:1] == ["me"]:
            raise GraphError(400, "BadRequest", "/me request is only valid with delegated authentication flow.")
        candidates = [
            (parts, route) for parts, route in self._by_length.get(len(given), ()) if _values(parts, given) is not None
        ]
        if not candidates:
            last = given[-1] if given else ""
            raise GraphError(400, "BadRequest", f"Resource not found for the segment '{last[:100]}'.")
        for parts, route in candidates:
            values = _values(parts, given)
            if route.method == method and values is not None:
                return route, values
        raise GraphError(405, "BadRequest", "Specified HTTP method is not allowed for the request target.")


def _segments(path: str) -> list[str]:
    """The decoded segments; `users('id')` is two of them, a function's empty brackets are left out."""
    found: list[str] = []
    for raw in path.strip("/").split("/")[: _MAX_SEGMENTS + 1]:
        part = unquote(raw)
        bracketed = _KEY_IN_BRACKETS.match(part)
        found += [bracketed[1], bracketed[2]] if bracketed else [part.removesuffix("()")]
    return found


def _values(parts: tuple[str, ...], given: list[str]) -> dict[str, str] | None:
    values: dict[str, str] = {}
    for part, one in zip(parts, given, strict=True):
        if part.startswith("{"):
            if not one:
                return None
            values[part[1:-1]] = one
        elif one.removeprefix("microsoft.graph.").lower() != part.lower():
            return None
    return values
