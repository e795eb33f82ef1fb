"""Bodies as Graph hands them out: in the kind the caller prefers, without what it holds to be unsafe unless that is asked for."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from lxml import etree
from lxml import html as lxml_html

from greenroom.simulator.ews.bodies import as_kind, html_to_text
from greenroom.simulator.graph.fields import choice, members, text
from greenroom.simulator.model import Body

if TYPE_CHECKING:
    from greenroom.simulator.graph.call import Preferences

PREVIEW: Final = 255
_UNSAFE: Final = frozenset(
    {"script", "style", "iframe", "object", "embed", "applet", "form", "base", "frame", "frameset"}
)
_LINKS: Final = frozenset({"href", "src", "action", "background", "poster", "formaction", "cite", "longdesc"})
_SCHEME: Final = re.compile(r"\s*([a-z][a-z0-9+.\-]*):", re.IGNORECASE)
_KNOWN_SCHEMES: Final = frozenset({"http", "https", "mailto", "tel", "cid", "ftp", "sip", "sips", "callto"})
_KINDS: Final = {"html": "HTML", "text": "Text"}


def shown(body: Body, prefer: Preferences) -> dict[str, str]:
    """The itemBody of a body."""
    wanted = "text" if prefer.body_type == "text" else "html"
    if not body.content:
        return {"contentType": wanted, "content": ""}
    _, content = as_kind(body, "Text" if wanted == "text" else "HTML")
    if wanted == "html" and not prefer.unsafe_html:
        content = safe_html(content)
    return {"contentType": wanted, "content": content}


def preview(body: Body) -> str:
    """The first 255 characters as plain text."""
    content = html_to_text(body.content[: PREVIEW * 400]) if body.type == "HTML" else body.content
    return content[:PREVIEW]


def read(value: Any) -> Body:
    """Read an itemBody; null is an empty one. Raises GraphError (400)."""
    if value is None:
        return Body()
    parts = members(value, "body")
    kind = choice(parts.get("contentType") or "text", "body.contentType", _KINDS)
    return Body(text(parts.get("content"), "body.content"), kind)


@lru_cache(maxsize=128)
def safe_html(content: str) -> str:
    """HTML without scripts, style sheets, comments, event attributes and links of unknown protocols."""
    parser = lxml_html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    try:
        root = lxml_html.document_fromstring(content.encode("utf-8", "replace"), parser=parser)
    except etree.ParserError:
        return ""
    for element in list(root.iter(etree.Element)):
        tag = str(element.tag).lower()
        if tag in _UNSAFE:
            _drop(element)
            continue
        for name in list(element.attrib):
            if _is_unsafe(str(name).lower(), str(element.get(name))):
                del element.attrib[name]
    return str(lxml_html.tostring(root, encoding="unicode", include_meta_content_type=True))


def _drop(element: etree._Element) -> None:
    """Take an element out with all that is in it; the text behind it stays."""
    parent = element.getparent()
    if parent is None:
        return
    if element.tail:
        before = element.getprevious()
        if before is None:
            parent.text = (parent.text or "") + element.tail
        else:
            before.tail = (before.tail or "") + element.tail
    parent.remove(element)


def _is_unsafe(name: str, value: str) -> bool:
    if name.startswith("on"):
        return True
    if name.rpartition("}")[2] not in _LINKS:
        return False
    match = _SCHEME.match(re.sub(r"[\x00-\x20]+", "", value))
    return match is not None and match[1].lower() not in _KNOWN_SCHEMES
