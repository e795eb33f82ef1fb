"""Where elements begin and end in HTML that is not to be touched: an outline over offsets, which repairs nothing."""

import re
from dataclasses import dataclass, field
from typing import Final

_TOKEN: Final = re.compile(
    r"(?P<comment><!--)"
    r"|<(?P<raw>style|script|title|textarea)\b[^<>]*+>"
    r"|<(?P<close>/?)(?P<name>[a-zA-Z][a-zA-Z0-9:._-]*+)(?:[^<>\"']++|\"[^\"<]*+\"|'[^'<]*+'|[\"'])*+>",
    re.IGNORECASE,
)
_ANY_TAG: Final = re.compile(r"<!--[^<>]*+-->|<[^<>]*+>")
_VOID: Final = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"]
)
_FILLING: Final = re.compile(
    r"&(?:nbsp|#160|#xa0|zwnj|#8203|shy);?|[\s\u200b\u200c\u200d\u2060\ufeff\xad]", re.IGNORECASE
)
_MOST_TAGS: Final = 50_000
LONGEST_BLANK: Final = 20_000


@dataclass(slots=True, eq=False)
class Element:
    """One element: `text[start:end]`, its content `text[content:content_end]`; not closed where its end tag is missing."""

    name: str
    start: int
    content: int
    parent: "Element | None"
    content_end: int = -1
    end: int = -1

    @property
    def is_closed(self) -> bool:
        """Whether its own end tag was found, in its place."""
        return self.end >= 0


@dataclass(frozen=True, slots=True)
class Span:
    """A run of whole children of `parent` (None: of the document)."""

    start: int
    end: int
    parent: Element | None


@dataclass(slots=True)
class Outline:
    """The elements of an HTML text, as far as its tags say so."""

    text: str
    elements: list[Element] = field(init=False, default_factory=list)
    strays: list[int] = field(init=False, default_factory=list)
    is_complete: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        stack: list[Element] = []
        place = 0
        last_comment_end = self.text.rfind("-->")
        for _ in range(_MOST_TAGS):
            match = _TOKEN.search(self.text, place)
            if match is None:
                self.is_complete = True
                return
            place = match.end()
            if match["comment"]:
                place = place if place > last_comment_end else self.text.index("-->", place) + 3
            elif match["raw"]:
                place = self._end_of_raw(match["raw"], place)
            else:
                self._tag(match, stack)

    def span_of_children(self, first: int, last: int) -> Span | None:
        """Return the run of children of the deepest element around both places that holds them; None where that is unsure."""
        if not self.is_complete:
            return None
        inside = [self._around(first), self._around(last)]
        common = [a for a, b in zip(*inside, strict=False) if a is b]
        depth = len(common)
        bounds = [path[depth] if len(path) > depth else None for path in inside]
        if any(element is not None and not element.is_closed for element in bounds):
            return None
        start = first if bounds[0] is None else bounds[0].start
        end = last if bounds[1] is None else bounds[1].end
        return Span(start, end, common[-1] if common else None)

    def span_of(self, element: Element) -> Span:
        """Return the span of one closed element."""
        return Span(element.start, element.end, element.parent)

    def is_whole(self, span: Span) -> bool:
        """Whether every element that begins in the span is closed in it, and every tag in it belongs to one."""
        begun = (e for e in self.elements if span.start <= e.start < span.end)
        return all(e.is_closed and e.end <= span.end for e in begun) and not any(
            span.start <= place < span.end for place in self.strays
        )

    def _around(self, place: int) -> list[Element]:
        """Elements around a place, outermost first."""
        holding = [e for e in self.elements if e.content <= place and (not e.is_closed or place <= e.content_end)]
        if not holding:
            return []
        path = []
        element: Element | None = max(holding, key=lambda e: e.start)
        while element is not None:
            path.append(element)
            element = element.parent
        return path[::-1]

    def _tag(self, match: re.Match[str], stack: list[Element]) -> None:
        name = match["name"].lower()
        if not match["close"]:
            if name not in _VOID and not match[0].endswith("/>"):
                element = Element(name, match.start(), match.end(), stack[-1] if stack else None)
                self.elements.append(element)
                stack.append(element)
            return
        if stack and stack[-1].name == name:
            element = stack.pop()
            element.content_end, element.end = match.start(), match.end()
        elif any(element.name == name for element in stack[-64:]):
            while stack[-1].name != name:
                stack.pop()
            element = stack.pop()
            element.content_end, element.end = match.start(), match.end()
        else:
            self.strays.append(match.start())

    def _end_of_raw(self, name: str, place: int) -> int:
        end = re.compile(rf"</{name}\b[^<>]*+>", re.IGNORECASE).search(self.text, place)
        return len(self.text) if end is None else end.end()


def is_blank(text: str) -> bool:
    """Whether a piece of HTML shows nothing: tags, comments, spaces."""
    return len(text) <= LONGEST_BLANK and not _FILLING.sub("", _ANY_TAG.sub("", text))
