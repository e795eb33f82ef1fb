"""Namespaces and qualified names of EWS, and small helpers to build and read elements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Iterator

SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
MESSAGES: Final = "http://schemas.microsoft.com/exchange/services/2006/messages"
TYPES: Final = "http://schemas.microsoft.com/exchange/services/2006/types"
ERRORS: Final = "http://schemas.microsoft.com/exchange/services/2006/errors"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"

NSMAP: Final[dict[str | None, str]] = {"s": SOAP, "m": MESSAGES, "t": TYPES}

_ILLEGAL: Final = dict.fromkeys(
    [*(c for c in range(0x20) if c not in (0x9, 0xA, 0xD)), 0xFFFE, 0xFFFF, *range(0xD800, 0xE000)]
)


def s(name: str) -> str:
    """Qualify a name of the SOAP envelope."""
    return f"{{{SOAP}}}{name}"


def m(name: str) -> str:
    """Qualify a name of the messages namespace."""
    return f"{{{MESSAGES}}}{name}"


def t(name: str) -> str:
    """Qualify a name of the types namespace."""
    return f"{{{TYPES}}}{name}"


def words(text: str) -> tuple[str, ...]:
    """A table of names, written as one text."""
    return tuple(text.split())


def xml_text(text: str) -> str:
    """Drop the characters XML 1.0 cannot carry, as Exchange does."""
    return text.translate(_ILLEGAL)


def sub(parent: etree._Element, tag: str, text: str | None = None, **attributes: str) -> etree._Element:
    """Append a child with text and attributes; returns the child."""
    child = etree.SubElement(parent, tag, {name: xml_text(value) for name, value in attributes.items()})
    if text is not None:
        child.text = xml_text(text)
    return child


def local(element: etree._Element) -> str:
    """The name of an element without its namespace."""
    return etree.QName(element).localname


def children(element: etree._Element | None) -> Iterator[etree._Element]:
    """The child elements, without comments and processing instructions."""
    if element is not None:
        for child in element:
            if isinstance(child.tag, str):
                yield child


def text_of(parent: etree._Element | None, tag: str) -> str | None:
    """The text of the first child of that name; None when there is no such child."""
    child = parent.find(tag) if parent is not None else None
    return None if child is None else (child.text or "")
