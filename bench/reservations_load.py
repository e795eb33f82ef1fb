"""Asks for rooms over real keep-alive connections, as pages in Outlook do, and measures; a process of its own.

    python bench/reservations_load.py TOKENS PORT --rate 100 --seconds 20    in a fixed rhythm, whatever the answers take
    python bench/reservations_load.py TOKENS PORT --seconds 10               as fast as all connections together can

TOKENS is a JSON list of Authorization headers, one for each person; people take turns, and never ask the same twice.
"""

import asyncio
import json
import secrets
from collections.abc import Iterator
from itertools import cycle

from policy_load import Question, measure, options


def questions(tokens: list[str]) -> Iterator[Question]:
    """Make up reservations without end."""
    for token in cycle(tokens):
        asked = {
            "integration": 1,
            "request_id": secrets.token_urlsafe(24),
            "client": {"kind": "OutlookWebApp", "version": "16.0.18129.20158", "set": "1.14"},
            "delegate": False,
            "series": False,
        }
        body = json.dumps(asked)
        head = (
            "POST /addin/api/v1/reservations HTTP/1.1\r\nHost: greenroom.bench\r\nAccept: application/json\r\n"
            "Origin: https://greenroom.bench\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\n"
            f"Authorization: {token}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        yield (head + body).encode(), b'"kind":"vmr"'


def main() -> None:
    """Read the options, ask, print."""
    arguments = options("Ask for rooms and measure.").parse_args()
    tokens = json.loads(arguments.questions.read_text())
    print(json.dumps(asyncio.run(measure(arguments, questions(tokens)))))


if __name__ == "__main__":
    main()
