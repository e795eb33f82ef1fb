"""Finding tickets in text or HTML, whatever a mail client did to them, in time that hostile input cannot stretch.

Two steps. The first looks for the prefix in a copy of the text that has one byte for each character (bytes.translate and
bytes.find, a few nanoseconds for each): whole, or broken by the beginning of something a mail client may have put in. The
second reads onwards from there, over a window of bounded length, stepping over that something: hyphens, spaces, zero-width
characters, tags, comments, entities, quotation marks and the soft breaks of quoted-printable. The number of places and the
sum of characters looked at in the second step are bounded, and no part of its patterns can go back (possessive repeats).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from greenroom.meetings import crockford

PAYLOAD_LENGTH: Final = 40
MOST_TICKETS: Final = 64
LONGEST_SPAN: Final = 4096  # characters from the first of a ticket to its last, all that was put in included

_GROUP = 5
_SHORTEST = 20  # a torn ticket is still worth a word to the organizer; less than half of one is not
_LEAST_DIGITS = 3
_NEAR = 320
_PLACES = 600  # for each way in which a prefix may begin
_EFFORT = 250_000  # characters, over all places; what begins a step of a pattern counts more
_STEP = 16
_JUDGED = 256
_PREFIX = re.compile(r"[A-Z][A-Z0-9]{1,7}\Z")


def _table(special: dict[bytes, bytes], other: bytes) -> bytes:
    table = bytearray(other * 256)
    for c in range(0x21, 0x7F):
        table[c] = c
    for c in b"abcdefghijklmnopqrstuvwxyz":
        table[c] = c - 32
    for sources, target in special.items():
        for c in sources:
            table[c] = target[0]
    return bytes(table)


_FOLDS = {b"Oo": b"0", b"IiLl": b"1"}
_LEAD = b"\0"
# Low bytes of wide characters land anywhere below 0x20 and above 0x7E, and U+2060 on the backtick.
_COARSE = _table(_FOLDS | {b"<&=?`": _LEAD, b" ": b" "}, _LEAD)
_FINE = _table(_FOLDS | {b" \t\r\n\v\f": b" "}, b"?")

_COMMENT_REST = rb"!--(?:[^>]*+(?<!--)>)*+[^>]*+(?<=--)>"
_QUOTED_REST = rb"[A-Z/!?][^<>\"']*+(?:\"[^\"<]*+\"[^<>\"']*+|'[^'<]*+'[^<>\"']*+)*+>"
_TAG = rb"<(?:" + _COMMENT_REST + rb"|" + _QUOTED_REST + rb"|[^<>]*+>)"
_ENTITY = rb"&(?:AMP;)*+(?:#X?[0-9A-F]{1,8};|NBSP;?|SHY;?|[0-9A-Z]{2,24};)"
_QUOTED_PRINTABLE = rb"= ++|=(?:20|2D|09|C2=A[0D]|E2=8[0-9A-F]=[0-9A-F]{2}|EF=BB=BF)"
_IN_WORD = rb"(?:\?++|" + _TAG + rb"|" + _ENTITY + rb"|" + _QUOTED_PRINTABLE + rb")"
_BETWEEN = rb"(?:[- ?>*_|~`]++|" + _TAG + rb"|" + _ENTITY + rb"|" + _QUOTED_PRINTABLE + rb")"
_SIGN = rb"[0-9A-HJKMNP-TV-Z]"
_JUNK = re.compile(_TAG + rb"|" + _ENTITY + rb"|" + _QUOTED_PRINTABLE, re.IGNORECASE)
_OPENERS = b"<&=- ?>*_|~`"
_STEPS = b"<>&="
_NOT_SIGNS = bytes(set(range(256)) - set(crockford.ALPHABET.encode()))


@dataclass(frozen=True, slots=True)
class FoundTicket:
    """A candidate, normalised, and where it stands: `text[start:end]`, from the first character of the prefix on."""

    ticket: str
    start: int
    end: int


def prefix_of(prefix: str) -> str:
    """Return a prefix in upper case; ValueError unless it is a letter and 1 to 7 letters or digits of ASCII."""
    upper = prefix.upper()
    if not prefix.isascii() or not _PREFIX.match(upper):
        raise ValueError("a ticket prefix is a letter and 1 to 7 letters or digits")
    return upper


def grouped(prefix: str, payload: str) -> str:
    """Print a payload behind its prefix in groups of five."""
    return "-".join([prefix, *(payload[i : i + _GROUP] for i in range(0, len(payload), _GROUP))])


def find_tickets(text_or_html: str, prefix: str) -> list[str]:
    """Find what looks like tickets, normalised as they are printed, in order of appearance, each once, at most 64.

    A candidate has twenty to forty characters of payload: whether it is genuine is for `KeyRing.verify` to say. Prose that
    happens to follow the prefix is left out unless it has the build of a ticket. Raises ValueError for an impossible prefix.
    """
    return list(dict.fromkeys(found.ticket for found in locate_tickets(text_or_html, prefix)))


def locate_tickets(text_or_html: str, prefix: str) -> list[FoundTicket]:
    """Find the same with their places, and every appearance of each (at most 64 in all)."""
    prefix = prefix_of(prefix)
    pattern = _pattern(prefix)
    left, judged, result = _EFFORT, 0, []
    for place in _places(_coarse(text_or_html), crockford.fold(prefix).encode()):
        look = _read(text_or_html, place, prefix, pattern)
        left -= look.effort
        judged += look.weighed
        if look.found is not None:
            result.append(look.found)
        if len(result) == MOST_TICKETS or judged == _JUDGED or left < 0:
            break
    return result


def _coarse(text: str) -> bytes:
    """One byte for each character: ASCII folded, everything else a lead or, harmlessly, the letter of its low byte."""
    raw = text.encode("ascii") if text.isascii() else text.encode("utf-32-le", "surrogatepass")[::4]
    return raw.translate(_COARSE)


def _places(coarse: bytes, prefix: bytes) -> list[int]:
    places = set(_occurrences(coarse, prefix, _PLACES))
    if _LEAD in coarse:
        for i in range(1, len(prefix)):
            places.update(_occurrences(coarse, prefix[:i] + _LEAD, _PLACES // (len(prefix) - 1)))
    return sorted(places)


def _occurrences(data: bytes, needle: bytes, most: int) -> Iterator[int]:
    place = data.find(needle)
    while place >= 0 and most:
        yield place
        place = data.find(needle, place + 1)
        most -= 1


@lru_cache(maxsize=64)
def _pattern(prefix: str) -> re.Pattern[bytes]:
    """A pattern that goes as far as it can: where its end lies tells what it cost; group 2 exists if the prefix is whole."""
    mark = rb"((?:" + _IN_WORD + rb"|-)*+)" + _BETWEEN + rb"*+"
    tail = mark + rb"((?:" + _SIGN + rb"(?:" + _BETWEEN + rb"*+" + _SIGN + rb"){0,39}+)?+)"
    for letter in reversed(crockford.fold(prefix)[1:]):
        tail = _IN_WORD + rb"*+(?:" + letter.encode() + tail + rb")?+"
    return re.compile(crockford.fold(prefix)[0].encode() + tail)


@dataclass(frozen=True, slots=True)
class _Look:
    effort: int
    weighed: bool = False
    found: FoundTicket | None = None


def _read(text: str, place: int, prefix: str, pattern: re.Pattern[bytes]) -> _Look:
    effort = 0
    for width in (_NEAR, LONGEST_SPAN):
        raw = text[place : place + width].encode("ascii", "replace")
        fine = raw.translate(_FINE)
        match = pattern.match(fine)
        if match is None:
            break  # a wide character whose low byte is the first letter of the prefix
        effort += _cost(fine[: match.end() + 1]) if width == _NEAR else 2 * len(fine) + _cost(fine)
        signs = _JUNK.sub(b"", match[2] or b"")
        payload = signs.translate(None, _NOT_SIGNS).decode()
        if len(payload) < PAYLOAD_LENGTH and len(fine) == width and _goes_on(fine, match):
            continue
        if len(payload) < _SHORTEST:
            break
        typed = match[1] and _looks_typed(signs, _JUNK.sub(b"", raw[slice(*match.span(2))]))
        if not typed and not _looks_issued(payload):
            return _Look(effort, weighed=True)
        return _Look(effort, weighed=True, found=FoundTicket(grouped(prefix, payload), place, place + match.end()))
    return _Look(effort)


def _cost(done: bytes) -> int:
    return len(done) // 2 + _STEP * sum(map(done.count, _STEPS))


def _goes_on(fine: bytes, match: re.Match[bytes]) -> bool:
    """Whether the window ended before the candidate did: in its last tag, or in what may stand between two signs."""
    end = match.end()
    if end == len(fine) or 0 <= fine.rfind(b"<") <= end:
        return True
    return match[2] is not None and fine[end] in _OPENERS


def _looks_issued(payload: str) -> bool:
    """Whether the fields have the build of a ticket: a known version, and an alias number of at most fifteen digits."""
    if len(payload) != PAYLOAD_LENGTH:
        return False
    data = crockford.decode(payload)
    return data[0] >> 4 == 1 and int.from_bytes(data[3:10], "big") < 10**15


def _looks_typed(signs: bytes, raw: bytes) -> bool:
    """Whether a torn or altered candidate is no prose: at most one line wrap in it, and some digits."""
    words = signs.translate(None, b"-?>*_|~`").split()
    return len(words) <= 2 and len(raw) - len(raw.translate(None, b"0123456789")) >= _LEAST_DIGITS  # noqa: PLR2004
