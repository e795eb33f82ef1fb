"""Ticket keys in a backup: put in encrypted, and written into files of their own again."""

import base64
import sys
from pathlib import Path
from typing import Annotated, NamedTuple

import click
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from greenroom.cli.exits import Exit
from greenroom.cli.failures import Failure, sentence_of
from greenroom.settings import Settings
from greenroom.settings.key_file import write_key_file
from greenroom.storage.sealed import SHORTEST_PASSPHRASE, SealError, seal, unseal

_LONGEST_PASSPHRASE = 4096
_NAME = r"^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$"


class KeysError(Exception):
    """Keys cannot be put in or taken out; `failure` says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.code)
        self.failure = failure


class _Key(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)

    id: Annotated[int, Field(ge=0, le=15)]
    key: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/=]{43,700}$", repr=False)]


class _Ring(BaseModel):
    number: Annotated[int, Field(ge=1, le=65535)]
    name: Annotated[str, Field(pattern=_NAME, max_length=32)]
    keys: Annotated[list[_Key], Field(min_length=1, max_length=16)]


class _Rings(BaseModel):
    integrations: Annotated[list[_Ring], Field(min_length=1, max_length=1000)]


class WrittenKeys(NamedTuple):
    """Where the keys of an integration are now; `new` is False where they were already."""

    integration: str
    file: Path
    new: bool


def sealed_keys(settings: Settings, passphrase: str) -> bytes:
    """Encrypt the keys of all integrations."""
    rings = [
        _Ring(
            number=entry.number,
            name=entry.name,
            keys=[_Key(id=key.id, key=base64.b64encode(key.key).decode()) for key in entry.ticket_keys],
        )
        for entry in settings.integration
    ]
    return seal(_Rings(integrations=rings).model_dump_json().encode(), passphrase)


def write_keys(sealed: bytes, passphrase: str, to: Path) -> list[WrittenKeys]:
    """Write the keys into a file, or, of several integrations, into one for each, named `<to>.<integration>`.

    Raises KeysError; files that were written before stay.
    """
    try:
        rings = _Rings.model_validate_json(unseal(sealed, passphrase)).integrations
    except SealError:
        what = "The passphrase does not open the keys, or somebody changed them."
        raise KeysError(
            Failure("passphrase", what, "Give the one that the backup was made with.", Exit.PROBLEM)
        ) from None
    except (ValueError, ValidationError):
        step = "Make the backup again, or take the keys from another copy."
        raise KeysError(Failure("keys-damaged", "The keys in the backup are damaged.", step, Exit.PROBLEM)) from None
    alone = len(rings) == 1
    written = []
    for ring in rings:
        file = to if alone else to.with_name(f"{to.name}.{ring.name}")
        try:
            new = write_key_file(file, [(key.id, key.key) for key in ring.keys])
        except FileExistsError as error:
            step = "Name another file with --keys-to; existing ones are never overwritten."
            raise KeysError(Failure("keys-file-exists", sentence_of(str(error)), step, Exit.PROBLEM)) from None
        except OSError as error:
            what = f"{file} cannot be written: {error.strerror or type(error).__name__}."
            raise KeysError(Failure("keys-file", what, "Name a folder in which this user may write.")) from None
        written.append(WrittenKeys(ring.name, file, new))
    return written


def how_to_name(written: list[WrittenKeys]) -> list[str]:
    """Say what the configuration needs so that the files are read."""
    return [f'integration "{one.integration}": ticket_keys_file = "{one.file.absolute()}"' for one in written]


def passphrase(file: Path | None, *, new: bool) -> str:
    """Read the passphrase from a file (without the end of its line), or ask for it; a new one is asked for twice.

    Raises click's errors for one that is too short or cannot be had.
    """
    if file is not None:
        found = _from_file(file)
    elif sys.stdin.isatty():
        found = click.prompt("Passphrase", hide_input=True, confirmation_prompt=new, err=True)
    else:
        raise click.UsageError("nobody can be asked for the passphrase here: name a file with --passphrase-file")
    if len(found) < SHORTEST_PASSPHRASE:
        raise click.BadParameter(f"it has at least {SHORTEST_PASSPHRASE} characters", param_hint="passphrase")
    return str(found)


def _from_file(file: Path) -> str:
    hint = "--passphrase-file"
    try:
        with file.open("rb") as stream:
            content = stream.read(_LONGEST_PASSPHRASE + 1)
        text = content.decode()
    except OSError as error:
        said = f"{file} cannot be read: {error.strerror or type(error).__name__}"
        raise click.BadParameter(said, param_hint=hint) from None
    except UnicodeDecodeError:
        raise click.BadParameter(f"{file} is not text in UTF-8", param_hint=hint) from None
    if len(content) > _LONGEST_PASSPHRASE:
        raise click.BadParameter(f"{file} is too large for a passphrase", param_hint=hint)
    return text.removesuffix("\n").removesuffix("\r")
