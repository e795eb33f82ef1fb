"""The file and the environment laid over one another, with the place of every value kept.

A variable is `GREENROOM_` and the path of the setting, joined by two underscores: `GREENROOM_SERVICE__LISTEN`. An
integration is addressed by its name: `GREENROOM_INTEGRATION__MAIN__EXCHANGE__PASSWORD`. Lists are JSON. Empty variables
count as not set.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from greenroom.settings.catalogue import field_at, holds_list
from greenroom.settings.model import Settings
from greenroom.settings.problems import Problem
from greenroom.settings.toml_lines import Path

PREFIX = "GREENROOM_"
ENVIRONMENT = "environment"
_LISTED = "integration"
_NAMED = 2  # parts of a variable up to and with the name of its integration


@dataclass(slots=True)
class Layers:
    """Values as they were given, and where each came from."""

    data: dict[str, Any]
    file: str
    lines: Mapping[Path, int]
    variables: dict[Path, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def problem(self, path: Path, message: str, allowed: str = "") -> None:
        """Note a problem with the value at a path, naming its variable or its line."""
        variable = self.variables.get(path)
        if variable is None and path and isinstance(path[-1], int):
            variable = self.variables.get(path[:-1])
        if variable is not None:
            self.problems.append(Problem(ENVIRONMENT, None, variable, message, allowed))
        else:
            self.problems.append(Problem(self.file, self._line(path), self.spell(path), message, allowed))

    def spell(self, path: Path) -> str:
        """Write a path for people: `integration[main].exchange.url`."""
        text = ""
        for position, part in enumerate(path):
            if isinstance(part, str):
                text += f".{part}" if text else part
            else:
                text += f"[{self._name(part) if path[:position] == (_LISTED,) else part + 1}]"
        return text

    def value(self, path: Path) -> Any:
        """Return the value given at a path; None if there is none."""
        found: Any = self.data
        for part in path:
            try:
                found = found[part]
            except (KeyError, IndexError, TypeError):
                return None
        return found

    def _name(self, index: int) -> str:
        name = self.value((_LISTED, index, "name"))
        return name if isinstance(name, str) and name else f"#{index + 1}"

    def _line(self, path: Path) -> int | None:
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path[:-1]
        return None

    def lay_environment(self, env: Mapping[str, str]) -> None:
        """Put the environment's values over those of the file."""
        strangers: dict[str, list[tuple[str, list[str]]]] = {}
        for variable in sorted(env):
            parts = variable.upper().removeprefix(PREFIX).lower().split("__")
            if not variable.upper().startswith(PREFIX) or len(parts) == 1 or not env[variable].strip():
                continue
            if parts[0] != _LISTED:
                self._set(tuple(parts), variable, env[variable])
            elif len(parts) > _NAMED:
                index = self._index(parts[1])
                if index is None:
                    strangers.setdefault(parts[1], []).append((variable, parts[2:]))
                else:
                    self._set((_LISTED, index, *parts[2:]), variable, env[variable])
            else:
                self._unknown(variable, "names no setting")
        for name, given in strangers.items():
            self._add(name, given, env)

    def _index(self, name: str) -> int | None:
        listed = self.data.get(_LISTED)
        rows = listed if isinstance(listed, list) else []
        names = [str(entry.get("name", "")) if isinstance(entry, dict) else "" for entry in rows]
        spelled = [known.lower().replace("-", "_") for known in names]
        return spelled.index(name) if name in spelled else None

    def _add(self, name: str, given: list[tuple[str, list[str]]], env: Mapping[str, str]) -> None:
        """Begin a new integration, if its number is there; else a name was misspelled."""
        listed = self.data.setdefault(_LISTED, [])
        if not isinstance(listed, list):
            return
        if not any(parts == ["number"] for _, parts in given):
            known = [str(entry.get("name", "")) for entry in listed if isinstance(entry, dict)]
            guess = get_close_matches(name, [one.lower().replace("-", "_") for one in known], n=1)
            hint = f'; did you mean "{guess[0].upper()}"?' if guess else ""
            for variable, _ in given:
                self._unknown(variable, f'there is no integration of the name "{name}"{hint}')
            return
        listed.append({"name": name.replace("_", "-")})
        self.variables[_LISTED, len(listed) - 1] = f"{PREFIX}INTEGRATION__{name.upper()}__..."
        for variable, parts in given:
            self._set((_LISTED, len(listed) - 1, *parts), variable, env[variable])

    def _unknown(self, variable: str, message: str) -> None:
        allowed = "GREENROOM_<SECTION>__<KEY>, or GREENROOM_INTEGRATION__<NAME>__<SECTION>__<KEY>"
        self.problems.append(Problem(ENVIRONMENT, None, variable, message, allowed))

    def _set(self, path: Path, variable: str, text: str) -> None:
        if path[0] not in Settings.model_fields:
            guess = get_close_matches(str(path[0]), list(Settings.model_fields), n=1)
            self._unknown(variable, "names no setting" + (f"; did you mean {guess[0].upper()}?" if guess else ""))
            return
        table: Any = self.data
        for part in path[:-1]:
            if isinstance(part, str) and isinstance(table, dict):
                table.setdefault(part, {})
            table = table[part]
            if not isinstance(table, dict | list):
                return  # the file has a plain value where a table belongs, which is reported by itself
        key = str(path[-1])
        self.variables[path] = variable
        table[key] = self._parse(path, text)
        twin = key.removesuffix("_file") if key.endswith("_file") else f"{key}_file"
        if (*path[:-1], twin) not in self.variables:
            table.pop(twin, None)  # the environment outranks the file, in whichever form a secret is given

    def _parse(self, path: Path, text: str) -> Any:
        target = field_at(path)
        if target is None or not holds_list(target) or text.lstrip()[:1] not in {"[", "{"}:
            return text
        try:
            return json.loads(text)
        except (json.JSONDecodeError, RecursionError):
            self.problem(path, "is not JSON", 'a JSON list such as ["a", "b"]')
            return []
