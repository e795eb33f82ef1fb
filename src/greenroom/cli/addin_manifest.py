"""`greenroom addin manifest`: what is installed in Exchange, from the configuration."""

import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import click

from greenroom.addin.manifest import (
    LARGEST,
    Finding,
    ManifestSettings,
    Misfit,
    Profile,
    WordingError,
    check_manifest,
    check_successor,
    manifest_name,
    misfits,
    next_version,
    parse_version,
    write_manifest,
)
from greenroom.addin.texts import AddinTexts
from greenroom.cli.addin_findings import finding_json, has_errors, show_findings
from greenroom.cli.addin_outcome import Outcome
from greenroom.cli.exits import Exit
from greenroom.cli.failures import Failure, of_storage, sentence_of
from greenroom.cli.options import echo_json, end_with, read_settings, stderr, with_config, with_json
from greenroom.settings import Integration, Settings
from greenroom.storage import Storage, StorageError
from greenroom.storage.errors import StorageNotPreparedError, StorageUnreachableError
from greenroom.web.addin_manifest import ManifestsUnavailableError
from greenroom.web.addin_manifest_settings import manifest_settings
from greenroom.web.addin_manifest_store import Versioned, VersionNotRisenError, versioned

_EXAMPLES = """\
\b
Examples:
  greenroom addin manifest --profile exchange-online -o greenroom.xml    for Microsoft 365
  greenroom addin manifest --profile exchange-onprem -o greenroom.xml    for Exchange Server
  greenroom addin manifest --profile exchange-online | less              to look at

\b
The version rises by itself when the manifest says anything else than the last one, and only then.
"""


@click.command(epilog=_EXAMPLES)
@with_config
@click.option(
    "--profile", required=True, type=click.Choice([one.value for one in Profile]), help="Where it will be installed."
)
@click.option("--integration", "which", help="Name or number of the integration, where more than one has an add-in.")
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Write it to this file.")
@click.option("--version", "wanted", default="", help="Give it this version instead of the next one.")
@click.option("--force", is_flag=True, help="Take also a version that has not risen, and replace any file.")
@with_json
def manifest(
    config_file: Path | None,
    profile: str,
    which: str | None,
    output: Path | None,
    wanted: str,
    *,
    force: bool,
    as_json: bool,
) -> None:
    """Write the add-in's manifest: to standard output, or with -o to a file, and tell how it is installed."""
    if wanted and parse_version(wanted) is None:
        raise click.BadParameter("one to four groups of digits with dots, each at most 65535", param_hint="--version")
    settings = read_settings(config_file, as_json=as_json)
    entry = _chosen(settings, which, as_json=as_json)
    texts = AddinTexts(entry.texts.folder)
    known = manifest_settings(settings, entry, Profile(profile), texts.everything())
    notes = [f"{one.file}:{one.line}: {one.problem}; the packaged text is taken" for one in texts.problems]
    notes += [_cut(one) for one in misfits(known.words)]
    before = _content_of(output, as_json=as_json)
    try:
        made = asyncio.run(_made(settings, known, wanted, before, force=force, notes=notes))
    except WordingError as error:
        step = "Install Greenroom again: its own texts are incomplete."
        end_with(Failure("no-text", sentence_of(str(error)), step, Exit.PROBLEM), as_json=as_json)
    except VersionNotRisenError as error:
        what = f"Version {wanted} is no higher than {error.before}, which said something else."
        step = "Name a higher one or none; --force if you know that the other one is installed nowhere."
        end_with(Failure("version-not-risen", what, step, Exit.USAGE), as_json=as_json)
    except StorageError as error:
        end_with(of_storage(error), as_json=as_json)
    except ManifestsUnavailableError as error:
        end_with(Failure("database-busy", sentence_of(str(error)), "Try again."), as_json=as_json)
    findings = check_manifest(made.content) + (check_successor(made.content, before) if before and not force else [])
    if has_errors(findings) and not force:
        _refuse(findings, output, as_json=as_json)
    _write(made.content, output, as_json=as_json)
    outcome = Outcome(entry.name, known, made, findings, notes, output)
    if as_json:
        echo_json(outcome.as_json())
    else:
        outcome.show()


