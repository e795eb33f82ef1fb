"""Secrets that systemd passes: `credential:NAME` in place of a path."""

import base64
from pathlib import Path

import pytest

from greenroom.settings import EwsExchange, Problem, Settings, SettingsError, load_settings

KEY = base64.b64encode(bytes(range(32))).decode()
FILE = """\
[service]
public_url = "https://meet.example.org"

[[integration]]
number = 1
name = "main"
mailbox = "rooms@example.org"
ticket_keys_file = "credential:ticket-keys"

[integration.exchange]
url = "https://mail.example.org/EWS/Exchange.asmx"
username = "svc"
password_file = "credential:exchange-password"
"""


@pytest.fixture
def passed(tmp_path: Path) -> Path:
    """What systemd puts into $CREDENTIALS_DIRECTORY."""
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "exchange-password").write_text("planted-password\n")
    (folder / "ticket-keys").write_text(f"0:{KEY}\n")
    return folder


def load(tmp_path: Path, text: str, passed: Path | None) -> Settings:
    file = tmp_path / "greenroom.toml"
    file.write_text(text)
    return load_settings(file, {} if passed is None else {"CREDENTIALS_DIRECTORY": str(passed)})


def problems(tmp_path: Path, text: str, passed: Path | None) -> list[Problem]:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, text, passed)
    return caught.value.problems


def test_a_credential_is_read_from_the_folder_that_systemd_names(tmp_path: Path, passed: Path) -> None:
    [main] = load(tmp_path, FILE, passed).integration
    assert isinstance(main.exchange, EwsExchange)
    assert main.exchange.password is not None
    assert main.exchange.password.get_secret_value() == "planted-password"
    assert [key.id for key in main.ticket_keys] == [0]


def test_a_file_that_others_open_is_named_by_its_path(tmp_path: Path, passed: Path) -> None:
    (passed / "app.pem").write_text("anything")
    oauth = 'auth = "oauth"\n[integration.exchange.oauth]\ntenant = "t"\nclient_id = "c"\n'
    text = FILE.replace('password_file = "credential:exchange-password"\n', oauth)
    [main] = load(tmp_path, f'{text}certificate_file = "credential:app.pem"\n', passed).integration
    assert isinstance(main.exchange, EwsExchange)
    assert main.exchange.oauth is not None
    assert main.exchange.oauth.certificate_file == passed / "app.pem"


def test_without_systemd_the_variable_is_named(tmp_path: Path) -> None:
    found = problems(tmp_path, FILE, None)
    assert [one.key for one in found] == [
        "integration[main].ticket_keys_file",
        "integration[main].exchange.password_file",
    ]
    assert all("$CREDENTIALS_DIRECTORY is not set" in one.message for one in found)
    assert all("LoadCredential=" in one.allowed for one in found)


@pytest.mark.parametrize("name", ["exchange", "", "../exchange-password", "/etc/passwd", ".", "a/b"])
def test_a_credential_that_is_not_passed_or_none_is_told(tmp_path: Path, passed: Path, name: str) -> None:
    [problem] = problems(tmp_path, FILE.replace("exchange-password", name), passed)
    assert problem.key == "integration[main].exchange.password_file"
    assert "systemd passes none of that name" in problem.message or "does not name a credential" in problem.message


def test_a_folder_that_cannot_be_looked_into_is_told(tmp_path: Path) -> None:
    """As where somebody else's $CREDENTIALS_DIRECTORY was left in the environment."""
    found = problems(tmp_path, FILE, Path("/" + "x" * 5000))
    assert len(found) == 2
    assert all("$CREDENTIALS_DIRECTORY cannot be looked into" in one.message for one in found)
