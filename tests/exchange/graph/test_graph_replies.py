"""Replies over Graph: one request each, plain text, and what a failure in the middle means for the rest."""

import asyncio
import json
from datetime import timedelta

import httpx2
import pytest

from exchange.graph.answering import MAILBOX, Answer, Graph, refused
from exchange.scripted import unread
from greenroom.exchange.contract import Reply, ReplyResult, Verdict
from greenroom.exchange.errors import (
    ExchangeError,
    ItemBrokenError,
    ItemGoneError,
    MisconfiguredError,
    NotPermittedError,
    OutcomeUnknownError,
    SignInError,
    TryLaterError,
)
from greenroom.exchange.graph.replies import Replies
from greenroom.meetings.meeting import ItemRef

Wrong = dict[str, Answer]


def reply(ident: str = "a", verdict: Verdict = Verdict.ACCEPT, *, send: bool = True) -> Reply:
    return Reply(ItemRef(ident), verdict, "<p>Room <b>123</b></p>", send=send)


def server(**wrong: Answer) -> Graph:
    """Takes every answer but those to these items."""

    def script(request: httpx2.Request) -> Answer:
        ident = request.url.path.split("/")[-2]
        return wrong.get(ident, httpx2.Response(202))

    return Graph(script)


async def send(graph: Graph, *replies: Reply) -> list[ReplyResult]:
    return await Replies(graph.transport(), MAILBOX).send(replies)


def bodies(graph: Graph) -> list[dict[str, object]]:
    return [json.loads(request.content) for request in graph.asked]


async def test_an_accept_and_a_decline_carry_their_text() -> None:
    graph = server()
    results = await send(graph, reply("a/b="), reply("c", Verdict.DECLINE))
    assert [r.error for r in results] == [None, None]
    assert [request.url.raw_path.decode().rpartition("/events/")[2] for request in graph.asked] == [
        "a%2Fb%3D/accept",
        "c/decline",
    ]
    assert bodies(graph) == [{"sendResponse": True, "comment": "Room 123"}] * 2


async def test_what_is_not_to_be_sent_only_marks_the_calendar() -> None:
    graph = server()
    assert (await send(graph, reply(send=False)))[0].error is None
    assert bodies(graph) == [{"sendResponse": False}]


async def test_an_organizer_who_wants_no_answers_gets_none() -> None:
    told: list[bool] = []

    def script(request: httpx2.Request) -> Answer:
        told.append(json.loads(request.content)["sendResponse"])
        return refused(400, "ErrorInvalidRequest") if told[-1] else httpx2.Response(202)

    (result,) = await send(Graph(script), reply())
    assert (result.error, result.mailed) == (None, False)
    assert told == [True, False]


@pytest.mark.parametrize(
    ("status", "code", "error", "asked"),
    [
        (404, "ErrorItemNotFound", ItemGoneError, 1),
        (400, "ErrorCalendarIsCancelledForAccept", ItemGoneError, 1),
        (409, "ErrorIrresolvableConflict", ItemGoneError, 1),
        (400, "ErrorInvalidIdMalformed", ItemBrokenError, 1),
        (400, "ErrorInvalidRequest", ItemBrokenError, 2),
    ],
)
async def test_one_bad_reply_spoils_no_other(status: int, code: str, error: type[ExchangeError], asked: int) -> None:
    graph = server(b=refused(status, code))
    results = await send(graph, reply("a"), reply("b"), reply("c"))
    assert [r.ref.id for r in results] == ["a", "b", "c"]
    assert [type(r.error) for r in results] == [type(None), error, type(None)]
    assert len(graph.asked) == 2 + asked


async def test_after_a_throttled_reply_the_rest_waits_as_long_as_asked() -> None:
    graph = server(i5=refused(429, "ApplicationThrottled", **{"Retry-After": "40"}))
    results = await send(graph, *(reply(f"i{n}") for n in range(12)))
    sent = [r for r in results if r.error is None]
    assert 5 <= len(sent) <= 8
    for result in results[9:]:
        assert isinstance(result.error, TryLaterError)
        assert not isinstance(result.error, OutcomeUnknownError)
        assert result.error.after == timedelta(seconds=40)
    assert len(graph.asked) <= 9


async def test_a_lost_answer_is_unknown_for_that_reply_alone() -> None:
    graph = server(i0=httpx2.ReadTimeout("x"))
    results = await send(graph, *(reply(f"i{n}") for n in range(12)))
    assert isinstance(results[0].error, OutcomeUnknownError)
    assert not any(isinstance(r.error, OutcomeUnknownError) for r in results[1:])
    assert type(results[-1].error) is TryLaterError
    assert results[-1].error.code == "not-sent"


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (401, "InvalidAuthenticationToken", SignInError),
        (403, "ErrorAccessDenied", NotPermittedError),
        (404, "MailboxNotEnabledForRESTAPI", MisconfiguredError),
    ],
)
async def test_what_concerns_the_mailbox_is_raised_where_nothing_went_out(
    status: int, code: str, error: type[ExchangeError]
) -> None:
    everything = {f"i{n}": refused(status, code) for n in range(12)}
    with pytest.raises(error):
        await send(server(**everything), *(reply(f"i{n}") for n in range(12)))
    some = {f"i{n}": refused(status, code) for n in range(4, 12)}
    results = await send(server(**some), *(reply(f"i{n}") for n in range(12)))
    assert results[0].error is None
    assert isinstance(results[-1].error, error)


async def test_no_more_than_four_are_under_way() -> None:
    running, most = 0, 0
    graph = server()

    async def slow(request: httpx2.Request) -> httpx2.Response:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return unread(httpx2.Response(202))

    graph._answer = slow  # type: ignore[method-assign]  # the same server, slower
    await send(graph, *(reply(f"i{n}") for n in range(20)))
    assert most == 4


async def test_a_minute_holds_no_more_than_exchange_online_allows() -> None:
    graph = server()
    results = await send(graph, *(reply(f"i{n}") for n in range(40)))
    assert 25 <= len([r for r in results if r.error is None]) <= 30
    assert all(r.error is None or isinstance(r.error, TryLaterError) for r in results)
    assert len(graph.asked) <= 30
