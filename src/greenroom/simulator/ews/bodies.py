"""Bodies as Exchange hands them out: HTML as a whole document, text made to HTML and HTML made to text on demand."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Final, Literal

from lxml import etree
from lxml import html as lxml_html

from greenroom.simulator.ews.names import words

if TYPE_CHECKING:
    from greenroom.simulator.model import Body

BodyKind = Literal["HTML", "Text"]

_META: Final = '<meta http-equiv="Content-Type" content="text/html; charset=utf-8">'
_BLOCKS: Final = frozenset(
    words("address article blockquote div dl dt dd h1 h2 h3 h4 h5 h6 hr li ol p pre section table tr ul")
)
_SILENT: Final = frozenset({"script", "style", "head", "title"})


def as_kind(body: Body, wanted: Literal["Best", "HTML", "Text"]) -> tuple[BodyKind, str]:
    """Give a body in the form a response shape asks for; Best is the form it is stored in."""
    kind: BodyKind = body.type if wanted == "Best" else wanted
    if kind == body.type:
        return kind, (_document(body.content) if kind == "HTML" and body.content else body.content)
    return kind, (text_to_html(body.content) if kind == "HTML" else html_to_text(body.content))


def _document(content: str) -> str:
    if re.search(r"<html[\s>]", content[:2048], re.IGNORECASE):
        return content
    return f"<html>\r\n<head>\r\n{_META}\r\n</head>\r\n<body>\r\n{content}\r\n</body>\r\n</html>\r\n"


def text_to_html(text: str) -> str:
    """Make an HTML document of plain text, with the remark Exchange leaves in such documents."""
    lines = "<br>\r\n".join(html.escape(line, quote=False).replace("  ", "&nbsp; ") for line in text.splitlines())
    return (
        f"<html>\r\n<head>\r\n{_META}\r\n<!-- converted from text -->\r\n</head>\r\n<body>\r\n"
        f'<div class="PlainText">{lines}</div>\r\n</body>\r\n</html>\r\n'
    )


def html_to_text(content: str) -> str:
    """Make plain text of HTML: blocks and line breaks become lines, a link keeps its address in angle brackets."""
    if not content.strip():
        return ""
    try:
        root = lxml_html.document_fromstring(
            content.encode("utf-8", "replace"), parser=lxml_html.HTMLParser(encoding="utf-8", no_network=True)
        )
    except etree.ParserError:
        # Nothing but comments: there is no text in it.
        return ""
    out: list[str] = []
    _collect(root, out)
    text = "".join(out).replace("\xa0", " ")
    lines = [re.sub(r"[ \t]+", " ", line).strip() for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n").replace("\n", "\r\n")


def _collect(root: etree._Element, out: list[str]) -> None:  # noqa: C901 - one walk, no stack
    # Walks with iterwalk and not by recursion: hostile HTML nests deeper than Python's stack.
    silent = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if not isinstance(element.tag, str):
            if event == "end" and element.tail and not silent:
                out.append(_flat(element.tail))
            continue
        if event == "start":
            silent += element.tag in _SILENT
            if element.tag == "br" or (element.tag in _BLOCKS and not _ends_line(out)):
                out.append("\n")
            if element.text and not silent:
                out.append(element.text if element.tag == "pre" else _flat(element.text))
            continue
        if element.tag == "a" and not silent:
            href = element.get("href", "")
            if href and href != (element.text or ""):
                out.append(f"<{href}>")
        if element.tag in _BLOCKS and not _ends_line(out):
            out.append("\n")
        silent -= element.tag in _SILENT
        if element.tail and not silent:
            out.append(_flat(element.tail))


def _flat(text: str) -> str:
    return re.sub(r"[\r\n\t ]+", " ", text)


def _ends_line(out: list[str]) -> bool:
    return not out or out[-1].endswith("\n")
