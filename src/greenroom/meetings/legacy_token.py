"""Finding the lines by which another product's add-in marked its invitations, whatever a mail client did to them.

```
PXPS:-0b2f6a30-7d2c-4c51-9b55-0c8b6f0f4f10#   the alias with this uuid
TOK:-…#                                       written while that product was out of reach: it names no alias yet
```

One pass from left to right. What a mail client may have put between two signs (tags, entities, soft hyphens, spaces, the soft
breaks of quoted-printable) is stepped over; no part of the patterns can go back (possessive repeats), and the length of what
is stepped over is bounded. Source of the two forms: published notes on the product's add-in.
"""

import re
from dataclasses import dataclass
from typing import Final
from uuid import UUID

MOST_TOKENS: Final = 64
NUMBERS_FROM: Final = 10**15
"""Numbers of tokens lie above those of all aliases, which have fifteen digits at most."""

_NUMBERS: Final = 8 * 10**18  # together they fit into 63 bits
_TAG = r"<[^<>]{0,2000}+>"
_ENTITY = r"&(?:amp;)*+(?:#x?[0-9a-f]{1,8}|nbsp|shy|[a-z][0-9a-z]{1,23});"
_QUOTED = r"=(?:20|2D|3A|23|09|C2=A[0D]|E2=8[0-9A-F]=[0-9A-F]{2}|EF=BB=BF)"
_JUNK = rf"(?:{_TAG}|{_ENTITY}|{_QUOTED}|[^0-9a-z]){{0,400}}+"
_ALIAS = re.compile(
    rf"(?<![0-9a-z])P{_JUNK}X{_JUNK}P{_JUNK}S((?:{_JUNK}[0-9a-f]){{32}}+)(?![0-9a-z])", re.IGNORECASE | re.ASCII
)
_SPACE = rf"(?:{_TAG}|&(?:nbsp|shy|\#173|\#160|\#xA[0D]);|[^!-~]){{0,400}}+"
_OFFLINE = re.compile(rf"(?<![0-9a-z])T{_SPACE}O{_SPACE}K{_SPACE}:{_SPACE}-[^#]{{0,4000}}+\#", re.IGNORECASE | re.ASCII)
_BETWEEN = re.compile(rf"{_TAG}|{_ENTITY}|{_QUOTED}|[^0-9a-f]", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class LegacyTokens:
    """What an invitation carries: uuids of aliases (lower case, with hyphens) as they appear, and whether one names none yet."""

    aliases: tuple[str, ...] = ()
    offline: bool = False

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers under which our database knows these aliases' tokens."""
        return tuple(legacy_number(uuid) for uuid in self.aliases)


NO_TOKENS: Final = LegacyTokens()


def find_legacy_tokens(text_or_html: str) -> LegacyTokens:
    """Find the tokens of a text, each once, at most 64. Never raises, and takes time in proportion to the text."""
    found: dict[str, None] = {}
    for match in _ALIAS.finditer(text_or_html):
        found[str(UUID(hex=_BETWEEN.sub("", match[1])))] = None
        if len(found) == MOST_TOKENS:
            break
    return LegacyTokens(tuple(found), _OFFLINE.search(text_or_html) is not None)


def legacy_number(uuid: str) -> int:
    """Return a reservation's number for a token: by it the token is found to be a certain meeting's, like one of our tickets."""
    return NUMBERS_FROM + UUID(uuid).int % _NUMBERS
