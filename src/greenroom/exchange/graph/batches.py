"""Many reads in one request ("Combine multiple HTTP requests using JSON batching"). Pure: calls in, a body; a body in, results.

Each request inside counts for its mailbox as if it came alone, and Exchange Online wants no more than four at a time in one
mailbox. So a batch with more than that is a chain in which each waits for the one before ("fully sequential"), else all run at
once ("fully parallel"); the documents allow nothing in between. In a chain one failure skips all behind it: they go again.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from greenroom.exchange.errors import ExchangeError
from greenroom.exchange.failures import Asked
from greenroom.exchange.graph import answers
from greenroom.exchange.graph.call import Answer, Call
from greenroom.exchange.graph.limits import IN_FLIGHT

MOST = 20


def lanes(calls: Sequence[Call]) -> Mapping[str, int]:
    """Return how many of these calls will run at once in which mailbox."""
    count = Counter(call.mailbox.lower() for call in calls)
    return dict.fromkeys(count, 1) if _chained(calls) else count


def written(calls: Sequence[Call], preferences: Mapping[str, str]) -> Mapping[str, Any]:
    """Write the body of a batch; `preferences` are headers that every request carries, its own come on top."""
    chained = _chained(calls)
    requests = []
    for number, call in enumerate(calls):
        request: dict[str, Any] = {
            "id": str(number),
            "method": call.method,
            "url": f"/{call.target()}",
            "headers": {**preferences, "Prefer": preferred(call), **call.headers},
        }
        if call.body is not None:
            request["headers"]["Content-Type"] = "application/json"
            request["body"] = call.body
        if chained and number:
            request["dependsOn"] = [str(number - 1)]
        requests.append(request)
    return {"requests": requests}


def read(told: Any, calls: Sequence[Call], now: datetime, host: str) -> list[Answer | ExchangeError]:
    """Read the answers of a batch, which come in any order; a call without one has a GarbledAnswerError."""
    responses = told.get("responses") if isinstance(told, dict) else None
    found: dict[str, Any] = {}
    for response in responses if isinstance(responses, list) else ():
        if isinstance(response, dict) and isinstance(ident := response.get("id"), str):
            found.setdefault(ident, response)
    return [_one(found.get(str(number)), call, now, host) for number, call in enumerate(calls)]


def preferred(call: Call) -> str:
    """Return the Prefer header of a call."""
    return ", ".join(('IdType="ImmutableId"', *call.prefer))


def _one(response: Any, call: Call, now: datetime, host: str) -> Answer | ExchangeError:
    asked = Asked(host, call.mailbox, writes=False, known=True)
    status = response.get("status") if isinstance(response, dict) else None
    if not isinstance(status, int) or not 100 <= status <= 599:  # noqa: PLR2004  what HTTP knows (RFC 9110 15)
        return answers.garbled(asked, "a request of the batch has no answer")
    told = response.get("headers")
    items = told.items() if isinstance(told, dict) else ()
    headers = {name.lower(): value for name, value in items if isinstance(value, str)}
    if 200 <= status < 300:  # noqa: PLR2004  the numbers are the names
        return Answer(status, response.get("body"), headers)
    return answers.refusal(status, headers, response.get("body"), now, asked)


def _chained(calls: Sequence[Call]) -> bool:
    return max(Counter(call.mailbox.lower() for call in calls).values(), default=0) > IN_FLIGHT
