"""`$batch`: up to twenty requests in one, answered each on its own (Graph "Combine multiple HTTP requests using JSON batching").

Every part is counted, authorised, throttled and struck by faults like a request of its own. At most four run at the same time,
as Graph does it before Outlook. Answers come in no particular order: here the last that was finished is the first.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import TYPE_CHECKING, Any, Final

from greenroom.simulator.graph.asking import Asked
from greenroom.simulator.graph.call import GraphCall, GraphError, GraphReply, Route

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from greenroom.simulator.exchange import Exchange
    from greenroom.simulator.graph.call import App
    from greenroom.simulator.graph.dispatch import Answered

MAX_PARTS: Final = 20
IN_PARALLEL: Final = 4
_FIRST_ERROR: Final = 400
_MAX_ID: Final = 100


class Batch:
    """Takes batches apart and puts the answers together."""

    def __init__(
        self, exchange: Exchange, perform: Callable[[App, Asked, Mapping[str, str]], Awaitable[Answered]]
    ) -> None:
        self._exchange = exchange
        self._perform = perform

    def routes(self) -> tuple[Route, ...]:
        """The one operation."""
        return (Route("POST", "$batch", "Batch", self._answer),)

    async def _answer(self, call: GraphCall) -> GraphReply:
        parts = _parts(call.body)
        done: dict[str, asyncio.Future[int]] = {one["id"]: asyncio.get_running_loop().create_future() for one in parts}
        gate = asyncio.Semaphore(IN_PARALLEL)
        finished: list[dict[str, Any]] = []

        async def run(part: Mapping[str, Any]) -> None:
            before = [await done[other] for other in part.get("dependsOn", ())]
            if any(status >= _FIRST_ERROR for status in before):
                text = "A request that this one depends on has failed."
                reply = _error(part["id"], 424, "FailedDependency", text)
            else:
                async with gate:
                    reply = await self._one(call, part)
            finished.append(reply)
            done[part["id"]].set_result(reply["status"])

        await asyncio.gather(*(run(part) for part in parts))
        return GraphReply(body={"responses": finished[::-1]})

    async def _one(self, call: GraphCall, part: Mapping[str, Any]) -> dict[str, Any]:
        address, _, query = part["url"].partition("?")
        if address.strip("/").lower() == "$batch" or "://" in address:
            return _error(part["id"], 400, "BadRequest", "The url of a part is relative, and no batch itself.")
        body = part.get("body")
        headers = {str(name).lower(): str(value) for name, value in (part.get("headers") or {}).items()}
        asked = Asked(
            method=part["method"].upper(),
            path=address,
            query=query,
            headers=headers,
            body=b"" if body is None else json.dumps(body).encode(),
            base=call.base,
        )
        request_id = str(uuid.uuid4())
        about = {
            "date": self._exchange.clock().strftime("%Y-%m-%dT%H:%M:%S"),
            "request-id": request_id,
            "client-request-id": headers.get("client-request-id", request_id)[:200],
        }
        answered = await self._perform(call.app, asked, about)
        if answered.spoilt is not None:
            status = 504 if answered.spoilt == "cut" else 502
            return _error(part["id"], status, "UnknownError", "")
        reply: dict[str, Any] = {"id": part["id"], "status": answered.status, "headers": dict(answered.headers)}
        if answered.body is not None:
            reply["headers"]["Content-Type"] = "application/json"
            reply["body"] = answered.body
        return reply


def _parts(body: Any) -> list[dict[str, Any]]:
    """The parts of a batch, checked. Raises GraphError."""
    parts = body.get("requests") if isinstance(body, dict) else None
    if not isinstance(parts, list) or not parts:
        raise _invalid("Invalid batch payload format.")
    if len(parts) > MAX_PARTS:
        raise _invalid(f"Number of batch request steps exceeds the maximum value of {MAX_PARTS}.")
    seen: set[str] = set()
    for part in parts:
        if not isinstance(part, dict) or not all(
            isinstance(part.get(name), str) and part[name] for name in ("id", "method", "url")
        ):
            raise _invalid("Every part of a batch needs id, method and url.")
        if not isinstance(part.get("headers") or {}, dict):
            raise _invalid("The headers of a part are an object.")
        if part["id"] in seen or len(part["id"]) > _MAX_ID:
            raise _invalid("The ids of a batch must be unique.")
        needed = part.get("dependsOn") or []
        # What a part depends on has to stand before it, so there are no circles.
        if not isinstance(needed, list) or not all(isinstance(one, str) and one in seen for one in needed):
            raise _invalid("dependsOn names a part that does not stand before.")
        part["dependsOn"] = needed
        seen.add(part["id"])
    return parts


def _invalid(text: str) -> GraphError:
    return GraphError(400, "BadRequest", text)


def _error(id_: str, status: int, code: str, text: str) -> dict[str, Any]:
    return {
        "id": id_,
        "status": status,
        "headers": {"Content-Type": "application/json"},
        "body": {"error": {"code": code, "message": text}},
    }
