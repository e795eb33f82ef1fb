"""What the add-in's API answers instead (RFC 9457), and what an administrator finds behind the correlation id.

Whoever asks learns a code and the id. Why a token is refused stands only in the database, and its code in the log: nothing of the
token itself in either.
"""

import asyncio
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from typing import Final, Literal

import structlog
from pydantic import BaseModel, Field
from starlette.responses import Response

from greenroom.meetings.crockford import ALPHABET
from greenroom.storage import Refused, Storage, StorageError
from greenroom.web.addin_limits import Buckets

log = structlog.get_logger(__name__)

Code = Literal[
    "token-missing",
    "token-refused",
    "not-allowed",
    "invalid-request",
    "too-many",
    "too-many-unclaimed",
    "ticket-gone",
    "no-such-room",
    "no-such-integration",
    "unavailable",
]

TITLES: Final[Mapping[Code, str]] = {
    "token-missing": "A token is missing",
    "token-refused": "The token was refused",
    "not-allowed": "Not allowed",
    "invalid-request": "The request cannot be read",
    "too-many": "Too many requests",
    "too-many-unclaimed": "Too many rooms were asked for and not used",
    "ticket-gone": "The ticket cannot be used",
    "no-such-room": "There is no such room",
    "no-such-integration": "There is no such integration",
    "unavailable": "Not possible at the moment",
}

STORED_A_MINUTE: Final = 60
_PATIENCE = 2.0
_STRANGERS = "strangers"
_WHOSE: Final = dict.fromkeys(("none", "request", "origin"), _STRANGERS) | dict.fromkeys(
    ("bearer", "exchange", "other", "identity", "sign-in"), "tokens"
)
"""By kind who is refused: before a token is looked at, for the token itself, or else somebody whose token is good."""
_NO_STORE: Final = {"Cache-Control": "no-store"}


class ProblemAnswer(BaseModel):
    """What went wrong. `correlation_id` is what an administrator looks up with `greenroom explain`."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: Code
    correlation_id: str
    reason: str | None = Field(
        default=None, description='With "ticket-gone": "taken", "deleted", "invalid" or "other-kind".'
    )


class ProblemError(Exception):
    """Ends a request. `kind` and `reason` are for log and database, `private` for the database alone."""

    def __init__(
        self,
        status: int,
        code: Code,
        detail: str = "",
        *,
        kind: str = "request",
        reason: str = "",
        private: str = "",
        told: str | None = None,
        after: float | None = None,
        headers: Mapping[str, str] | None = None,
        quiet: bool = False,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code: Code = code
        self.detail = detail
        self.kind = kind
        self.reason = reason or code
        self.private = private
        self.told = told
        self.quiet = quiet
        self.headers = dict(headers or {})
        if after is not None:
            self.headers["Retry-After"] = str(max(1, ceil(after)))


def correlation_id() -> str:
    """Draw an id of the kind that replies to meetings carry, too."""
    letters = [secrets.choice(ALPHABET) for _ in range(8)]
    return "".join(letters[:4]) + "-" + "".join(letters[4:])


def problem_response(problem: ProblemError, correlation: str) -> Response:
    """Write the answer."""
    answer = ProblemAnswer(
        title=TITLES[problem.code],
        status=problem.status,
        detail=problem.detail,
        code=problem.code,
        correlation_id=correlation,
        reason=problem.told,
    )
    body = json.dumps(answer.model_dump(exclude_none=True))
    headers = _NO_STORE | problem.headers | {"X-Correlation-Id": correlation}
    return Response(body, problem.status, headers, media_type="application/problem+json")


@dataclass(slots=True)
class RefusalLog:
    """Writes down what was refused: a line in the log, and a row for `greenroom explain`, so many of these a minute.

    Strangers, bad tokens and people have each their own so many: none keeps the others out. Strangers, of whom there may be any
    number, have no more lines than rows. No answer waits long for the database, and none depends on it.
    """

    storage: Storage
    clock: Callable[[], datetime]
    _rows: Buckets = field(default_factory=Buckets)
    _left_out: int = 0

    async def note(self, problem: ProblemError, integration: int, correlation: str) -> None:
        """Write one down."""
        now, whose = self.clock(), _WHOSE.get(problem.kind, "people")
        left_out = problem.quiet or self._rows.take(whose, 1, STORED_A_MINUTE, now) > 0
        tell = log.debug if problem.quiet or (left_out and whose == _STRANGERS) else log.info
        tell(
            "addin.refused",
            integration=integration,
            kind=problem.kind,
            reason=problem.reason,
            code=problem.code,
            correlation=correlation,
        )
        if left_out:
            self._left_out += 1
            return
        if self._left_out:
            log.warning("addin.refusals_not_stored", refusals=self._left_out)
            self._left_out = 0
        refused = Refused(integration, correlation, now, problem.kind, problem.reason, _printable(problem.private))
        try:
            async with asyncio.timeout(_PATIENCE), self.storage.work() as work:
                await work.refusals.note([refused])
        except (StorageError, TimeoutError) as error:
            log.warning("addin.refusal_not_stored", correlation=correlation, error=type(error).__name__)


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "\ufffd" for c in text[:500])
