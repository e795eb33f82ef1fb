"""From an Exchange that nobody has prepared to the first meeting with a room, by what Greenroom wrote and told alone."""

from pathlib import Path

import pytest

from support.from_nothing import Colleague, Way
from support.whole import eventually, simulated_exchange

pytestmark = pytest.mark.slow
KINDS = ("exchange-server", "microsoft-365")


@pytest.mark.parametrize("kind", KINDS)
def test_from_nothing_to_the_first_meeting(kind: str, tmp_path: Path) -> None:
    with simulated_exchange(tmp_path, None) as exchange:
        way = Way(kind, exchange, tmp_path)
        way.write_scripts()
        assert way.prepare() == []
        way.put_organizer_into_group()
        way.configure()

        checked = way.greenroom("config", "check", "--connect")
        assert checked.returncode == 0, checked.stdout

        with way.serving() as program:
            colleague = Colleague(exchange)
            event = colleague.books()
            eventually(lambda: colleague.answer_to(event) == "accepted", seconds=30)
            if kind == "exchange-server":
                eventually(lambda: f"127.0.0.1:{way.port}" in colleague.text_of(event), seconds=30)
            code, findings = way.examined()
            assert [(one["check"], one["what"]) for one in findings if one["state"] == "wrong"] == []
            assert code == 0
            assert program.stop() == 0
