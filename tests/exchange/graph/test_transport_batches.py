"""Batches over Graph: in order, never more at once than Exchange allows, and what was skipped goes again."""

import json
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from exchange.graph.answering import MAILBOX, WRITE, Graph, always, ok
from greenroom.exchange.errors import (
    TryLaterError,
)
from greenroom.exchange.graph.call import Answer, Call, RefusedError, path

OLGA = "olga@example.test"


def batched(request: httpx2.Request) -> list[dict[str, Any]]:
    assert request.url.path == "/v1.0/$batch"
    found: list[dict[str, Any]] = json.loads(request.content)["requests"]
    return found


def one(number: int, mailbox: str = MAILBOX) -> Call:
    return Call("GetEvent", "GET", path("users", mailbox, "events", str(number)), mailbox, prefer=("b",))


class TestBatches:
    async def test_results_come_in_order_whatever_the_order_of_answers(self) -> None:
        def script(request: httpx2.Request) -> httpx2.Response:
            return ok(
                {
                    "responses": [
                        {"id": r["id"], "status": 200, "headers": {"ETag": "x"}, "body": {"url": r["url"]}}
                        for r in reversed(batched(request))
                    ]
                }
            )

        graph = Graph(script)
        results = await graph.transport().batch([one(n) for n in range(45)])
        assert [r.body["url"] for r in results if isinstance(r, Answer)] == [
            f"/users/{MAILBOX}/events/{n}" for n in range(45)
        ]
        assert [len(batched(r)) for r in graph.asked] == [20, 20, 5]
        first = batched(graph.asked[0])
        assert first[0]["headers"] == {"Prefer": 'IdType="ImmutableId", b'}
        assert [r.get("dependsOn") for r in first[:3]] == [None, ["0"], ["1"]]

    async def test_four_of_a_mailbox_go_at_once_and_more_one_after_the_other(self) -> None:
        graph = always(ok({"responses": []}))
        transport = graph.transport()
        await transport.batch([one(n, m) for n in range(4) for m in (MAILBOX, OLGA, "a@x", "b@x", "c@x")])
        await transport.batch([one(n) for n in range(5)])
        parallel, chain = (batched(r) for r in graph.asked)
        assert not any("dependsOn" in r for r in parallel)
        assert [r.get("dependsOn") for r in chain] == [None, ["0"], ["1"], ["2"], ["3"]]

    async def test_what_a_failure_in_the_chain_skipped_goes_again(self) -> None:
        def script(request: httpx2.Request) -> httpx2.Response:
            answers, failed = [], False
            for r in batched(request):
                missing = int(r["url"].rsplit("/", 1)[1]) % 3 == 0
                status = 424 if failed and "dependsOn" in r else 404 if missing else 200
                failed = failed or status != 200
                body = {"error": {"code": "ErrorItemNotFound"}} if status == 404 else {"n": r["url"]}
                answers.append({"id": r["id"], "status": status, "body": body})
            return ok({"responses": answers})

        graph = Graph(script)
        results = await graph.transport().batch([one(n) for n in range(12)])
        for number, result in enumerate(results):
            if number % 3 == 0:
                assert isinstance(result, RefusedError)
                assert result.gone
            else:
                assert isinstance(result, Answer)
                assert result.body == {"n": f"/users/{MAILBOX}/events/{number}"}
        assert len(graph.asked) <= 5

    async def test_a_server_that_skips_everything_does_not_keep_us_for_ever(self) -> None:
        graph = Graph(lambda r: ok({"responses": [{"id": x["id"], "status": 424} for x in batched(r)]}))
        results = await graph.transport().batch([one(n) for n in range(30)])
        assert all(isinstance(r, TryLaterError) for r in results)
        assert len(graph.asked) == 2

    @pytest.mark.parametrize(
        "body",
        [
            None,
            [],
            {"responses": None},
            {"responses": ["x", {"id": 1, "status": 200}, {"id": "0"}, {"id": "0", "status": "200"}]},
            {"responses": [{"id": "0", "status": True, "headers": [], "body": 1}]},
        ],
    )
    async def test_a_missing_answer_is_told_per_call(self, body: Any) -> None:
        (result,) = await always(ok(body)).transport().batch([one(0)])
        assert isinstance(result, TryLaterError)
        assert result.code == "garbled-answer"

    async def test_throttling_inside_pauses_that_mailbox_alone(self) -> None:
        def script(request: httpx2.Request) -> httpx2.Response:
            answers = [
                {"id": r["id"], "status": 429, "headers": {"Retry-After": "30"}, "body": {"error": {"code": "Busy"}}}
                if OLGA in r["url"]
                else {"id": r["id"], "status": 200, "body": {}}
                for r in batched(request)
            ]
            return ok({"responses": answers})

        graph = Graph(script)
        transport = graph.transport()
        for expected in ("Busy", "backing-off"):
            first, second = await transport.batch([one(0, OLGA), one(1)])
            assert isinstance(first, TryLaterError)
            assert (first.code, first.after) == (expected, timedelta(seconds=30))
            assert isinstance(second, Answer)
        assert [len(batched(r)) for r in graph.asked] == [2, 1]

    async def test_a_batch_never_writes(self) -> None:
        with pytest.raises(ValueError, match="only reads"):
            await always(ok()).transport().batch([WRITE])

    async def test_an_empty_batch_sends_nothing(self) -> None:
        graph = always(ok())
        assert await graph.transport().batch([]) == []
        assert graph.asked == []
