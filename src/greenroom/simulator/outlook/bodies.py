"""Bodies of mail and meetings, which are hostile: made safe to show, turned into text to edit, and back.

What is shown runs through nh3 and stands in a sandboxed frame whose own content security policy allows no script, no
form, and nothing from the network.
"""

import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from html import escape, unescape
from html.parser import HTMLParser

import nh3

from greenroom.simulator.model import Body

MAX_SHOWN = 1_000_000  # characters
BODY_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
    "img-src data: http://127.0.0.1:* http://localhost:*; "
    "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
_TAGS = nh3.ALLOWED_TAGS | {"font", "u", "big"}
_LAYOUT = {"align", "valign", "bgcolor", "color", "face", "size", "width", "height", "border", "cellpadding"}
_ATTRIBUTES: Mapping[str, set[str]] = {
    "*": {"style", "title", "dir", "lang"} | _LAYOUT,
    "a": {"href"},
    "img": {"src", "alt"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "ol": {"start", "type"},
}
_STYLES = {
    "color", "background-color", "font-family", "font-size", "font-style", "font-weight", "line-height", "text-align",
    "text-decoration", "vertical-align", "white-space", "width", "max-width", "margin", "margin-top", "margin-bottom",
    "margin-left", "margin-right", "padding", "padding-top", "padding-bottom", "padding-left", "padding-right", "border",
    "border-top", "border-bottom", "border-left", "border-right", "border-collapse", "border-radius",
}  # fmt: skip
_SCHEMES = {"http", "https", "mailto", "tel", "sip", "sips", "pexip", "data"}
_LINK = re.compile(r"\b(?:https?://|sips?:)[^\s<>\"'\u00a0]{1,2000}", re.IGNORECASE)
_PICTURE = re.compile(r"data:image/|http://(?:127\.0\.0\.1|localhost)(?::\d{1,5})?/", re.IGNORECASE)
"""Pictures that are shown: those in the mail, and those of this computer. No mail learns elsewhere that it was read."""
_COLOURED = re.compile(r"\b(?:bgcolor|color|background-color)\b\s*[=:]", re.IGNORECASE)
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]{0,20})")
_ANY_TAG = re.compile(r"<[^<>]*>")
_MAX_DEPTH, _MAX_ELEMENTS = 400, 8_000
_CLOSED_BY_THEMSELVES = {
    "area", "base", "br", "col", "dd", "dt", "embed", "hr", "img", "input", "li", "link", "meta", "option", "p", "source",
    "tbody", "td", "tfoot", "th", "thead", "tr", "wbr",
}  # fmt: skip
_BLOCKS = {"p", "div", "tr", "table", "ul", "ol", "li", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "pre"}


def body_version(body: Body) -> str:
    """A short fingerprint, so that a frame is loaded again only when its body changed."""
    return hashlib.sha256(f"{body.type}\n{body.content}".encode()).hexdigest()[:16]


def shown_html(body: Body) -> tuple[str, bool]:
    """Safe markup of a body, and whether it brings colours of its own (and so needs a white sheet to lie on)."""
    content = body.content[:MAX_SHOWN]
    if body.type == "Text":
        return f'<div class="plain">{_linked(content)}</div>', False
    markup = _clean(content)
    return markup, _COLOURED.search(markup) is not None


@lru_cache(maxsize=512)
def preview(body: Body, length: int = 110) -> str:
    """The first words of a body."""
    text = body.content[:20_000]
    if body.type == "HTML":
        text = as_text(Body(text, "HTML"))
    return " ".join(text[: 4 * length].split())[:length]


def edited_html(body: Body) -> str:
    """Safe markup of a body for the editor."""
    return shown_html(body)[0]


def as_text(body: Body) -> str:
    """A body as editable text; links keep their address behind their words."""
    content = body.content[:MAX_SHOWN].replace("\r\n", "\n")
    if body.type == "Text":
        return content
    reader = _TextReader()
    reader.feed(_clean(content))
    reader.close()
    return reader.text()


def as_html(text: str) -> Body:
    """Typed text as the HTML body a mail client sends."""
    lines = text.replace("\r\n", "\n").strip("\n").split("\n")
    paragraphs = "\n".join(f"<div>{_linked(line) or '<br>'}</div>" for line in lines) if text.strip() else ""
    return Body(f"<html><body>\n{paragraphs}\n</body></html>", "HTML")


def _clean(markup: str) -> str:
    if _is_too_deep(markup):  # cleaning takes the square of the depth: only the words are kept
        words = unescape(_ANY_TAG.sub(" ", markup))
        return f"<pre>{_linked(words)}</pre>"
    return nh3.clean(
        markup,
        tags=_TAGS,
        clean_content_tags={"script", "style", "title"},
        attributes={name: set(values) for name, values in _ATTRIBUTES.items()},
        attribute_filter=_attribute,
        url_schemes=set(_SCHEMES),
        filter_style_properties=set(_STYLES),
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )


def _is_too_deep(markup: str) -> bool:
    """Whether more elements may be open at once than any honest mail has.

    Closing tags may be feigned (inside attributes and comments), so the number of elements is bounded as well.
    """
    open_now: dict[str, int] = {}
    depth = count = 0
    for match in _TAG.finditer(markup):
        name = match[2].lower()
        if name in _CLOSED_BY_THEMSELVES:
            continue
        known = open_now.get(name, 0)
        if not match[1]:
            open_now[name] = known + 1
            depth += 1
            count += 1
        elif known:
            open_now[name] = known - 1
            depth -= 1
        if depth > _MAX_DEPTH or count > _MAX_ELEMENTS:
            return True
    return False


def _attribute(tag: str, name: str, value: str) -> str | None:
    is_data = value.strip().lower().startswith("data:")
    if name == "src":
        return value if _PICTURE.match(value.strip()) else None
    return None if name == "href" and (is_data or tag != "a") else value


def _linked(text: str) -> str:
    parts: list[str] = []
    at = 0
    for match in _LINK.finditer(text):
        address = match[0].rstrip(".,;:!?)]}")
        parts.append(escape(text[at : match.start()]))
        link = escape(address)
        parts.append(f'<a href="{link}" target="_blank" rel="noopener noreferrer">{link}</a>')
        at = match.start() + len(address)
    parts.append(escape(text[at:]))
    return "".join(parts)


class _TextReader(HTMLParser):
    """Text of markup that nh3 has made well-formed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._links: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self._parts.append("\n")
        elif tag == "a":
            self._links.append((dict(attrs).get("href") or "", len(self._parts)))
        elif tag in {"td", "th"}:
            self._parts.append(" ")
        elif tag in _BLOCKS:
            self._break()

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._links:
            href, at = self._links.pop()
            words = "".join(self._parts[at:]).strip()
            if href and href.removeprefix("mailto:") != words:
                self._parts.append(f" <{href}>")
        elif tag in _BLOCKS:
            self._break()
        if tag == "p":
            self._parts.append("\n")

    def handle_data(self, data: str) -> None:
        words = re.sub(r"[ \t\r\n]+", " ", data)
        if words.strip() or (self._parts and not self._parts[-1].endswith((" ", "\n"))):
            self._parts.append(words)

    def _break(self) -> None:
        if self._parts and not self._parts[-1].endswith("\n"):
            self._parts.append("\n")

    def text(self) -> str:
        lines = [line.strip(" ") for line in "".join(self._parts).split("\n")]
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")
