"""The reference and the example file, generated from the model so that they cannot go stale."""

import enum
import json
import textwrap
from collections.abc import Iterable
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from greenroom.settings.catalogue import Entry, entries, extra_of

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

A setting that ends in `_file` names a file whose content is the value, as container platforms mount secrets.

This page is generated from the model: `greenroom config reference`.
"""


def markdown() -> str:
    """Return the whole reference as Markdown, as docs/configuration.md holds it."""
    lines = [_INTRO]
    top = [entry for entry in entries() if entry.section is not None]
    for table in top:
        path = (*table.where, table.name)
        lines += [f"## {_header(path, many=table.many)}", "", *_about(table), ""]
        lines += ["| key | default | allowed | meaning |", "| --- | --- | --- | --- |"]
        lines += [_row(entry) for entry in entries() if entry.where == path and entry.section is None]
        lines.append("")
    return "\n".join(lines)


def example() -> str:
    """Return a file with every setting: what must be set stands there, what has a default is a comment."""
    lines = [
        "# Greenroom's configuration. Lines that begin with # show defaults or examples.",
        "# `greenroom config check` says whether this file is right.",
    ]
    for table in (entry for entry in entries() if entry.section is not None):
        path = (*table.where, table.name)
        if table.many and path != _MANY:
            continue  # a list of small tables, shown inline where it belongs
        lines += ["", _header(path, many=table.many)]
        for entry in (entry for entry in entries() if entry.where == path and (entry.section is None or entry.many)):
            lines += [*_comment(entry), *_assignment(entry)]
    return "\n".join(lines) + "\n"


def _header(path: tuple[str, ...], *, many: bool) -> str:
    name = ".".join(path)
    return f"[[{name}]]" if many else f"[{name}]"


def _about(table: Entry) -> list[str]:
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
    return json.dumps(value, ensure_ascii=False)  # of text and numbers, JSON's form is TOML's too
