"""From a file and an environment to `Settings`, or to a list of all that is wrong."""

import json
import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from greenroom.settings.addin_checks import check_origin
from greenroom.settings.catalogue import allowed_values, entries, field_at, is_secret, models_at, spoken_by
from greenroom.settings.checks import check_together
from greenroom.settings.exchange import SPEAKERS, choose_protocols, spoken
from greenroom.settings.files import read_files
from greenroom.settings.integration import Integration
from greenroom.settings.layers import Layers
from greenroom.settings.model import Settings
from greenroom.settings.problems import Problem, SettingsError
from greenroom.settings.toml_lines import Path as KeyPath
from greenroom.settings.toml_lines import find_lines

MAX_BYTES = 1_048_576
_SYNTAX_PLACE = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")
_TYPE_WORDS = {
    "int": "is not a whole number",
    "bool": "is neither true nor false",
    "string": "is not text",
    "tuple": "is not a list",
    "model": "is not a table",
    "path": "is not a path",
    "list": "is not a list",
    "literal": "is not known here",
    "enum": "is not known here",
    "date": "is not a date",
}
_SHOWN = 60
PROTOCOLS = '"graph" for Microsoft 365, "ews" for Exchange Server'


def load_settings(path: Path | None, env: Mapping[str, str]) -> Settings:
    """Read the file, lay the environment over it, check everything.

    With `path` None the environment alone must say everything. Raises SettingsError with every problem that was found,
    in the order of the file.
    """
    layers = Layers({}, "greenroom.toml", {}) if path is None else _read(path)
    layers.lay_environment(env)
    choose_protocols(layers.data)
    read_files(layers, Path.cwd() if path is None else path.absolute().parent, env)
    settings: Settings | None = None
    try:
        settings = Settings(**layers.data)
    except ValidationError as error:
        _explain(layers, error.errors(include_url=False))
    check_together(layers, _readable(layers) if settings is None else dict(enumerate(settings.integration)))
    if settings is not None:
        check_origin(layers, settings.service.public_url, addins=any(one.addin for one in settings.integration))
    if layers.problems or settings is None:
        raise SettingsError(sorted(layers.problems, key=lambda problem: problem.line or 0))
    return settings


def _read(path: Path) -> Layers:
    name = str(path)
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        message = "there is no such file" if missing else f"cannot be read: {error.strerror or type(error).__name__}"
        hint = "a readable file; `greenroom config reference --format toml` prints one to begin with"
        raise SettingsError([Problem(name, None, "", message, hint)]) from error
    if len(content) > MAX_BYTES:
        raise SettingsError([Problem(name, None, "", "is too large", f"at most {MAX_BYTES} bytes")])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SettingsError([Problem(name, line, "", "is not text in UTF-8", "UTF-8")]) from error
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError([_syntax(name, text, str(error))]) from error
    except RecursionError as error:
        raise SettingsError([Problem(name, None, "", "is nested too deeply", "a table or two")]) from error
    return Layers(data, name, find_lines(text))


def _syntax(name: str, text: str, said: str) -> Problem:
    place = _SYNTAX_PLACE.search(said)
    what = said[: place.start()] if place else said
    line = int(place[1]) if place and place[1] else text.count("\n") + 1
    column = f" in column {place[2]}" if place and place[2] else ""
    return Problem(name, line, "", f"is not TOML{column}: {what[:1].lower()}{what[1:]}", "see https://toml.io")


def _readable(layers: Layers) -> dict[int, Integration]:
    """Take the integrations that are right in themselves, so that they can be checked against each other already."""
    listed = layers.data.get("integration")
    found: dict[int, Integration] = {}
    for index, entry in enumerate(listed if isinstance(listed, list) else []):
        try:
            found[index] = Integration.model_validate(entry)
        except ValidationError:
            continue  # reported with the whole
    return found


