"""What an HTTP answer, or the lack of one, means. Pure: status, headers and bytes in; an envelope or an error out."""

import re
from datetime import timedelta

from greenroom.exchange.errors import (
    ExchangeError,
    MisconfiguredError,
    NotPermittedError,
    SignInError,
    TryLaterError,
)
from greenroom.exchange.ews import envelope
from greenroom.exchange.ews.envelope import Envelope
from greenroom.exchange.ews.faults import GarbledReplyError, RefusedRequestError
from greenroom.exchange.ews.markup import MarkupError
from greenroom.exchange.ews.settings import URL_HINT
from greenroom.exchange.failures import Asked, unknown

OK = 200
OTHER_WAYS = "other-ways"
"""Code of a SignInError: the server does not offer the way that was tried."""
_SERVER_ERROR = 500
_BUSY = (429, 503)
_NOT_EWS = (301, 302, 303, 307, 308, 404, 405, 410)
_HTML = re.compile(rb"\s*(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
_HTML_WITHIN = 2000

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,20}(?=[ ,]|$)")
_MOST_SCHEMES = 5


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


def with_offer(error: SignInError, challenges: list[str], asked: Asked, scheme: str = "") -> SignInError:
    """Add which ways to sign in the server offers (WWW-Authenticate, one per header as IIS writes them).

    `scheme` is the one that was used; a server that does not offer it has not even looked at what was sent.
    """
    named = [match[0] for line in challenges[:_MOST_SCHEMES] if (match := _SCHEME.match(line.strip()))]
    if error.code != "http-401" or not named:
        return error
    offer = ", ".join(dict.fromkeys(named))
    if scheme and scheme.lower() not in {name.lower() for name in named}:
        sentence = f"{asked.host} does not offer to sign in by {scheme} (it offers {offer})"
        return SignInError(sentence, code=OTHER_WAYS, mailbox=error.mailbox)
    return SignInError(f"{error} (it offers {offer})", code=error.code, mailbox=error.mailbox)


def _not_ews(asked: Asked, what: str, code: str = "not-ews") -> MisconfiguredError:
    hint = f"{URL_HINT}; a web page or redirect also comes from a proxy or a sign-in page in front of Exchange"
    return MisconfiguredError(f"this is not an EWS address: {asked.host} {what}", hint=hint, code=code)
