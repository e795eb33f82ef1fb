"""What each address of the management API does, apart from signing in, limits and faults."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from greenroom.simulator.pexip.fields import NOT_SIMULATED, RESOURCES
from greenroom.simulator.pexip.query import filters_of, matches, ordered, page
from greenroom.simulator.pexip.refusals import RefusedError, bad_request, not_found
from greenroom.simulator.pexip.render import schema
from greenroom.simulator.pexip.values import moment_text

if TYPE_CHECKING:
    from greenroom.simulator.pexip.kinds import Resource
    from greenroom.simulator.pexip.objects import Objects
    from greenroom.simulator.pexip.platform import Pexip
    from greenroom.simulator.pexip.query import Params

_SECTIONS: Final = ("configuration", "status", "command", "history")
_MANY: Final = 2


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, taken apart. `target` is what `calls.Call` says."""

    method: str
    path: str
    resource: str
    target: str
    number: str | None = None
    query: Params = ()
    body: Any = None
    host: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back; `body` None means nothing."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


def address_of(path: str) -> tuple[str, str, str | None]:
    """Resource, target and id of an address under ``/api/admin/``. Raises RefusedError (404, or 501 for what is not here)."""
    parts = path.removeprefix("/api/admin/").split("/")
    if len(parts) < _MANY + 1 or parts[-1] or parts[0] not in _SECTIONS or parts[1] != "v1":
        raise not_found()  # a missing slash at the end, too
    section, rest = parts[0], parts[2:-1]
    if not rest or (section == "command" and len(rest) == 1):
        return "/".join([section, *rest]), "root", None
    name = "/".join(rest[:2]) if section == "command" else rest[0]
    rest = rest[2:] if section == "command" else rest[1:]
    key = f"{section}/{name}"
    if key not in RESOURCES:
        raise RefusedError(501, "Not simulated") if name in NOT_SIMULATED else not_found()
    if not rest:
        return key, "list", None
    if rest == ["schema"]:
        return key, "schema", None
    if len(rest) == 1 and section != "command":
        return key, "item", rest[0]
    raise not_found()


