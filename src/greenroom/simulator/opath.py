"""Recipient filters (OPATH): `MemberOfGroup -eq 'CN=...'`, `PrimarySmtpAddress -eq 'a@b' -or Name -like 'x*'`.

Comparisons -eq, -ne, -like, -notlike of one property with one text, -and, -or, -not, parentheses; case does not matter. Source:
"Recipient filters in Exchange PowerShell commands" (Exchange documentation).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Test = Callable[[Mapping[str, tuple[str, ...]]], bool]

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<open>\()|(?P<close>\))|'(?P<single>(?:[^']|'')*)'|\"(?P<double>(?:[^\"]|\"\")*)\"|(?P<word>[-$\w]+))"
)
_MOST: Final = 200
"""Tokens of one filter."""
_DEEPEST: Final = 20
PROPERTIES: Final = frozenset(
    {"memberofgroup", "primarysmtpaddress", "emailaddresses", "name", "displayname", "alias", "recipienttype",
     "recipienttypedetails", "resourcetype", "userprincipalname", "distinguishedname", "guid", "externaldirectoryobjectid"}
    | {f"customattribute{number}" for number in range(1, 16)}
)  # fmt: skip


class FilterError(ValueError):
    """The text is no filter; the message says why, without repeating it."""


def parse(text: str) -> Test:
    """Make a test of a filter: it is given the properties of a recipient by lower-case name. Raises `FilterError`."""
    tokens = _tokens(text)
    test = _Reader(tokens).whole()
    if tokens:
        raise FilterError("something follows the end of the filter")
    return test


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at, text = 0, text.strip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise FilterError("a character that belongs to nothing")
        kind, value = match.lastgroup, match[match.lastgroup]
        if kind in ("single", "double"):
            quote = "'" if kind == "single" else '"'
            kind, value = "text", value.replace(quote * 2, quote)
        found.append((kind, value))
        at = match.end()
        if len(found) > _MOST:
            raise FilterError("the filter is too long")
    return found


class _Reader:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._depth = 0

    def whole(self) -> Test:
        test = self._both()
        while self._word("-or"):
            test = _either(test, self._both())
        return test

    def _both(self) -> Test:
        test = self._single()
        while self._word("-and"):
            test = _both(test, self._single())
        return test

    def _single(self) -> Test:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise FilterError("the filter is nested too deep")
        try:
            if self._word("-not"):
                inner = self._single()
                return lambda recipient: not inner(recipient)
            if self._next("open") is not None:
                test = self.whole()
                if self._next("close") is None:
                    raise FilterError("a parenthesis is not closed")
                return test
            return self._comparison()
        finally:
            self._depth -= 1

    def _comparison(self) -> Test:
        name = (self._next("word") or "").lower()
        if name not in PROPERTIES:
            raise FilterError("it compares something that is no filterable property")
        operator = (self._next("word") or "").lower()
        if operator not in ("-eq", "-ne", "-like", "-notlike"):
            raise FilterError("the operator is none of -eq, -ne, -like, -notlike")
        value = self._next("text")
        if value is None:
            raise FilterError("a value must be quoted")
        pattern = re.compile(_expression(value, wild=operator.endswith("like")), re.IGNORECASE | re.DOTALL)
        wanted = operator in ("-eq", "-like")
        return lambda recipient: any(pattern.fullmatch(one) for one in recipient.get(name, ())) is wanted

    def _next(self, kind: str) -> str | None:
        if self._tokens and self._tokens[0][0] == kind:
            return self._tokens.pop(0)[1]
        return None

    def _word(self, word: str) -> bool:
        if self._tokens and self._tokens[0][0] == "word" and self._tokens[0][1].lower() == word:
            self._tokens.pop(0)
            return True
        return False


def like(pattern: str, text: str) -> bool:
    """Whether a text is as a pattern says, in which "*" stands for anything; case does not matter."""
    return re.fullmatch(_expression(pattern, wild=True), text, re.IGNORECASE | re.DOTALL) is not None


def _expression(value: str, *, wild: bool) -> str:
    parts = value.split("*") if wild else [value]
    return ".*".join(re.escape(part) for part in parts)


def _either(one: Test, other: Test) -> Test:
    return lambda recipient: one(recipient) or other(recipient)


def _both(one: Test, other: Test) -> Test:
    return lambda recipient: one(recipient) and other(recipient)
