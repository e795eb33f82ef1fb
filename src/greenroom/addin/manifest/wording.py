"""The words of a manifest: which keys there are, how long each may be, and making what somebody wrote fit.

Administrators may replace every text. What they write must never make a file that Outlook refuses, so it is made to fit here, and
`misfits` tells them about it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

Words = Mapping[str, Mapping[str, str]]

SHORT, LONG = 125, 250
"""The most characters of `ShortStrings` and `LongStrings`."""

NAME, DESCRIPTION = "manifest.name", "manifest.description"
GROUP, BUTTON, BUTTON_TIP = "manifest.group", "manifest.button", "manifest.buttonTip"
PANE, PANE_TIP, MOBILE = "manifest.pane", "manifest.paneTip", "manifest.mobile"
LIMITS = {
    NAME: SHORT,
    DESCRIPTION: LONG,
    GROUP: SHORT,
    BUTTON: SHORT,
    BUTTON_TIP: LONG,
    PANE: SHORT,
    PANE_TIP: LONG,
    MOBILE: SHORT,
}
DEFAULT_LANGUAGE = "en"
DEFAULT_LOCALE = "en-US"
LOCALES = {
    "cs": "cs-CZ",
    "da": "da-DK",
    "de": "de-DE",
    "es": "es-ES",
    "et": "et-EE",
    "fi": "fi-FI",
    "fr": "fr-FR",
    "hu": "hu-HU",
    "it": "it-IT",
    "lt": "lt-LT",
    "lv": "lv-LV",
    "nb": "nb-NO",
    "nl": "nl-NL",
    "nn": "nn-NO",
    "no": "nb-NO",
    "pl": "pl-PL",
    "pt": "pt-PT",
    "ro": "ro-RO",
    "sk": "sk-SK",
    "sl": "sl-SI",
    "sv": "sv-SE",
}
"""Outlook's name of a language where its tag names no country: administrators may add languages of their own."""

_ELLIPSIS = "…"
_UNSEEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML 1.0 cannot hold
_SPACES = re.compile(r"\s+")
_WITH_COUNTRY = re.compile(r"[a-z]{2,3}-[A-Z]{2}")


class WordingError(ValueError):
    """A text is missing that every manifest needs; the message names its key."""


@dataclass(frozen=True, slots=True)
class Misfit:
    """A text that is not in the manifest as it was written."""

    language: str
    key: str
    length: int
    limit: int


@dataclass(frozen=True, slots=True)
class Text:
    """One text: the default, and what other locales read instead."""

    default: str
    overrides: tuple[tuple[str, str], ...] = ()


def text(words: Words, key: str) -> Text:
    """Return a text in all its languages, each made to fit. Raises WordingError."""
    limit = LIMITS[key]
    default = fitting(words.get(DEFAULT_LANGUAGE, {}).get(key, ""), limit)
    if not default:
        raise WordingError(f"there is no text {key} in {DEFAULT_LANGUAGE}")
    others: dict[str, str] = {}
    for language, told in sorted(words.items()):
        locale, other = locale_of(language), fitting(told.get(key, ""), limit)
        if language != DEFAULT_LANGUAGE and locale and other and other != default:
            others.setdefault(locale, other)
    return Text(default, tuple(sorted(others.items())))


def locale_of(language: str) -> str:
    """Return Outlook's name of a language, such as de-DE; empty if we know none."""
    return language if _WITH_COUNTRY.fullmatch(language) else LOCALES.get(language, "")


def fitting(written: str, limit: int) -> str:
    """Make a text that the schema takes: one line, nothing XML cannot hold, at most `limit` characters as Outlook counts.

    Outlook counts in UTF-16, so that a character outside the basic plane counts twice.
    """
    clean = _SPACES.sub(" ", _UNSEEN.sub(" ", written)).strip()
    if length(clean) <= limit:
        return clean
    kept = clean[: limit - 1]
    while length(kept) > limit - 1:
        kept = kept[:-1]
    return kept.rstrip() + _ELLIPSIS


def length(written: str) -> int:
    """Count the characters of a text as Outlook does."""
    return len(written.encode("utf-16-le", "surrogatepass")) // 2


def misfits(words: Words) -> Iterator[Misfit]:
    """Find the texts that had to be cut."""
    for language, told in sorted(words.items()):
        for key, limit in LIMITS.items():
            written = _SPACES.sub(" ", told.get(key, "")).strip()
            if length(written) > limit:
                yield Misfit(language, key, length(written), limit)
