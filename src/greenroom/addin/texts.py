"""What the add-in says, in every language, and an administrator's own wording of it.

Looked for in this order: `<folder>/<language>/addin.json`, `<folder>/addin.json`, the packaged text of the language, the English
one. A file of the administrator's holds any of the keys; a folder of a language that is not packaged adds that language.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import structlog

log = structlog.get_logger(__name__)

PACKAGED: Final = ("en", "de", "fr", "sv", "no")
"""The languages that come with Greenroom; English has every key."""
FILE: Final = "addin.json"

_ALSO: Final = {"nb": "no", "nn": "no"}  # what Outlook calls the kinds of Norwegian
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z")
_PLACEHOLDER: Final = re.compile(r"\{([A-Za-z]+)\}")
_UNFIT: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u202a-\u202e\u2066-\u2069]")
_LONGEST_FILE: Final = 256 * 1024
_SHOWN: Final = 64  # characters of an unknown key
_LONGEST: Final = (
    # What Outlook takes of a manifest and of a notification; of the check before sending it takes 500, as the pane does.
    ("manifest.description", 250),
    ("manifest.buttonTip", 250),
    ("manifest.paneTip", 250),
    ("manifest.", 125),
    ("notify.", 150),
    ("", 500),
)


@dataclass(frozen=True, slots=True)
class AddinTextProblem:
    """One thing wrong with a file of texts: where, what, and what is allowed instead."""

    file: str
    line: int
    problem: str
    allowed: str = ""


class AddinTexts:
    """All texts of one add-in. What is wrong in an administrator's file is left out and told in `problems`."""

    def __init__(self, folder: Path | None = None) -> None:
        found: list[AddinTextProblem] = []
        everywhere = _override(folder, "", found)
        texts = {language: packaged(language) | everywhere for language in PACKAGED}
        for language in (*PACKAGED, *_more_languages(folder)):
            texts[language] = texts.get(language, texts["en"]) | _override(folder, language, found)
        self._texts = {language: MappingProxyType(told) for language, told in texts.items()}
        self.problems = tuple(found)
        for problem in found:
            log.warning("addin.text_left_out", file=problem.file, line=problem.line, problem=problem.problem)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages there are, English first."""
        return tuple(self._texts)

    def choose(self, *asked: str) -> str:
        """Return the language to answer with for tags such as "de-CH", the dearest first.

        That is the first one which is there, itself or as the language it is a kind of; else English.
        """
        known = {language.lower(): language for language in self._texts}
        for one in asked:
            tag = one.strip().lower()
            main = tag.partition("-")[0]
            for name in (tag, main, _ALSO.get(main, "")):
                if name in known:
                    return known[name]
        return "en"

    def of(self, language: str) -> Mapping[str, str]:
        """Return all texts of a language; of the chosen one for a language that is not there."""
        return self._texts[language if language in self._texts else self.choose(language)]

    def everything(self) -> Mapping[str, Mapping[str, str]]:
        """Return all texts of all languages."""
        return MappingProxyType(self._texts)


@cache
def packaged(language: str) -> dict[str, str]:
    """Return the texts that come with Greenroom in one of the languages of `PACKAGED`."""
    text = (files("greenroom.addin") / "texts" / f"{language}.json").read_text(encoding="utf-8")
    found: dict[str, str] = json.loads(text)
    return found


def longest(key: str) -> int:
    """Return how many characters a text may have."""
    return next(limit for prefix, limit in _LONGEST if key.startswith(prefix))


def placeholders(text: str) -> frozenset[str]:
    """Return the names in braces, for which the page puts something in."""
    return frozenset(_PLACEHOLDER.findall(text))


def _more_languages(folder: Path | None) -> Iterator[str]:
    if folder is None:
        return
    try:
        names = sorted(entry.parent.name for entry in folder.glob(f"*/{FILE}"))
    except OSError:
        return
    yield from (name for name in names if name not in PACKAGED and _LANGUAGE.match(name))


def _override(folder: Path | None, language: str, found: list[AddinTextProblem]) -> dict[str, str]:
    """Read a file of the administrator's, if there is one; what is right in it counts, the rest is told."""
    if folder is None:
        return {}
    path = folder / language / FILE
    try:
        source = path.read_bytes() if path.is_file() else b"{}"
        told = _parsed(source)
    except OSError as error:
        found.append(AddinTextProblem(str(path), 1, f"cannot be read ({type(error).__name__})"))
    except json.JSONDecodeError as error:
        found.append(AddinTextProblem(str(path), error.lineno, f"is not JSON: {error.msg}", "an object of texts"))
    except UnicodeDecodeError:
        found.append(AddinTextProblem(str(path), 1, "is not UTF-8"))
    except _NotTextsError as error:
        found.append(AddinTextProblem(str(path), 1, str(error), "one object, each key once, every value a text"))
    else:
        lines = source.decode("utf-8-sig").splitlines()
        wrong = {key: problem for key, value in told.items() if (problem := _problem(key, value)) is not None}
        found += [AddinTextProblem(str(path), _line(lines, key), *problem) for key, problem in wrong.items()]
        return {key: value for key, value in told.items() if key not in wrong}
    return {}


class _NotTextsError(Exception):
    """The JSON is no object of texts."""


def _parsed(source: bytes) -> dict[str, Any]:
    if len(source) > _LONGEST_FILE:
        raise _NotTextsError(f"is longer than {_LONGEST_FILE} bytes")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in pairs}) != len(pairs):
            raise _NotTextsError("has a key twice")
        return dict(pairs)

    try:
        told = json.loads(source.decode("utf-8-sig"), object_pairs_hook=once)
    except RecursionError as error:
        raise _NotTextsError("is nested") from error
    if not isinstance(told, dict):
        raise _NotTextsError("is not an object")
    return told


def _problem(key: str, value: Any) -> tuple[str, str] | None:
    """Return what is wrong with a text and what is allowed, None if nothing is."""
    known = packaged("en")
    if key not in known:
        return f"unknown text {key[:_SHOWN]!r}", ", ".join(get_close_matches(key[:_SHOWN], known, 3, 0.0))
    if not isinstance(value, str) or not value.strip():
        return f"{key} is no text", "a text that is not empty"
    allowed = placeholders(known[key])
    strangers = sorted(placeholders(value) - allowed)
    names = " ".join(f"{{{name}}}" for name in sorted(allowed)) or "none"
    checks = (
        (_UNFIT.search(value), f"{key} has a control character", "one line of text"),
        (len(value) > longest(key), f"{key} has {len(value)} characters", f"at most {longest(key)}"),
        (strangers, f"{key} has the unknown variable {{{''.join(strangers[:1])}}}", names),
        (re.search(r"[{}]", _PLACEHOLDER.sub("", value)), f"{key} has a brace too many", f"variables: {names}"),
    )
    return next(((problem, instead) for wrong, problem, instead in checks if wrong), None)


def _line(lines: list[str], key: str) -> int:
    written = json.dumps(key, ensure_ascii=False)
    return next((number for number, line in enumerate(lines, 1) if written in line), 1)
