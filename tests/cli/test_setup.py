"""`greenroom setup`."""

import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from greenroom.cli import main
from greenroom.settings import load_settings
from greenroom.setup.pages import PAGE
from support.house import KEY, write_config

SERVER = (
    "exchange-server",
    *("--environment", "production", "--mailbox", "vmr@example.org", "--public-url", "https://meet.example.org"),
    *("--account", "greenroom@example.org", "--url", "https://mail.example.org/EWS/Exchange.asmx"),
)
TEST = ("--environment", "test")


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GREENROOM_CONFIG", raising=False)


def run(*arguments: str, answers: str = "") -> Result:
    return CliRunner().invoke(main, ["setup", *arguments], input=answers)


def told(*arguments: str) -> dict[str, object]:
    result = run(*arguments, "--json")
    answer: dict[str, object] = json.loads(result.stdout)
    return answer | {"exit": result.exit_code}


def toml_in(result: Result) -> str:
    """Take the configuration out of what was printed."""
    return result.stdout.partition("to begin with:\n")[2].rpartition("next: ")[0]


def test_files_and_their_page_are_written_in_order(tmp_path: Path) -> None:
    result = run(*SERVER, "--delegate", "admin@example.org")
    assert result.exit_code == 0, result.output
    names = sorted(one.name for one in (tmp_path / "greenroom-production").iterdir())
    kept = ("equipment-mailbox", "service-account", "rights", "signing-in", "view-mailbox", "addin", "verify", "undo")
    assert names == [*(f"{place:02}-{name}.ps1" for place, name in enumerate(kept, start=1)), PAGE]
    page = (tmp_path / "greenroom-production" / PAGE).read_text()
    places = [page.index(f".\\{name}\n") for name in names[:-1]]
    assert places == sorted(places)
    assert "vmr@example.org" in page


def test_the_configuration_to_begin_with_loads_as_it_is_printed(tmp_path: Path) -> None:
    text = toml_in(run(*SERVER))
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "ticket-keys").write_text(f"0:{KEY}\n")
    (tmp_path / "secrets" / "exchange-password").write_text("planted-password\n")
    (tmp_path / "greenroom.toml").write_text(text)
    settings = load_settings(tmp_path / "greenroom.toml", {})
    assert settings.integration[0].mailbox == "vmr@example.org"
    assert settings.integration[0].addin is not None


@pytest.mark.parametrize("auth", ["basic", "ntlm", "kerberos", "oauth", "bearer"])
def test_every_way_to_sign_in_has_its_own_settings(auth: str) -> None:
    more = ("--auth", auth, "--tenant", "example.org", "--client-id", "11111111-2222-3333-4444-555555555555")
    exchange = tomllib.loads(toml_in(run(*SERVER, *more)))["integration"][0]["exchange"]
    assert exchange["auth"] == auth
    assert ("username" in exchange) == (auth in {"basic", "ntlm", "kerberos"})
    assert set(exchange) & {"kerberos", "oauth"} == {auth} & {"kerberos", "oauth"}


@pytest.mark.parametrize("auth", ["basic", "ntlm"])
def test_only_the_way_that_is_used_is_switched_on(auth: str, tmp_path: Path) -> None:
    run(*SERVER, "--auth", auth)
    script = (tmp_path / "greenroom-production" / "04-signing-in.ps1").read_text()
    assert ("-BasicAuthentication:$true" in script) == (auth == "basic")
    assert ("-WindowsAuthentication:$true" in script) == (auth == "ntlm")


def test_nobody_but_the_mailbox_may_be_acted_for_unless_organizers_are_asked_for(tmp_path: Path) -> None:
    run(*SERVER)
    script = (tmp_path / "greenroom-production" / "03-rights.ps1").read_text()
    assert "MemberOfGroup" not in script
    assert "EmailAddresses -eq ''vmr@example.org''" in script
    run(*SERVER, "--organizers-group", "Staff", "--force")
    script = (tmp_path / "greenroom-production" / "03-rights.ps1").read_text()
    assert "MemberOfGroup" in script
    assert "New-DistributionGroup" not in script
    assert "Remove-DistributionGroup" not in (tmp_path / "greenroom-production" / "07-undo.ps1").read_text()