def _explain(layers: Layers, errors: list[ErrorDetails]) -> None:
    places = [_place(error["loc"]) for error in errors]
    reported = {path for path in layers.variables if any(p.key == layers.variables[path] for p in layers.problems)}
    for error, path in zip(errors, places, strict=True):
        deeper = any(len(other) > len(path) and other[: len(path)] == path for other in places)
        hidden = error["type"] == "missing" and _file_failed(layers, path)
        if hidden or path in reported or (deeper and error["type"] == "too_short"):
            continue  # the consequence of a problem that is told by itself
        _tell(layers, error, path)


def _place(loc: tuple[str | int, ...]) -> KeyPath:
    """Leave out the protocol that pydantic writes behind a table that speaks one of several."""
    at = next((position for position, part in enumerate(loc) if part in SPEAKERS), len(loc))
    return (*loc[: at + 1], *loc[at + 2 :])


def _file_failed(layers: Layers, path: KeyPath) -> bool:
    return layers.value((*path[:-1], f"{path[-1]}_file")) is not None


def _tell(layers: Layers, error: ErrorDetails, path: KeyPath) -> None:
    kind = error["type"]
    if kind == "extra_forbidden":
        layers.problem(path, *_unknown_key(layers, path))
        return
    if kind == "union_tag_not_found":
        layers.problem((*path, "protocol"), *_unclear_protocol(layers.value(path)))
        return
    if kind == "union_tag_invalid":
        path = (*path, "protocol")
        layers.problem(path, f"{_show(layers.value(path))} is not known here".strip(), PROTOCOLS)
        return
    field = field_at(path)
    allowed = allowed_values(field) if field is not None else ""
    if kind == "missing":
        about = (field.description or "") if field is not None else ""
        layers.problem(path, "is missing" + (f": {about}" if about and about != "See below." else ""), allowed)
        return
    shown = "" if field is None or is_secret(field) else _show(error["input"])
    layers.problem(path, f"{shown} {_what(error)}".strip(), allowed)


def _unclear_protocol(table: Mapping[str, Any]) -> tuple[str, str]:
    keys = [next(key for key in table if key in names) for names in spoken(table).values()]
    if keys:
        return f"is missing: {' and '.join(keys)} belong to different protocols", PROTOCOLS
    return "is missing: neither url nor tenant says whether this is Exchange Server or Microsoft 365", PROTOCOLS


def _unknown_key(layers: Layers, path: KeyPath) -> tuple[str, str]:
    key = str(path[-1])
    models = models_at(path[:-1])
    protocol = layers.value((*path[:-1], "protocol"))
    model = next((one for one in models if spoken_by(one) in {None, protocol}), None)
    other = next((one for one in models if key in one.model_fields), None)
    if other is not None:
        said = f'is a setting of protocol = "{spoken_by(other)}", and this table has protocol = "{protocol}"'
        return said, f"here: {', '.join(model.model_fields)}" if model is not None else ""
    known = list(model.model_fields) if model is not None else []
    homes = {".".join(entry.where) for entry in entries() if entry.name == key and entry.section is None}
    guess = get_close_matches(key, known, n=1)
    hint = ""
    if len(homes) == 1:
        hint = f"; it belongs to [{homes.pop()}]"
    elif guess:
        hint = f"; did you mean {guess[0]}?"
    return f"is not a setting{hint}", f"here: {', '.join(known)}" if known else ""


def _what(error: ErrorDetails) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "value_error":
        return str(context.get("error", "is wrong"))
    limits = {
        "greater_than_equal": "is too small",
        "less_than_equal": "is too large",
        "too_short": "has too few entries",
        "too_long": "has too many entries",
        "string_too_short": "is too short",
        "string_too_long": "is too long",
        "string_pattern_mismatch": "is not of the right form",
        "int_from_float": "is not a whole number",
    }
    return limits.get(kind) or _TYPE_WORDS.get(kind.partition("_")[0], "is not right")


def _show(value: Any) -> str:
    """Show a value that is no secret, unless it looks like an address with a password inside."""
    if not isinstance(value, str | int | float) or (isinstance(value, str) and "://" in value and "@" in value):
        return ""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
