"""The ways into a room: the web app in a browser, what an app or a video system dials, telephone numbers by country.

```
 settings ──▶ WaysToJoin ──.of(alias, join id)──▶ Ways ──▶ join page, joining instructions, replies
```

Patterns are an administrator's or ours; an alias may come from another system and is quoted wherever it gets into a link.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from greenroom.meetings.alias import Alias
from greenroom.meetings.patterns import expand, expand_address, values_of

WebAppVersion = Literal["webapp3", "webapp2", "webapp"]

PEXIP_SCHEME: Final = "pexip"
QR_NAME: Final = "qr.png"
"""What stands behind the address of a join page for the picture that holds it."""

_WEB_APPS: Final[Mapping[WebAppVersion, str]] = {
    "webapp3": "/webapp3/m/{alias}",
    "webapp2": "/webapp2/#/?conference={alias}",
    "webapp": "/webapp/#/?conference={alias}",
}
_LINKED: Final = frozenset({"sip", "sips", "h323", "tel", "https", PEXIP_SCHEME})
_HOST_IS_OPEN: Final = re.compile(r"https:[/\\]*[^/\\?#]*\{", re.IGNORECASE)
_NO_DIGIT: Final = re.compile(r"[^0-9]")


def join_page(base: str, join_id: str) -> str:
    """Return the address of a room's join page; `base` is where Greenroom is reached."""
    return f"{base.rstrip('/')}/j/{join_id}"


@dataclass(frozen=True, slots=True)
class Phone:
    """A telephone number that leads to the rooms: `number` as people read it ("+49 30 1234567"), `country` as ISO 3166 code."""

    country: str
    number: str
    label: str = ""

    @property
    def name(self) -> str:
        """What stands before the number."""
        return self.label or self.country


@dataclass(frozen=True, slots=True)
class DialLine:
    """One way to dial in: `href` only where a browser knows what to do with it."""

    label: str
    value: str
    href: str | None


@dataclass(frozen=True, slots=True)
class PhoneLine:
    """One telephone number of a room: `keys` are keyed in when asked for, and `href` dials both."""

    country: str
    name: str
    number: str
    keys: str
    href: str


@dataclass(frozen=True, slots=True)
class Ways:
    """All ways into one room. `phone` is an administrator's own sentence on telephones, or empty."""

    web_app: str | None
    dial: tuple[DialLine, ...]
    phones: tuple[PhoneLine, ...]
    phone: str

    @property
    def app(self) -> str | None:
        """The link that opens the room in the platform's own app, where there is one."""
        return next((line.href for line in self.dial if _scheme(line.href or "") == PEXIP_SCHEME), None)


@dataclass(frozen=True, slots=True)
class WaysToJoin:
    """How the rooms of one integration are entered.

    `web_app`, the second parts of `dial` and `phone` are patterns with {alias}, {numeric_alias} and {join_id}, and {dialled}: the
    alias, with `domain` behind it where it has none of its own. `qr`: whether invitations show the join page as a QR code.
    """

    web_app: str | None = None
    dial: tuple[tuple[str, str], ...] = ()
    phones: tuple[Phone, ...] = ()
    phone: str = ""
    qr: bool = False
    domain: str = ""

    def of(self, alias: Alias, join_id: str) -> Ways:
        """Spell out the ways into the room of this alias. Telephones need a number to key in: without one there are none."""
        has_domain = "@" in alias.name or not self.domain
        values = values_of(alias, join_id) | {"dialled": alias.name if has_domain else f"{alias.name}@{self.domain}"}
        keys = _NO_DIGIT.sub("", alias.numeric)
        return Ways(
            web_app=expand_address(self.web_app, values) if self.web_app else None,
            dial=tuple(_dial_line(label, pattern, values) for label, pattern in self.dial),
            phones=tuple(_phone_line(phone, f"{keys}#") for phone in self.phones) if keys else (),
            phone=expand(self.phone, values),
        )


def pexip_ways(
    node_url: str | None,
    version: WebAppVersion = "webapp3",
    *,
    sip: bool = True,
    h323: bool = True,
    app: bool = True,
    phones: tuple[Phone, ...] = (),
    domain: str = "",
    qr: bool = False,
) -> WaysToJoin:
    """Return how rooms of a Pexip Infinity are entered; without `node_url` there is no link to a web app.

    The links are those of Pexip's page on preconfigured links (docs.pexip.com, clients/infinity_connect_url.htm): Webapp3 takes the
    alias as /m/<alias>, the apps before it since version 25 as #/?conference=<alias> behind their path.
    """
    dial = (("SIP", "sip:{dialled}", sip), ("H.323", "h323:{dialled}", h323), ("Pexip app", "pexip://{dialled}", app))
    return WaysToJoin(
        web_app=None if node_url is None else node_url.rstrip("/") + _WEB_APPS[version],
        dial=tuple((label, pattern) for label, pattern, wanted in dial if wanted),
        phones=phones,
        qr=qr,
        domain=domain,
    )


def _dial_line(label: str, pattern: str, values: Mapping[str, str]) -> DialLine:
    return DialLine(label, expand(pattern, values), _link(pattern, values))


def _link(pattern: str, values: Mapping[str, str]) -> str | None:
    """Make the link of a pattern whose scheme, and for a web address whose host, is the administrator's own word."""
    scheme = _scheme(pattern)
    if scheme not in _LINKED or re.search(r"\s", pattern) or _HOST_IS_OPEN.match(pattern):
        return None
    return expand_address(pattern, values, safe="@" if scheme == "https" else "@+")


def _scheme(text: str) -> str:
    before, colon, _ = text.partition(":")
    return before.lower() if colon else ""


def _phone_line(phone: Phone, keys: str) -> PhoneLine:
    """The commas make a telephone wait two seconds each before it keys in the rest."""
    digits = _NO_DIGIT.sub("", phone.number)
    plus = "+" if phone.number.lstrip().startswith("+") else ""
    return PhoneLine(phone.country, phone.name, phone.number, keys, f"tel:{plus}{digits},,{keys}")