def test_a_second_run_finds_everything_the_same() -> None:
    run(*SERVER)
    again = told(*SERVER)
    assert again["exit"] == 0
    files = again["files"]
    assert isinstance(files, list)
    assert {one["state"] for one in files} == {"same"}


def test_changed_files_are_named_and_nothing_is_written(tmp_path: Path) -> None:
    run(*SERVER)
    mine = tmp_path / "greenroom-production" / "03-rights.ps1"
    mine.write_text("# mine")
    other = mine.with_name("04-signing-in.ps1")
    other.unlink()
    result = run(*SERVER)
    assert result.exit_code == 1
    assert "nothing was written" in result.stderr
    assert any("changed" in line and "03-rights.ps1" in line for line in result.stdout.splitlines())
    assert mine.read_text() == "# mine"
    assert not other.exists()
    assert run(*SERVER, "--force").exit_code == 0
    assert mine.read_bytes().startswith(b"\xef\xbb\xbf# For whom")
    assert other.exists()


def test_a_dry_run_lists_files_and_writes_none(tmp_path: Path) -> None:
    result = run(*SERVER, "--dry-run")
    assert result.exit_code == 0
    assert "01-equipment-mailbox.ps1" in result.stdout
    assert list(tmp_path.iterdir()) == []


def test_scripts_of_an_earlier_run_that_are_no_longer_needed_are_named() -> None:
    run(*SERVER, "--delegate", "admin@example.org")
    assert told(*SERVER, "--force")["left_over"] == [
        "05-view-mailbox.ps1",
        "06-addin.ps1",
        "07-verify.ps1",
        "08-undo.ps1",
    ]


def test_without_input_all_that_is_missing_is_said_at_once() -> None:
    result = run("exchange-server", "--no-input")
    assert result.exit_code == 2
    for option in ("--environment", "--mailbox", "--public-url", "--account", "--url"):
        assert option in result.stderr
    assert "--tenant" in run("exchange-server", "--no-input", "--auth", "oauth").stderr


def test_what_is_missing_is_asked_for() -> None:
    answers = (
        "test\nvmr-test@example.org\nhttps://meet.example.org\nsvc@example.org\nhttps://mail.example.org/EWS/Exchange.asmx\n"
        "vmr@example.org\n"
    )
    result = run("exchange-server", answers=answers)
    assert result.exit_code == 0, result.output
    assert "greenroom-test" in result.stdout
    assert "Address of the equipment mailbox" not in result.stdout  # questions go to standard error


def test_the_configuration_answers_what_it_can(tmp_path: Path) -> None:
    write_config(tmp_path)
    result = run("exchange-server", "--environment", "production", "--account", "svc@example.org", "--no-input")
    assert result.exit_code == 0, result.output
    assert "to begin with" not in result.stdout
    assert "rooms@example.org" in (tmp_path / "greenroom-production" / PAGE).read_text()
    assert "planted-password" not in "".join(one.read_text() for one in (tmp_path / "greenroom-production").iterdir())


def test_the_test_never_gets_the_mailbox_of_production(tmp_path: Path) -> None:
    write_config(tmp_path)
    server = ("exchange-server", *TEST, "--account", "svc@example.org", "--no-input")
    assert "--mailbox" in run(*server).stderr
    refused = run(*server, "--mailbox", "Rooms@Example.org")
    assert refused.exit_code == 2
    assert "mailbox of production" in refused.stderr
    assert run(*server, "--mailbox", "rooms-test@example.org").exit_code == 0


def test_a_configuration_of_the_test_itself_needs_the_mailbox_of_production(tmp_path: Path) -> None:
    write_config(tmp_path)
    server = ("exchange-server", *TEST, "--account", "svc@example.org", "--no-input")
    assert run(*server, "--production-mailbox", "vmr@example.org").exit_code == 0
    assert run(*server, "--production-mailbox", "ROOMS@example.org", "--force").exit_code == 2


