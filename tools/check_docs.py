"""Checks that the documents say what is true: paths exist, links lead somewhere, generated pages are current."""

import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
LONGEST = 500
_PATH = re.compile(r"`([\w.~-]+(?:/[\w.{},*-]*)+)`")
_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


def problems() -> Iterator[str]:
    """Yield one sentence for everything that is wrong."""
    yield from _paths(PROJECT / "ARCHITECTURE.md")
    for page in _pages():
        yield from _links(page)
    yield from _long_modules()
    yield from _generated()
    yield from _records()


def _pages() -> list[Path]:
    top = [PROJECT / name for name in ("README.md", "ARCHITECTURE.md", "CHANGELOG.md")]
    return [page for page in [*top, *sorted((PROJECT / "docs").rglob("*.md"))] if page.exists()]


def _paths(page: Path) -> Iterator[str]:
    if not page.exists():
        yield f"{page.name} is missing"
        return
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        for path in _PATH.findall(line):
            if not any(PROJECT.glob(path.rstrip("/"))) and not any((PROJECT / "src/greenroom").glob(path.rstrip("/"))):
                yield f"{page.name}:{number} names {path}, which does not exist"


def _links(page: Path) -> Iterator[str]:
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        for target in _LINK.findall(line):
            if not (page.parent / target).exists():
                yield f"{page.relative_to(PROJECT)}:{number} links to {target}, which does not exist"


def _long_modules() -> Iterator[str]:
    for folder in ("src", "tests", "bench", "tools"):
        for module in sorted((PROJECT / folder).rglob("*.py")):
            lines = len(module.read_text(encoding="utf-8").splitlines())
            if lines > LONGEST:
                yield f"{module.relative_to(PROJECT)} has {lines} lines; {LONGEST} are the most"


def _generated() -> Iterator[str]:
    from greenroom.settings.reference import example, markdown  # noqa: PLC0415 (only this check needs the package)

    for name, text in (("docs/configuration.md", markdown()), ("greenroom.example.toml", example())):
        page = PROJECT / name
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            yield f"{name} is not current: see `greenroom config reference --help`"
    listed = PROJECT / "docs/messages.md"
    if not listed.exists() or listed.read_text(encoding="utf-8") != _messages():
        yield "docs/messages.md is not current: python tools/messages.py > docs/messages.md"


def _messages() -> str:
    """Return what docs/messages.md has to be; the tool beside this one reads it from the source."""
    spec = importlib.util.spec_from_file_location("messages", Path(__file__).with_name("messages.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look their module up
    spec.loader.exec_module(module)
    return str(module.page())


def _records() -> Iterator[str]:
    for number, record in enumerate(sorted((PROJECT / "docs/decisions").glob("[0-9]*.md")), 1):
        if not record.name.startswith(f"{number:04d}-"):
            yield f"docs/decisions/{record.name} does not follow number {number - 1}"
        text = record.read_text(encoding="utf-8")
        missing = [
            part for part in ("## Context", "## Decision", "## Consequences", "## Alternatives") if part not in text
        ]
        if missing:
            yield f"docs/decisions/{record.name} lacks {', '.join(missing)}"


def main() -> int:
    """Print what is wrong; 1 if anything is."""
    found = list(problems())
    for problem in found:
        print(problem)
    print(f"documents checked, {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
