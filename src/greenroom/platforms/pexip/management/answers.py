"""What an HTTP answer of the management API means. Pure: status, headers and bytes in; an answer or an error out.

Everything is hostile: a body may be plain text, a web page, any JSON, or nothing. Sentences are never passed on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from greenroom.outside import parse_json
from greenroom.platforms.errors import AliasTakenError, PlatformError, PlatformMisconfiguredError, PlatformSignInError
from greenroom.platforms.pexip.management.call import Answer
from greenroom.platforms.pexip.management.errors import (
    CodedUnavailableError,
    FieldsRefusedError,
    GarbledAnswerError,
    NameTakenError,
    OutcomeUnknownError,
)
from greenroom.platforms.pexip.management.fields import field_errors

LONGEST_PAUSE: Final = timedelta(hours=1)
BUSY = (429, 503)
_PASSING = (423, 425)
_NOT_PEXIP = (
    "[integration.pexip.management] url must be the root of the Management Node, not of a Conferencing Node; web pages and"
    " redirects also come from a proxy or a sign-in page on the way"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which request an answer belongs to. `known`: the node answered properly before, so what is odd now is passing."""

    writes: bool
    known: bool = False


class NothingThereError(PlatformError):
    """HTTP 404 or 410. Whoever asked knows whether that is the item or the whole address."""


def judge(status: int, headers: Mapping[str, str], data: bytes, asked: Asked, now: datetime) -> Answer:
    """Return the answer of a 2xx with whole JSON or nothing; raise what any other answer means. `headers` are lower-case."""
    if 200 <= status < 300:  # noqa: PLR2004  the numbers are the names
        return Answer(status, _body(data, asked), headers)
    if 300 <= status < 400:  # noqa: PLR2004
        raise odd(asked, "redirected")
    raise refusal(status, headers, data, asked, now)


def _body(data: bytes, asked: Asked) -> object:
    if not data.strip():
        return None
    try:
        body: object = parse_json(data)
    except ValueError:
        if data.lstrip()[:1] == b"<":
            raise odd(asked, "not-pexip") from None
        raise garbled(asked) from None
    return body


def refusal(  # noqa: PLR0911  one return for each meaning
    status: int, headers: Mapping[str, str], data: bytes, asked: Asked, now: datetime
) -> PlatformError:
    """Say what a status other than 2xx and 3xx means."""
    code = f"http-{status}"
    after = retry_after(headers.get("retry-after"), now)
    if status in BUSY:
        return CodedUnavailableError(code, after)
    if status == 401:  # noqa: PLR2004
        return PlatformSignInError(
            code, hint="check user name and password, or the OAuth2 client, at the Management Node"
        )
    if status == 403:  # noqa: PLR2004
        hint = "the account lacks a right: its role at the Management Node must let it use the API and change VMRs"
        return PlatformMisconfiguredError("not-permitted", hint=hint)
    if status == 407:  # noqa: PLR2004
        return PlatformMisconfiguredError("proxy-sign-in", hint="a proxy asks for a sign-in: let it pass this computer")
    if status in (404, 410):
        return NothingThereError(code)
    if status in (405, 501):
        return PlatformMisconfiguredError(
            code, hint="something on the way to the Management Node does not let the API through"
        )
    if status in _PASSING or (status == 409 and field_errors(_told(data)) is None):  # noqa: PLR2004
        return CodedUnavailableError(code, after)
    if 400 <= status < 500 and status != 408:  # noqa: PLR2004
        return _refused(code, data, asked)
    return OutcomeUnknownError(code, after) if asked.writes else CodedUnavailableError(code, after)


def _refused(code: str, data: bytes, asked: Asked) -> PlatformError:
    """Say what a 4xx about the request means. One without a named field is nothing the room can be blamed for."""
    errors = field_errors(_told(data))
    if errors is None or not asked.writes:
        return PlatformMisconfiguredError(code, hint="the Management Node refuses the request: see its support log")
    if "licence" in errors.codes:
        return PlatformMisconfiguredError("licence", hint="the Management Node has no licence for another VMR")
    if errors.alias_taken:
        return AliasTakenError(errors.text)
    if errors.name_taken:
        return NameTakenError(errors.text)
    if not errors.fields:
        word = "unknown-object" if "unknown-object" in errors.codes else code
        return PlatformMisconfiguredError(word, hint="the Management Node refuses the request: see its support log")
    return FieldsRefusedError(errors)


def odd(asked: Asked, code: str) -> PlatformError:
    """Say that something answers which is not the management API."""
    if not asked.known:
        return PlatformMisconfiguredError(code, hint=_NOT_PEXIP)
    return OutcomeUnknownError(code) if asked.writes else CodedUnavailableError(code)


def garbled(asked: Asked) -> PlatformError:
    """Say that an answer cannot be used; whether a change was made is then not known."""
    return OutcomeUnknownError("garbled-answer") if asked.writes else GarbledAnswerError("garbled-answer")


def retry_after(text: str | None, now: datetime) -> timedelta | None:
    """Read a Retry-After header: seconds, or a date (RFC 9110 10.2.3); at most `LONGEST_PAUSE`."""
    text = (text or "").strip()
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:9])), LONGEST_PAUSE)
    try:
        moment = parsedate_to_datetime(text) if text else None
        if moment is None or moment.tzinfo is None:
            return None
        return min(max(timedelta(), moment - now), LONGEST_PAUSE)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _told(data: bytes) -> object:
    try:
        body: object = parse_json(data) if data.strip() else None
    except ValueError:
        return None
    return body
