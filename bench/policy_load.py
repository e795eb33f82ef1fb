"""Asks policy questions over real keep-alive connections, as nodes do, and measures; a process of its own for `policy.py`.

    python bench/policy_load.py QUESTIONS PORT --rate 500 --seconds 20    in a fixed rhythm, whatever the answers take
    python bench/policy_load.py QUESTIONS PORT --seconds 10               as fast as all connections together can

QUESTIONS is a JSON file: pairs of a path with its query, and a piece of text that the right answer has in it. In a fixed rhythm
latency counts from the moment at which a question was due: one that waits for a connection waits for its answer already.
Prints JSON.
"""

import argparse
import asyncio
import base64
import gc
import json
import time
from collections import deque
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

NAME, PASSWORD = "node", "made up for the benchmark"
_HEAD = (
    " HTTP/1.1\r\nHost: greenroom.bench\r\nAccept-Encoding: identity\r\nAccept: */*\r\nUser-Agent: node\r\n"
    f"Authorization: Basic {base64.b64encode(f'{NAME}:{PASSWORD}'.encode()).decode()}\r\n\r\n"
)
Question = tuple[bytes, bytes]


class Connection(asyncio.Protocol):
    """One connection with at most one question under way."""

    def __init__(self, crew: "Crew") -> None:
        self._crew = crew
        self._heard = b""
        self._right = b""
        self._due = 0.0
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Get ready."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def ask(self, question: Question, due: float) -> None:
        """Send a question that was due at an instant."""
        asked, self._right = question
        self._due = due
        self._heard = b""
        self.transport.write(asked)

    def data_received(self, data: bytes) -> None:
        """Take what comes; tell the crew when that is a whole answer."""
        self._heard += data
        head, end, body = self._heard.partition(b"\r\n\r\n")
        if end and len(body) >= int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]):
            self._crew.answered(self, self._due, right=head.startswith(b"HTTP/1.1 20") and self._right in body)

    def connection_lost(self, _exc: Exception | None) -> None:
        """Nobody hangs up on us while there are questions."""
        self._crew.lost += 1


class Crew:
    """All connections together."""

    def __init__(self, questions: Iterator[Question]) -> None:
        self._questions = questions
        self._idle: list[Connection] = []
        self._due: deque[float] = deque()
        self.took: list[float] = []
        self.wrong = 0
        self.lost = 0
        self._until: float | None = None
        self._done = asyncio.Event()

    async def connect(self, port: int, connections: int) -> None:
        """Open so many connections."""
        loop = asyncio.get_running_loop()
        for _ in range(connections):
            _, connection = await loop.create_connection(lambda: Connection(self), "127.0.0.1", port)
            self._idle.append(connection)

    def answered(self, connection: Connection, due: float, *, right: bool) -> None:
        """Note an answer, and ask the next question if one is due."""
        now = time.perf_counter()
        self.took.append(now - due)
        self.wrong += not right
        if self._until is not None:
            if now < self._until:
                connection.ask(next(self._questions), now)
            else:
                self._done.set()
        elif self._due:
            connection.ask(next(self._questions), self._due.popleft())
        else:
            self._idle.append(connection)

    async def in_rhythm(self, rate: float, seconds: float) -> float:
        """Ask at a fixed rate; returns how long it took."""
        began = time.perf_counter()
        for number in range(round(rate * seconds)):
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            if self._idle:
                self._idle.pop(0).ask(next(self._questions), due)
            else:
                self._due.append(due)
        while len(self.took) < round(rate * seconds) and not self.lost:  # noqa: ASYNC110 - only the last answers are out
            await asyncio.sleep(0.01)
        return time.perf_counter() - began

    async def at_full_speed(self, seconds: float) -> float:
        """Ask on all connections, one question after the other; returns how long it took."""
        began = time.perf_counter()
        self._until = began + seconds
        for connection in self._idle:
            connection.ask(next(self._questions), began)
        await self._done.wait()
        return time.perf_counter() - began


async def measure(arguments: argparse.Namespace, questions: Iterator[Question]) -> dict[str, float]:
    """Warm up for a second, ask, and say what it took."""
    served = 0
    for warming in (True, False):
        crew = Crew(questions)
        await crew.connect(arguments.port, arguments.connections)
        seconds = 1.0 if warming else arguments.seconds
        gc.disable()  # the pauses of this process are not those of the one that is measured
        rate = arguments.rate
        took = await (crew.in_rhythm(rate, seconds) if rate else crew.at_full_speed(seconds))
        gc.enable()
        served += len(crew.took)
    ordered = sorted(crew.took)
    return {
        "asked": len(ordered),
        "served": served,  # with those of the warming up
        "wrong": crew.wrong,
        "lost": crew.lost,
        "per_second": len(ordered) / took,
        "p50": ordered[len(ordered) // 2],
        "p99": ordered[len(ordered) * 99 // 100],
        "p999": ordered[len(ordered) * 999 // 1000],
        "max": ordered[-1],
    }


def options(description: str) -> argparse.ArgumentParser:
    """Make the options that all askers share."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("questions", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("--rate", type=float, default=0)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--connections", type=int, default=16)
    return parser


def main() -> None:
    """Read the options, ask, print."""
    arguments = options("Ask policy questions and measure.").parse_args()
    read = json.loads(arguments.questions.read_text())
    asked = [(f"GET {path}{_HEAD}".encode(), right.encode()) for path, right in read]
    print(json.dumps(asyncio.run(measure(arguments, cycle(asked)))))


if __name__ == "__main__":
    main()
