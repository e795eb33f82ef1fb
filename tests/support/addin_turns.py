"""Which Outlook runs over which protocol: they take turns, so that every scenario meets both and none is run twice."""

from collections.abc import Callable, Iterator
from itertools import count, product
from typing import Any

import pytest

from support.addin_at_work import Site
from support.outlooks import GENERATIONS, Generation
from support.whole import Spoken

Open = Callable[[Spoken, bool], Site]
"""Opens a site that speaks a protocol and has its rooms on Pexip, or not; or gives the one that is open."""

PHONE = GENERATIONS[-1]
AT_DESKS = tuple(kind for kind in GENERATIONS if kind is not PHONE)
_turns: Iterator[int] = count()


def over(*kinds: Generation, **more: tuple[object, ...]) -> Callable[[Any], Any]:
    """Parametrize a test with `kind` and `protocol`, and each of these kinds with each value of `more`."""
    names = ("kind", "protocol", *more)
    rows = [
        pytest.param(kind, ("ews", "graph")[next(_turns) % 2], *values, id="-".join(map(str, (kind, *values))))
        for kind, *values in product(kinds, *more.values())
    ]
    return pytest.mark.parametrize(names, rows)
