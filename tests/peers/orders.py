"""Orders by line: a program in an environment of its own reads JSON from standard input and answers each line with one.

Uses the standard library alone, so that every environment can run it.
"""

import argparse
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


def _serve(orders: dict[str, Order]) -> None:
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


def run(sign_in: Callable[[str, str, str, str, str], object]) -> None:
    """Sign in as the command line says, and carry out the public methods of what `sign_in` returns.

    `sign_in` takes the address of Microsoft 365, tenant, application, secret and the file of certificates to trust.
    """
    parser = argparse.ArgumentParser()
    names = ("root", "tenant", "client", "secret", "ca")
    for name in names:
        parser.add_argument(f"--{name}", required=True)
    options = vars(parser.parse_args())
    worker = sign_in(*(options[name] for name in names))
    _serve({name: getattr(worker, name) for name in dir(worker) if not name.startswith("_")})
