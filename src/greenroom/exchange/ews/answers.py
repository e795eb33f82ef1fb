"""What an HTTP answer, or the lack of one, means. Pure: status, headers and bytes in; an envelope or an error out."""

import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import httpx2

from greenroom.exchange.errors import (
    ExchangeError,
    MisconfiguredError,
    NotPermittedError,
    OutcomeUnknownError,
    SignInError,
    TryLaterError,
)
from greenroom.exchange.ews import envelope
from greenroom.exchange.ews.envelope import Envelope
from greenroom.exchange.ews.faults import GarbledReplyError, RefusedRequestError
from greenroom.exchange.ews.markup import MarkupError
from greenroom.exchange.ews.settings import URL_HINT

OK = 200
_SERVER_ERROR = 500
_BUSY = (429, 503)
_NOT_EWS = (301, 302, 303, 307, 308, 404, 405, 410)
_HTML = re.compile(rb"\s*(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
_HTML_WITHIN = 2000

_WRONG_NAME = (
    "is for another name",
    "write the EWS address with a name that stands in the certificate, or give Exchange a certificate for this name",
)
_UNTRUSTED = (
    "is not trusted: its authority is not known here",
    "set ca_file to the certificate (PEM) of the authority that signed it; Exchange must send those in between",
)
_CERTIFICATE = {
    9: ("is not valid yet", "check the clock of this computer, and the certificate on Exchange"),
    10: ("has expired", "renew the certificate on Exchange; if it is not old, check the clock of this computer"),
    18: (
        "is signed by itself, and not trusted here",
        "set ca_file to that certificate (PEM), taken from Exchange itself, or give Exchange one of your authority",
    ),
    62: _WRONG_NAME,
    64: _WRONG_NAME,
}
"""What to say by OpenSSL's verification result (X509_V_ERR_...)."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,20}(?=[ ,]|$)")
_MOST_SCHEMES = 5

_UNSENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)


class BrokenConnectionError(TryLaterError):
    """The connection broke without a whole answer; a request that only reads may be sent once more."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which request an answer belongs to: for sentences, and for how careful to be.

    `known` says that EWS has answered at this address before, so that a web page now is a passing fault of what is in front.
    """

    host: str
    mailbox: str
    writes: bool
    known: bool = False


def judge(status: int, data: bytes, wait: timedelta | None, asked: Asked) -> Envelope:
    """Return the envelope of a usable answer (faults inside are the caller's); raise what any other answer means.

    `wait` is the Retry-After header's, if there was one.
    """
    if status in (OK, _SERVER_ERROR):
        try:
            return envelope.read(data)
        except MarkupError as error:
            if status == OK and not asked.known and _HTML.match(data[:_HTML_WITHIN]):
                raise _not_ews(asked, "answers with a web page") from None
            if asked.writes:
                raise unknown(asked, f"its answer cannot be read: {error}", "garbled-reply") from None
            sentence = f"the answer of {asked.host} (HTTP {status}) cannot be read: {error}"
            raise GarbledReplyError(sentence, code="garbled-reply", mailbox=asked.mailbox) from None
    raise _refusal(status, wait, asked)


def _refusal(status: int, wait: timedelta | None, asked: Asked) -> ExchangeError:  # noqa: PLR0911  one return for each meaning
    code, mailbox = f"http-{status}", asked.mailbox
    if status in _BUSY:
        return TryLaterError(f"{asked.host} is busy (HTTP {status})", after=wait, code=code, mailbox=mailbox)
    if status == 401:  # noqa: PLR2004  the number is the name of the thing
        sentence = f"{asked.host} refused the user name, password or token"
        return SignInError(sentence, code=code, mailbox=mailbox)
    if status == 403:  # noqa: PLR2004
        sentence = (
            f"{asked.host} does not let this account use EWS (HTTP 403): "
            "enable EWS for the account (Set-CASMailbox -EwsEnabled $true) and look at EWS application policies"
        )
        return NotPermittedError(sentence, code=code, mailbox=mailbox)
    if status == 407:  # noqa: PLR2004
        return MisconfiguredError(
            "a proxy on the way asks for a sign-in (HTTP 407)",
            hint="let the service reach Exchange directly",
            code=code,
        )
    if status in _NOT_EWS and not asked.known:
        return _not_ews(asked, f"answers HTTP {status}", code)
    if status in (400, 413, 415):
        sentence = f"{asked.host} refused the request (HTTP {status})"
        return RefusedRequestError(sentence, code=code, mailbox=mailbox)
    if asked.writes and status not in _NOT_EWS:
        return unknown(asked, f"HTTP {status}", code)
    return TryLaterError(f"{asked.host} failed (HTTP {status})", after=wait, code=code, mailbox=mailbox)


def with_offer(error: SignInError, challenges: list[str]) -> SignInError:
    """Add which ways to sign in the server offers (WWW-Authenticate, one per header as IIS writes them)."""
    named = [match[0] for line in challenges[:_MOST_SCHEMES] if (match := _SCHEME.match(line.strip()))]
    if error.code != "http-401" or not named:
        return error
    offer = ", ".join(dict.fromkeys(named))
    return SignInError(f"{error} (it offers {offer})", code=error.code, mailbox=error.mailbox)


def _not_ews(asked: Asked, what: str, code: str = "not-ews") -> MisconfiguredError:
    hint = f"{URL_HINT}; a web page or redirect also comes from a proxy or a sign-in page in front of Exchange"
    return MisconfiguredError(f"this is not an EWS address: {asked.host} {what}", hint=hint, code=code)


def unknown(asked: Asked, why: str, code: str) -> OutcomeUnknownError:
    """Say that a change may or may not have been made."""
    sentence = f"{asked.host} may or may not have made the change: {why}"
    return OutcomeUnknownError(sentence, code=code, mailbox=asked.mailbox)


def failure(error: Exception, asked: Asked) -> ExchangeError:
    """Say what a failed exchange means: `error` is httpx2's, or the TimeoutError of the time for the whole."""
    causes = list(_causes(error))
    if (bad := next((c for c in causes if isinstance(c, ssl.SSLCertVerificationError)), None)) is not None:
        what, hint = _CERTIFICATE.get(bad.verify_code, _UNTRUSTED)
        return MisconfiguredError(f"the certificate of {asked.host} {what}", hint=hint, code="bad-certificate")
    if any(isinstance(c, ssl.SSLError) for c in causes) and isinstance(error, httpx2.ConnectError):
        return MisconfiguredError(
            f"{asked.host} does not speak TLS as we do",
            hint="check that the address is that of an https port",
            code="tls",
        )
    if isinstance(error, _UNSENT):
        return TryLaterError(_unreached(error, causes, asked.host), code="unreachable", mailbox=asked.mailbox)
    timed_out = isinstance(error, (httpx2.TimeoutException, TimeoutError))
    why = "no answer came in time" if timed_out else "the connection broke"
    if asked.writes:
        return unknown(asked, why, "timeout" if timed_out else "broken")
    if timed_out:
        return TryLaterError(f"{asked.host}: {why}", code="timeout", mailbox=asked.mailbox)
    return BrokenConnectionError(f"{asked.host}: {why}", code="broken", mailbox=asked.mailbox)


def _unreached(error: Exception, causes: list[BaseException], host: str) -> str:
    if any(isinstance(c, socket.gaierror) for c in causes):
        return f"the name of {host} is not known: check the EWS address and the name service"
    if any(isinstance(c, ConnectionRefusedError) for c in causes):
        return f"{host} refuses connections: check the address and port, and that Exchange is running"
    if isinstance(error, httpx2.TimeoutException):
        return f"{host} does not answer: check the address and the firewall in between"
    return f"{host} cannot be reached: check the address and the network"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what led to it, groups opened, at most a few dozen."""
    waiting, seen = [error], set[int]()
    while waiting and len(seen) < 32:  # noqa: PLR2004  chains are short; cycles end here too
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        waiting.extend(c for c in (current.__cause__, current.__context__) if c is not None)
        if isinstance(current, BaseExceptionGroup):
            waiting.extend(current.exceptions)
