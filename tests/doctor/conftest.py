import pytest

from greenroom.settings import Integration, Settings, load_settings
from support.house import write_config


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return load_settings(write_config(tmp_path_factory.mktemp("house")), {})


@pytest.fixture(scope="session")
def entry(settings: Settings) -> Integration:
    return settings.integration[0]


@pytest.fixture(scope="session")
def graph_entry(tmp_path_factory: pytest.TempPathFactory) -> Integration:
    folder = tmp_path_factory.mktemp("graph")
    file = write_config(folder)
    head, _, _ = file.read_text().partition("[integration.exchange]")
    exchange = """[integration.exchange]
tenant = "example.onmicrosoft.com"
client_id = "11111111-2222-3333-4444-555555555555"
client_secret = "planted-secret"
"""
    file.write_text(head + exchange)
    return load_settings(file, {}).integration[0]
