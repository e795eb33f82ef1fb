"""Accepting and declining: one request for each reply, a few side by side.

Source: Graph v1.0, "event: accept", "event: decline": `comment` is plain text, and a meeting whose organizer asked for no
answers is refused with 400 where `sendResponse` is true.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

import structlog

from greenroom.exchange.contract import Reply, ReplyResult, Verdict
from greenroom.exchange.errors import ExchangeError, ItemBrokenError, ItemGoneError, OutcomeUnknownError, TryLaterError
from greenroom.exchange.graph.call import Call, RefusedError
from greenroom.exchange.graph.refused import for_item
from greenroom.exchange.graph.shapes import event_path
from greenroom.exchange.graph.transport import GraphTransport
from greenroom.meetings.plain_text import text_of_html

log = structlog.get_logger(__name__)

SIDE_BY_SIDE = 4
"""Exchange Online serves four requests of an application in one mailbox at a time."""

_BAD_REQUEST = 400
_UNASKED = frozenset({"ErrorInvalidRequest", "ErrorResponseNotRequested"})
"""Codes that (among others) say that the organizer asked for no answer; only the message says it apart, and we do not read it."""
_OPERATIONS = {
    Verdict.ACCEPT: ("AcceptEvent", "accept"),
    Verdict.DECLINE: ("DeclineEvent", "decline"),
    Verdict.TENTATIVE: ("TentativelyAcceptEvent", "tentativelyAccept"),
}


def respond(mailbox: str, reply: Reply, *, send: bool) -> Call:
    """Answer one meeting; where nothing is sent there is no comment either."""
    operation, action = _OPERATIONS[reply.verdict]
    body: dict[str, object] = {"sendResponse": send}
    if send and (comment := text_of_html(reply.body_html)):
        body["comment"] = comment
    target = event_path(mailbox, reply.ref.id, action)
    return Call(operation, "POST", target, mailbox, body=body, writes=True, sends=send)


class Replies:
    """Sends the replies of one mailbox."""

    def __init__(self, transport: GraphTransport, mailbox: str) -> None:
        self._transport = transport
        self._mailbox = mailbox

    async def send(self, replies: Sequence[Reply]) -> list[ReplyResult]:
        """Send replies; one result for each, in order.

        After a failure that concerns more than one reply nothing more is begun, and the rest is told to come later. Raises
        what concerns the whole mailbox (SignInError, NotPermittedError, MisconfiguredError) where no reply went out before.
        """
        results: dict[int, ExchangeError | None] = {}
        marked: set[int] = set()
        waiting = deque(range(len(replies)))
        stop: list[ExchangeError] = []

        async def work() -> None:
            while waiting and not stop:
                number = waiting.popleft()
                try:
                    if not await self._one(replies[number]):
                        marked.add(number)
                    results[number] = None
                except ExchangeError as error:
                    results[number] = error
                    if not _is_about_item(error):
                        stop.append(error)

        await asyncio.gather(*(work() for _ in range(min(SIDE_BY_SIDE, len(replies)))))
        if stop:
            self._stopped(stop, results)
        unsent = _unsent(stop)
        return [
            ReplyResult(reply.ref, results.get(number, unsent), mailed=number not in marked)
            for number, reply in enumerate(replies)
        ]

    async def _one(self, reply: Reply) -> bool:
        """Send a reply; returns whether it was mailed, and not only marked in the calendar."""
        try:
            await self._transport.call(respond(self._mailbox, reply, send=reply.send))
        except RefusedError as error:
            if not (reply.send and error.status == _BAD_REQUEST and error.code in _UNASKED):
                raise for_item(error, self._mailbox) from error
        else:
            return reply.send
        try:
            await self._transport.call(respond(self._mailbox, reply, send=False))
        except RefusedError as error:
            raise for_item(error, self._mailbox) from error
        log.info("graph.respond.unasked", mailbox=self._mailbox, item=reply.ref.id)
        return False

    def _stopped(self, stop: Sequence[ExchangeError], results: dict[int, ExchangeError | None]) -> None:
        sent = sum(1 for error in results.values() if error is None)
        log.warning("graph.respond.stopped", mailbox=self._mailbox, code=stop[0].code, sent=sent)
        whole = next((error for error in stop if not isinstance(error, TryLaterError)), None)
        unsure = any(isinstance(error, OutcomeUnknownError) for error in results.values())
        if whole is not None and not sent and not unsure:
            raise whole


def _is_about_item(error: ExchangeError) -> bool:
    return isinstance(error, (ItemGoneError, ItemBrokenError))


def _unsent(stop: Sequence[ExchangeError]) -> ExchangeError | None:
    """Say of a reply whose turn did not come that nothing happened to it, and how long to wait."""
    if not stop:
        return None
    if not any(isinstance(error, TryLaterError) for error in stop):
        return stop[0]
    waits = [error.after for error in stop if isinstance(error, TryLaterError) and error.after is not None]
    return TryLaterError(
        "not sent, after a failure just before",
        after=max(waits, default=None),
        code="not-sent",
        mailbox=stop[0].mailbox,
    )
