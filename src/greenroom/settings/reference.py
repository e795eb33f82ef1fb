"""The reference and the example file, generated from the model so that they cannot go stale."""

import enum
import json
import textwrap
from collections.abc import Iterable
from datetime import date
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from greenroom.settings.catalogue import Entry, either, entries, extra_of

_WIDTH = 100
_MANY = ("integration",)
_INTRO = """\
# Configuration

Greenroom reads one file: `greenroom.toml` in the working folder, or the one named by `--config` or `GREENROOM_CONFIG`.
`greenroom config check` says whether it is right. `greenroom config reference --format toml` prints one to begin with.

Every value may come from the environment instead. The variable is `GREENROOM_` and the path of the setting, joined by
two underscores; an integration is addressed by its name, with `-` written as `_`. The environment outranks the file. An
empty variable counts as not set. Lists are JSON; lists of addresses may also be separated by commas.

```
GREENROOM_SERVICE__LISTEN=0.0.0.0:8080
GREENROOM_INTEGRATION__MAIN__EXCHANGE__PASSWORD=...
GREENROOM_INTEGRATION__MAIN__MEETINGS__ALLOW_DOMAINS=example.org,example.net
```

A setting that ends in `_file` names a file whose content is the value, as container platforms mount secrets, if there is
a setting of that name without `_file`. Where systemd passes credentials to the service, `credential:NAME` instead of a path
names one of them: with `LoadCredential=exchange-password:/etc/greenroom/exchange-password` in the unit it is
`password_file = "credential:exchange-password"`. Commands that are typed at a shell get no credentials: start them by
`systemd-run --pipe --wait` with the same `LoadCredential=`.

`[integration.exchange]` is one of two sections: `protocol = "graph"` for Microsoft 365 ([how to set that up](microsoft-365.md)),
`protocol = "ews"` for Exchange Server. Where `protocol` is left out, the other settings tell: `tenant` or `client_id` is the
former, `url` or `username` the latter. Settings of both in one section are a mistake.

This page is generated from the model: `greenroom config reference`.
"""


def markdown() -> str:
    """Return the whole reference as Markdown, as docs/configuration.md holds it."""
    lines = [_INTRO]
    for table in _tables():
        spoken = "" if table.protocol is None or table.like else f', protocol = "{table.protocol}"'
        lines += [f"## {_header(table)}{spoken}", "", *_about(table), ""]
        lines += ["| key | default | allowed | meaning |", "| --- | --- | --- | --- |"]
        lines += [_row(entry) for entry in _rows(table) if entry.section is None]
        lines.append("")
    return "\n".join(lines)


def example() -> str:
    """Return a file with every setting: what must be set stands there, what has a default is a comment.

    Where a table speaks one of several protocols, the model's first is in force, and the others stand below it as comments.
    """
    lines = [
        "# Greenroom's configuration. Lines that begin with # show defaults or examples.",
        "# `greenroom config check` says whether this file is right.",
    ]
    seen: set[str] = set()
    absent: list[str] = []
    for table in _tables():
        if table.many and (*table.where, table.name) != _MANY:
            continue  # a list of small tables, shown inline where it belongs
        part = [_header(table)]
        if table.like:
            part += [f"# {line}" for line in textwrap.wrap(" ".join(_about(table)), _WIDTH)]
        for entry in (entry for entry in _rows(table) if entry.section is None or entry.many):
            part += [*_comment(entry), *_assignment(entry)]
        if table.may_be_absent or any(part[0].startswith(f"[{off}.") for off in absent):
            absent.append(_header(table)[1:-1])
            lines += ["", "# Only where it is needed; without the first # of each line:", *_off(part)]
        elif table.like:
            lines += ["", "# Only for a hybrid organisation; without the first # of each line:", *_off(part)]
        elif part[0] not in seen:
            seen.add(part[0])
            lines += ["", *part]
        else:
            said = f'# With protocol = "{table.protocol}" this section instead, without the first # of each line:'
            lines += ["", said, *_off(part)]
    return "\n".join(lines) + "\n"


def _tables() -> list[Entry]:
    """Return the tables; of those like another one only one, whatever they may speak."""
    tables = [entry for entry in entries() if entry.section is not None]
    first: dict[tuple[str, ...], Entry] = {}
    for table in tables:
        first.setdefault((*table.where, table.name), table)
    alike = {(*table.where, table.name) for table in tables if table.like}
    tables = [
        table for table in tables if table.where not in alike
    ]  # what such a table holds is described where it is like
    return [table for table in tables if not table.like or first[*table.where, table.name] is table]


def _rows(table: Entry) -> list[Entry]:
    path = (*table.where, table.name)
    rows = [entry for entry in entries() if entry.where == path and entry.protocol == table.protocol]
    if table.like:
        known = {entry.name for entry in entries() if entry.where == (*table.where, table.like)}
        return [row for row in rows if row.name not in known]
    return rows


def _off(lines: list[str]) -> list[str]:
    return [f"#{line}" if line else "" for line in lines]


def _header(table: Entry) -> str:
    name = ".".join((*table.where, table.name))
    return f"[[{name}]]" if table.many else f"[{name}]"


def _about(table: Entry) -> list[str]:
    if table.like:
        here, there = (*table.where, table.name), (*table.where, table.like)
        mine = {entry.name for entry in entries() if entry.where == here}
        absent = dict.fromkeys(
            f"`{entry.name}`" for entry in entries() if entry.where == there and entry.name not in mine
        )
        same = f"Its settings are those of [{'.'.join(there)}], of either protocol, but without"
        return [f"{table.field.description} {same} {either(list(absent), 'and')}; and:"]
    said = (table.section.__doc__ or "").strip().splitlines() if table.section is not None else []
    return [said[0]] if said else []


def _row(entry: Entry) -> str:
    cells = (f"`{entry.name}`", _default(entry.field), entry.allowed or "text", entry.field.description or "")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = _plain(field.get_default(call_default_factory=True, validated_data={}))
    return "none" if value is None or value in ("", []) else f"`{_toml(value)}`"


def _comment(entry: Entry) -> Iterable[str]:
    allowed = f" Allowed: {entry.allowed}." if entry.allowed else ""
    return [f"# {line}" for line in textwrap.wrap(f"{entry.field.description}{allowed}", _WIDTH)]


def _assignment(entry: Entry) -> list[str]:
    field = entry.field
    if entry.section is not None:
        value: Any = [{name: _example(inner) for name, inner in entry.section.model_fields.items()}]
    else:
        value = _example(field)
    must = field.is_required() or entry.shown
    return [f"{'' if must else '# '}{entry.name} = {_toml(value)}", ""]


def _example(field: FieldInfo) -> Any:
    example = extra_of(field).get("example")
    if example is not None:
        return example
    default = None if field.is_required() else field.get_default(call_default_factory=True, validated_data={})
    return "..." if default is None else _plain(default)


def _plain(value: Any) -> Any:
    if value is PydanticUndefined:
        return None
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, enum.Enum):
        return value.value
    return list(value) if isinstance(value, tuple) else value


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(inner) for inner in value) + "]"
    if isinstance(value, date):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False)  # of text and numbers, JSON's form is TOML's too
