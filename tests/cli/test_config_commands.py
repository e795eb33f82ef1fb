import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from greenroom.cli import main
from greenroom.settings.reference import example, markdown
from support.ews_doors import DENIED, door, self_signed
from support.house import KEY, fill, write_config


def run(*arguments: str | Path, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], env=env)


def test_a_right_configuration_is_said_to_be_right(tmp_path: Path) -> None:
    result = run("config", "check", "--config", write_config(tmp_path))
    assert result.exit_code == 0, result.output
    assert "configuration: 1 integration" in result.output


def test_a_wrong_one_is_told_with_file_line_and_key_and_exits_with_2(tmp_path: Path) -> None:
    file = write_config(tmp_path, more="poll_secs = 3")
    result = run("config", "check", "--config", file)
    assert result.exit_code == 2
    line = file.read_text().splitlines().index("poll_secs = 3") + 1
    assert f"greenroom.toml:{line}: integration[main].exchange.poll_secs is not a setting" in result.output
    assert "did you mean poll_seconds?" in result.output
    assert "allowed:" in result.output


def test_json_holds_the_same_problems(tmp_path: Path) -> None:
    result = run("config", "check", "--json", "--config", write_config(tmp_path, more="poll_seconds = 0"))
    assert result.exit_code == 2
    [problem] = json.loads(result.stdout)["problems"]
    assert problem["key"] == "integration[main].exchange.poll_seconds"
    assert problem["allowed"] == "1 to 3600 seconds"


def test_a_missing_file_is_told_with_the_way_to_begin(tmp_path: Path) -> None:
    result = run("config", "check", "--config", tmp_path / "none.toml")
    assert result.exit_code == 2
    assert "there is no such file" in result.output
    assert "config reference --format toml" in result.output


def test_the_file_may_be_named_by_the_environment(tmp_path: Path) -> None:
    assert run("config", "check", env={"GREENROOM_CONFIG": str(write_config(tmp_path))}).exit_code == 0


