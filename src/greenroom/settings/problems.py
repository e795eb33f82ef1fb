"""What is wrong with a configuration, told so that it can be put right at once."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to put right.

    `file` is the file as the user named it, or "environment". `line` counts from 1; None where there is no line, as for
    a variable. `key` is the path of the setting (`integration[main].exchange.url`) or the variable's name. `message`
    says what is wrong and never repeats a secret; `allowed` says what would be right, and may be empty.
    """

    file: str
    line: int | None
    key: str
    message: str
    allowed: str = ""

    def __str__(self) -> str:
        """Spell it as compilers do, so that editors can jump to the place: `file:line: key: message`."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        text = ": ".join(part for part in (place, self.key, self.message) if part)
        return f"{text}\n    allowed: {self.allowed}" if self.allowed else text


class SettingsError(Exception):
    """The configuration cannot be used. `problems` holds all that was found, in the order of the file."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Keep every problem; the text is all of them, one below the other."""
        self.problems = list(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
