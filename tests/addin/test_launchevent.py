"""The check when a meeting is sent: what it does, and that the oldest engine which runs it can read it."""

import json

import pytest

from support.addin_js import MODULES, ROOT, facts_of, outcome_of, run_node

SCRIPT = MODULES / "launchevent.js"
_READ = """
const acorn = require(process.argv[1]);
const text = require("fs").readFileSync(process.argv[2], "utf8");
const found = [];
const names = new Set();
const walk = (node) => {
  if (!node || typeof node !== "object") return;
  if (Array.isArray(node)) return node.forEach(walk);
  if (node.type) found.push(node.type);
  if (node.type === "Identifier") names.add(node.name);
  Object.values(node).forEach(walk);
};
walk(acorn.parse(text, { ecmaVersion: 5, sourceType: "script" }));
console.log(JSON.stringify({ types: [...new Set(found)], names: [...names] }));
"""
_FORBIDDEN = {
    "document",
    "window",
    "fetch",
    "XMLHttpRequest",
    "localStorage",
    "navigator",
    "require",
    "eval",
    "Promise",
    "saveAsync",
}


@pytest.fixture(scope="module")
def syntax() -> dict[str, list[str]]:
    acorn = ROOT / "node_modules/acorn"
    if not acorn.exists():
        pytest.skip("acorn is missing: run npm ci")
    read: dict[str, list[str]] = json.loads(run_node("--eval", _READ, "--", str(acorn), str(SCRIPT)))
    return read


def test_the_send_check_is_written_in_es5_without_conditional_operators(syntax: dict[str, list[str]]) -> None:
    assert "FunctionDeclaration" in syntax["types"]
    assert "ConditionalExpression" not in syntax["types"]


def test_the_send_check_wants_no_page_and_no_network(syntax: dict[str, list[str]]) -> None:
    assert not _FORBIDDEN & set(syntax["names"])


@pytest.mark.parametrize("fact", facts_of("launch.mjs"))
def test_a_fact_about_the_send_check(fact: str) -> None:
    assert outcome_of("launch.mjs")[fact] is None, outcome_of("launch.mjs")[fact]
