"""The scripts of the add-in as TypeScript's checker sees them, and the texts they ask for."""

import json
import re

import pytest

from support.addin_js import MODULES, ROOT, ask_modules, run_node

TEXTS = ROOT / "src/greenroom/addin/texts"
LONGEST_MODULE = 500


@pytest.mark.slow
def test_the_checker_has_nothing_to_say() -> None:
    tsc = ROOT / "node_modules/typescript/bin/tsc"
    if not tsc.exists():
        pytest.skip("TypeScript is missing: run npm ci")
    assert run_node(str(tsc), "--project", str(ROOT / "src/greenroom/addin/tsconfig.json")) == ""


def test_every_text_that_the_flow_asks_for_exists() -> None:
    keys = ask_modules(
        "const { ERRORS, WARNINGS, SEND_CHECK } = await load('keys.js'); return [...ERRORS, ...WARNINGS, ...SEND_CHECK];",
        None,
    )
    assert isinstance(keys, list)
    texts = json.loads((TEXTS / "en.json").read_text("utf-8"))
    assert [key for key in keys if key not in texts] == []


@pytest.mark.parametrize("path", sorted(MODULES.rglob("*.js")), ids=lambda path: path.relative_to(MODULES).as_posix())
def test_a_module_is_short_and_never_saves_the_meeting(path: object) -> None:
    assert hasattr(path, "read_text")
    text = path.read_text("utf-8")
    assert text.count("\n") <= LONGEST_MODULE
    # Saving a meeting that exists sends updates. Custom properties and the person's settings have calls of that name of their own.
    savers = set(re.findall(r"(\w+)(?:\?)?\.saveAsync\(", text))
    assert savers <= {"all", "settings"}
