"""What the documents show can be typed: commands and options exist, configuration samples load."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from greenroom.cli import main
from greenroom.settings import load_settings
from support.shared import PROJECT

PAGES = (PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md")))
_KEY = "CP/zG4vE2wBu8i0DRdSTZnD+RGBKKlV1l8+sRCeEyXc="
_NEEDED = {
    "number": "number = 1",
    "name": 'name = "main"',
    "mailbox": 'mailbox = "vmr@example.org"',
    "ticket_keys": f'ticket_keys = [{{ id = 0, key = "{_KEY}" }}]',
}
_EXCHANGE = """
[integration.exchange]
protocol = "ews"
url = "https://mail.example.org/EWS/Exchange.asmx"
username = "greenroom@example.org"
password = "not a real one"
"""


def blocks(page: Path, language: str) -> Iterator[str]:
    yield from re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def samples() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        shown = list(blocks(page, "toml"))
        for index, text in enumerate(shown):
            goes_on = "[integration.pexip." in text and "[integration.platform]" not in text  # the page began it before
            found.append((f"{page.name}-{index}", f"{shown[0]}\n{text}" if goes_on else text))
    return found


def whole(sample: str) -> str:
    """Make a whole file of a sample: what is not its subject is put around it."""
    if "[[integration]]" not in sample:
        head, section, rest = sample.partition("[integration.")
        first, listed, more = sample.partition("[[integration.")
        if len(first) < len(head):
            head, section, rest = first, listed, more
        sample = f"{head}\n[[integration]]\n{section}{rest}"
    before, mark, after = sample.partition("[[integration]]")
    own = after.partition("\n[")[0]
    wanted = [line for key, line in _NEEDED.items() if not re.search(rf"^{key}(_file)?\s*=", own, re.MULTILINE)]
    if "public_url" not in before:
        listed = before if "[service]" in before else f"[service]\n{before}"
        before = listed.replace("[service]", '[service]\npublic_url = "https://meet.example.org"', 1)
    exchange = "" if "[integration.exchange]" in after else _EXCHANGE
    return "\n".join([before, mark, *wanted, after, exchange])


@pytest.mark.parametrize(("name", "sample"), samples(), ids=[name for name, _ in samples()])
def test_a_configuration_sample_loads(tmp_path: Path, name: str, sample: str) -> None:
    for file in re.findall(r'^\w+_file\s*=\s*"([^"]+)"', sample, re.MULTILINE):
        if not file.startswith(("/", "credential:")):
            place = tmp_path / file
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(f"0:{_KEY}\n" if "ticket-keys" in file else "not a real one\n", encoding="ascii")
    config = tmp_path / "greenroom.toml"
    config.write_text(whole(sample), encoding="utf-8")
    assert load_settings(config, {}).integration, name


def commands() -> list[tuple[str, str]]:
    found = set()
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        shell = [
            line for block in blocks(page, "(?:sh|bash|console)") for line in block.replace("\\\n", " ").splitlines()
        ]
        lines = [*re.findall(r"`(greenroom [^`\n]+)`", text), *(line.strip().removeprefix("$ ") for line in shell)]
        found |= {(page.name, line) for line in lines if line.startswith("greenroom ")}
    return sorted(found)


@pytest.mark.parametrize(("page", "line"), commands(), ids=[f"{page}: {line}"[:80] for page, line in commands()])
def test_a_command_in_the_documents_exists(page: str, line: str) -> None:
    words = shlex.split(re.split(r"\s[|>&#]", line)[0])[1:]
    command: click.Command = main
    context = click.Context(main)
    while words and isinstance(command, click.Group) and not words[0].startswith("-"):
        inner = command.get_command(context, words.pop(0))
        assert inner is not None, f"{page}: there is no such command as {line}"
        command = inner
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    used = {word.partition("=")[0] for word in words if word.startswith("-") and len(word) > 1}
    assert used <= known | {"--help", "-h", "--version"}, f"{page}: {line}"
