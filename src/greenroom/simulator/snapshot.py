"""Keeping a whole `Exchange` in one JSON file, so that a demo finds its data again.

Everything the store knows is in it, bodies and (salted, quick) password hashes and secrets of
applications too: it is for made-up data. Subscriptions and access tokens are not.
Loading trusts the file no further than its shape: unknown kinds or fields raise ValueError.
"""

import base64
import dataclasses
import json
import os
import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from greenroom.simulator import applications, directory, model, organisation, recurrence
from greenroom.simulator.exchange import Exchange
from greenroom.simulator.site import Site
from greenroom.simulator.synclog import FolderLog

_VERSION = 1
_KINDS: dict[str, type] = {
    name: kind
    for module in (model, organisation, recurrence)
    for name, kind in vars(module).items()
    if isinstance(kind, type) and dataclasses.is_dataclass(kind)
} | {"Login": directory.Login, "Application": applications.Application, "Federation": applications.Federation}


def save(exchange: Exchange, path: Path) -> None:
    """Write the store to a file, which is replaced in one step: it holds the old or the new state, never half of one."""
    replace_file(path, json.dumps(_site_to_data(exchange.site), separators=(",", ":")))


def replace_file(path: Path, text: str) -> None:
    """Write a file in one step, whatever was there before. Raises OSError, and then leaves what was there."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".new")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def load(path: Path, clock: Callable[[], datetime]) -> Exchange:
    """Read a store from a file. Raises OSError, and ValueError for a file that `save` did not write."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["version"] != _VERSION:
            raise ValueError(f"the snapshot has version {data['version']}, this program reads {_VERSION}")
        exchange = Exchange(clock)
        _data_to_site(data, exchange.site)
    except (KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise ValueError(f"the file is no snapshot of a simulated Exchange ({type(error).__name__})") from error
    return exchange


def _site_to_data(site: Site) -> dict[str, Any]:
    people = site.directory
    return {
        "version": _VERSION,
        "generation": site.generation,
        "subscriptions_made": site.subscriptions_made,
        "mailboxes": [_encode(one) for one in people.mailboxes.values()],
        "logins": {name: _encode(one) for name, one in people.logins.items()},
        "tokens": people.tokens,
        "grants": {name: None if scope is None else sorted(scope) for name, scope in people.grants.items()},
        "tenant": site.tenant,
        "silent_updates": site.silent_updates,
        "organisation": _encode(site.organisation),
        "applications": [_encode(one) for one in people.applications.values()],
        "outbound": [_encode(one) for one in site.outbound],
        "bounced": [_encode(one) for one in site.bounced],
        "stores": {
            address: {
                "number": store.number,
                "made": store.made,
                "folder_properties": store.folder_properties,
                "items": [_encode(item) for item in store.items.values()],
                "logs": {id_: [log.numbers, log.entries] for id_, log in store.logs.items()},
            }
            for address, store in site.stores.items()
        },
    }


def _data_to_site(data: dict[str, Any], site: Site) -> None:
    site.generation, site.subscriptions_made = int(data["generation"]), int(data["subscriptions_made"])
    for one in data["mailboxes"]:
        mailbox = _decode(one)
        site.directory.add(mailbox)
        site.add_store(mailbox)
    site.directory.logins = {name: _decode(one) for name, one in data["logins"].items()}
    site.directory.tokens = dict(data["tokens"])
    site.directory.grants = {
        name: None if scope is None else frozenset(scope) for name, scope in data["grants"].items()
    }
    site.tenant, site.silent_updates = str(data.get("tenant", site.tenant)), bool(data.get("silent_updates", False))
    if "organisation" in data:
        site.organisation = _decode(data["organisation"])
        site.organisation.past = list(site.organisation.past)
    for one in data.get("applications", ()):
        site.directory.register(_decode(one))
    site.outbound = [_decode(one) for one in data["outbound"]]
    site.bounced = [_decode(one) for one in data["bounced"]]
    for address, kept in data["stores"].items():
        store = site.stores[address]
        store.number, store.made = int(kept["number"]), int(kept["made"])
        store.folder_properties = dict(kept.get("folder_properties", {}))
        for one in kept["items"]:
            store.restore(_decode(one))
        for id_, (numbers, entries) in kept["logs"].items():
            store.logs[id_] = FolderLog(list(numbers), [(item_id, kind) for item_id, kind in entries])


_PLAIN = (type(None), bool, int, float, str)


def _encode(value: Any) -> Any:
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is tuple or kind is list:
        return [_encode(one) for one in value]
    if kind is dict:
        return {"$pairs": [[_encode(key), _encode(one)] for key, one in value.items()]}
    scalar = _SCALARS_BY_TYPE.get(kind)
    if scalar is not None:
        tag, write = scalar
        return {tag: write(value)}
    kept: dict[str, Any] = {"$kind": kind.__name__}
    if kind not in _FIELDS:
        _FIELDS[kind] = _fields(kind)
    for name, default in _FIELDS[kind]:
        one = getattr(value, name)
        if one != default:
            kept[name] = _encode(one)
    return kept


_FIELDS: dict[type, tuple[tuple[str, Any], ...]] = {}


def _fields(kind: type) -> tuple[tuple[str, Any], ...]:
    """The fields of a kind of value with their defaults, which need no keeping."""
    found = []
    for one in dataclasses.fields(kind):
        default = one.default
        if one.default_factory is not dataclasses.MISSING:
            default = one.default_factory()
        found.append((one.name, default))
    return tuple(found)


def _decode(value: Any) -> Any:
    """Sequences come back as tuples, which is what the values hold."""
    if isinstance(value, list):
        return tuple(_decode(one) for one in value)
    if not isinstance(value, dict):
        return value
    if "$kind" in value:
        kind = _KINDS[value.pop("$kind")]
        return kind(**{name: _decode(one) for name, one in value.items()})
    if "$pairs" in value:
        return {_decode(key): _decode(one) for key, one in value["$pairs"]}
    (tag,) = value
    return _SCALARS[tag][2](value[tag])


_SCALARS: dict[str, tuple[type, Callable[[Any], str], Callable[[str], Any]]] = {
    "$bytes": (bytes, lambda value: base64.b64encode(value).decode(), base64.b64decode),
    "$time": (datetime, lambda value: value.astimezone(UTC).isoformat(), datetime.fromisoformat),
    "$date": (date, date.isoformat, date.fromisoformat),
}
_SCALARS_BY_TYPE = {kind: (tag, write) for tag, (kind, write, _) in _SCALARS.items()}
