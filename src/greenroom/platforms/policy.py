"""The contract between the web server and a platform that asks us at call time ("external policy").

The web server knows HTTP, who may ask, and how often somebody may guess; the desk knows rooms, aliases and answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class PolicyVerdict(StrEnum):
    """What a question came to."""

    ROOM = "room"  # the window is open: the answer lets in
    CLOSED = "closed"  # a room of ours whose window is not open: early, between two, or over
    UNKNOWN = "unknown"  # looks like an alias of ours and is none: a mistake in dialling, or a guess
    FOREIGN = "foreign"  # nothing of ours: passed on untouched
    ELSE = "else"  # another kind of question, answered politely
    UNAVAILABLE = "unavailable"  # cannot be answered now: the platform falls back to what it has itself


@dataclass(frozen=True, slots=True)
class PolicyRequest:
    """A question: which service (`configuration`, `participant/properties`, ...) and its parameters, unread and hostile.

    `integrations` are the numbers of those whose credential came with it; `address` is that of the asking node.
    """

    service: str
    parameters: Mapping[str, str] = field(repr=False)
    integrations: frozenset[int]
    address: str = ""


@dataclass(frozen=True, slots=True)
class PolicyAnswer:
    """What is sent back: a JSON text as bytes with its HTTP status. `integration` and `mark` name the room, where there is one.

    `caller` and `caller_address` are who dials, as far as the question tells, for counting guesses.
    """

    verdict: PolicyVerdict
    body: bytes = field(repr=False)
    status: int = 200
    integration: int | None = None
    mark: str = ""
    caller: str = field(default="", repr=False)
    caller_address: str = ""


class PolicyDesk(Protocol):
    """Answers questions from memory. It never raises and never waits for another system longer than a platform does for us."""

    async def answer(self, request: PolicyRequest, now: datetime) -> PolicyAnswer:
        """Answer one question at an instant."""
        ...

    def refusal(self, request: PolicyRequest) -> PolicyAnswer:
        """Turn somebody away who has guessed too often, where the question is about an alias that looks like ours.

        A question about anything else is answered as FOREIGN, so that blocking a caller touches no other service of the platform.
        """
        ...
