"""Kinds of values that several sections share, each with the sentence that says what is allowed.

A check raises ValueError with a sentence that never repeats the value where it could be a secret.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from greenroom.meetings.patterns import BRACES, VARIABLES

_HOST = (
    r"(?=.{1,192}$)(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)
_DOMAIN = re.compile(_HOST)
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@" + _HOST)
_GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_MAX_ADDRESS = 254
_MAX_PORT = 65535
_MIN_KEY_BYTES = 32
_LONGEST_WORD = 255
_LOOPBACK_NAMES = ("localhost", "localhost.localdomain")


class Section(BaseModel):
    """A table of the file. Frozen, and unknown keys are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, str_strip_whitespace=True)


def setting(
    default: Any = ...,
    *,
    about: str,
    allowed: str = "",
    unit: str = "",
    example: Any = None,
    shown: bool = False,
    like: str = "",
    **limits: Any,
) -> Any:
    """Declare one setting: what it is for, its unit, what is allowed and an example.

    Messages, `greenroom config reference` and docs/configuration.md all come from here. `shown` puts it into the
    example file as a line in force even though it may be left out. `like` names the table beside it that has most of the
    same settings. `limits` go to `pydantic.Field`.
    """
    extra = {"allowed": allowed, "unit": unit, "example": example, "shown": shown, "like": like}
    return Field(default, description=about, json_schema_extra=extra, **limits)


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only mean this computer."""
    if host.lower() in _LOOPBACK_NAMES or host.lower().endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _web_address(value: str) -> str:
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError("is not a web address") from error
    if parts.scheme not in {"http", "https"} or not host or re.search(r"[\s\x00-\x1f\\]", value):
        raise ValueError("is not a web address")
    if "@" in parts.netloc:
        raise ValueError("must not contain a user name or password")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError("is http to another computer: what it carries could be read on the way")
    return value


def _base_address(value: str) -> str:
    parts = urlsplit(_web_address(value))
    if parts.query or parts.fragment or "?" in value or "#" in value:
        raise ValueError("must not have a query (?) or a fragment (#)")
    return value.rstrip("/")


def _root_address(value: str) -> str:
    address = _base_address(value)
    if urlsplit(address).path:
        raise ValueError("must not have a path")
    return address


def _proxy_address(value: str) -> str:
    """Plain http is right here: what goes through the proxy is a tunnel of TLS."""
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError("is not the address of a proxy") from error
    if "@" in parts.netloc:
        raise ValueError("must not contain a user name or password")
    rest = parts.path.rstrip("/") or parts.query or parts.fragment
    if parts.scheme not in {"http", "https"} or not host or port is None or rest or re.search(r"[\s\\]", value):
        raise ValueError("is not the address of a proxy")
    return value.rstrip("/")


def _kdc_address(value: str) -> str:
    try:
        parts = urlsplit(f"//{value}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError("is not host or host:port") from error
    if not host or port == 0 or not re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?", value):
        raise ValueError("is not host or host:port")
    return value


def _origin(value: str) -> str:
    address = _root_address(value)
    parts = urlsplit(address)
    # A star stands for what is left of a domain (Content Security Policy 3, 2.3.1); for all of the web it would be too much.
    if not re.fullmatch(r"(?:\*\.(?=[^.:]+\.))?[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*(?::[0-9]+)?", parts.netloc):
        raise ValueError("is not an origin")
    return address.lower()


def _word(value: str) -> str:
    if not value or len(value) > _LONGEST_WORD or not value.isprintable():
        raise ValueError("is not a name")
    return value


def _guid(value: str) -> str:
    if not _GUID.fullmatch(value):
        raise ValueError("is not a GUID")
    return value.lower()


def _tenant(value: str) -> str:
    if _GUID.fullmatch(value):
        return value.lower()
    if value.lower() in {"common", "organizations", "consumers"}:
        raise ValueError("names no tenant of its own")
    if not _DOMAIN.fullmatch(value) or "." not in value:
        raise ValueError("is neither a GUID nor a domain")
    return value.lower()


def _managed_identity(value: str) -> str:
    return value.lower() if value.lower() == "system" else _guid(value)


def _listen(value: str) -> str:
    host, colon, port = value.rpartition(":")
    host_is_right = bool(host) and (_is_bracketed_ipv6(host) if host.startswith("[") else ":" not in host)
    if not colon or not host_is_right or not port.isascii() or not port.isdigit() or int(port) > _MAX_PORT:
        raise ValueError("is not an address and a port")
    return value


def _is_bracketed_ipv6(host: str) -> bool:
    try:
        return ip_address(host[1:-1]).version == 6 and host.endswith("]")  # noqa: PLR2004 - the 6 of IPv6
    except ValueError:
        return False


def _mail_address(value: str) -> str:
    if len(value) > _MAX_ADDRESS or not _ADDRESS.fullmatch(value):
        raise ValueError("is not a mail address")
    return value.lower()


def _domain(value: str) -> str:
    if not _DOMAIN.fullmatch(value):
        raise ValueError("is not a domain name")
    return value.lower()


def _domain_or_nothing(value: str) -> str:
    return _domain(value) if value else value


def _pattern(value: str) -> str:
    unknown = [name for name in BRACES.findall(value) if name not in VARIABLES]
    if unknown:
        raise ValueError(f"has the unknown variable {{{unknown[0]}}}")
    if "{" in BRACES.sub("", value) or "}" in BRACES.sub("", value):
        raise ValueError("has a brace without its partner")
    return value


def _address_pattern(value: str) -> str:
    _web_address(BRACES.sub("x", _pattern(value)))
    if "{" in urlsplit(value).netloc:
        raise ValueError("must not take its host from a variable")
    return value


def _dial_pattern(value: str) -> str:
    _pattern(value)
    scheme = value.partition(":")[0].strip().lower()
    if scheme in {"javascript", "data", "vbscript", "file", "blob"}:
        raise ValueError(f"begins with {scheme}:, which nobody can dial")
    return value


def _network(value: str) -> str:
    try:
        return str(ip_network(value, strict=False))
    except ValueError as error:
        raise ValueError("is neither an IP address nor a network") from error


def _ticket_prefix(value: str) -> str:
    letters = value.upper()
    if not re.fullmatch(r"[A-HJKMNP-Z]{2,6}", letters):
        raise ValueError("is not a ticket prefix")
    return letters


def _key_bytes(value: Any) -> bytes:
    """Decode base64 (usual or URL-safe, padded or not); the message never shows the value."""
    if isinstance(value, bytes):
        decoded = value
    elif isinstance(value, str):
        text = "".join(value.split()).translate(str.maketrans("-_", "+/")).rstrip("=")
        try:
            decoded = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        except (binascii.Error, ValueError):
            raise ValueError("is not base64") from None
    else:
        raise ValueError("is not base64")  # noqa: TRY004 - pydantic gathers ValueErrors only
    if len(decoded) < _MIN_KEY_BYTES:
        raise ValueError(f"has {len(decoded)} bytes: too short to keep tickets from being forged")
    return decoded


def _split(value: Any) -> Any:
    """Take a list, or text with commas as an environment variable gives it."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


