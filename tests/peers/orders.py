"""Orders by line: a program in an environment of its own reads JSON from standard input and answers each line with one.

Uses the standard library alone, so that every environment can run it.
"""

import json
import resource
import sys
from collections.abc import Callable
from typing import Any

Order = Callable[..., Any]


def cpu() -> float:
    """Seconds this program has worked so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def serve(orders: dict[str, Order]) -> None:
    """Carry out orders until there are no more; a failure is told, and the next order is waited for."""
    orders = {**orders, "cpu": cpu}
    for line in sys.stdin:
        order = json.loads(line)
        try:
            answer = {"ok": orders[order.pop("do")](**order)}
        except Exception as error:  # noqa: BLE001 (whoever gave the order decides)
            answer = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
