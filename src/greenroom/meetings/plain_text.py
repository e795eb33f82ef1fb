"""Plain text of our own HTML: for invitations that are plain text, and for the comment of a reply, where Graph takes no other.

Nothing that helps to join may get lost: the address of a link follows its text, rows of a table stay rows. Bounded in what it
takes and gives.
"""

import html
import re
from typing import Final

LONGEST_HTML: Final = 512 * 1024
LONGEST_TEXT: Final = 32_000
_MOST_DEPTH: Final = 30
_TOKEN: Final = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"|<(?P<raw>style|script|title|textarea)\b[^<>]*+>.*?(?:</(?P=raw)\b[^<>]*+>|\Z)"
    r"|<(?P<close>/?)(?P<name>[a-zA-Z][a-zA-Z0-9:._-]*+)(?P<rest>(?:[^<>\"']++|\"[^\"<]*+\"|'[^'<]*+'|[\"'])*+)>"
    r"|<[!?][^<>]*+>",
    re.IGNORECASE | re.DOTALL,
)
_ATTRIBUTE: Final = re.compile(
    r"(?:^|[\s\"'/])(?P<name>href|alt)\s*=\s*(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'|(?P<bare>[^\s\"'>]+))",
    re.IGNORECASE,
)
_MUTE: Final = frozenset({"head", "template", "noscript"})
_PARAGRAPHS: Final = frozenset(
    {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "blockquote", "pre", "hr", "form"}
)
_LINES: Final = frozenset({"div", "li", "tr", "dt", "dd", "section", "article", "header", "footer", "caption"})
_CELLS: Final = frozenset({"td", "th"})
_SPACES: Final = re.compile(r"[ \t\r\n\f\v\u00a0]+")
_SPACED: Final = re.compile(r"(?m)^ ++|(?<! ) ++$")
_EMPTY: Final = re.compile(r"\n{3,}")
_INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")
_DIGITS: Final = re.compile(r"[^0-9]+")
_SCHEMES: Final = ("http://", "https://", "mailto:", "tel:", "sip:", "sips:")
_PLAIN_SCHEMES: Final = ("mailto:", "tel:", "sip:", "sips:")


def as_text(html: str) -> str:
    """Return what joining instructions say, for an invitation in plain text: as `text_of_html`, without pictures.

    A link that dials is left out where its text tells the number or the address.
    """
    return text_of_html(html, pictures=False)


def text_of_html(markup: str, *, pictures: bool = True) -> str:
    """Return the text of HTML, at most 32,000 characters; one that is too long ends with an ellipsis.

    `pictures` says whether what stands for a picture is told.
    """
    if len(markup) > LONGEST_HTML:
        markup = markup[:LONGEST_HTML]
    reader = _Reader(pictures=pictures)
    place = 0
    for token in _TOKEN.finditer(markup):
        reader.say(html.unescape(markup[place : token.start()]))
        place = token.end()
        if token["name"] and token["close"]:
            reader.end(token["name"].lower())
        elif token["name"]:
            reader.start(token["name"].lower(), token["rest"])
    reader.say(html.unescape(markup[place:]))
    text = _EMPTY.sub("\n\n", _SPACED.sub("", "".join(reader.parts))).strip()
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 2].rstrip() + " …"


class _Reader:
    """Gathers text. `parts` hold no space at the start of a line and never two in a row."""

    def __init__(self, *, pictures: bool) -> None:
        self.parts: list[str] = []
        self._pictures = pictures
        self._mute = 0
        self._lists: list[int | None] = []
        self._links: list[tuple[str, int]] = []
        self._row = False

    def start(self, tag: str, rest: str) -> None:
        if tag in _MUTE:
            self._mute += 1
        elif tag == "body":
            self._mute = 0  # it ends a head that nobody closed
        elif self._mute:
            return
        elif tag == "br":
            self._line()
        elif tag == "a":
            self._end_link()  # links do not nest
            self._links.append((_attribute(rest, "href"), len(self.parts)))
        elif tag == "img":
            self.say(_attribute(rest, "alt") if self._pictures else "")
        elif tag in _CELLS:
            self._cell()
        elif tag in _PARAGRAPHS or tag in _LINES:
            self._open(tag)

    def end(self, tag: str) -> None:
        if tag in _MUTE:
            self._mute = max(0, self._mute - 1)
        elif self._mute:
            return
        elif tag == "a":
            self._end_link()
        elif tag in ("ul", "ol"):
            if self._lists:
                self._lists.pop()
            self._paragraph()
        elif tag in _PARAGRAPHS:
            self._paragraph()
        elif tag in _LINES:
            self._line(once=True)

    def _open(self, tag: str) -> None:
        if tag in ("ul", "ol"):
            if self._lists:
                self._line(once=True)
            else:
                self._paragraph()
            if len(self._lists) < _MOST_DEPTH:
                self._lists.append(0 if tag == "ol" else None)
        elif tag in _PARAGRAPHS:
            self._paragraph()
        else:
            self._line(once=True)
            self._row = False
            if tag == "li":
                self._item()

    def _item(self) -> None:
        number = self._lists[-1] if self._lists else None
        if number is None:
            self.parts.append("- ")
        else:
            self._lists[-1] = number + 1
            self.parts.append(f"{number + 1}. ")

    def _cell(self) -> None:
        if self._row and not self._at_start():
            self.parts.append("  ")
        self._row = True

    def _end_link(self) -> None:
        if not self._links:
            return
        address, at = self._links.pop()
        address = _SPACES.sub("", address)
        said = "".join(self.parts[at:]).strip()
        told = address.startswith(_PLAIN_SCHEMES) and _is_told(address, said)
        if not address.lower().startswith(_SCHEMES) or told or address.rstrip("/") in said:
            return
        self.say(f" <{address}>" if said else address)

    def say(self, text: str) -> None:
        """Add text as it is shown: without what cannot be seen, spaces run together."""
        if self._mute:
            return
        text = _SPACES.sub(" ", _INVISIBLE.sub("", text))
        if self._at_start() or (self.parts and self.parts[-1].endswith(" ")):
            text = text.lstrip(" ")
        if text:
            self.parts.append(text)

    def _at_start(self) -> bool:
        return not self.parts or self.parts[-1].endswith("\n")

    def _line(self, *, once: bool = False) -> None:
        if not (once and self._at_start()):
            self.parts.append("\n")

    def _paragraph(self) -> None:
        self._line(once=True)
        if self.parts and self.parts[-1] != "\n\n":
            self.parts.append("\n\n")


def _is_told(address: str, said: str) -> bool:
    """Whether a text says what its link dials. The keys that a telephone sends behind the number stand elsewhere."""
    scheme, _, bare = address.partition(":")
    if bare.lower() in said.lower():
        return True
    number = _DIGITS.sub("", re.split("[,;]", bare)[0])
    return scheme == "tel" and bool(number) and number in _DIGITS.sub("", said)


def _attribute(rest: str, name: str) -> str:
    for found in _ATTRIBUTE.finditer(rest):
        if found["name"].lower() == name:
            return html.unescape(found["double"] or found["single"] or found["bare"] or "")
    return ""
