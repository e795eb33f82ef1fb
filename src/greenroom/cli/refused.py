"""Why the API of the Outlook add-in refused a request, in words: what stands behind the id that a person was told."""

from typing import Any

from rich.text import Text

from greenroom.cli.options import stdout
from greenroom.cli.reading import local, name_of, plain, stamp
from greenroom.settings import Settings
from greenroom.storage import Refused

_WHAT = {
    "none": "The add-in was refused",
    "bearer": "An access token was refused",
    "exchange": "An identity token of Exchange was refused",
    "other": "A token was refused",
    "origin": "A page was refused",
    "sign-in": "Signing in by OpenID Connect did not come to its end",
    "limit": "A person was held back",
    "ticket": "A ticket cannot be used",
    "room": "A personal room was not found",
    "identity": "A token could not be checked",
    "unavailable": "A room could not be reserved",
    "fault": "Something failed here, and the log says where",
    "request": "The request was not as it should be",
}

_WHY = {
    "missing": "there was none; nobody is served without one",
    "scheme": "no such kind of token is taken here",
    "too-long": "it is too long",
    "malformed": "it cannot be read",
    "algorithm": "it is signed in a way that is not taken",
    "key-unknown": "it is signed with a key that its issuer does not publish",
    "signature": "its signature is wrong",
    "expired": "it has expired; the clocks of both sides should agree",
    "not-yet": "it is not valid yet; the clocks of both sides should agree",
    "issuer": "it was issued by somebody else",
    "audience": "it was made out to somebody else; compare public_url and the application's ids",
    "tenant": "its tenant is not among the configured ones",
    "client": "it was given to another application",
    "scope": "it does not carry our scope",
    "app-only": "it belongs to an application, not to a person",
    "version": "its version is not taken",
    "metadata-address": "it names another Exchange than the configured ones",
    "user": "nothing in it says who this is",
    "not-a-member": "the person has none of the roles and groups that are asked for",
    "cross-site": "it belongs to another site",
    "foreign": "it belongs to another site",
    "invalid_grant": "the provider does not take the code, which is good once, for minutes, and only in the window that began",
    "invalid_client": "the provider does not know the client_id, or wants a secret of it: it must be a public client",
    "unauthorized_client": "the provider does not allow this client to sign people in with a code",
    "invalid_scope": "the provider does not know the scopes",
    "other": "the provider gave no reason that is known here",
    "foreign-token-endpoint": "the provider names a token address on another host than metadata_url",
    "timeout": "there was no answer in time",
    "per-minute": "too many requests within a minute",
    "too-many-unclaimed": "too many rooms were asked for that no invitation has brought",
    "taken": "the number belongs to another ticket by now",
    "deleted": "its alias was deleted",
    "invalid": "it is not ours",
    "other-kind": "no alias stands behind it",
    "no-free-alias": "no free alias was found; the alias plan has too few digits",
    "changed-meanwhile": "the reservation expired, was given back or was brought by an invitation in that very moment",
    "database": "the database failed",
    "database-busy": "the database was busy for too long",
}


def refusal_sentence(refused: Refused) -> str:
    """Say what was refused and why."""
    what = _WHAT.get(refused.kind, f"A request was refused ({refused.kind})")
    why = _WHY.get(refused.reason, refused.reason)
    return f"{what}: {why}{f' ({refused.detail})' if refused.detail else ''}."


def refusal_json(settings: Settings, refused: Refused) -> dict[str, Any]:
    """Write a refused request for `--json`."""
    return {
        "correlation_id": refused.correlation_id,
        "at": stamp(refused.at),
        "integration": _where(settings, refused) or None,
        "kind": refused.kind,
        "reason": refused.reason,
        "detail": refused.detail,
        "sentence": refusal_sentence(refused),
    }


def show_refusal(settings: Settings, refused: Refused) -> None:
    """Print a refused request."""
    facts = (local(refused.at), _where(settings, refused), refused.correlation_id)
    stdout().print(Text("A request of the Outlook add-in", style="bold"))
    stdout().print(Text("  ".join(plain(fact) for fact in facts if fact), style="dim"))
    stdout().print(Text(plain(refusal_sentence(refused))))


def _where(settings: Settings, refused: Refused) -> str:
    return name_of(settings, refused.integration) if refused.integration else ""
