"""How PowerShell itself reads quotes, which is more than the grammar knows: four kinds of single ones, four of double ones.

Source: about_Quoting_Rules and section 2.3.5.2 of the language specification: U+2018, U+2019, U+201A and U+201B are single quotes
just as U+0027 is, and any two of them side by side within a string stand for the second.
"""

from typing import Final

SINGLE: Final = "'\u2018\u2019\u201a\u201b"
DOUBLE: Final = '"\u201c\u201d\u201e'


class BrokenStringError(ValueError):
    """PowerShell ends this string elsewhere than the grammar does."""


def single_quoted(text: str) -> str:
    """Return what PowerShell reads from a string in single quotes. `text` has to be the whole string and nothing else."""
    if len(text) < len("''") or text[0] not in SINGLE:
        raise BrokenStringError("not a string in single quotes")
    value: list[str] = []
    at = 1
    while at < len(text):
        if text[at] in SINGLE:
            at += 1
            if at == len(text):
                return "".join(value)
            if text[at] not in SINGLE:
                raise BrokenStringError("the string ends before its end")
        value.append(text[at])
        at += 1
    raise BrokenStringError("the string does not end")
