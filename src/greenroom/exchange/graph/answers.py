"""What an HTTP answer of Graph means. Pure: status, headers and bytes in; an answer or an error out.

Source: "Microsoft Graph error responses and resource types". Only `error.code` is used of an error: its message may quote
content. Everything is hostile: a body may be a web page, any JSON, or nothing.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from greenroom.exchange.backoff import retry_after
from greenroom.exchange.errors import ExchangeError, MisconfiguredError, NotPermittedError, SignInError, TryLaterError
from greenroom.exchange.failures import Asked, unknown
from greenroom.exchange.graph.call import Answer, RefusedError
from greenroom.outside import parse_json

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]{0,99}")
_BUSY = (429, 503)
_FAILED = (500, 502, 504, 507, 508, 509)
_DEPENDENCY_FAILED = 424
_NOT_GRAPH_HINT = (
    "check which cloud is set; web pages and redirects also come from a proxy or a sign-in page on the way"
)


class GarbledAnswerError(TryLaterError):
    """An answer came that is not (whole) JSON; a request that only reads may be sent once more."""


class TooLongError(GarbledAnswerError):
    """An answer to a request that only reads is longer than we take; asking for the same again would not help."""


class SkippedError(TryLaterError):
    """This request of a batch was not carried out, for one before it failed."""


def judge(status: int, headers: Mapping[str, str], data: bytes, now: datetime, asked: Asked) -> Answer:
    """Return the answer of a 2xx with whole JSON or nothing; raise what any other answer means. `headers` are lower-case."""
    if 200 <= status < 300:  # noqa: PLR2004  the numbers are the names
        return Answer(status, body(data, status, asked), headers)
    if 300 <= status < 400:  # noqa: PLR2004
        raise _not_graph(asked, "answers with a redirect, which is not followed", "redirected")
    raise refusal(status, headers, error_of(data), now, asked)


def body(data: bytes, status: int, asked: Asked) -> Any:
    """Parse a body; raises GarbledAnswerError, or what a web page in its place means."""
    if not data.strip():
        return None
    try:
        return parse_json(data)
    except ValueError:
        if data.lstrip()[:1] == b"<" and not asked.known:
            raise _not_graph(asked, "answers with a web page", "not-graph") from None
        raise garbled(asked, f"its answer (HTTP {status}) is not JSON") from None


def too_long(asked: Asked) -> ExchangeError:
    """Say that an answer is longer than we take; whether a write happened is then not known."""
    if asked.writes:
        return garbled(asked, "its answer is too long")
    return TooLongError(f"{asked.host}: its answer is too long", code="too-long", mailbox=asked.mailbox)


def garbled(asked: Asked, why: str) -> ExchangeError:
    """Say that an answer cannot be used; whether a write happened is then not known."""
    if asked.writes:
        return unknown(asked, why, "garbled-answer")
    return GarbledAnswerError(f"{asked.host}: {why}", code="garbled-answer", mailbox=asked.mailbox)


def error_of(data: bytes) -> Any:
    """Return the parsed body of an error, None where it is none of Graph's."""
    try:
        return parse_json(data) if data.strip() else None
    except ValueError:
        return None


def refusal(  # noqa: PLR0911  one return for each meaning
    status: int, headers: Mapping[str, str], told: Any, now: datetime, asked: Asked
) -> ExchangeError:
    """Say what a status other than 2xx and 3xx means; `told` is the parsed body."""
    named = code_of(told)
    code, mailbox, host = named or f"http-{status}", asked.mailbox, asked.host
    wait = retry_after(headers.get("retry-after"), now)
    if status in _BUSY:
        return TryLaterError(f"{host} is busy (HTTP {status}, {code})", after=wait, code=code, mailbox=mailbox)
    if status in _FAILED or status > 599 or status < 400:  # noqa: PLR2004
        return _failed(status, code, asked, TryLaterError("", after=wait))
    if status == 401:  # noqa: PLR2004
        sentence = f"{host} refused the application's token ({code}): see that tenant and cloud belong together"
        return SignInError(sentence, code=code, mailbox=mailbox)
    if status == 403:  # noqa: PLR2004
        sentence = f"{host} does not let the application into this mailbox ({code})"
        return NotPermittedError(sentence, code=code, mailbox=mailbox)
    if status == 407:  # noqa: PLR2004
        return MisconfiguredError(
            "a proxy on the way asks for a sign-in (HTTP 407)", hint="let the proxy pass this computer", code=code
        )
    if status == _DEPENDENCY_FAILED:
        return SkippedError(f"{host} did not come to this request", code=code, mailbox=mailbox)
    if status in (404, 405, 410) and not named:
        return _not_graph(asked, f"answers HTTP {status} without a word", code)
    if status == 408:  # noqa: PLR2004
        return _failed(status, code, asked, TryLaterError("", after=wait))
    return RefusedError(f"{host} refused the request ({code})", status=status, code=code, mailbox=mailbox)


def _failed(status: int, code: str, asked: Asked, wait: TryLaterError) -> ExchangeError:
    if asked.writes:
        error: TryLaterError = unknown(asked, f"HTTP {status}, {code}", code)
    else:
        sentence = f"{asked.host} failed (HTTP {status}, {code})"
        error = TryLaterError(sentence, code=code, mailbox=asked.mailbox)
    error.after = wait.after
    return error


def code_of(told: Any) -> str:
    """Return Graph's error code from the parsed body of an error; empty where there is none that can be shown."""
    error = told.get("error") if isinstance(told, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, str) and _CODE.fullmatch(code) else ""


def _not_graph(asked: Asked, what: str, code: str) -> ExchangeError:
    if asked.known:
        if asked.writes:
            return unknown(asked, what, code)
        return TryLaterError(f"{asked.host} {what}", code=code, mailbox=asked.mailbox)
    return MisconfiguredError(f"this is not Microsoft Graph: {asked.host} {what}", hint=_NOT_GRAPH_HINT, code=code)
