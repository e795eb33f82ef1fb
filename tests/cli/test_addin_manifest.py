"""`greenroom addin manifest`."""

import json
import re
from pathlib import Path

from click.testing import CliRunner, Result

from greenroom.addin.manifest import check_manifest, manifest_name
from greenroom.cli import main
from support.house import fill, write_config

ADDIN = """
[integration.addin]
{more}
[integration.addin.exchange_tokens]
metadata_urls = ["https://mail.example.org/autodiscover/metadata/json/1"]
"""
ONLINE, ONPREM = ("--profile", "exchange-online"), ("--profile", "exchange-onprem")
SECOND = """
[[integration]]
number = 2
name = "other"
mailbox = "{mailbox}"
ticket_keys = [{{ id = 0, key = "{key}" }}]
[integration.alias]
digits = 12
[integration.exchange]
url = "https://mail.example.org/EWS/Exchange.asmx"
username = "svc"
password = "planted-password"
"""


def configured(folder: Path, addin: str = "", more: str = "") -> Path:
    return write_config(folder, more=ADDIN.format(more=addin) + more)


def second(*, addin: bool) -> str:
    text = SECOND.format(mailbox="second@example.org", key="A" * 43 + "=")
    return text + ADDIN.format(more="") if addin else text


def run(config: Path, *arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["addin", "manifest", "--config", str(config), *map(str, arguments)])


def told(config: Path, *arguments: str | Path) -> dict[str, object]:
    result = run(config, "--json", *arguments)
    answer: dict[str, object] = json.loads(result.stdout)
    return answer | {"exit": result.exit_code}


def test_it_goes_to_standard_output_and_all_else_to_standard_error(tmp_path: Path) -> None:
    result = run(configured(tmp_path), *ONLINE)
    assert result.exit_code == 0, result.output
    assert check_manifest(result.stdout_bytes) == []
    assert "Upload custom apps" in result.stderr
    assert "not remembered: there is no database yet" in result.stderr


def test_it_goes_to_a_file_with_what_to_do_next(tmp_path: Path) -> None:
    file = tmp_path / "addin.xml"
    result = run(configured(tmp_path, 'permission = "ReadWriteMailbox"'), *ONPREM, "-o", file)
    assert result.exit_code == 0, result.output
    assert check_manifest(file.read_bytes()) == []
    assert "New-App -OrganizationApp" in result.stdout
    assert "addin.xml" in result.stdout
    assert "-AllowReadWriteMailbox" in result.stdout
    assert "approved" in result.stdout


def test_the_version_rises_only_when_something_was_changed(tmp_path: Path) -> None:
    fill(tmp_path)
    first, again = (told(configured(tmp_path), *ONLINE) for _ in range(2))
    assert (first["changed"], again["changed"]) == (True, False)
    assert first["version"] == again["version"]
    changed = configured(tmp_path, "mobile = false")
    after = told(changed, *ONLINE)
    assert (after["changed"], after["previous_version"]) == (True, first["version"])
    result = run(configured(tmp_path), *ONLINE, "-o", tmp_path / "addin.xml")
    assert f"It says something else than version {after['version']}: install it again." in result.stdout


def test_without_a_database_the_file_itself_tells_the_version_before(tmp_path: Path) -> None:
    file = tmp_path / "addin.xml"
    first = told(configured(tmp_path), *ONLINE, "-o", file)
    again = told(configured(tmp_path), *ONLINE, "-o", file)
    assert (again["version"], again["changed"]) == (first["version"], False)
    after = told(configured(tmp_path, "mobile = false"), *ONLINE, "-o", file)
    assert after["changed"] is True
    assert after["previous_version"] == first["version"]
    assert not (tmp_path / "greenroom.db").exists()


def test_a_version_may_be_named_but_not_a_lower_one(tmp_path: Path) -> None:
    fill(tmp_path)
    assert told(configured(tmp_path), *ONLINE, "--version", "3.1")["version"] == "3.1"
    changed = configured(tmp_path, "mobile = false")
    refused = told(changed, *ONLINE, "--version", "3.0")
    assert (refused["exit"], refused["failure"]["code"]) == (2, "version-not-risen")  # type: ignore[index] # a table
    assert told(changed, *ONLINE, "--version", "3.0", "--force")["version"] == "3.0"
    assert run(changed, *ONLINE, "--version", "new").exit_code == 2