class Answers:
    """Answers requests from the platform's state. Raises RefusedError for everything that is refused."""

    def __init__(self, pexip: Pexip) -> None:
        self.pexip = pexip

    def answer(self, asked: Asked) -> Answer:
        """Do what is asked."""
        if asked.target == "root":
            return self._root(asked)
        resource = RESOURCES[asked.resource]
        if asked.target == "schema":
            _allowed(asked.method, ("get",))
            return Answer(200, schema(resource, self.pexip.options))
        _allowed(asked.method, resource.methods)
        if resource.section == "command":
            return self._command(resource, asked)
        if resource.section != "configuration":
            return self._status(resource, asked)
        if asked.target == "list":
            return self._list(resource, asked)
        return self._item(resource, asked)

    def _root(self, asked: Asked) -> Answer:
        _allowed(asked.method, ("get",))
        found = {r.name.rpartition("/")[2]: r for r in RESOURCES.values() if r.key.startswith(f"{asked.resource}/")}
        if not found:
            raise not_found()
        return Answer(200, {n: {"list_endpoint": r.path, "schema": f"{r.path}schema/"} for n, r in found.items()})

    def _list(self, resource: Resource, asked: Asked) -> Answer:
        if asked.method == "GET":
            database = self.pexip.store.management
            filters = filters_of(resource, asked.query, self.pexip.options)
            rows = [row for row in database.tables[resource.name].rows.values() if matches(row, filters, database)]
            rows = ordered(resource, sorted(rows, key=lambda row: int(row["id"])), asked.query)
            meta, rows = page(resource.path, rows, asked.query, self.pexip.options)
            return Answer(200, {"meta": meta, "objects": [self._shown(resource, row["id"]) for row in rows]})
        if asked.method == "POST":
            number = self.pexip.objects.create(resource.name, _object(asked.body))
            path = f"{resource.path}{number}/"
            location = path if self.pexip.options.location == "path" else asked.host + path
            return Answer(201, self._returned(resource, number), {"Location": location})
        if asked.method == "PATCH":
            return self._patch_list(resource, _object(asked.body))
        for number in list(self.pexip.store.management.tables[resource.name].rows):
            if number in self.pexip.store.management.tables[resource.name].rows:
                self.pexip.objects.delete(resource.name, number)
        if asked.method == "PUT":
            for one in _objects(_object(asked.body), "objects"):
                self.pexip.objects.create(resource.name, {k: v for k, v in one.items() if k != "resource_uri"})
        return Answer(204)

    def _patch_list(self, resource: Resource, body: dict[str, Any]) -> Answer:
        wanted = _objects(body, "objects")
        gone = body.get("deleted_objects", [])
        if not isinstance(gone, list):
            raise bad_request("Invalid data sent: 'deleted_objects' is not a list")
        if not self.pexip.options.atomic_lists:
            self._patch_each(resource, wanted, gone)
        else:
            with self.pexip.store.transaction():
                self._patch_each(resource, wanted, gone)
        return Answer(self.pexip.options.patched)

    def _patch_each(self, resource: Resource, wanted: list[dict[str, Any]], gone: list[Any]) -> None:
        objects = self.pexip.objects
        for one in wanted:
            fields = {name: value for name, value in one.items() if name != "resource_uri"}
            number = _existing(objects, resource, one.get("resource_uri"))
            if number is None:  # Tastypie makes anew what is not there any more
                objects.create(resource.name, fields)
            else:
                objects.update(resource.name, number, fields)
        for address in gone:
            try:
                number = objects.by_address(address, resource.name)
            except RefusedError:
                raise not_found() from None
            objects.delete(resource.name, number)

    def _item(self, resource: Resource, asked: Asked) -> Answer:
        number = int(asked.number) if asked.number and asked.number.isascii() and asked.number.isdigit() else 0
        if asked.method == "POST":
            raise RefusedError(501, "Not Implemented")
        self.pexip.objects.find(resource.name, number)
        if asked.method == "GET":
            return Answer(200, self._shown(resource, number))
        if asked.method == "DELETE":
            self.pexip.objects.delete(resource.name, number)
            return Answer(204)
        self.pexip.objects.update(resource.name, number, _object(asked.body), whole=asked.method == "PUT")
        shown = self._returned(resource, number)
        if asked.method == "PATCH":
            return Answer(self.pexip.options.patched, shown)
        return Answer(200 if shown else 204, shown)

    def _shown(self, resource: Resource, number: int) -> dict[str, Any]:
        return self.pexip.renderer.shown(resource.name, self.pexip.objects.find(resource.name, number))

    def _returned(self, resource: Resource, number: int) -> dict[str, Any] | None:
        return self._shown(resource, number) if self.pexip.options.returns_data else None

    def _status(self, resource: Resource, asked: Asked) -> Answer:
        rows = self.pexip.status_rows(resource.key)
        if asked.target == "item":
            row = next((one for one in rows if str(one.get("id")) == asked.number), None)
            if row is None:
                raise not_found()
            return Answer(200, _status_object(resource, row))
        filters = filters_of(resource, asked.query, self.pexip.options)
        rows = ordered(resource, [row for row in rows if matches(row, filters, None)], asked.query)
        meta, rows = page(resource.path, rows, asked.query, self.pexip.options)
        return Answer(200, {"meta": meta, "objects": [_status_object(resource, row) for row in rows]})

    def _command(self, resource: Resource, asked: Asked) -> Answer:
        body = _object(asked.body)
        wanted = resource.fields[0].name
        unknown = [name for name in body if name != wanted]
        if unknown and self.pexip.options.unknown_fields == "refused":
            raise RefusedError(400, {resource.name: {unknown[0]: ["This command has no such field."]}})
        if not isinstance(body.get(wanted), str):
            raise RefusedError(400, {resource.name: {wanted: ["This field is required."]}})
        running = self.pexip.running
        act = running.disconnect if wanted == "conference_id" else running.leave
        if not act(body[wanted]):
            raise RefusedError(400, {"status": "failed", "error": f"Unknown {wanted}"})
        return Answer(202, {"status": "success"})


def _existing(objects: Objects, resource: Resource, address: Any) -> int | None:
    try:
        return None if address is None else objects.by_address(address, resource.name)
    except RefusedError:
        return None


def _allowed(method: str, methods: tuple[str, ...]) -> None:
    if method.lower() not in methods:
        raise RefusedError(405, None, {"Allow": ",".join(methods).upper()})


def _object(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise bad_request("Invalid data sent: not an object")
    return body


def _objects(body: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = body.get(name)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise bad_request(f"Invalid data sent: missing '{name}'")
    return found


def _status_object(resource: Resource, row: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for one in resource.fields:
        value = row.get(one.name, one.default)
        shown[one.name] = moment_text(value) if isinstance(value, datetime) else value
    if "id" in row:
        shown["resource_uri"] = f"{resource.path}{row['id']}/"
    return shown
