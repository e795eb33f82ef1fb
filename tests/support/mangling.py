"""What mail clients and people do to a line of text, as hypothesis strategies."""

import re

from hypothesis import strategies as st

HYPHENS = (
    "-",
    "\u2010",
    "\u2011",
    "\u2012",
    "\u2013",
    "\u2014",
    "\u2015",
    "\u2212",
    "&#8209;",
    "&#x2011;",
    "&hyphen;",
    "",
    "\u00ad",
)
FILLINGS = (
    *("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "&shy;", "&#173;", "&#xAD;", "&zwnj;", "&amp;shy;"),
    *(
        "<wbr>",
        "<b>",
        "</b>",
        "<span>",
        "</span>",
        "<o:p></o:p>",
        '<span style="color:red" lang=EN-US>',
        "<br/>",
        "<a href='x>y'>",
    ),
    *("<!-- a -->", "<!-- a > b -->", "<!--[if mso]><![endif]-->", "=\r\n", "=\n"),
)
MARKS = ("*", "_", "`", "~", "|")
SPACES = (
    " ",
    "\r\n",
    "\n",
    "\t",
    "\u00a0",
    "\u2002",
    "\u202f",
    "&nbsp;",
    "&#160;",
    "\r\n> ",
    "\n> > ",
    "\r\n   ",
    "=20\r\n",
)
NEIGHBOURS = (
    *(
        "",
        " ",
        "Meeting reference: ",
        "reference",
        "<p>",
        "</td><td>",
        "😀",
        "Grüße, G",
        "GR",
        "GRM ",
        "&nbsp;",
        ">",
        "&",
        "<",
    ),
    *("GRM-", "GRM-2", "Telefon 030 123456 ", "\u202e", "<!--", "=", "</p>", "Please call room 5\r\n"),
)


def _look_alike(text: str) -> st.SearchStrategy[str]:
    options = {"0": "0Oo", "1": "1IiLl"}
    return st.tuples(*(st.sampled_from(options.get(c, c + c.lower())) for c in text)).map("".join)


@st.composite
def mangled(draw: st.DrawFn, ticket: str) -> str:
    """One ticket as it may come back, between neighbours that are none of its business."""
    pieces = re.split(r"(-)", draw(_look_alike(ticket)))
    prefix, rest = pieces[0], pieces[2:]
    text = (
        draw(st.sampled_from(("", *MARKS))) + draw(_filled(prefix)) + draw(st.sampled_from([h for h in HYPHENS if h]))
    )
    for piece in rest:
        if piece == "-":
            text += draw(st.sampled_from(HYPHENS)) + draw(st.sampled_from(("", *SPACES, *FILLINGS, *MARKS)))
        else:
            text += draw(_filled(piece))
    before, after = draw(st.sampled_from(NEIGHBOURS)), draw(st.sampled_from(NEIGHBOURS))
    return before + text + after


@st.composite
def _filled(draw: st.DrawFn, text: str) -> str:
    if not draw(st.booleans()):
        return text
    place = draw(st.integers(1, len(text)))
    filling = "".join(draw(st.lists(st.sampled_from(FILLINGS), min_size=1, max_size=3)))
    return text[:place] + filling + text[place:]
