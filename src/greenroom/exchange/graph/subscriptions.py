"""Subscriptions to the changes of one mailbox's calendar: requests and replies, nothing sent.

Source: Graph "subscription resource type" and its operations; lifetimes from "Maximum length of subscription per resource type".
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from greenroom.exchange.errors import MisconfiguredError, TryLaterError
from greenroom.exchange.graph.call import Call, RefusedError, path

LIFETIMES = (timedelta(minutes=10_075), timedelta(minutes=4_225), timedelta(minutes=1_435))
"""What is asked for, one after the other: just under 7 days (basic notifications of Outlook items), just under what older
services allow (4,230 minutes), just under a day."""

GARBLED = "garbled-reply"
"""The code of an error about an answer that cannot be understood."""

_CHANGES = "created,updated,deleted"
_LONGEST_URL = 2_048
_LONGEST_ID = 256
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_QUOTED_USER = re.compile(r"users\('([^']*)'\)/")
_BAD_REQUEST = 400


@dataclass(frozen=True, slots=True)
class Granted:
    """What Exchange made or renewed. `expires` is aware UTC."""

    ident: str
    expires: datetime


@dataclass(frozen=True, slots=True)
class Listed:
    """A subscription of a list, as far as it tells whose it is."""

    ident: str
    resource: str
    notification_url: str


def create(mailbox: str, *, notification_url: str, lifecycle_url: str, client_state: str, expires: datetime) -> Call:
    """Ask for one. Exchange validates both addresses before it answers."""
    body = {
        "changeType": _CHANGES,
        "resource": resource_of(mailbox),
        "notificationUrl": notification_url,
        "clientState": client_state,
        "expirationDateTime": _written(expires),
    }
    if lifecycle_url:
        body["lifecycleNotificationUrl"] = lifecycle_url
    return Call("CreateSubscription", "POST", path("subscriptions"), "", body=body, writes=True)


def list_all() -> Call:
    """Ask for all subscriptions of this application; the answer has pages."""
    return Call("ListSubscriptions", "GET", path("subscriptions"), "")


def renew(ident: str, expires: datetime) -> Call:
    """Ask for more time, which also authorizes anew ("Reduce missing subscriptions and change notifications")."""
    body = {"expirationDateTime": _written(expires)}
    return Call("RenewSubscription", "PATCH", path("subscriptions", ident), "", body=body, writes=True)


def delete(ident: str) -> Call:
    """End one."""
    return Call("DeleteSubscription", "DELETE", path("subscriptions", ident), "", writes=True)


def resource_of(mailbox: str) -> str:
    """What is subscribed to: the events of a mailbox."""
    return "users/" + quote(mailbox, safe="@+'!$&*=") + "/events"


def read_granted(body: Any) -> Granted:
    """Read what a create or renew answered. Raises TryLaterError where it cannot be understood."""
    try:
        ident, expires = _ident(body), datetime.fromisoformat(body["expirationDateTime"])
        expires = expires.replace(tzinfo=UTC) if expires.tzinfo is None else expires.astimezone(UTC)
    except (KeyError, TypeError, ValueError, OverflowError):
        raise TryLaterError("the answer is no subscription", code=GARBLED) from None
    return Granted(ident, expires)


def read_page(body: Any) -> tuple[list[Listed], str]:
    """Read one page of a list, and the link to the next ("" on the last). What is no subscription is passed over."""
    entries = body.get("value") if isinstance(body, dict) else None
    if not isinstance(entries, list):
        raise TryLaterError("the answer is no list", code=GARBLED)
    found = []
    for entry in entries:
        try:
            resource, url = entry["resource"], entry["notificationUrl"]
            if isinstance(resource, str) and isinstance(url, str):
                found.append(Listed(_ident(entry), resource, url))
        except (KeyError, TypeError, ValueError):
            continue
    link = body.get("@odata.nextLink")
    return found, link if isinstance(link, str) else ""


def is_ours(subscription: Listed, mailbox: str, notification_url: str) -> bool:
    """Whether a listed subscription is for this mailbox and leads to this address, however the resource is spelt."""
    spelt = _plain(subscription.resource)
    return subscription.notification_url == notification_url and spelt == _plain(resource_of(mailbox))


def shorter_lifetimes(error: RefusedError, asked: timedelta) -> tuple[timedelta, ...]:
    """What may be asked for instead after a refusal, best first; empty where the lifetime was not what was wrong.

    Graph has no code of its own for it, so every 400 counts that is not about our address.
    """
    if error.status != _BAD_REQUEST or error.code == "ValidationError":
        return ()
    return tuple(life for life in LIFETIMES if life < asked)


def check_urls(notification_url: str, lifecycle_url: str, mailbox: str) -> None:
    """Raise MisconfiguredError where Exchange could never reach an address: not https, or with a fragment or user in it.

    http is for a simulator on this machine alone.
    """
    if not all(_usable(url) for url in (notification_url, lifecycle_url) if url):
        raise MisconfiguredError(
            "the address for notifications cannot be used",
            hint="It must be an https address that Microsoft 365 can reach, without user name and fragment.",
            code="notification-url",
            mailbox=mailbox,
        )


def _usable(url: str) -> bool:
    if len(url) > _LONGEST_URL or not url.isascii() or not url.isprintable():
        return False
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    secure = parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
    return secure and bool(host) and "@" not in parts.netloc and not parts.fragment


def _ident(body: Any) -> str:
    ident = body["id"]
    if not isinstance(ident, str) or not 0 < len(ident) <= _LONGEST_ID:
        raise ValueError
    return ident


def _plain(resource: str) -> str:
    return _QUOTED_USER.sub(r"users/\1/", unquote(resource).strip("/").lower())


def _written(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"
