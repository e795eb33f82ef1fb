"""What a resource of the management API is made of: fields with types and limits, methods, filters, orders."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

Kind = Literal["string", "integer", "boolean", "datetime", "related", "file"]
REQUIRED: Final = object()
"""The default of a field that has none."""
OWN: Final = 1
RELATED: Final = 2
"""How far filters of a field go: on its own value, or also on fields of what it points to (Tastypie's ALL and
ALL_WITH_RELATIONS)."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `default` may be a callable; REQUIRED means that one has to be given.

    `points_to` names the resource a related field points to, `many` says that it is a list, `whole` that it is read as an
    object in full instead of an address, `reverse` that it is kept by the other side. `secret` is never read back.
    """

    name: str
    kind: Kind
    default: Any = None
    max_length: int | None = None
    min_length: int | None = None
    least: int | None = None
    most: int | None = None
    choices: tuple[Any, ...] = ()
    nullable: bool = False
    blank: bool = True
    unique: bool = False
    readonly: bool = False
    secret: bool = False
    points_to: str | None = None
    many: bool = False
    whole: bool = False
    reverse: str | None = None
    made: Literal["uuid", "now", "count"] | None = None

    @property
    def required(self) -> bool:
        """Whether a new object must name it."""
        return self.default is REQUIRED


@dataclass(frozen=True)
class Resource:
    """One resource: where it is, what it is made of, what may be done with it."""

    section: Literal["configuration", "status", "command", "history"]
    name: str
    fields: tuple[Field, ...]
    filtering: dict[str, int]
    ordering: tuple[str, ...]
    methods: tuple[str, ...] = ("get", "post", "put", "delete", "patch")

    @property
    def key(self) -> str:
        """Section and name, as faults and counts name it."""
        return f"{self.section}/{self.name}"

    @property
    def path(self) -> str:
        """Its list's address, without the host."""
        return f"/api/admin/{self.section}/v1/{self.name}/"

    @cached_property
    def by_name(self) -> dict[str, Field]:
        """Its fields by their names."""
        return {field.name: field for field in self.fields}


def text(name: str, length: int | None = 250, default: Any = "", **more: Any) -> Field:
    """A string; a required one cannot be blank."""
    more.setdefault("blank", default is not REQUIRED)
    return Field(name, "string", default, max_length=length, **more)


def choice(name: str, choices: tuple[str, ...], default: Any, **more: Any) -> Field:
    """A string that is one of a few."""
    return Field(name, "string", default, choices=choices, blank=default == "", **more)


def flag(name: str, default: Any = False, **more: Any) -> Field:
    """A boolean."""
    return Field(name, "boolean", default, **more)


def number(name: str, least: int | None = None, most: int | None = None, default: Any = None, **more: Any) -> Field:
    """An integer; nullable where nothing is the default."""
    more.setdefault("nullable", default is None)
    return Field(name, "integer", default, least=least, most=most, **more)


def moment(name: str, default: Any = None, **more: Any) -> Field:
    """A time in UTC, said without an offset; nullable where nothing is the default."""
    more.setdefault("nullable", default is None)
    return Field(name, "datetime", default, **more)


def one(name: str, points_to: str, default: Any = None, **more: Any) -> Field:
    """The address of another object; nullable unless required."""
    return Field(name, "related", default, nullable=default is None, points_to=points_to, **more)


def many(name: str, points_to: str, **more: Any) -> Field:
    """A list of addresses."""
    return Field(name, "related", (), nullable=True, points_to=points_to, many=True, **more)


IDENTITY: Final = (
    Field("id", "integer", None, unique=True, readonly=True),
    Field("resource_uri", "string", None, readonly=True),
)
"""What every object of the configuration has."""


def configuration(
    name: str, *fields: Field, filtering: dict[str, int] | None = None, ordering: tuple[str, ...] | None = None
) -> Resource:
    """A resource that can be changed. Without a published list of filters every field is one."""
    if filtering is None:
        filtering = {field.name: RELATED if field.kind == "related" else OWN for field in (*IDENTITY[:1], *fields)}
        filtering = {key: how for key, how in filtering.items() if not _kept_back(fields, key)}
    if ordering is None:
        ordering = tuple(field.name for field in (*IDENTITY[:1], *fields) if field.kind not in ("related", "file"))
    return Resource("configuration", name, (*IDENTITY, *fields), filtering, ordering)


def _kept_back(fields: tuple[Field, ...], name: str) -> bool:
    return any(field.name == name and (field.secret or field.kind == "file") for field in fields)


def status(name: str, *fields: Field) -> Resource:
    """A resource that can only be read; all its fields are filters."""
    singleton = all(field.name != "id" for field in fields)
    shown = fields if singleton else (*fields, Field("resource_uri", "string", readonly=True))
    names = tuple(field.name for field in fields)
    return Resource("status", name, shown, dict.fromkeys(names, OWN), names, ("get",))


def command(name: str, *fields: Field) -> Resource:
    """An order to the platform."""
    return Resource("command", name, fields, {}, (), ("post",))
