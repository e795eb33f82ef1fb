"""Times as the commands write them, wherever the computer is."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from greenroom.cli.reading import local


@pytest.fixture(params=["Asia/Tokyo", "America/New_York"])
def _elsewhere(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("_elsewhere")
def test_a_meeting_at_the_ends_of_time_can_be_shown() -> None:
    assert local(datetime.max.replace(tzinfo=UTC)).startswith("9999-12-31")
    assert "1-01-01" in local(datetime.min.replace(tzinfo=UTC))
