"""The add-in's texts: complete in every language, and an administrator's own wording."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from greenroom.addin.assets import Assets
from greenroom.addin.texts import PACKAGED, AddinTexts, longest, packaged, placeholders

ADDIN = Path(__file__).parents[2] / "src/greenroom/addin"
SCRIPTS = {
    name: Assets().get(name).content.decode()  # type: ignore[union-attr]  # the name is of the tree
    for name in (*Assets().shell, "js/sign-in.js", "js/signed-in.js", "js/launchevent.js")
    if name.endswith(".js")
}
TEMPLATES = {path.name: path.read_text() for path in (ADDIN / "templates").glob("*.html")}
STATES = {"added", "already", "repaired", "replaced", "placeholder", "removed", "personal"}
PARTS = ("badge", "heading", "text")


def words(folder: Path, told: Any, language: str = "") -> AddinTexts:
    path = folder / language / "addin.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(told if isinstance(told, str) else json.dumps(told))
    return AddinTexts(folder)


@pytest.mark.parametrize("language", PACKAGED)
def test_every_language_has_every_text_with_its_variables_and_within_its_length(language: str) -> None:
    english, told = packaged("en"), packaged(language)
    assert list(told) == list(english)
    for key, text in told.items():
        assert placeholders(text) == placeholders(english[key]), key
        assert 0 < len(text) <= longest(key), key
        assert text == text.strip(), key
        assert not re.search(r"[\x00-\x1f\"]|  ", text), key


def test_a_translation_is_no_copy() -> None:
    english = packaged("en")
    same_everywhere = {"Link", "Details"}
    for language in PACKAGED[1:]:
        copies = [key for key, text in packaged(language).items() if text == english[key]]
        assert [key for key in copies if english[key] not in same_everywhere] == []


def test_every_text_that_a_script_asks_for_is_there() -> None:
    known = packaged("en")
    asked = set()
    for source in SCRIPTS.values():
        asked |= set(re.findall(r'say\("([a-zA-Z.]+)"', source))
        asked |= set(re.findall(r'"((?:error|warning|send|notify)\.[a-zA-Z]+)"', source))
        asked |= {f"action.{name}" for name in re.findall(r'action\("([a-zA-Z]+)"', source)}
        for name in re.findall(r'words\("([a-zA-Z]+)"', source):
            asked |= {f"{name}.{part}" for part in PARTS}
    for source in TEMPLATES.values():
        asked |= set(re.findall(r'text\["([a-zA-Z.]+)"\]', source)) | set(
            re.findall(r'data-text="([a-zA-Z.]+)"', source)
        )
    asked |= {f"{name}.{part}" for name in STATES | {"none", "change"} for part in PARTS}
    asked |= {f"notify.{name}" for name in STATES}
    asked |= {f"pane.{name}.{part}" for name in ("outside", "noOffice") for part in PARTS}
    types = (ADDIN / "static/js/types.js").read_text()
    steps = re.search(r"@typedef \{(.+)\} StepName", types)
    parts = re.search(r"@typedef \{(.+)\} Part\b", types)
    assert steps is not None
    assert parts is not None
    asked |= {f"step.{name}" for name in re.findall(r'"(\w+)"', steps[1])}
    asked |= {f"missing.{name}" for name in re.findall(r'"(\w+)"', parts[1])}
    assert len(asked) > 100
    assert asked - known.keys() == set()


def test_no_text_is_kept_that_nobody_asks_for() -> None:
    everything = "\n".join([*SCRIPTS.values(), *TEMPLATES.values()])
    made = (
        "manifest.",
        "step.",
        "working.",
        "missing.",
        "kind.",
        "notify.",
        "pane.outside.",
        "pane.noOffice.",
        "warning.",
        "error.",
    )
    views = set(re.findall(r'"([a-zA-Z]+)"', everything)) | STATES
    unused = [
        key
        for key in packaged("en")
        if not key.startswith(made)
        and f'"{key}"' not in everything
        and not (key.partition(".")[0] in views and key.partition(".")[2] in PARTS)
        and not (key.startswith("action.") and f'"{key.partition(".")[2]}"' in everything)
    ]
    assert unused == []


def test_an_administrators_text_stands_before_the_packaged_one_and_that_of_a_language_before_both(
    tmp_path: Path,
) -> None:
    words(tmp_path, {"pane.title": "Konferenz", "action.add": "Los"})
    texts = words(tmp_path, {"action.add": "Allons-y"}, "fr")
    assert texts.problems == ()
    assert {texts.of(language)["pane.title"] for language in texts.languages} == {"Konferenz"}
    assert texts.of("fr")["action.add"] == "Allons-y"
    assert texts.of("sv")["action.add"] == "Los"
    assert texts.of("de")["action.remove"] == packaged("de")["action.remove"]


def test_a_folder_of_another_language_adds_it_and_english_fills_the_gaps(tmp_path: Path) -> None:
    texts = words(tmp_path, {"pane.title": "Videohuone"}, "fi")
    assert texts.languages == (*PACKAGED, "fi")
    assert texts.choose("fi-FI") == "fi"
    assert texts.of("fi")["pane.title"] == "Videohuone"
    assert texts.of("fi")["action.add"] == packaged("en")["action.add"]


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        (("de-CH",), "de"),
        (("nb-NO",), "no"),
        (("nn",), "no"),
        (("SV-fi",), "sv"),
        (("xx", "fr-CA"), "fr"),
        (("xx",), "en"),
        (("",), "en"),
        ((), "en"),
        (("../de",), "en"),
    ],
)
def test_the_nearest_language_is_chosen(asked: tuple[str, ...], chosen: str) -> None:
    assert AddinTexts().choose(*asked) == chosen


@pytest.mark.parametrize(
    ("told", "line", "problem", "allowed"),
    [
        ('{\n"pane.title": "x",\n"pane.titel": "y"}', 3, "unknown text 'pane.titel'", "pane.title"),
        ({"missing.mailbox": "{mailbox} or {user}?"}, 1, "unknown variable {user}", "{mailbox}"),
        ({"pane.title": "a {b"}, 1, "a brace too many", "none"),
        ({"pane.title": "a {address}"}, 1, "unknown variable {address}", "none"),
        ({"manifest.name": "x" * 126}, 1, "126 characters", "at most 125"),
        ({"notify.added": "x" * 151}, 1, "151 characters", "at most 150"),
        ({"error.tooMany": "x" * 501}, 1, "501 characters", "at most 500"),
        ({"pane.title": ""}, 1, "no text", "not empty"),
        ({"pane.title": 5}, 1, "no text", "not empty"),
        ({"pane.title": ["x"]}, 1, "no text", "not empty"),
        ({"pane.title": "a\u202eb"}, 1, "control character", "one line"),
        ({"pane.title": "a\nb"}, 1, "control character", "one line"),
        ('{"pane.title": "a", "pane.title": "b"}', 1, "a key twice", "each key once"),
        ('{\n"pane.title": }', 2, "is not JSON", "object"),
        ("[]", 1, "is not an object", "one object"),
        ("[" * 100_000, 1, "nested", "one object"),
        (json.dumps({"pane.title": "x" * 300_000}), 1, "longer than", "one object"),
    ],
    ids=lambda value: str(value)[:24] if isinstance(value, (str, dict)) else str(value),
)
def test_what_is_wrong_in_a_file_is_told_and_left_out(
    tmp_path: Path, told: Any, line: int, problem: str, allowed: str
) -> None:
    texts = words(tmp_path, told)
    (found,) = texts.problems
    assert (found.file, found.line) == (str(tmp_path / "addin.json"), line)
    assert problem in found.problem
    assert allowed in found.allowed
    assert texts.of("en")["manifest.name"] == packaged("en")["manifest.name"]


def test_what_is_right_beside_a_mistake_counts(tmp_path: Path) -> None:
    texts = words(tmp_path, {"pane.title": "Meet", "nothing": "x"})
    assert len(texts.problems) == 1
    assert texts.of("de")["pane.title"] == "Meet"


def test_a_file_that_is_not_utf_8_is_told(tmp_path: Path) -> None:
    (tmp_path / "addin.json").write_bytes('{"pane.title": "Größe"}'.encode("latin-1"))
    assert [problem.problem for problem in AddinTexts(tmp_path).problems] == ["is not UTF-8"]


def test_a_folder_without_such_files_changes_nothing(tmp_path: Path) -> None:
    assert AddinTexts(tmp_path).everything() == AddinTexts().everything()
    assert AddinTexts(tmp_path / "missing").problems == ()
