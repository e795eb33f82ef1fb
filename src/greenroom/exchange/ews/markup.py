"""XML as EWS writes it, handled as hostile input: safe parsing, clean text, look-up by local name in any order."""

import re
import sys
from collections.abc import Iterator
from typing import TypeAlias

from lxml import etree

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"

Element: TypeAlias = etree._Element  # noqa: SLF001  lxml's public element type has only this name

_CONTROLS = bytes(c for c in range(32) if c not in (9, 10, 13))
_REFERENCE = re.compile(rb"&#(?!x[9AD];|1[03];)(?:x([0-9a-fA-F]{1,8})|([0-9]{1,8}));")
_BAD_TEXT = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PROLOG = re.compile(rb"(?:\xef\xbb\xbf)?(?:[ \t\r\n]++|<\?.*?\?>|<!--.*?-->)*+", re.DOTALL)


class MarkupError(ValueError):
    """The bytes are not XML that we accept; the text names the kind of fault, never content."""


def parse(data: bytes) -> Element:
    """Parse a document without entities, DTD, network or outsized nodes; raises MarkupError.

    Characters that XML 1.0 forbids (Exchange passes on what stands in a mailbox) are dropped first, raw or as references.
    """
    data = data.translate(None, _CONTROLS)
    if (match := _PROLOG.match(data)) and data.startswith(b"<!", match.end()):  # before the parser sees its entities
        raise MarkupError("document type declaration")
    if b"&#" in data:
        data = _REFERENCE.sub(_legal_reference, data)
    if b"\xef\xbf\xbe" in data or b"\xef\xbf\xbf" in data:
        data = data.replace(b"\xef\xbf\xbe", b"").replace(b"\xef\xbf\xbf", b"")
    try:
        root = _parse(data)
    except (etree.XMLSyntaxError, ValueError) as error:
        try:
            root = _parse(
                data.decode("utf-8", "replace").encode()
            )  # a single broken byte must not cost the whole reply
        except (etree.XMLSyntaxError, ValueError):
            raise MarkupError("not well-formed XML") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise MarkupError("document type declaration")
    return root


def _parse(data: bytes) -> Element:
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
    )
    return etree.fromstring(data, parser)


def _legal_reference(match: re.Match[bytes]) -> bytes:
    code = int(match[1], 16) if match[1] else int(match[2])
    legal = code <= sys.maxunicode and not _BAD_TEXT.match(chr(code))
    return match[0] if legal else b""


def clean(text: str) -> str:
    """Drop the characters XML 1.0 does not allow."""
    return _BAD_TEXT.sub("", text)


def local(element: Element) -> str:
    """Return the element's name without its namespace; empty for an unresolved entity or the like."""
    tag: object = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def children(element: Element | None, name: str | None = None) -> Iterator[Element]:
    """Yield the child elements, all or those of one local name."""
    if element is not None:
        for child in element:
            found = local(child)
            if found and (name is None or found == name):
                yield child


def child(element: Element | None, *path: str) -> Element | None:
    """Follow local names downwards, always to the first child so called; None where the way ends."""
    for name in path:
        element = next(children(element, name), None)
        if element is None:
            return None
    return element


def text_of(element: Element | None, *path: str) -> str:
    """Return the text at the end of a path, stripped; empty if there is none."""
    found = child(element, *path) if path else element
    return (found.text or "").strip() if found is not None else ""


def types(name: str, text: str | None = None, **attributes: str) -> Element:
    """Make an element of the types namespace."""
    return _make(TYPES, name, text, attributes)


def messages(name: str, text: str | None = None, **attributes: str) -> Element:
    """Make an element of the messages namespace."""
    return _make(MESSAGES, name, text, attributes)


def with_children(parent: Element, *parts: Element | None) -> Element:
    """Append what is not None and return the parent: requests read like the document they become."""
    for part in parts:
        if part is not None:
            parent.append(part)
    return parent


def _make(namespace: str, name: str, text: str | None, attributes: dict[str, str]) -> Element:
    element = etree.Element(f"{{{namespace}}}{name}", nsmap={"t": TYPES, "m": MESSAGES})
    for key, value in attributes.items():
        element.set(key, clean(value))
    if text is not None:
        element.text = clean(text)
    return element