def test_another_add_ins_file_is_not_replaced_unless_forced(tmp_path: Path) -> None:
    file = tmp_path / "addin.xml"
    run(configured(tmp_path, 'id = "00000000-0000-0000-0000-000000000001"'), *ONLINE, "-o", file)
    before = file.read_bytes()
    result = run(configured(tmp_path), *ONLINE, "-o", file)
    assert result.exit_code == 1
    assert "The id is another one" in result.stderr
    assert "Nothing was written." in result.stderr
    assert file.read_bytes() == before
    assert run(configured(tmp_path), *ONLINE, "-o", file, "--force").exit_code == 0
    assert manifest_name(file.read_bytes()) != manifest_name(before)


def test_a_file_that_is_no_manifest_is_not_replaced(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("mine")
    answer = told(configured(tmp_path), *ONLINE, "-o", file)
    assert (answer["exit"], answer["ok"]) == (1, False)
    assert file.read_text() == "mine"


def test_a_changed_permission_is_told_where_the_file_before_had_another(tmp_path: Path) -> None:
    file = tmp_path / "addin.xml"
    run(configured(tmp_path), *ONLINE, "-o", file)
    result = run(configured(tmp_path, 'permission = "ReadWriteMailbox"'), *ONLINE, "-o", file)
    assert result.exit_code == 0
    assert "The permission was ReadWriteItem: the change has to be approved again." in result.stderr


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    answer = told(configured(tmp_path), *ONLINE, "-o", tmp_path / "none" / "addin.xml")
    assert (answer["exit"], answer["failure"]["code"]) == (2, "no-file")  # type: ignore[index] # a table


def test_the_only_add_in_need_not_be_named(tmp_path: Path) -> None:
    assert told(configured(tmp_path, more=second(addin=False)), *ONLINE)["integration"] == "main"


def test_of_several_one_is_named_by_name_or_number(tmp_path: Path) -> None:
    config = configured(tmp_path, more=second(addin=True))
    refused = run(config, *ONLINE)
    assert refused.exit_code == 2
    assert "--integration: main, other" in refused.stderr
    ids = {str(told(config, *ONLINE, "--integration", which)["id"]) for which in ("main", "1", "other", "2")}
    assert len(ids) == 2


def test_where_there_is_no_add_in_the_way_to_one_is_told(tmp_path: Path) -> None:
    none = told(write_config(tmp_path), *ONLINE)
    plain = told(configured(tmp_path, more=second(addin=False)), *ONLINE, "--integration", "other")
    for answer in (none, plain):
        assert (answer["exit"], answer["failure"]["code"]) == (2, "no-addin")  # type: ignore[index] # a table
    assert told(configured(tmp_path), *ONLINE, "--integration", "7")["exit"] == 2


def test_http_to_this_computer_is_a_warning_only(tmp_path: Path) -> None:
    config = configured(tmp_path)
    config.write_text(config.read_text().replace("https://meet.example.org", "http://localhost:8080"))
    result = run(config, *ONLINE, "-o", tmp_path / "addin.xml")
    assert result.exit_code == 0
    assert "only a demonstration can open" in re.sub(r"\s+", " ", result.stderr)


def test_an_administrators_words_are_in_it_and_those_that_do_not_fit_are_told(tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    words = {"manifest.button": 'Book <"room"> & more', "manifest.name": "x" * 999}
    (folder / "addin.json").write_text(json.dumps(words))
    answer = told(configured(tmp_path, more=f'[integration.texts]\nfolder = "{folder}"\n'), *ONLINE)
    content = str(answer["manifest"])
    assert 'DefaultValue="Book &lt;&quot;room&quot;&gt; &amp; more"' in content
    assert "xxx" not in content
    assert any("manifest.name" in str(note) for note in answer["notes"])  # type: ignore[attr-defined] # a list
    assert check_manifest(content.encode()) == []
