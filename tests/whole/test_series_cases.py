"""The table of traps with series and time (see `whole.series_cases`), through the whole program, over both protocols.

All cases of a protocol share one life; what became of each is a test of its own. Workers of pytest-xdist share it, too.
"""

import os
from collections.abc import Callable

import pytest

from support.series_life import Outcomes, live, shared
from support.whole import Spoken
from whole.series_cases import CASES


@pytest.fixture(scope="module")
def life(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Spoken], Outcomes]:
    """The life of all cases that are asked for, over a protocol: lived when the first test needs it."""
    base = tmp_path_factory.getbasetemp()
    common = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    found: dict[Spoken, Outcomes] = {}

    def of(protocol: Spoken) -> Outcomes:
        if protocol not in found:
            wanted = {item.callspec.params["name"] for item in _tests(request, protocol) if hasattr(item, "callspec")}
            cases = [case for name, case in CASES.items() if name in wanted]
            folder = tmp_path_factory.mktemp(f"series-{protocol}")
            found[protocol] = shared(common / f"series-{protocol}.json", lambda: live(protocol, folder, cases))
        return found[protocol]

    return of


def _tests(request: pytest.FixtureRequest, protocol: Spoken) -> list[pytest.Function]:
    mine = [item for item in request.session.items if isinstance(item, pytest.Function)]
    return [item for item in mine if item.originalname == f"test_{protocol}" and item.module is request.module]


@pytest.mark.parametrize("name", CASES)
def test_graph(life: Callable[[Spoken], Outcomes], name: str) -> None:
    life("graph").judge(name)


def test_graph_lives_and_ends_well(life: Callable[[Spoken], Outcomes]) -> None:
    assert life("graph").life == ""


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_ews(life: Callable[[Spoken], Outcomes], name: str) -> None:
    life("ews").judge(name)


@pytest.mark.slow
def test_ews_lives_and_ends_well(life: Callable[[Spoken], Outcomes]) -> None:
    assert life("ews").life == ""
