"""Small things for building a tree of elements."""

from typing import TypeAlias

from lxml import etree

from greenroom.addin.manifest.names import TYPE

Element: TypeAlias = etree._Element  # noqa: SLF001 - lxml has no public name for the type of its elements


def add(parent: Element, tag: str, content: str | None = None, kind: str | None = None, **attributes: str) -> Element:
    """Add a child in the namespace of its parent; `kind` is its `xsi:type`."""
    return add_in(etree.QName(parent).namespace or "", parent, tag, content, kind, **attributes)


def add_in(
    namespace: str, parent: Element, tag: str, content: str | None = None, kind: str | None = None, **attributes: str
) -> Element:
    """Add a child in a namespace."""
    child = etree.SubElement(parent, f"{{{namespace}}}{tag}")
    if kind is not None:
        child.set(TYPE, kind)
    for name, value in attributes.items():
        child.set(name, value)
    child.text = content
    return child
