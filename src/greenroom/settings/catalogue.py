"""What settings exist, read from the model: for messages, the reference, and the environment."""

import enum
import types
import typing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from greenroom.settings.model import Settings
from greenroom.settings.toml_lines import Path


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting, as the reference prints it. `where` is the table's path without positions."""

    where: tuple[str, ...]
    name: str
    field: FieldInfo
    section: type[BaseModel] | None
    many: bool

    @property
    def allowed(self) -> str:
        """What is allowed, from the declaration or from the type."""
        return allowed_values(self.field)

    @property
    def shown(self) -> bool:
        """Whether the example file sets it though it may be left out."""
        return bool(extra_of(self.field).get("shown"))


def entries(model: type[BaseModel] = Settings, where: tuple[str, ...] = ()) -> Iterator[Entry]:
    """Yield the settings of a section, then those of its tables, in the order of the model."""
    tables: list[Entry] = []
    for name, field in model.model_fields.items():
        section, many = section_of(field)
        entry = Entry(where, name, field, section, many)
        if section is None:
            yield entry
        else:
            tables.append(entry)
    for table in tables:
        yield table
        assert table.section is not None
        yield from entries(table.section, (*where, table.name))


def section_of(field: FieldInfo) -> tuple[type[BaseModel] | None, bool]:
    """Return the section a field holds and whether it holds many; (None, False) for a plain value."""
    for kind in _flat(field.annotation):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind, False
        if get_origin(kind) is tuple:
            inner = get_args(kind)[0]
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                return inner, True
    return None, False


def field_at(path: Path) -> FieldInfo | None:
    """Find the field that a path leads to; for a position in a list, the list's field."""
    model: type[BaseModel] | None = Settings
    found: FieldInfo | None = None
    for part in path:
        if isinstance(part, int):
            continue
        if model is None:
            return None
        found = model.model_fields.get(part)
        if found is None:
            return None
        model = section_of(found)[0]
    return found


def model_at(path: Path) -> type[BaseModel] | None:
    """Find the section that a path leads to; None for a plain value and for what does not exist."""
    if not any(isinstance(part, str) for part in path):
        return Settings
    field = field_at(path)
    return None if field is None else section_of(field)[0]


def holds_list(field: FieldInfo) -> bool:
    """Whether the value is a list, which the environment gives as JSON."""
    return any(get_origin(kind) is tuple for kind in _flat(field.annotation))


def is_secret(field: FieldInfo) -> bool:
    """Whether a value of this field must never be shown."""
    return any(kind in {SecretStr, bytes} for kind in _flat(field.annotation))


def extra_of(field: FieldInfo) -> dict[str, Any]:
    """The words of the declaration that pydantic does not know."""
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


def allowed_values(field: FieldInfo) -> str:
    """Say what is allowed in this field; empty if the declaration and the type do not tell."""
    extra = extra_of(field)
    if extra.get("allowed"):
        return " ".join(str(extra[word]) for word in ("allowed", "unit") if extra.get(word))
    for kind in _flat(field.annotation):
        if get_origin(kind) is typing.Literal:
            return either([str(choice) for choice in get_args(kind)])
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            return either([str(choice.value) for choice in kind])
        if kind is bool:
            return "true or false"
    return ""


def either(choices: Sequence[str]) -> str:
    """Join choices as a sentence does: a, b or c."""
    *first, last = choices
    return f"{', '.join(first)} or {last}" if first else last


def _flat(annotation: Any) -> Iterator[Any]:
    origin = get_origin(annotation)
    if origin in {typing.Union, types.UnionType}:
        for inner in get_args(annotation):
            yield from _flat(inner)
    elif origin is typing.Annotated:
        yield from _flat(get_args(annotation)[0])
    else:
        yield annotation
