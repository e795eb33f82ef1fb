"""`greenroom addin check`: will Outlook take this manifest, and does it do what it should?"""

import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.markup import escape

from greenroom.addin.manifest import (
    LARGEST,
    Finding,
    Schema,
    SchemaFolderError,
    check_environments,
    check_manifest,
    check_successor,
    manifest_name,
)
from greenroom.cli.addin_findings import finding_json, has_errors, show_findings
from greenroom.cli.exits import Exit
from greenroom.cli.failures import Failure, sentence_of
from greenroom.cli.options import echo_json, end_with, stdout, with_json
from greenroom.cli.reading import plain

_EXAMPLES = """\
\b
Examples:
  greenroom addin check greenroom.xml                         our own rules; nothing is fetched
  greenroom addin check new.xml --previous installed.xml      may it take the other one's place?
  greenroom addin check live.xml --environment-of test.xml    or would one replace the other?
  greenroom addin check greenroom.xml --schemas folder        Microsoft's schema files too, if you have them
"""
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(epilog=_EXAMPLES)
@click.argument("file", type=_FILE, nargs=-1, required=True)
@click.option("--previous", type=_FILE, help="The manifest that is installed now, which FILE shall replace.")
@click.option(
    "--environment-of",
    "others",
    type=_FILE,
    multiple=True,
    help="A manifest of another environment; several may be named.",
)
@click.option(
    "--schemas",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with the schema files of add-in manifests (OfficeAppManifestV1_1.xsd).",
)
@with_json
def check(
    file: tuple[Path, ...], previous: Path | None, others: tuple[Path, ...], schemas: Path | None, *, as_json: bool
) -> None:
    """Check manifests of the Outlook add-in by Greenroom's rules, line by line. Several files are compared too.

    Exit code 1: something must be corrected. Warnings alone leave it 0.
    """
    if previous is not None and len(file) > 1:
        raise click.UsageError("--previous compares one FILE with one other.")
    contents = {str(path): _read(path, as_json=as_json) for path in (*file, *others)}
    schema = None if schemas is None else _schema(schemas, as_json=as_json)
    compared = check_environments(contents)
    found: dict[str, list[Finding]] = {}
    for name in dict.fromkeys(map(str, file)):
        findings = check_manifest(contents[name])
        if previous is not None:
            findings += check_successor(contents[name], _read(previous, as_json=as_json))
        if schema is not None:
            findings += schema.check(contents[name])
        found[name] = findings + compared[name]
    for name in dict.fromkeys(map(str, others)):
        if name not in found and compared[name]:
            found[name] = compared[name]
    wrong = any(has_errors(findings) for findings in found.values())
    if as_json:
        echo_json(
            {"ok": not wrong, "files": [_json(name, contents[name], findings) for name, findings in found.items()]}
        )
    else:
        for name, findings in found.items():
            _show(name, contents[name], findings)
    sys.exit(Exit.PROBLEM if wrong else Exit.OK)


def _show(name: str, content: bytes, findings: Sequence[Finding]) -> None:
    show_findings(name, findings)
    known = manifest_name(content)
    if known is not None and not has_errors(findings):
        told = escape(plain(f"{name}: {known.id}, version {known.version}"))
        stdout().print(f"[green]✓[/green] {told}", soft_wrap=True)


def _json(name: str, content: bytes, findings: Sequence[Finding]) -> dict[str, object]:
    known = manifest_name(content)
    return {
        "file": name,
        "ok": not has_errors(findings),
        "id": None if known is None else known.id,
        "version": None if known is None else known.version,
        "findings": [finding_json(one) for one in findings],
    }


def _read(path: Path, *, as_json: bool) -> bytes:
    """Read no more than is needed to see that a file is too large."""
    try:
        with path.open("rb") as opened:
            return opened.read(LARGEST + 1)
    except OSError as error:
        what = f"{path} cannot be read: {error.strerror or type(error).__name__}."
        end_with(Failure("no-file", what, "Name another file, or let this user read it.", Exit.USAGE), as_json=as_json)


def _schema(folder: Path, *, as_json: bool) -> Schema:
    try:
        return Schema(folder)
    except SchemaFolderError as error:
        step = "Name the folder of the published schema files, repaired so that they can be compiled; or leave it out."
        end_with(Failure("bad-schemas", sentence_of(str(error)), step, Exit.USAGE), as_json=as_json)
