"""Objects of the configuration as the API shows them, and the schema of a resource."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from greenroom.simulator.pexip.fields import CONFIGURATION
from greenroom.simulator.pexip.kinds import REQUIRED
from greenroom.simulator.pexip.values import moment_text

if TYPE_CHECKING:
    from greenroom.simulator.pexip.kinds import Field, Resource
    from greenroom.simulator.pexip.options import Options
    from greenroom.simulator.pexip.store import Row, Store

MASK: Final = "****"


class Renderer:
    """Shows rows of the configuration on the Management Node."""

    def __init__(self, store: Store, options: Options) -> None:
        self.store = store
        self.options = options

    def shown(self, name: str, row: Row, *, inside: bool = False) -> dict[str, Any]:
        """One object in full; ``inside`` another one, what points back is an address."""
        resource = CONFIGURATION[name]
        return {field.name: self._value(resource, field, row, inside=inside) for field in resource.fields}

    def _value(self, resource: Resource, field: Field, row: Row, *, inside: bool) -> Any:
        if field.name == "resource_uri":
            return f"{resource.path}{row['id']}/"
        if field.made == "count":
            return len(self.store.management.tables["scheduled_conference"].pointing("conference", row["id"]))
        if field.kind == "related":
            return self._reference(field, row, inside=inside)
        value = row[field.name]
        if field.secret:
            return "" if field.kind == "string" else None
        if field.name in ("pin", "guest_pin") and value and self.options.masked_pins:
            return MASK
        return moment_text(value) if isinstance(value, datetime) else value

    def _reference(self, field: Field, row: Row, *, inside: bool) -> Any:
        target = field.points_to
        table = self.store.management.tables.get(target or "")
        if field.many:
            numbers = table.pointing(field.reverse, row["id"]) if table and field.reverse else row.get(field.name) or ()
        else:
            numbers = () if row[field.name] is None else (row[field.name],)
        shown: list[Any] = []
        for number in numbers:
            if table is not None and target is not None and field.whole and not inside:
                shown.append(self.shown(target, table.rows[number], inside=True))
            else:
                shown.append(f"/api/admin/configuration/v1/{target}/{number}/")
        if field.many:
            return shown
        return shown[0] if shown else None


def schema(resource: Resource, options: Options) -> dict[str, Any]:
    """What ``/schema/`` says about a resource."""
    methods = list(resource.methods)
    return {
        "allowed_detail_http_methods": [] if resource.section == "command" else methods,
        "allowed_list_http_methods": methods,
        "default_format": "application/json",
        "default_limit": options.default_limit,
        "fields": {field.name: _field(field) for field in sorted(resource.fields, key=lambda one: one.name)},
        "filtering": resource.filtering,
        "ordering": list(resource.ordering),
    }


def _field(field: Field) -> dict[str, Any]:
    default = field.default
    if default is REQUIRED:
        default = "No default provided."
    elif field.many:
        default = None
    described: dict[str, Any] = {
        "blank": field.blank and field.kind == "string",
        "default": default,
        "help_text": _help(field),
        "nullable": field.nullable,
        "readonly": field.readonly,
        "type": field.kind,
        "unique": field.unique,
    }
    if field.kind == "related":
        described["related_type"] = "to_many" if field.many else "to_one"
    if field.kind == "boolean":
        described["valid_choices"] = [True, False]
    elif field.choices:
        described["valid_choices"] = list(field.choices)
    return described


def _help(field: Field) -> str:
    told = []
    if field.min_length is not None:
        told.append(f"Minimum length: {field.min_length} characters.")
    if field.max_length is not None:
        told.append(f"Maximum length: {field.max_length} characters.")
    if field.least is not None and field.most is not None:
        told.append(f"Range: {field.least} to {field.most}.")
    elif field.least is not None:
        told.append(f"Minimum value: {field.least}.")
    return " ".join(told)
