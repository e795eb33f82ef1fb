"""The same program on PostgreSQL, over EWS and over Graph: a URL in the environment is all the difference."""

from pathlib import Path

import psycopg
import pytest

from support.colleague import Colleague, in_days
from support.postgres import postgres_server, postgres_url
from support.whole import EQUIPMENT, ORGANIZER, Spoken, eventually, serving, simulated_exchange, world

__all__ = ["postgres_server", "postgres_url"]  # fixtures are found by their names


@pytest.mark.postgres
@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["ews", "graph"])
def test_the_main_job_is_done_on_postgresql(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch, protocol: Spoken
) -> None:
    monkeypatch.setenv("GREENROOM_STORAGE__URL", postgres_url)
    with (
        simulated_exchange(tmp_path, world()) as exchange,
        serving(tmp_path, exchange, protocol=protocol) as greenroom,
    ):
        olga = Colleague.at(exchange.ews_url, ORGANIZER, EQUIPMENT)
        olga.invite("Roof garden", in_days(1))
        assert eventually(olga.kinds) == ["Accept"]
        assert "/j/" in str(olga.own("Roof garden").body)
        assert greenroom.stop() == 0
    assert not (tmp_path / "greenroom.db").exists()
    with psycopg.connect(postgres_url) as connection:
        (states,) = connection.execute("SELECT array_agg(state) FROM meetings").fetchall()
    assert states == (["scheduled"],)
