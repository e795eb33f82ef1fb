"""Files that a configuration names: secrets are read, paths become absolute and are looked at."""

import os
import re
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from greenroom.settings.layers import Layers
from greenroom.settings.toml_lines import Path as KeyPath

_MAX_BYTES = 65_536
_READABLE = "path of a readable file, seen from this file's folder"
_DEEPEST = 4  # integration, its place, pexip, management
_KEPT = ("certificate_file", "certificate_key_file", "federated_token_file", "keytab_file")
"""Files that whoever uses them opens: they are binary, or change while we run."""
_CREDENTIAL = "credential:"
_CREDENTIALS = "CREDENTIALS_DIRECTORY"
_CREDENTIAL_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,254}")
_LOADED = "credential:NAME, with LoadCredential=NAME:/path or LoadCredentialEncrypted= in the unit of systemd"


def read_files(layers: Layers, folder: Path, env: Mapping[str, str] | None = None) -> None:
    """Replace `..._file` secrets by their content and make every path absolute, relative ones being in `folder`.

    `credential:NAME` is a credential of systemd's (systemd.exec(5)): the file of that name in $CREDENTIALS_DIRECTORY of `env`.
    """
    passed = (env or {}).get(_CREDENTIALS, "")
    for path, table in _tables(layers.data):
        unfound = _name_credentials(layers, path, table, passed)
        for key in [key for key in table if key not in unfound]:
            where = (*path, key)
            if not isinstance(table[key], str | os.PathLike) or not str(table[key]):
                continue
            if key == "ca_file":
                file = table[key] = _absolute(folder, table[key])
                _look_at_certificates(layers, where, file)
            elif key in _KEPT:
                file = table[key] = _absolute(folder, table[key])
                _try_to_read(layers, where, file)
            elif key.endswith("_file"):
                file = table[key] = _absolute(folder, table[key])
                _take_secret(layers, where, table, file)
            elif where[-2:] == ("texts", "folder"):
                file = table[key] = _absolute(folder, table[key])
                if not file.is_dir():
                    layers.problem(
                        where, f"there is no folder {file}", "path of a folder, seen from this file's folder"
                    )


def _tables(found: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, dict[str, Any]]]:
    """Yield every table, those in lists too, down to what a configuration has."""
    if isinstance(found, dict) and len(path) <= _DEEPEST:
        if path:
            yield path, found
        for key, inner in list(found.items()):
            yield from _tables(inner, (*path, str(key)))
    elif isinstance(found, list) and path == ("integration",):
        for index, entry in enumerate(found):
            yield from _tables(entry, (*path, index))


def _name_credentials(layers: Layers, path: KeyPath, table: dict[str, Any], passed: str) -> set[str]:
    """Replace credentials by where they are; return the keys of those that are nowhere, their problems told."""
    unfound = set()
    for key, given in table.items():
        if key.endswith("_file") and isinstance(given, str) and given.startswith(_CREDENTIAL):
            file = _passed_by_systemd(layers, (*path, key), given.removeprefix(_CREDENTIAL), passed)
            if file is None:
                unfound.add(key)
            else:
                table[key] = file
    return unfound


def _passed_by_systemd(layers: Layers, where: KeyPath, name: str, passed: str) -> Path | None:
    """Return where a credential is; None, with the problem told, where there is none."""
    if not _CREDENTIAL_NAME.fullmatch(name):
        layers.problem(where, "does not name a credential", _LOADED)
    elif not passed:
        layers.problem(
            where, f"credential:{name} cannot be had: ${_CREDENTIALS} is not set, systemd passes none here", _LOADED
        )
    else:
        try:
            if (file := Path(passed) / name).is_file():
                return file
            why = "systemd passes none of that name"
        except OSError as error:
            why = f"${_CREDENTIALS} cannot be looked into ({error.strerror or type(error).__name__})"
        layers.problem(where, f"credential:{name} cannot be had: {why}", _LOADED)
    return None


def _absolute(folder: Path, given: Any) -> Path:
    return (folder / Path(given).expanduser()).absolute()


def _try_to_read(layers: Layers, where: KeyPath, file: Path) -> None:
    try:
        with file.open("rb") as stream:
            empty = not stream.read(1)
    except OSError as error:
        layers.problem(where, f"{file} cannot be read: {error.strerror or type(error).__name__}", _READABLE)
        return
    if empty:
        layers.problem(where, f"{file} is empty", _READABLE)


def _take_secret(layers: Layers, where: KeyPath, table: dict[str, Any], file: Path) -> None:
    twin = str(where[-1]).removesuffix("_file")
    if twin in table:
        layers.problem(where, f"{twin} and {where[-1]} are both set", f"one of {twin} and {where[-1]}")
        return
    try:
        with file.open("rb") as stream:
            content = stream.read(_MAX_BYTES + 1)
        text = content.decode().strip()
    except OSError as error:
        layers.problem(where, f"{file} cannot be read: {error.strerror or type(error).__name__}", _READABLE)
        return
    except UnicodeDecodeError:
        layers.problem(where, f"{file} is not text in UTF-8", _READABLE)
        return
    if not text or len(content) > _MAX_BYTES:
        layers.problem(where, f"{file} is {'too large' if text else 'empty'}", f"1 to {_MAX_BYTES} bytes")
    elif twin == "ticket_keys":
        table[twin] = _ticket_keys(layers, where, file, text)
    else:
        table[twin] = text


def _ticket_keys(layers: Layers, where: KeyPath, file: Path, text: str) -> list[dict[str, str]]:
    keys: list[dict[str, str]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, colon, key = line.partition(":")
        if not colon:
            layers.problem(
                where, f"line {number} of {file} is not id:key", "lines such as 0:base64, the current key first"
            )
        keys.append({"id": name.strip(), "key": key.strip()})
    return keys


def _look_at_certificates(layers: Layers, where: KeyPath, file: Path) -> None:
    allowed = "path of a PEM file with one or more certificates, seen from this file's folder"
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=file)
    except ssl.SSLError:
        layers.problem(where, f"{file} holds no certificate that can be read", allowed)
    except OSError as error:
        layers.problem(where, f"{file} cannot be read: {error.strerror or type(error).__name__}", allowed)