def test_without_a_configuration_the_test_asks_for_the_mailbox_of_production() -> None:
    server = (*SERVER, *TEST, "--no-input")
    assert "--production-mailbox" in run(*server).stderr
    assert run(*server, "--production-mailbox", "vmr@example.org").exit_code == 2
    assert run(*server, "--production-mailbox", "none").exit_code == 0


def test_test_and_production_share_no_names(tmp_path: Path) -> None:
    run(*SERVER, "--organizers")
    run(*SERVER, *TEST, "--mailbox", "vmr-test@example.org", "--production-mailbox", "none", "--organizers")
    for one in (tmp_path / "greenroom-test").iterdir():
        assert "Greenroom production" not in one.read_text()
    assert "Greenroom production organizers" in (tmp_path / "greenroom-production" / "03-rights.ps1").read_text()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--mailbox", "a b@example.org"),
        ("--mailbox", "a'@example.org\n"),
        ("--mailbox", "a\u2019b@example.org"),
        ("--mailbox", "*@example.org"),
        ("--account", "vmr@example.org"),
        ("--account", "DOMAIN\\greenroom"),
        ("--delegate", "$(x)"),
        ("--display-name", "a\u202eb"),
        ("--display-name", "x" * 70_000),
        ("--organizers-group", "a\0b"),
        ("--url", "https:///EWS"),
    ],
    ids=[
        *("space", "newline", "typographic quote", "asterisk", "the mailbox itself", "no address", "subexpression"),
        *("right to left", "too long", "NUL", "no host"),
    ],
)
def test_values_that_cannot_be_are_refused_by_option_before_anything_is_written(
    option: str, value: str, tmp_path: Path
) -> None:
    result = run(*SERVER, option, value)
    assert result.exit_code == 2
    assert option in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_end_of_the_old_way_is_said_before_anything_is_asked() -> None:
    result = run("microsoft-365-service-account", answers="")
    assert result.stderr.index("2027-04-01") < result.stderr.index("Which installation")


@pytest.mark.parametrize("kind", ["microsoft-365", "microsoft-365-service-account"])
def test_microsoft_365_is_prepared_in_both_ways(kind: str) -> None:
    answer = told(kind, *SERVER[1:7], "--tenant", "example.onmicrosoft.com")
    assert answer["exit"] == 0
    assert answer["kind"] == kind
    settings = answer["settings"]
    assert isinstance(settings, str)
    assert tomllib.loads(settings)["integration"][0]["mailbox"] == "vmr@example.org"


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "here").write_text("")
    result = run(*SERVER, "--to", "here")
    assert result.exit_code == 2
    assert "here cannot be used" in result.stderr


def test_an_unknown_integration_is_named(tmp_path: Path) -> None:
    write_config(tmp_path)
    result = run(*SERVER, "--integration", "other")
    assert result.exit_code == 2
    assert "One of: main" in result.stderr


def test_what_is_no_address_is_asked_for_again(tmp_path: Path) -> None:
    answers = "vmr\nvmr@example.org\nhttps://meet.example.org\nexample.onmicrosoft.com\n"
    result = run("microsoft-365", "--environment", "production", answers=answers)
    assert result.exit_code == 0, result.output
    assert "Error: this is not a mail address" in result.stderr
    assert 'mailbox = "vmr@example.org"' in toml_in(result)


def test_who_cannot_answer_is_told_what_to_name(tmp_path: Path) -> None:
    result = run("microsoft-365", "--environment", "production")
    assert result.exit_code == 2
    assert "greenroom setup microsoft-365 --no-input" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_service_account_is_the_one_that_has_to_sign_in(tmp_path: Path) -> None:
    given = ("--environment", "production", "--mailbox", "vmr@example.org", "--public-url", "http://meet.example.org")
    for more, who in (((), "vmr"), (("--account", "greenroom@example.org"), "greenroom")):
        settings = told("microsoft-365-service-account", *given, "--tenant", "example.org", *more, "--dry-run")[
            "settings"
        ]
        assert isinstance(settings, str)
        assert tomllib.loads(settings)["integration"][0]["exchange"]["username"] == f"{who}@example.org"
