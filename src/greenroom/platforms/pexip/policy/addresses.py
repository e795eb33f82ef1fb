"""What somebody dialled, out of the many ways in which nodes and devices spell it.

```
"Room" <sip:Meet.900000001@Example.com:5061;transport=tls>   ->   meet.900000001@example.com
h323:900000001@10.1.2.3                                      ->   900000001@10.1.2.3
```

Source of the spellings: RFC 3261 section 19.1 and 25.1 (SIP URIs and name-addr), RFC 3508 (h323), RFC 3966 (tel), and Pexip's
documentation of policy requests, by which `local_alias` may come with its scheme. What no alias of ours can be spelled by (other
than ASCII, control characters, too long, two domains) is nothing that was dialled: such a call is not ours.
"""

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import unquote

LONGEST_ASKED = 1000
"""So many characters are looked at: a display name and parameters may stand around an alias."""
LONGEST = 250

_PLAIN = re.compile(r"(?:(?:sips?|h323|tel|pexip|webrtc):)?([a-z0-9._-]+)(?:@([a-z0-9.-]*[a-z0-9-]))?")
_SCHEME = re.compile(r"(?:sips?|h323|tel|pexip|webrtc):(?://)?", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PORT = re.compile(r":[0-9]{1,5}\Z")
_V4 = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_UNFIT = frozenset('"<>%;?,\\/ ')


class Dialled(NamedTuple):
    """What was dialled: `user` before the @, `host` behind it (empty where there is none). Lower case."""

    user: str
    host: str

    @property
    def text(self) -> str:
        """The usual spelling; reading it gives the same again."""
        return f"{self.user}@{self.host}" if self.host else self.user


def read(asked: str) -> Dialled | None:
    """Read what a node sends as `local_alias`; None if it can be nothing of ours."""
    if len(asked) > LONGEST_ASKED:
        return None
    plain = _PLAIN.fullmatch(asked.lower()) if len(asked) <= LONGEST else None
    return Dialled(plain[1], plain[2] or "") if plain is not None and asked.isascii() else _read_slowly(asked)


def normalise(asked: str) -> str:
    """Return the usual spelling of what was dialled; empty if it can be nothing of ours."""
    dialled = read(asked)
    return "" if dialled is None else dialled.text


def is_literal(host: str) -> bool:
    """Whether this is an IP address in place of a domain: somebody dialled a node, whose own alias is what stands before it."""
    if host.startswith("["):
        return host.endswith("]") and _is_address(host[1:-1])
    return _V4.fullmatch(host) is not None and _is_address(host)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _read_slowly(asked: str) -> Dialled | None:
    text = unquote(asked, errors="replace").strip()
    if _CONTROL.search(text):
        return None
    text = _uri_within(text)
    while scheme := _SCHEME.match(text):
        text = text[scheme.end() :]
    text = re.split(r"[;?]", text, maxsplit=1)[0]
    text = "".join(text.split()).rstrip("/")
    dialled = (
        _parts(text.lower()) if text.isascii() else None
    )  # before it is lowered: that makes a k of the sign for kelvin
    if dialled is None or len(dialled.text) > LONGEST:
        return None
    # A second reading must find nothing more to take away, or two spellings of one thing would be two things.
    return None if not dialled.user or _UNFIT.intersection(dialled.text) else dialled


def _uri_within(text: str) -> str:
    """Take the address out of `"Display name" <address>;parameters`."""
    opens = text.rfind("<")
    if opens < 0:
        return text
    closes = text.find(">", opens)
    return text[opens + 1 : closes].strip() if closes > 0 else text


def _parts(text: str) -> Dialled | None:
    user, at, host = text.rpartition("@")
    if not at:
        user, host = _PORT.sub("", text), ""
    else:
        host = _host(host)
        if not host:
            return None
        if "@" in user:
            # `alias@domain` dialled at the address of a node.
            return _parts(user) if is_literal(host) else None
        user = user.split(":", 1)[0]  # RFC 3261: a password may follow
    return None if ":" in user or "[" in user else Dialled(user, host)


def _host(text: str) -> str:
    """Take port and trailing dots off; empty for what is no host."""
    if text.count(":") > 1 and not text.startswith("["):
        return f"[{text}]" if _is_address(text) else ""
    host = (text if text.endswith("]") else _PORT.sub("", text)).rstrip(".")
    return host if is_literal(host) or not any(sign in host for sign in ":[]") else ""