def test_a_wrong_text_is_told_with_its_place(tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    name = "accept_new_single.html.j2"
    (folder / name).write_text("{{ nonsense }}")
    file = write_config(tmp_path, more=f'[integration.texts]\nfolder = "{folder}"')
    result = run("config", "check", "--json", "--config", file)
    assert result.exit_code == 2
    [problem] = [text for text in json.loads(result.stdout)["texts"] if text["file"].endswith(name)]
    assert problem["line"] == 1
    assert "nonsense" in problem["message"]


def test_connecting_before_the_first_start_finds_a_database_to_be_made(tmp_path: Path) -> None:
    with door(401) as exchange:
        result = run("config", "check", "--connect", "--config", write_config(tmp_path, ews=exchange.url))
    assert "will be prepared when" in result.output
    assert not (tmp_path / "greenroom.db").exists()


PEXIP = """
[integration.platform]
kind = "pexip"
[integration.pexip.management]
url = "http://127.0.0.1:1"
username = "greenroom"
password = "planted-too"
"""


POLICY = """
[integration.platform]
kind = "pexip"
[integration.pexip.policy]
username = "nodes"
password = "planted-too"
"""


def test_a_platform_that_is_another_system_is_tried_before_the_first_start_too(tmp_path: Path) -> None:
    with door(401) as exchange:
        file = write_config(tmp_path, ews=exchange.url, more=PEXIP)
        result = run("config", "check", "--connect", "--json", "--config", file)
    told = {one["what"]: one for one in json.loads(result.stdout)["connect"]}
    assert told["database"]["note"]
    assert told["platform of main"]["failure"]["code"] == "platform-unreachable"
    assert "connection-refused" in told["platform of main"]["failure"]["what"]
    assert not (tmp_path / "greenroom.db").exists()


def test_certificates_of_the_policy_listener_are_looked_at_without_connecting(tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    file = write_config(tmp_path, more=POLICY)
    plain = file.read_text()
    file.write_text(
        plain.replace("[storage]", f'[service.policy_listener]\ncertificate_file = "{certificate}"\n[storage]')
    )
    result = run("config", "check", "--config", file)
    assert (result.exit_code, "policy listener  TLS on" in result.output) == (0, True), result.output
    certificate.write_text("no certificate")
    result = run("config", "check", "--config", file)
    assert result.exit_code == 2
    assert "Correct [service.policy_listener]" in result.output


def connect(tmp_path: Path, ews: str, more: str = "") -> tuple[int, dict[str, str], str]:
    fill(tmp_path)
    result = run("config", "check", "--connect", "--json", "--config", write_config(tmp_path, ews=ews, more=more))
    found = [one for one in json.loads(result.stdout)["connect"] if one["what"].startswith("mailbox")]
    assert [one["ok"] for one in json.loads(result.stdout)["connect"] if not one["what"].startswith("mailbox")] == [
        True
    ] * 2
    assert "planted" not in result.output
    return result.exit_code, found[0]["failure"], result.output


def test_a_wrong_password_has_its_own_sentence_and_is_tried_once(tmp_path: Path) -> None:
    with door(401) as exchange:
        code, failure, _ = connect(tmp_path, exchange.url)
    assert (code, failure["code"], exchange.knocks) == (3, "sign-in-refused", 1)
    assert "refused the user name, password" in failure["what"]
    assert "Correct username and password of integration[main].exchange" in failure["next"]


def test_a_missing_impersonation_right_has_its_own_sentence(tmp_path: Path) -> None:
    with door(500, DENIED) as exchange:
        code, failure, _ = connect(tmp_path, exchange.url)
    assert (code, failure["code"]) == (3, "no-right")
    assert "rooms@example.org" in failure["what"]
    assert "greenroom setup exchange-server" in failure["next"]
    assert "New-ManagementRoleAssignment" not in failure["next"]  # which by itself would open every mailbox


def test_a_refused_connection_has_its_own_sentence(tmp_path: Path) -> None:
    with door(200) as exchange:
        url = exchange.url
    code, failure, _ = connect(tmp_path, url)
    assert (code, failure["code"]) == (3, "unreachable")
    assert "refuses connections" in failure["what"]


def test_a_bad_certificate_has_its_own_sentence(tmp_path: Path) -> None:
    with door(200, certificate=self_signed(tmp_path)) as exchange:
        code, failure, _ = connect(tmp_path, exchange.url)
    assert (code, failure["code"]) == (3, "bad-certificate")
    assert "not trusted" in failure["what"]
    assert "ca_file" in failure["next"]


def test_a_certificate_named_in_ca_file_is_trusted(tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    with door(401, certificate=certificate) as exchange:
        _, failure, _ = connect(tmp_path, exchange.url, more=f'ca_file = "{certificate}"')
    assert failure["code"] == "sign-in-refused"


def test_a_database_that_cannot_be_reached_has_its_own_sentence(tmp_path: Path) -> None:
    with door(401) as exchange:
        file = write_config(tmp_path, ews=exchange.url)
        env = {"GREENROOM_STORAGE__URL": "postgresql://u:planted@127.0.0.1:1/g"}
        result = run("config", "check", "--connect", "--config", file, env=env)
    assert result.exit_code == 3
    assert "Start the database, or correct storage.url" in result.output
    assert "planted" not in result.output


def test_the_reference_is_the_written_one() -> None:
    assert run("config", "reference").output == markdown()
    assert run("config", "reference", "--format", "toml").output == example()


def test_a_new_key_fits_the_file_and_differs_each_time() -> None:
    first, second = (run("config", "new-key", "--id", "3").output for _ in range(2))
    assert first != second
    [key] = tomllib.loads(first)["ticket_keys"]
    assert key["id"] == 3
    assert len(key["key"]) == len(KEY)
    assert run("config", "new-key", "--format", "file").output.startswith("0:")


@pytest.mark.parametrize(
    "command",
    [[], ["config"], ["config", "check"], ["config", "new-key"], ["meetings"], ["explain"], ["serve"], ["demo"]],
)
def test_every_command_explains_itself(command: list[str]) -> None:
    result = run(*command, "--help")
    assert result.exit_code == 0
    assert "Examples:" in result.output or command == ["config"]
