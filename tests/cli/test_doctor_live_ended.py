"""A live test that is ended from outside tidies up before it goes."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, cast

import pytest

from greenroom.cli import doctor_live
from greenroom.cli.doctor import Sentences


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_lets_it_tidy_up(number: signal.Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    async def try_live(_scene: object, _organizer: str) -> list[object]:
        try:
            os.kill(os.getpid(), number)
            await asyncio.sleep(30)
        finally:
            told.append("tidied")
        return []

    @asynccontextmanager
    async def open_live(*_arguments: object, **_options: object) -> AsyncIterator[None]:
        yield

    usual = signal.default_int_handler if number is signal.SIGINT else signal.SIG_DFL
    before = signal.signal(number, usual)  # whoever runs the tests may ignore it
    monkeypatch.setattr(doctor_live, "try_live", try_live)
    monkeypatch.setattr(doctor_live, "open_live", open_live)
    nothing = cast("Any", None)
    try:
        with pytest.raises(KeyboardInterrupt):
            doctor_live.tried(nothing, nothing, "olga@sim.test", Sentences(), timedelta(), as_json=True)
        assert signal.getsignal(number) == usual
    finally:
        signal.signal(number, before)
    assert told == ["tidied"]
