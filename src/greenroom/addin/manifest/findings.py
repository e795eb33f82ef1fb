"""What a check of a manifest finds, and where."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lxml import etree

from greenroom.addin.manifest.elements import Element
from greenroom.addin.manifest.names import TYPE

# Counted by the library, not here: a file may have thousands of elements side by side.
_BEFORE: Any = etree.XPath("count(preceding-sibling::*[local-name() = $name])")
_FOLLOWED: Any = etree.XPath("boolean(following-sibling::*[local-name() = $name])")


class Severity(StrEnum):
    """An error keeps the add-in from being installed or from working; a warning is what somebody should know."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: `code` is short and stable, `line` 0 where it is about the whole file."""

    severity: Severity
    code: str
    line: int
    path: str
    what: str
    right: str


def error(code: str, at: Element, what: str, right: str) -> Finding:
    """Make a finding that keeps the add-in from working."""
    return _finding(Severity.ERROR, code, at, what, right)


def warning(code: str, at: Element, what: str, right: str) -> Finding:
    """Make a finding that somebody should know."""
    return _finding(Severity.WARNING, code, at, what, right)


def of_file(code: str, what: str, right: str, line: int = 0) -> Finding:
    """Make an error about the file as a whole."""
    return Finding(Severity.ERROR, code, line, "", what, right)


def _finding(severity: Severity, code: str, at: Element, what: str, right: str) -> Finding:
    return Finding(severity, code, line_of(at), path_of(at), what, right)


def line_of(element: Element) -> int:
    """The line an element begins in; 0 for one that was never read from a file."""
    line: Any = element.sourceline
    return int(line or 0)


def path_of(element: Element) -> str:
    """Say where an element stands: names from the root, a number where several of a name stand side by side."""
    steps: list[str] = []
    at: Element | None = element
    while at is not None:
        name = name_of(at)
        before = int(_BEFORE(at, name=name))
        steps.append(f"{name}[{before + 1}]" if before or _FOLLOWED(at, name=name) else name)
        at = at.getparent()
    return "/".join(reversed(steps))


def name_of(element: Element) -> str:
    """The name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def namespace_of(element: Element) -> str:
    """The namespace of an element; empty for none."""
    return str(element.tag).rpartition("}")[0].removeprefix("{")


def kind_of(element: Element) -> str:
    """The `xsi:type` of an element without a prefix; empty for none."""
    return (element.get(TYPE) or "").rpartition(":")[2]


def text_of(element: Element) -> str:
    """The text in an element, without space around it."""
    return (element.text or "").strip()


def children(parent: Element, *names: str) -> list[Element]:
    """The children that are elements, all or those of some names."""
    return [one for one in parent.iterchildren(tag=etree.Element) if not names or name_of(one) in names]


def child(parent: Element, *way: str) -> Element | None:
    """Go down by names, to the first of each; None where there is none."""
    at: Element | None = parent
    for name in way:
        at = next(iter(children(at, name)), None) if at is not None else None
    return at


def child_or_self(parent: Element, *way: str) -> Element:
    """Go down likewise, or stay: a finding needs a place. (`or` would not do: an element without children is false)."""
    found = child(parent, *way)
    return parent if found is None else found


def within(parent: Element, *names: str) -> Iterator[Element]:
    """All elements of these names below an element, but not those of version overrides nested in it."""
    waiting = children(parent)[::-1]
    while waiting:
        one = waiting.pop()
        if name_of(one) in names or not names:
            yield one
        if name_of(one) != "VersionOverrides":
            waiting += children(one)[::-1]
