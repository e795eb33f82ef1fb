"""Headers of the add-in's pages, which Outlook shows inside its own.

A page that Outlook on the web frames may say neither X-Frame-Options nor Cross-Origin-Opener-Policy: the first knows no list of
hosts, the second cuts the dialogs in which people sign in from the page that waits for them. New Outlook looks at the root of the
origin too, so `/` has the same headers.
"""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

MICROSOFT_AJAX: Final = "https://ajax.aspnetcdn.com"
"""Where Office.js fetches MicrosoftAjax.js from, unless it is there already."""

OUTLOOK_HOSTS: Final = (
    "https://outlook.office.com",
    "https://outlook-sdf.office.com",
    "https://outlook.office365.com",
    "https://outlook-sdf.office365.com",
    "https://outlook.live.com",
    "https://outlook-sdf.live.com",
    "https://outlook.office365.us",
    "https://outlook.office.de",
    "https://partner.outlook.cn",
    "https://outlook.cloud.microsoft",
    "https://outlook-sdf.cloud.microsoft",
)
"""Outlook on the web and new Outlook: the hosts that Office.js itself trusts to frame an add-in, and their newer names."""

_ORIGIN: Final = re.compile(r"https?://[A-Za-z0-9.*\[\]:-]+")


def origin_of(address: str) -> str:
    """Return scheme, host and port of a web address. Raises ValueError where there is none that a policy could name."""
    parts = urlsplit(address)
    origin = f"{parts.scheme}://{parts.netloc}".lower()
    if not _ORIGIN.fullmatch(origin):
        raise ValueError("not an address whose origin can stand in a content security policy")
    return origin


def page_policy(office_js_url: str, ajax_url: str | None, frame_ancestors: Iterable[str]) -> str:
    """Return the content security policy of a page that loads Office.js and may be framed by Outlook and `frame_ancestors`.

    Nothing unsafe is allowed. Office.js works so; only its telemetry, which it sends to Microsoft, is kept from leaving.
    """
    scripts = _distinct(["'self'", origin_of(office_js_url), origin_of(ajax_url) if ajax_url else MICROSOFT_AJAX])
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'self'; img-src 'self'; connect-src 'self'; worker-src 'self'; "
        f"base-uri 'none'; form-action 'none'; {_framed_by(frame_ancestors)}"
    )


def root_policy(frame_ancestors: Iterable[str]) -> str:
    """Return the policy of the page at the root, which loads nothing but its looks and may be framed like the others."""
    return (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
        f"{_framed_by(frame_ancestors)}"
    )


def _framed_by(more: Iterable[str]) -> str:
    return "frame-ancestors " + _distinct(["'self'", *OUTLOOK_HOSTS, *(origin_of(one) for one in more)])


def _distinct(sources: Iterable[str]) -> str:
    return " ".join(dict.fromkeys(sources))
