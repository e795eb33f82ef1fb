"""Texts that people read, from sandboxed templates: an administrator's folder before the packaged ones.

Looked for in this order: `<folder>/<language>/<file>`, `<folder>/<file>`, the packaged file of the language, the English one.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

from markupsafe import Markup

from greenroom.meetings.sandbox import LONGEST_TEMPLATE, Program, Refused, compile_template
from greenroom.meetings.sandbox_rules import Problem
from greenroom.meetings.text_table import PRIVATE_SUBJECT, TEXTS, TextKind, file_name

_PACKAGED: Final = files("greenroom.meetings") / "texts"
_NORWEGIAN: Final = {"nb": "no", "nn": "no"}
"""Languages that others stand in for."""
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z")
# Control characters, lone surrogates and non-characters, which XML does not carry, and the controls that reorder a line.
_UNFIT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u202a-\u202e\u2066-\u2069]")
_MARKS: Final = re.compile("[\u061c\u200b\u200e\u200f\u2060\ufeff]")
_LONGEST_VARIABLE: Final = {"subject": 255, "organizer_name": 255, "organizer_email": 320}


@dataclass(frozen=True, slots=True)
class TextProblem:
    """One thing wrong with a text file: where, what, and what is allowed instead."""

    file: str
    line: int
    problem: str
    allowed: str = ""


class TemplateError(Exception):
    """A text cannot be rendered. Carries file, line, problem and what is allowed; never the value of a variable."""

    def __init__(self, file: str, line: int, problem: str, allowed: str = "") -> None:
        super().__init__(f"{file}, line {line}: {problem}" + (f" (allowed: {allowed})" if allowed else ""))
        self.file = file
        self.line = line
        self.problem = problem
        self.allowed = allowed


class Texts:
    """All texts of one integration in one language. Files are read and compiled once, at their first use."""

    def __init__(self, folder: Path | None = None, language: str = "en") -> None:
        if not _LANGUAGE.match(language):
            raise ValueError('a language is written as in "en" or "pt-BR"')
        self._folder = folder
        self._language = language
        base = language.partition("-")[0]
        self._spoken = _NORWEGIAN.get(base, base)
        self._programs: dict[str, tuple[str, Program]] = {}

    @property
    def private_subject(self) -> str:
        """What stands where the subject of a private meeting would."""
        return PRIVATE_SUBJECT.get(self._spoken, PRIVATE_SUBJECT["en"])

    def render(self, name: str, variables: Mapping[str, object]) -> str:
        """Render the text `name` ("accept_new_single", ...): HTML, or one plain line of bounded length (see TEXTS).

        An optional variable that is not given is None. Where `private` is true, the subject is replaced before any template
        sees it. In HTML, values are escaped, but for variables that hold HTML. Raises TemplateError when the file is wrong,
        ValueError for an unknown text and for variables that are missing or unknown.
        """
        kind = _kind(name)
        given = self._variables(name, kind, variables)
        try:
            file, program = self._program(name)
        except Refused as e:
            raise _error(self._source(name)[0], e.problems[0]) from None
        try:
            text = program.run(given)
        except Refused as e:
            raise _error(file, e.problems[0]) from None
        return text.strip() if kind.html else one_line(text, kind.longest)

    def lint(self) -> list[TextProblem]:
        """Check every text that would be used, and that every file of the folder is one that would be."""
        found = []
        for name in TEXTS:
            try:
                self._program(name)
            except Refused as e:
                file = self._source(name)[0]
                found += [TextProblem(file, problem.line, problem.text, problem.allowed) for problem in e.problems]
        return found + self._strangers()

    def _variables(self, name: str, kind: TextKind, variables: Mapping[str, object]) -> dict[str, object]:
        unknown = variables.keys() - kind.variables.keys()
        missing = {key for key, variable in kind.variables.items() if not variable.optional} - variables.keys()
        if unknown or missing:
            wrong = ", ".join(sorted(unknown | missing))
            raise ValueError(f"the text {name} is rendered with other variables: {wrong}")
        given = {key: _clean(key, variables.get(key), html=v.html) for key, v in kind.variables.items()}
        if given.get("private"):
            given["subject"] = self.private_subject
        return given

    def _program(self, name: str) -> tuple[str, Program]:
        if name not in self._programs:
            file, source = self._source(name)
            kind = TEXTS[name]
            program = compile_template(source, html=kind.html, names=kind.variables)
            missing = sorted(
                variable for variable in kind.required if not re.search(rf"\{{\{{[^{{}}]*\b{variable}\b", source)
            )
            if missing:
                raise Refused([Problem(1, f"the variable {missing[0]} must be used", "{{ " + missing[0] + " }}")])
            self._programs[name] = (file, program)
        return self._programs[name]

    def _source(self, name: str) -> tuple[str, str]:
        """Return the path to show and the text; an unreadable file is a text that no check lets through."""
        file = file_name(name)
        if self._folder is not None:
            for path in (self._folder / self._language / file, self._folder / file):
                if path.is_file():
                    return str(path), _read(path)
        for language in (self._language, self._spoken, "en"):
            packaged = _PACKAGED / language / file
            if packaged.is_file():
                return f"texts/{language}/{file}", packaged.read_text(encoding="utf-8")
        raise LookupError(f"the package lacks the text {file}")

    def _strangers(self) -> list[TextProblem]:
        if self._folder is None or not self._folder.is_dir():
            return []
        known = {file_name(name) for name in TEXTS}
        entries = [*self._folder.iterdir(), *_entries(self._folder / self._language)]
        strangers = sorted(str(path) for path in entries if path.name.endswith(".j2") and path.name not in known)
        return [TextProblem(path, 1, "unknown file name", ", ".join(sorted(known))) for path in strangers]


def one_line(text: str, longest: int | None = None) -> str:
    """Make a plain text fit for a name: one line, no control or direction characters, cut with an ellipsis."""
    line = " ".join(_MARKS.sub("", _UNFIT.sub(" ", text)).split())
    return line if longest is None or len(line) <= longest else line[: longest - 1].rstrip() + "…"


def _kind(name: str) -> TextKind:
    kind = TEXTS.get(name)
    if kind is None:
        raise ValueError(f"there is no text {name[:40]}; there are {', '.join(TEXTS)}")
    return kind


def _clean(name: str, value: object, *, html: bool = False) -> object:
    if isinstance(value, list):
        return [_clean(name, item) for item in value]
    if isinstance(value, dict):
        return {field: _clean(name, item) for field, item in value.items()}
    if not isinstance(value, str):
        return value
    text = _UNFIT.sub("", value)[: _LONGEST_VARIABLE.get(name)]
    return Markup(text) if html else text  # noqa: S704 - only what this module rendered is declared as HTML


def _entries(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _read(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(LONGEST_TEMPLATE * 4 + 4)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "{% this file is not UTF-8 %}" if len(data) <= LONGEST_TEMPLATE * 4 else " " * (LONGEST_TEMPLATE + 1)


def _error(file: str, problem: Problem) -> TemplateError:
    return TemplateError(file, problem.line, problem.text, problem.allowed)