WebAddress = Annotated[str, AfterValidator(_web_address)]
BaseAddress = Annotated[str, AfterValidator(_base_address)]
RootAddress = Annotated[str, AfterValidator(_root_address)]
ProxyAddress = Annotated[str, AfterValidator(_proxy_address)]
Guid = Annotated[str, AfterValidator(_guid)]
KdcAddress = Annotated[str, AfterValidator(_kdc_address)]
Tenant = Annotated[str, AfterValidator(_tenant)]
ManagedIdentityName = Annotated[str, AfterValidator(_managed_identity)]
Listen = Annotated[str, AfterValidator(_listen)]
MailAddress = Annotated[str, AfterValidator(_mail_address)]
DomainName = Annotated[str, AfterValidator(_domain)]
OptionalDomain = Annotated[str, AfterValidator(_domain_or_nothing)]
TextPattern = Annotated[str, AfterValidator(_pattern)]
AddressPattern = Annotated[str, AfterValidator(_address_pattern)]
DialPattern = Annotated[str, AfterValidator(_dial_pattern)]
TicketPrefix = Annotated[str, AfterValidator(_ticket_prefix)]
KeyBytes = Annotated[bytes, BeforeValidator(_key_bytes)]
MailAddresses = Annotated[tuple[MailAddress, ...], BeforeValidator(_split), AfterValidator(_distinct)]
DomainNames = Annotated[tuple[DomainName, ...], BeforeValidator(_split), AfterValidator(_distinct)]
Network = Annotated[str, AfterValidator(_network)]
Networks = Annotated[tuple[Network, ...], BeforeValidator(_split), AfterValidator(_distinct)]
Guids = Annotated[tuple[Guid, ...], BeforeValidator(_split), AfterValidator(_distinct)]
WebAddresses = Annotated[tuple[WebAddress, ...], BeforeValidator(_split), AfterValidator(_distinct)]
Origins = Annotated[
    tuple[Annotated[str, AfterValidator(_origin)], ...], BeforeValidator(_split), AfterValidator(_distinct)
]
Words = Annotated[tuple[Annotated[str, AfterValidator(_word)], ...], BeforeValidator(_split), AfterValidator(_distinct)]
