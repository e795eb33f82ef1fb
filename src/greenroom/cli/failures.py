"""What can go wrong between us and the world, each with its own sentence and the next step."""

import errno
from collections.abc import Sequence
from dataclasses import dataclass

from greenroom import storage
from greenroom.cli.exits import Exit
from greenroom.platforms.errors import (
    PlatformError,
    PlatformMisconfiguredError,
    PlatformSignInError,
    PlatformUnavailableError,
)
from greenroom.scheduler.numbers import MixedUpError
from greenroom.settings import Problem
from greenroom.web.policy_listener import PolicyCertificateError


@dataclass(frozen=True, slots=True)
class Failure:
    """What happened, and what to do about it. `code` is short and stable, for scripts."""

    code: str
    what: str
    next_step: str
    exit: Exit = Exit.OUTSIDE


def of_storage(error: storage.StorageError) -> Failure:  # noqa: PLR0911 (one return for each kind: it is a table)
    """Say what is wrong with the database."""
    said = sentence_of(str(error))
    match error:
        case storage.BadUrlError():
            return Failure(
                "bad-database-url", said, "Correct storage.url: sqlite:///path or postgresql://…", Exit.USAGE
            )
        case storage.StorageSignInError():
            return Failure("database-sign-in-refused", said, "Correct user, password and database name in storage.url.")
        case MixedUpError() if error.found[0].was_number:
            step = f"Put the number {error.found[0].was_number} back: all that is stored belongs to it, and every ticket names it."
            return Failure("mixed-up-numbers", said, step, Exit.USAGE)
        case MixedUpError():
            step = "Correct number and mailbox in the configuration; if it is meant so, say that with `greenroom config moved`."
            return Failure("mixed-up-numbers", said, step, Exit.USAGE)
        case storage.StorageVersionError():
            step = "Run `greenroom serve` once to prepare it; if a newer Greenroom was here, use that version."
            return Failure("database-version", said, step)
        case storage.StorageBusyError():
            return Failure("database-busy", said, "Try again; see which other program uses the database.")
        case storage.StorageUnreachableError():
            return Failure(
                "database-unreachable",
                said,
                "Start the database, or correct storage.url; an SQLite file is made by `greenroom serve`, and after a loss by "
                "`greenroom recover --yes` or `greenroom restore`.",
            )
        case _:
            return Failure("database-fault", said, "Look at the disk's free space and the database's own log.")


def of_platform(error: PlatformError) -> Failure:
    """Say what is wrong with the video platform."""
    settings = "Check the platform and the integration's platform settings."
    code = str(error)
    match error:
        case PlatformSignInError():
            what = f"The platform does not accept the credential ({code})."
            return Failure("platform-sign-in-refused", what, sentence_of(error.hint) or settings)
        case PlatformMisconfiguredError():
            what = f"Something is set wrongly, here or on the platform ({code})."
            return Failure("platform-misconfigured", what, sentence_of(error.hint) or settings)
        case PlatformUnavailableError():
            what = f"The platform cannot be reached or is busy ({code})." if code else "The platform cannot be reached."
            return Failure("platform-unreachable", what, "Try again; if this stays, check address, network and proxy.")
        case _:
            return Failure("platform", sentence_of(code), settings)


def of_port(host: str, port: int, cause: BaseException | None) -> Failure:
    """Say why the address to listen on cannot be had; `cause` is the system's own error."""
    number = cause.errno if isinstance(cause, OSError) else None
    choose = "choose another address with service.listen or GREENROOM_SERVICE__LISTEN."
    if number == errno.EADDRINUSE:
        what = f"Port {port} on {host} is in use by another program."
        return Failure("port-in-use", what, f"End that program, or {choose}", Exit.PORT)
    if number == errno.EACCES:
        what = f"This user may not listen on port {port}: ports below 1024 belong to the system."
        return Failure("port-not-allowed", what, f"Put a proxy in front, or {choose}", Exit.PORT)
    what = f"{host} is no address of this computer, so nothing can listen on {host}:{port}."
    return Failure("not-our-address", what, f"{choose[:1].upper()}{choose[1:]}", Exit.PORT)


def of_policy_certificate(error: PolicyCertificateError) -> Failure:
    """Say which file keeps the policy server's own port from being opened."""
    return Failure("policy-certificate", sentence_of(str(error)), "Correct [service.policy_listener].", Exit.USAGE)


def of_settings(problems: Sequence[Problem]) -> list[dict[str, object]]:
    """Write configuration problems for `--json`."""
    return [
        {"file": p.file, "line": p.line, "key": p.key, "message": p.message, "allowed": p.allowed} for p in problems
    ]


def sentence_of(text: str) -> str:
    """Write an error's text as a sentence: a capital at its beginning and a full stop at its end."""
    text = text.strip()
    if not text:
        return ""
    first = text if "." in text.split(" ")[0] else text[:1].upper() + text[1:]  # a host's name stays as it is
    return first if first.endswith((".", "!", "?")) else f"{first}."
