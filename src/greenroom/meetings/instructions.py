"""Pure edits of the organizer's own text: put joining instructions in, exchange those of a copied meeting, fill the location.

The rest of the body is never parsed and written again: Word's styles, other products' blocks and malformed HTML stay byte for
byte. A block begins with a short line of text, the *mark* (`GRM:RQ81G`, prefix and last group of the ticket), and its last text
is the ticket: both survive mail clients that rewrite every tag and drop every id and comment. In a plain text the block stands
between two lines of underscores, which are ours by their length.
"""

import html
import re
from typing import Final

from greenroom.meetings.html_outline import LONGEST_BLANK, Outline, is_blank
from greenroom.meetings.ticket_finder import FoundTicket, grouped, locate_tickets

LONGEST_LOCATION: Final = 255
LONGEST_BLOCK: Final = 131_072
RULE: Final = "_" * 64
"""The line before and behind a block in plain text."""
_RULE: Final = re.compile(rf"(?<!_){RULE}(?!_)")
_LINE_OF_RULE: Final = re.compile(r"_{5,}")
_TABLE_PARTS: Final = frozenset({"td", "tr", "tbody", "table"})
_HTML: Final = re.compile(
    r"<(?:!doctype|html|head|body|meta|style|p|div|span|br|hr|table|a|b|i|u|ul|ol|li|font|img|h[1-6]|o:p)\b[^<>]*>",
    re.IGNORECASE,
)
_BODY_END: Final = re.compile(r"<!--|-->|</(?:body|html)\s{0,40}>", re.IGNORECASE)
_OPENING: Final = (
    '<table role="presentation" border="0" cellpadding="0" cellspacing="0" '
    'style="border-collapse:collapse;border-top:1px solid #cbd2d9;"><tbody><tr><td style="padding:12px 16px 12px 0;">\r\n'
    "<p style=\"margin:0 0 6px 0;font-family:'Segoe UI',Arial,sans-serif;font-size:9px;color:#9aa5b1;\">{mark}</p>\r\n"
)
_CLOSING: Final = "\r\n</td></tr></tbody></table>"


def instructions_block(instructions_html: str, ticket: str) -> str:
    """Wrap rendered joining instructions into a block that can be found again. A block that is already one stays as it is."""
    mark = _mark_of(ticket)
    if mark in instructions_html:
        return instructions_html
    return _OPENING.format(mark=mark) + instructions_html.strip() + _CLOSING


def text_block(instructions_text: str, ticket: str) -> str:
    """Make a block for a plain text of rendered joining instructions (see `plain_text.as_text`).

    Between two rules: the mark first and the ticket last, whatever order the text has them in.
    """
    mark = _mark_of(ticket)
    lines = [line.rstrip() for line in instructions_text.splitlines()]
    told = next((line for line in lines if line.endswith(ticket)), f"Meeting reference: {ticket}")
    said = [line.replace(ticket, "").rstrip() for line in lines if line != mark and not line.endswith(ticket)]
    ways = "\n".join(line for line in said if not _LINE_OF_RULE.fullmatch(line)).strip("\n")
    return "\n".join([RULE, mark, *([ways, ""] if ways else []), told, RULE])


def with_instructions(body_html: str, block_html: str, ticket: str) -> str | None:
    """Return the body with the block at the end of its content; None if this ticket already stands in it.

    `block_html` is rendered joining instructions, wrapped or not. A body that is plain text becomes HTML.
    """
    if _places(body_html, ticket):
        return None
    return _appended(body_html, instructions_block(block_html, ticket))


def replace_block(body_html: str, old_ticket: str, block_html: str, ticket: str) -> str | None:
    """Exchange the block of `old_ticket` (a copied meeting) for the new one; None if `ticket` already stands in the body.

    Exactly the old block goes, and only where its ends are certain: its mark and its ticket stand there once each, no other
    text shares their elements, and all elements in between are closed. Else the new block is appended and the old one stays.
    """
    if _places(body_html, ticket):
        return None
    block = instructions_block(block_html, ticket)
    span = _block_span(body_html, old_ticket)
    if span is None:
        return _appended(body_html, block)
    start, end = span
    if not _HTML.search(body_html):
        return _appended(body_html[:start] + body_html[end:], block)
    return body_html[:start] + block + body_html[end:]


