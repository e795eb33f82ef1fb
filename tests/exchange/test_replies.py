"""Many answers in few requests, each with an outcome of its own."""

import httpx2
import pytest

from exchange.scripted import Asked, Server, answer, bad, fault, ok
from greenroom.exchange.contract import Reply, Verdict
from greenroom.exchange.errors import ItemBrokenError, ItemGoneError, OutcomeUnknownError, TryLaterError
from greenroom.meetings.meeting import ItemRef


def some(count: int, *, send: bool = True) -> list[Reply]:
    return [Reply(ItemRef(f"i{n}"), Verdict.ACCEPT, "<p>ok</p>", send=send) for n in range(count)]


def accepted(asked: Asked) -> httpx2.Response:
    return answer("CreateItem", *(ok() for _ in asked.ids()))


async def test_each_answer_has_its_own_outcome() -> None:
    codes = {
        "i1": ("ErrorItemNotFound", ItemGoneError),
        "i2": ("ErrorCalendarIsCancelledForAccept", ItemGoneError),
        "i3": ("ErrorCalendarIsOrganizerForAccept", ItemBrokenError),
        "i4": ("ErrorServerBusy", TryLaterError),
        "i5": ("ErrorInternalServerError", OutcomeUnknownError),
        "i6": ("ErrorBatchProcessingStopped", TryLaterError),
    }
    server = Server(
        lambda asked: answer("CreateItem", *(bad(codes[i][0]) if i in codes else ok() for i in asked.ids()))
    )
    results = await server.mailbox().respond(some(8))
    assert [type(r.error) if r.error else None for r in results] == [
        None, *(kind for _, kind in codes.values()), None
    ]  # fmt: skip


async def test_what_the_answer_does_not_mention_is_unknown() -> None:
    server = Server(lambda asked: answer("CreateItem", ok()))
    results = await server.mailbox().respond(some(3))
    assert [type(r.error) if r.error else None for r in results] == [None, OutcomeUnknownError, OutcomeUnknownError]


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (httpx2.ReadTimeout("x"), OutcomeUnknownError),
        (httpx2.Response(503), TryLaterError),
        (httpx2.Response(401), Exception),
    ],
)
async def test_a_later_failure_does_not_lose_the_earlier_answers(
    failure: httpx2.Response | Exception, error: type[Exception]
) -> None:
    server = Server(lambda asked: failure if server.count() > 1 else accepted(asked))
    results = await server.mailbox().respond(some(60))
    assert [r.error is None for r in results] == [True] * 25 + [False] * 35
    assert all(isinstance(r.error, error) for r in results[25:50])
    assert not any(isinstance(r.error, OutcomeUnknownError) for r in results[50:]), (
        "nothing happened to what was not sent"
    )
    assert server.count() == 2, "what comes after a failure is not sent"


async def test_the_first_failure_is_the_callers() -> None:
    with pytest.raises(OutcomeUnknownError):
        await Server(lambda _: httpx2.ReadTimeout("x")).mailbox().respond(some(60))


async def test_a_request_refused_as_a_whole_is_narrowed_down_to_the_one_to_blame() -> None:
    sent: list[str] = []

    def script(asked: Asked) -> httpx2.Response:
        if "i3" in asked.ids():
            return fault("ErrorSchemaValidation")
        sent.extend(asked.ids())
        return accepted(asked)

    results = await Server(script).mailbox().respond(some(10))
    assert [r.ref.id for r in results if r.error] == ["i3"]
    assert isinstance(results[3].error, ItemBrokenError)
    assert sorted(sent) == sorted(f"i{n}" for n in range(10) if n != 3), "each of the others went out once"


async def test_a_failure_while_narrowing_down_loses_no_earlier_answer() -> None:
    def script(asked: Asked) -> httpx2.Response | Exception:
        if len(asked.ids()) == 10:
            return fault("ErrorSchemaValidation")
        return accepted(asked) if "i0" in asked.ids() else httpx2.ReadTimeout("x")

    results = await Server(script).mailbox().respond(some(10))
    assert [r.error is None for r in results] == [True] * 5 + [False] * 5


async def test_a_refusal_that_is_not_about_content_is_not_narrowed_down() -> None:
    server = Server(lambda _: fault("ErrorSomethingNew"))
    with pytest.raises(TryLaterError):
        await server.mailbox().respond(some(10))
    assert server.count() == 1


async def test_silent_and_loud_answers_keep_their_places() -> None:
    server = Server(
        lambda asked: answer("CreateItem", *(bad("ErrorItemNotFound") if i == "b" else ok() for i in asked.ids()))
    )
    mixed = [
        Reply(ItemRef("a"), Verdict.ACCEPT, "", send=False),
        Reply(ItemRef("b"), Verdict.DECLINE, "x"),
        Reply(ItemRef("c"), Verdict.ACCEPT, "", send=False),
    ]
    results = await server.mailbox().respond(mixed)
    assert [(r.ref.id, r.error is None) for r in results] == [("a", True), ("b", False), ("c", True)]
    assert server.count() == 2
