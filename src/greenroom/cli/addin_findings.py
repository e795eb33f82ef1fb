"""How findings about a manifest are shown."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.markup import escape

from greenroom.addin.manifest import Finding, Severity
from greenroom.cli.options import stderr
from greenroom.cli.reading import plain

_ALIKE = 3
_SIGNS = {Severity.ERROR: "[red]✗[/red]", Severity.WARNING: "[yellow]![/yellow]"}


def show_findings(file: str, findings: Sequence[Finding]) -> None:
    """Print findings to standard error: where, what, and what would be right. What is found everywhere is shown a few times."""
    console = stderr()
    seen: Counter[tuple[str, str]] = Counter()
    for one in findings:
        seen[one.code, one.what] += 1
        if seen[one.code, one.what] > _ALIKE:
            continue
        place = f"{file}:{one.line}" if one.line else file
        what = f"{escape(plain(place))}: {escape(plain(one.what))}  [dim]({one.code})[/dim]"
        console.print(f"{_SIGNS[one.severity]} {what}", soft_wrap=True)
        if one.path:
            console.print(f"  [dim]at:[/dim] {escape(plain(one.path))}", soft_wrap=True)
        console.print(f"  [dim]right:[/dim] {escape(plain(one.right))}", soft_wrap=True)
    for (code, what), count in seen.items():
        if count > _ALIKE:
            console.print(
                f"  [dim]... and {count - _ALIKE} more: {escape(plain(what))}  ({code})[/dim]", soft_wrap=True
            )


def finding_json(finding: Finding) -> dict[str, Any]:
    """Write a finding for `--json`."""
    return {
        "severity": finding.severity.value,
        "code": finding.code,
        "line": finding.line or None,
        "path": finding.path or None,
        "message": finding.what,
        "right": finding.right,
    }


def has_errors(findings: Sequence[Finding]) -> bool:
    """Whether something must be corrected."""
    return any(one.severity is Severity.ERROR for one in findings)
