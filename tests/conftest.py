"""What holds for all tests: nothing that people write may come out in what a test prints or logs."""

from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

from support.planted import found_in

# No test fails for being slow: the machine may be busy with something else.
settings.register_profile("greenroom", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("greenroom")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test whose captured output (ours, the libraries', that of programs it started) shows planted words.

    Works in every worker of pytest-xdist, since each makes the reports of its own tests.
    """
    report = yield
    shown = {what for _, text in report.sections for what in found_in(text)}
    if shown:
        report.outcome = "failed"
        report.longrepr = f"the output of this test shows {' and '.join(sorted(shown))} that was planted"
    return report
