from pathlib import Path

import pytest

from support.postgres import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def postgres_or_file(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database that several processes may use at once."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/greenroom.db"
    url: str = request.getfixturevalue("postgres_url")
    return url
