"""CreateItem with AcceptItem, DeclineItem and TentativelyAcceptItem: many answers in one request.

Source: EWS reference, CreateItem and AcceptItem (only ReferenceItemId is required, without a change key). With
`MessageDisposition="SaveOnly"` the calendar is marked and nobody is told, as the EWS Managed API does in
`Appointment.Accept(sendResponse: false)`; the two dispositions therefore need two requests.
"""

from collections.abc import Sequence

from greenroom.exchange.contract import Reply, ReplyResult, Verdict
from greenroom.exchange.errors import OutcomeUnknownError
from greenroom.exchange.ews.envelope import Call, Envelope
from greenroom.exchange.ews.faults import error_for
from greenroom.exchange.ews.markup import Element, messages, types, with_children

BATCH = 25
"""Answers in one CreateItem: Exchange cuts a request after a minute, and each answer is a mail."""

_ELEMENTS = {
    Verdict.ACCEPT: "AcceptItem",
    Verdict.DECLINE: "DeclineItem",
    Verdict.TENTATIVE: "TentativelyAcceptItem",
}


def batches(replies: Sequence[Reply]) -> list[list[int]]:
    """Group replies into requests, as indexes in order; sent and unsent ones never share a request."""
    found: list[list[int]] = []
    for send in (True, False):
        same = [i for i, reply in enumerate(replies) if reply.send is send]
        found.extend(same[at : at + BATCH] for at in range(0, len(same), BATCH))
    return found


def respond(replies: Sequence[Reply]) -> Call:
    """Answer meetings; all `replies` must agree in `send`."""
    disposition = "SendAndSaveCopy" if replies[0].send else "SaveOnly"
    items = with_children(messages("Items"), *(_answer(reply) for reply in replies))
    return Call("CreateItem", with_children(messages("CreateItem", MessageDisposition=disposition), items), writes=True)


def _answer(reply: Reply) -> Element:
    return with_children(
        types(_ELEMENTS[reply.verdict]),
        types("Body", reply.body_html, BodyType="HTML") if reply.body_html else None,
        types("ReferenceItemId", Id=reply.ref.id),
    )


def read_results(reply: Envelope, replies: Sequence[Reply], *, mailbox: str) -> list[ReplyResult]:
    """Match answers and response messages by their order; what has no message has an unknown outcome."""
    results = []
    for at, sent in enumerate(replies):
        if at < len(reply.messages):
            problem = reply.messages[at].problem
            error = error_for(problem, mailbox=mailbox, writing=True, item=True) if problem else None
        else:
            error = OutcomeUnknownError(
                "Exchange did not say what became of this answer", code="count", mailbox=mailbox
            )
        results.append(ReplyResult(sent.ref, error))
    return results
