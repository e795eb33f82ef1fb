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
    """One setting, as the reference prints it. `where` is the table's path without positions.

    A table that speaks one of several protocols is one entry for each; `protocol` is that of the table, or of the setting's.
    """

    where: tuple[str, ...]
    name: str
    field: FieldInfo
    section: type[BaseModel] | None
    many: bool
    protocol: str | None = None

    @property
    def allowed(self) -> str:
        """What is allowed, from the declaration or from the type."""
        return allowed_values(self.field)

    @property
    def like(self) -> str:
        """The table beside it that has most of the same settings; empty if there is none."""
        return str(extra_of(self.field).get("like") or "") if self.section is not None else ""

    @property
    def may_be_absent(self) -> bool:
        """Whether this is a table that is left out where what it is for is not wanted."""
        return self.section is not None and self.field.default is None and not self.like

    @property
    def shown(self) -> bool:
        """Whether the example file sets it though it may be left out."""
        return bool(extra_of(self.field).get("shown"))


def entries(
    model: type[BaseModel] = Settings, where: tuple[str, ...] = (), protocol: str | None = None
) -> Iterator[Entry]:
    """Yield the settings of a section, then those of its tables, in the order of the model."""
    tables: list[Entry] = []
    for name, field in model.model_fields.items():
        sections, many = sections_of(field)
        if not sections:
            yield Entry(where, name, field, None, many, protocol)
        tables += [Entry(where, name, field, section, many, spoken_by(section)) for section in sections]
    for table in tables:
        yield table
        assert table.section is not None
        yield from entries(table.section, (*where, table.name), table.protocol)


def sections_of(field: FieldInfo) -> tuple[tuple[type[BaseModel], ...], bool]:
    """Return the sections of which a field holds one, and whether it holds many; ((), False) for a plain value."""
    found: list[type[BaseModel]] = []
    for kind in _flat(field.annotation):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found.append(kind)
        if get_origin(kind) is tuple:
            inner = get_args(kind)[0]
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                return (inner,), True
    return tuple(found), False


def spoken_by(section: type[BaseModel]) -> str | None:
    """Return the protocol that this section alone speaks; None for a section that has no others beside it."""
    field = section.model_fields.get("protocol")
    return None if field is None else str(get_args(field.annotation)[0])


def field_at(path: Path) -> FieldInfo | None:
    """Find the field that a path leads to; for a position in a list, the list's field."""
    models: tuple[type[BaseModel], ...] = (Settings,)
    found: FieldInfo | None = None
    for part in path:
        if isinstance(part, int):
            continue
        found = next((model.model_fields[part] for model in models if part in model.model_fields), None)
        if found is None:
            return None
        models = sections_of(found)[0]
    return found


def models_at(path: Path) -> tuple[type[BaseModel], ...]:
    """Find the sections that may stand at a path; none for a plain value and for what does not exist."""
    if not any(isinstance(part, str) for part in path):
        return (Settings,)
    field = field_at(path)
    return () if field is None else sections_of(field)[0]


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


def either(choices: Sequence[str], word: str = "or") -> str:
    """Join choices as a sentence does: a, b or c."""
    *first, last = choices
    return f"{', '.join(first)} {word} {last}" if first else last


def _flat(annotation: Any) -> Iterator[Any]:
    origin = get_origin(annotation)
    if origin in {typing.Union, types.UnionType}:
        for inner in get_args(annotation):
            yield from _flat(inner)
    elif origin is typing.Annotated:
        yield from _flat(get_args(annotation)[0])
    else:
        yield annotation
