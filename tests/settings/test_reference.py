import base64
import tomllib
from pathlib import Path

import pytest

from greenroom.settings import SettingsError, load_settings
from greenroom.settings.catalogue import entries
from greenroom.settings.reference import example, markdown

PROJECT = Path(__file__).resolve().parents[2]


def test_the_written_reference_is_current() -> None:
    assert (PROJECT / "docs/configuration.md").read_text() == markdown(), (
        "greenroom config reference > docs/configuration.md"
    )


def test_the_example_file_is_current() -> None:
    command = "greenroom config reference --format toml > greenroom.example.toml"
    assert (PROJECT / "greenroom.example.toml").read_text() == example(), command


def test_every_setting_says_what_it_is_for_and_stands_in_both() -> None:
    page, file = markdown(), example()
    for entry in entries():
        assert entry.field.description, entry.name
        assert f"| `{entry.name}` |" in page or entry.section is not None
        assert entry.name in file
        assert entry.allowed or entry.section is not None, f"{entry.name} does not say what is allowed"


def test_the_example_asks_for_a_key_and_a_certificate_and_for_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "greenroom.toml"
    file.write_text(example())
    with pytest.raises(SettingsError) as caught:
        load_settings(file, {})
    assert [problem.key for problem in caught.value.problems] == [
        "integration[main].ticket_keys[1].key",
        "integration[main].exchange.certificate_file",
    ]
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/greenroom.pem").write_text("looked at when somebody signs in")
    file.write_text(example().replace("(from greenroom config new-key)", base64.b64encode(bytes(32)).decode()))
    assert load_settings(file, {}).integration[0].exchange.protocol == "graph"


def test_the_section_of_the_other_protocol_works_without_its_first_signs(tmp_path: Path) -> None:
    lines = example().splitlines()
    graph, ews = lines.index("[integration.exchange]"), lines.index("#[integration.exchange]")
    others, after = lines.index("#[integration.exchange.kerberos]"), lines.index("#[integration.organizers]")
    rest = lines.index("[integration.platform]")
    shown = [*lines[ews:others], *lines[after:rest]]  # other ways to sign in than the one that is in force here
    there = [line if line.startswith("# ") else line.removeprefix("#") for line in shown]
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/exchange-password").write_text("p")
    text = "\n".join([*lines[:graph], *there, 'tenant = "b.example"', 'managed_identity = "system"', *lines[rest:]])
    file = tmp_path / "greenroom.toml"
    file.write_text(text.replace("(from greenroom config new-key)", base64.b64encode(bytes(32)).decode()))
    [main] = load_settings(file, {}).integration
    assert main.exchange.protocol == "ews"
    assert main.organizers is not None
    assert main.organizers.protocol == "graph"


def test_the_example_with_every_comment_in_force_is_still_toml() -> None:
    lines = [
        line.removeprefix("# ") if " = " in line and line[2:3].islower() else line for line in example().splitlines()
    ]
    data = tomllib.loads("\n".join(lines))
    assert data["integration"][0]["meetings"]["before"] == 30
