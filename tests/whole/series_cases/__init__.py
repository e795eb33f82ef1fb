"""The table of traps with series and time: each a case that lives through the whole program (see `support.series_life`).

Whoever adds a case writes a generator function with `@case` into the module it belongs to: what people do, a `yield` wherever
everybody waits until Greenroom is at rest, and what must be true then. A case has people and meetings of its own and touches
nothing else. Dates in 2031 are for what can be judged ahead; what has to run or to be over is planned around now.
"""

from whole.series_cases import (
    exceptions,
    membership,
    messages,
    neighbours,
    patterns,
    splits,
    times,
    wholes,
    zones,
)
from whole.series_cases.registry import CASES

__all__ = [
    "CASES",
    "exceptions",
    "membership",
    "messages",
    "neighbours",
    "patterns",
    "splits",
    "times",
    "wholes",
    "zones",
]
