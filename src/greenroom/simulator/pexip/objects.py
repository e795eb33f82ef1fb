"""Creating, changing and deleting objects of the configuration, with the rules of the product."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any, Final

from greenroom.simulator.pexip.fields import CONFIGURATION, LAYOUTS
from greenroom.simulator.pexip.pins import pin_problems
from greenroom.simulator.pexip.refusals import InvalidError, bad_request, not_found
from greenroom.simulator.pexip.values import moment_of, value_problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from greenroom.simulator.pexip.kinds import Field, Resource
    from greenroom.simulator.pexip.options import Options
    from greenroom.simulator.pexip.store import Row, Store

_ADDRESS: Final = re.compile(r"/api/admin/configuration/v1/(\w+)/(\d{1,18})/", re.ASCII)


class Objects:
    """The configuration as the management API changes it; values come in as the JSON of a request.

    ``changed`` is told of every object that is about to be changed: its resource, and what it was.
    """

    def __init__(self, store: Store, options: Options, changed: Callable[[str, Row], None] | None = None) -> None:
        self.store = store
        self.options = options
        self._changed = changed

    def find(self, resource: str, number: int) -> Row:
        """One row. Raises RefusedError (404)."""
        row = self.store.management.tables[resource].rows.get(number)
        if row is None:
            raise not_found()
        return row

    def by_address(self, address: Any, wanted: str) -> int:
        """The id behind the address of an object. Raises RefusedError (400)."""
        match = _ADDRESS.fullmatch(address) if isinstance(address, str) else None
        known = match is not None and match[1] == wanted and wanted in CONFIGURATION
        if match is None or not known or int(match[2]) not in self.store.management.tables[wanted].rows:
            raise bad_request(f"Could not find the provided {wanted} object via resource URI '{address}'.")
        return int(match[2])

    def create(self, name: str, data: Mapping[str, Any]) -> int:
        """Make an object; returns its id. Raises RefusedError."""
        resource = CONFIGURATION[name]
        with self.store.transaction():
            row = {field.name: self._beginning(field) for field in resource.fields if not self._derived(field)}
            given = self._read(resource, data, None)
            missing = {
                f.name: ["This field is required."] for f in resource.fields if f.required and f.name not in data
            }
            if missing:
                raise InvalidError(name, missing)
            row |= given
            self._judge(resource, row, None)
            number = self.store.insert(name, row)
            if not self.options.half_made:
                self._nested(resource, number, data)
        if self.options.half_made:
            self._nested(resource, number, data)
        return number

    def update(self, name: str, number: int, data: Mapping[str, Any], *, whole: bool = False) -> None:
        """Change what is named; with ``whole``, everything else goes back to its default. Raises RefusedError."""
        resource = CONFIGURATION[name]
        old = self.find(name, number)
        with self.store.transaction():
            row = dict(old)
            if whole:
                kept = ("id", "creation_time", "uuid")
                row |= {
                    f.name: self._beginning(f) for f in resource.fields if not self._derived(f) and f.name not in kept
                }
                missing = [f.name for f in resource.fields if f.required and f.name not in data]
                if missing:
                    raise InvalidError(name, {one: ["This field is required."] for one in missing})
                data = {k: v for k, v in data.items() if k not in resource.by_name or not resource.by_name[k].readonly}
            row |= self._read(resource, data, number)
            self._judge(resource, row, number)
            if self._changed is not None:
                self._changed(name, old)
            self.store.update(name, number, row)
            self._nested(resource, number, data)

    def delete(self, name: str, number: int) -> None:
        """Remove an object, and what hangs on it. Raises RefusedError (404)."""
        self.find(name, number)
        self.store.delete(name, number)

    def _beginning(self, field: Field) -> Any:
        if field.made == "uuid":
            return str(uuid.uuid4())
        if field.made == "now":
            return self.store.clock()
        return None if field.required else field.default

    @staticmethod
    def _derived(field: Field) -> bool:
        return field.reverse is not None or field.made == "count" or field.name in ("id", "resource_uri")

    def _read(self, resource: Resource, data: Mapping[str, Any], number: int | None) -> dict[str, Any]:
        """The values of a request as a row keeps them."""
        errors: dict[str, list[str]] = {}
        read: dict[str, Any] = {}
        for name, value in data.items():
            field = resource.by_name.get(name)
            if field is None:
                if self.options.unknown_fields == "refused":
                    errors[name] = ["This resource has no such field."]
            elif field.readonly:
                if name not in ("id", "resource_uri") or number is None:
                    errors[name] = ["This field cannot be written."]
            elif self._derived(field):
                continue
            elif field.kind == "related":
                read[name] = self._reference(field, value)
            elif problem := value_problem(field, value):
                errors[name] = [problem]
            else:
                read[name] = moment_of(value) if field.kind == "datetime" and value is not None else value
        if errors:
            raise InvalidError(resource.name, errors)
        return read

    def _reference(self, field: Field, value: Any) -> Any:
        assert field.points_to is not None
        if field.many:
            if not isinstance(value, list):
                raise bad_request(f"The '{field.name}' field was given data that is not a list.")
            return tuple(self.by_address(one, field.points_to) for one in value)
        if value is None:
            if not field.nullable:
                raise bad_request(f"The '{field.name}' field has no data and doesn't allow a null value.")
            return None
        return self.by_address(value, field.points_to)

    def _judge(self, resource: Resource, row: Mapping[str, Any], number: int | None) -> None:
        table = self.store.management.tables[resource.name]
        taken: dict[str, list[str]] = {}
        for field in resource.fields:
            if field.unique and field.name != "id" and row[field.name] not in (None, ""):
                holder = table.holder(field.name, row[field.name])
                if holder is not None and holder != number:
                    taken[field.name] = [f"{_title(resource.name)} with this {_title(field.name)} already exists."]
        errors = self._room_problems(row) if resource.name == "conference" else {}
        if errors:
            raise InvalidError(resource.name, {**{k: [v] for k, v in errors.items()}, **taken})
        if taken:
            raise InvalidError(resource.name, taken, self.options.duplicate)

    def _room_problems(self, row: Mapping[str, Any]) -> dict[str, str]:
        problems = pin_problems(
            row["pin"], row["guest_pin"], guests=row["allow_guests"], shortest=self.options.min_pin_length
        )
        themes = self.store.management.tables["ivr_theme"].rows.values()
        own = {name.strip() for theme in themes for name in theme["custom_layouts"].split(",") if name.strip()}
        for name in ("host_view", "guest_view"):
            if row[name] and row[name] not in LAYOUTS and row[name] not in own:
                problems[name] = "Select a valid choice."
        return problems

    def _nested(self, resource: Resource, number: int, data: Mapping[str, Any]) -> None:
        if resource.name != "conference" or data.get("aliases") is None:
            return
        given = data["aliases"]
        if not isinstance(given, list):
            raise bad_request("The 'aliases' field was given data that is not a list.")
        table = self.store.management.tables["conference_alias"]
        kept = {self._kept(one): one for one in given if self._kept(one) is not None}
        for other in table.pointing("conference", number):
            if other not in kept:
                self.store.delete("conference_alias", other)
        address = f"{resource.path}{number}/"
        try:
            for one in given:
                existing = self._kept(one)
                if not isinstance(one, dict):
                    self.update("conference_alias", self.by_address(one, "conference_alias"), {"conference": address})
                elif existing is None:
                    self.create("conference_alias", {**one, "conference": address})
                else:
                    changed = {k: v for k, v in one.items() if k not in ("id", "creation_time", "resource_uri")}
                    self.update("conference_alias", existing, {**changed, "conference": address})
        except InvalidError as refused:
            if self.options.alias_errors == "conference":
                messages = [text for texts in refused.errors.values() for text in texts]
                raise InvalidError("conference", {"aliases": messages}, refused.status) from None
            raise

    def _kept(self, alias: Any) -> int | None:
        """The id of an existing alias that an entry of a list means; None when it is to be made."""
        address = alias.get("resource_uri") if isinstance(alias, dict) else alias
        return None if address is None else self.by_address(address, "conference_alias")


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()
