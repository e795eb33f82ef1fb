"""Under which heading a finding is shown, by the name of its check."""

from collections.abc import Iterable

from greenroom.doctor.contract import Finding, is_called

_GROUPS = (
    ("Configuration", ("config",)),
    ("This computer", ("disk", "clock-zones")),
    ("Database", ("database",)),
    ("Ways to others", ("reach", "dns", "proxy", "tls", "clock")),
    ("Exchange", ("exchange", "watcher")),
    ("Mailbox", ("mailbox", "processing")),
    ("Live test", ("live",)),
    ("Service", ("heartbeat", "passes", "replies", "backlog", "defects", "drift", "alarms", "service")),
    ("Platform", ("platform", "policy")),
    ("Add-in", ("addin", "identity")),
)
_OTHER = "More"


def group_of(check: str) -> str:
    """Return the heading of a check."""
    return next((heading for heading, names in _GROUPS if is_called(check, names)), _OTHER)


def grouped(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    """Sort findings under their headings, in the order of headings; within one by subject, as they came."""
    found: dict[str, list[Finding]] = {heading: [] for heading, _ in (*_GROUPS, (_OTHER, ()))}
    for finding in findings:
        found[group_of(finding.check)].append(finding)
    return {heading: _together(those) for heading, those in found.items() if those}


def _together(findings: list[Finding]) -> list[Finding]:
    order: dict[str, int] = {}
    for finding in findings:
        order.setdefault(finding.subject, len(order))
    return sorted(findings, key=lambda finding: order[finding.subject])
