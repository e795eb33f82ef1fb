"""Texts that people read, from sandboxed templates with packaged defaults (signatures; body follows)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TextProblem:
    """One thing wrong with a text file: where, what, and what is allowed instead."""

    file: str
    line: int
    problem: str
    allowed: str = ""


class TemplateError(Exception):
    """A text cannot be rendered. Carries file, line, problem; never the value of a variable."""

    def __init__(self, file: str, line: int, problem: str, allowed: str = "") -> None:
        super().__init__(f"{file}, line {line}: {problem}")
        self.file = file
        self.line = line
        self.problem = problem
        self.allowed = allowed


class Texts:
    """All texts of one integration: files of `folder` stand in for the packaged ones."""

    def __init__(self, folder: Path | None = None, language: str = "en") -> None:
        raise NotImplementedError

    def render(self, name: str, variables: Mapping[str, object]) -> str:
        """Render the text `name` ("accept_new_single", ...). A name missing from `variables` that may be None is None.

        Raises TemplateError when the text is wrong, ValueError for an unknown text, or for variables missing or unknown.
        """
        raise NotImplementedError

    def lint(self) -> list[TextProblem]:
        """Check every text that would be used, and every file of the folder."""
        raise NotImplementedError