def with_location(location: str, text: str) -> str:
    """Append a text to a location with "; " unless it is there already.

    A location has at most 255 characters: where the text does not fit, the location stays as it is.
    """
    if not text or text in location:
        return location
    result = f"{location.rstrip().rstrip(';')}; {text}" if location.strip() else text
    return result if len(result) <= LONGEST_LOCATION else location


def _mark_of(ticket: str) -> str:
    prefix, _, rest = ticket.partition("-")
    return f"{prefix}:{rest.rpartition('-')[2]}"


def _places(body: str, ticket: str) -> list[FoundTicket]:
    prefix, _, rest = ticket.partition("-")
    wanted = grouped(prefix.upper(), rest.replace("-", "").upper())
    return [found for found in locate_tickets(body, prefix) if found.ticket == wanted]


def _appended(body: str, block: str) -> str:
    if not _HTML.search(body):
        text = html.escape(body.strip(), quote=False)
        lines = "<br>\r\n".join(text.splitlines())
        return f"<html><body>\r\n<div>{lines}</div>\r\n<br>\r\n{block}\r\n</body></html>" if lines else _page(block)
    place = _content_end(body)
    return f"{body[:place]}<br>\r\n{block}\r\n{body[place:]}"


def _page(block: str) -> str:
    return f"<html><body>\r\n{block}\r\n</body></html>"


def _content_end(body: str) -> int:
    """Where the content ends: before the last closing body tag outside a comment, else the html tag, else the very end."""
    ends: dict[bool, int] = {}
    in_comment = False
    last_comment_end = body.rfind("-->")
    for match in _BODY_END.finditer(body):
        text = match[0]
        if text.startswith("<!"):
            in_comment = match.end() <= last_comment_end  # one that is never closed is taken for text
        elif text == "-->":
            in_comment = False
        elif not in_comment:
            ends["body" in text.lower()] = match.start()
    return ends.get(True, ends.get(False, len(body)))


def _block_span(body: str, ticket: str) -> tuple[int, int] | None:
    """Say where the block of this ticket stands, the rules of a plain text included; None where that is not certain."""
    mark = _mark_of(ticket)
    places = _places(body, ticket)
    if len(places) != 1 or body.count(mark) != 1:
        return None
    first, last = body.index(mark), places[0].end
    if not first < places[0].start or last - first > LONGEST_BLOCK:
        return None
    rules = _rules_around(body, first, last)
    if not _HTML.search(body):
        return rules or (first, last)
    outline = Outline(body)
    with_rules = None if rules is None else _span_between(body, outline, *rules)
    return with_rules or _span_between(body, outline, first, last)


def _rules_around(body: str, first: int, last: int) -> tuple[int, int] | None:
    """Return where the rule before begins and that behind ends, if both are there with nothing but markup in between."""
    before = list(_RULE.finditer(body, max(0, first - LONGEST_BLANK), first))[-1:]
    behind = _RULE.search(body, last, last + LONGEST_BLANK)
    if not before or behind is None:
        return None
    start, end = before[0].span()
    if not is_blank(body[end:first]) or not is_blank(body[last : behind.start()]):
        return None
    return start, behind.end()


def _span_between(body: str, outline: Outline, first: int, last: int) -> tuple[int, int] | None:
    span = outline.span_of_children(first, last)
    if span is None or not is_blank(body[span.start : first]) or not is_blank(body[last : span.end]):
        return None
    while span.parent is not None and span.parent.name in _TABLE_PARTS and span.parent.is_closed:
        parent = span.parent
        if not is_blank(body[parent.content : span.start]) or not is_blank(body[span.end : parent.content_end]):
            break
        span = outline.span_of(parent)
    return (span.start, span.end) if outline.is_whole(span) else None