def _chosen(settings: Settings, which: str | None, *, as_json: bool) -> Integration:
    """Find the integration that is meant, or end with what is to be named."""
    having = [entry for entry in settings.integration if entry.addin is not None]
    if which is not None:
        named = settings.numbered(int(which)) if which.isascii() and which.isdigit() else settings.named(which)
        if named is None:
            names = ", ".join(entry.name for entry in settings.integration)
            end_with(
                _usage("no-such-integration", "There is no such integration.", f"One of: {names}"), as_json=as_json
            )
        if named.addin is None:
            step = f"Add [integration.addin] to {named.name}; docs/outlook-addin.md shows what belongs into it."
            end_with(_usage("no-addin", f"{named.name} has no add-in.", step), as_json=as_json)
        return named
    if not having:
        step = "Add [integration.addin] to an integration; docs/outlook-addin.md shows what belongs into it."
        end_with(_usage("no-addin", "No integration has an add-in.", step), as_json=as_json)
    if len(having) > 1:
        names = ", ".join(entry.name for entry in having)
        what = "More than one integration has an add-in."
        end_with(_usage("which-integration", what, f"Name one with --integration: {names}"), as_json=as_json)
    return having[0]


def _usage(code: str, what: str, step: str) -> Failure:
    return Failure(code, what, step, Exit.USAGE)


async def _made(
    settings: Settings, known: ManifestSettings, wanted: str, before: bytes, *, force: bool, notes: list[str]
) -> Versioned:
    """Give the manifest its version. A database that is not there yet is not made for this."""
    now = datetime.now(UTC)
    storage = Storage.open(settings.storage.url.get_secret_value())
    try:
        await storage.check()
        return await versioned(storage, known, now, wanted=wanted, force=force)
    except (StorageNotPreparedError, StorageUnreachableError) as error:
        down = isinstance(error, StorageUnreachableError) and _is_a_server(settings)
        if down and not wanted:
            raise
        why = "the database does not answer" if down else "there is no database yet"
        notes.append(f"The version is not remembered: {why}.")
        return _after(known, before, wanted, now)
    finally:
        await storage.close()


def _after(known: ManifestSettings, before: bytes, wanted: str, now: datetime) -> Versioned:
    """Give a manifest its version where only the file that it replaces tells the one before."""
    name = manifest_name(before)
    last = "" if name is None or name.id.lower() != known.id else name.version
    if last and wanted in {"", last} and write_manifest(known, last) == before:
        return Versioned(last, before)
    version = wanted or next_version(now, last)
    return Versioned(version, write_manifest(known, version), risen=True, before=last)


def _content_of(output: Path | None, *, as_json: bool) -> bytes:
    """Read the file that is to be replaced; nothing where there is none."""
    if output is None or not output.exists():
        return b""
    try:
        with output.open("rb") as opened:
            return opened.read(LARGEST + 1)
    except OSError as error:
        end_with(_file_failure(output, error), as_json=as_json)


def _is_a_server(settings: Settings) -> bool:
    """Whether the database is on a server, which may only be down."""
    return not settings.storage.url.get_secret_value().startswith("sqlite:")


def _write(content: bytes, output: Path | None, *, as_json: bool) -> None:
    if output is None:
        if not as_json:
            click.echo(content, nl=False)
        return
    try:
        output.write_bytes(content)
    except OSError as error:
        end_with(_file_failure(output, error), as_json=as_json)


def _file_failure(output: Path, error: OSError) -> Failure:
    what = f"{output} cannot be used: {error.strerror or type(error).__name__}."
    return _usage("no-file", what, "Name another file with -o.")


def _refuse(findings: Sequence[Finding], output: Path | None, *, as_json: bool) -> NoReturn:
    """End without writing: Outlook would refuse it, or the file is another add-in's."""
    if as_json:
        echo_json({"ok": False, "findings": [finding_json(one) for one in findings]})
    else:
        show_findings("manifest" if output is None else str(output), findings)
        stderr().print("[red]Nothing was written.[/red] [dim]next:[/dim] correct it, or --force.", soft_wrap=True)
    sys.exit(Exit.PROBLEM)


def _cut(misfit: Misfit) -> str:
    return f"{misfit.key} ({misfit.language}) has {misfit.length} characters and was cut to {misfit.limit}"
