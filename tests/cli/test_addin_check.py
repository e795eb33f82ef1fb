"""`greenroom addin check`."""

import json
from pathlib import Path

from click.testing import CliRunner, Result

from greenroom.addin.manifest import LARGEST
from greenroom.cli import main
from support.manifests import VERSION, edited, full
from support.shared import shared_path


def written(folder: Path, content: bytes, name: str = "addin.xml") -> Path:
    file = folder / name
    file.write_bytes(content)
    return file


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["addin", "check", *map(str, arguments)])


def test_a_right_one_is_said_to_be_right(tmp_path: Path) -> None:
    result = run(written(tmp_path, full()))
    assert result.exit_code == 0, result.output
    assert f"version {VERSION}" in result.stdout
    assert result.stderr == ""


def test_a_wrong_one_is_told_with_file_line_place_and_what_is_right(tmp_path: Path) -> None:
    file = written(tmp_path, edited(full(), ("ReadWriteItem", "All")))
    result = run(file)
    line = file.read_text().splitlines().index("  <Permissions>All</Permissions>") + 1
    assert result.exit_code == 1
    assert f"{file}:{line}: No such permission." in result.stderr
    assert "at: OfficeApp/Permissions" in result.stderr
    assert "right: ReadWriteItem or ReadWriteMailbox" in result.stderr
    assert result.stdout == ""


def test_json_holds_the_same(tmp_path: Path) -> None:
    result = run("--json", written(tmp_path, edited(full(), ("PromptUser", "Ask"))))
    answer = json.loads(result.stdout)
    (finding,) = answer["files"][0]["findings"]
    assert (result.exit_code, answer["ok"], answer["files"][0]["version"]) == (1, False, VERSION)
    assert (finding["severity"], finding["code"]) == ("error", "send-mode")
    assert finding["line"] > 1
    assert finding["path"].endswith("LaunchEvents/LaunchEvent")


def test_warnings_alone_are_no_problem(tmp_path: Path) -> None:
    result = run(written(tmp_path, edited(full(), ("PromptUser", "Block"))))
    assert result.exit_code == 0
    assert "Nobody could send a meeting" in result.stderr


def test_the_one_before_is_compared(tmp_path: Path) -> None:
    before = written(tmp_path, full(), "before.xml")
    changed = written(tmp_path, full(permission="ReadWriteMailbox"), "after.xml")
    result = run(changed, "--previous", before)
    assert result.exit_code == 1
    assert "(version-not-risen)" in result.stderr
    assert "(consent)" in result.stderr
    assert run(changed, before, "--previous", before).exit_code == 2


def test_test_and_production_must_not_have_one_id(tmp_path: Path) -> None:
    live = written(tmp_path, full(), "live.xml")
    test = written(tmp_path, full(public_url="https://test.example.org", single_sign_on=None), "test.xml")
    for arguments in ((live, test), (live, "--environment-of", test)):
        result = run(*arguments)
        assert result.exit_code == 1
        assert "one add-in takes the other's place" in result.stderr


def test_the_schema_is_asked_where_its_folder_is_named(tmp_path: Path) -> None:
    folder = shared_path("schemas/manifest")
    assert run(written(tmp_path, full()), "--schemas", folder).exit_code == 0
    result = run("--json", written(tmp_path, edited(full(), ("<Hosts>", "<Hosts><b/>"))), "--schemas", folder)
    codes = {one["code"] for one in json.loads(result.stdout)["files"][0]["findings"]}
    assert codes >= {"schema", "unknown-element"}


def test_a_folder_without_the_schema_is_told(tmp_path: Path) -> None:
    file = written(tmp_path, full())
    result = run(file, "--schemas", tmp_path)
    assert result.exit_code == 2
    assert "OfficeAppManifestV1_1.xsd" in result.stderr
    (tmp_path / "OfficeAppManifestV1_1.xsd").write_text("<a/>")
    assert run(file, "--schemas", tmp_path).exit_code == 2


def test_hostile_files_are_refused_without_being_shown(tmp_path: Path) -> None:
    for content in (b"<!DOCTYPE a [<!ENTITY b 'planted-word'>]><a>&b;</a>", b"planted-word", b" " * (LARGEST + 9)):
        result = run(written(tmp_path, content))
        assert result.exit_code == 1
        assert "planted-word" not in result.output
        assert "Traceback" not in result.output


def test_a_file_that_is_not_there_is_a_wrong_command(tmp_path: Path) -> None:
    assert run(tmp_path / "none.xml").exit_code == 2
    assert run().exit_code == 2
