"""Reading what was posted as a collection of notifications (`changeNotificationCollection`), strictly and without trust.

Only what tells whom it is for is read; content that a "rich" notification carries is never looked at.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

_DEEPEST: Final = 16
_LONGEST_STATE: Final = 128
_LONGEST: Final = 2_048
_GUID: Final = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_STRINGS: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"')
_BRACKETS: Final = re.compile(r"[\[{]+|[\]}]+")
_SAID: Final = ("subscriptionId", "clientState", "tenantId", "changeType", "lifecycleEvent")
_CHANGES: Final = frozenset({"created", "updated", "deleted"})
_LIFECYCLE: Final = frozenset({"missed", "subscriptionRemoved", "reauthorizationRequired"})


class NotReadableError(Exception):
    """A body is no collection of notifications. `kind` is a short word for logs."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Notice:
    """One notification, as far as it matters: either `change` or `lifecycle` is set."""

    subscription: str
    client_state: str = field(repr=False)
    tenant: str
    change: str
    lifecycle: str
    item: str = ""
    etag: str = ""


def is_guid(text: str) -> bool:
    """Whether a text is a GUID in the usual form."""
    return _GUID.fullmatch(text) is not None


def read_notices(body: bytes, *, most: int) -> tuple[list[Notice], int]:
    """Return the notifications of a body, and how many entries are none. Raises NotReadableError."""
    try:
        text = body.decode("utf-8")
        parsed = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):  # covers UnicodeDecodeError, JSONDecodeError and numbers beyond all measure
        raise NotReadableError("no-json") from None
    if not isinstance(parsed, dict) or not isinstance(entries := parsed.get("value"), list) or not entries:
        raise NotReadableError("no-collection")
    if len(entries) > most:
        raise NotReadableError("too-many-entries")
    if _too_deep(text):
        raise NotReadableError("too-deep")
    notices = [notice for entry in entries if (notice := _notice(entry)) is not None]
    return notices, len(entries) - len(notices)


def _notice(entry: Any) -> Notice | None:
    if not isinstance(entry, dict):
        return None
    said = {name: entry.get(name) for name in _SAID}
    texts = {name: "" if value is None else value for name, value in said.items()}
    if not all(isinstance(value, str) for value in texts.values()):
        return None
    subscription, state, tenant, change, lifecycle = (texts[name] for name in _SAID)
    if not is_guid(subscription) or not 0 < len(state) <= _LONGEST_STATE or (tenant and not is_guid(tenant)):
        return None
    if lifecycle:
        return Notice(subscription, state, tenant, "", lifecycle) if lifecycle in _LIFECYCLE else None
    if change not in _CHANGES:
        return None
    data = entry.get("resourceData")
    data = data if isinstance(data, dict) else {}
    return Notice(subscription, state, tenant, change, "", _short(data.get("id")), _short(data.get("@odata.etag")))


def _short(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= _LONGEST else ""


def _too_deep(text: str) -> bool:
    """Whether valid JSON is nested deeper than any notification is."""
    depth = 0
    for run in _BRACKETS.findall(_STRINGS.sub("", text)):
        depth += len(run) if run[0] in "[{" else -len(run)
        if depth > _DEEPEST:
            return True
    return False


def _no_constant(_name: str) -> NoReturn:
    raise ValueError
