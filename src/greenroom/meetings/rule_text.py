"""Rules as plain JSON values, in a canonical form: what storage keeps and fingerprints take."""

from datetime import date
from typing import Any

from greenroom.meetings.rules import (
    AbsoluteMonthly,
    AbsoluteYearly,
    Daily,
    Nth,
    Pattern,
    RelativeMonthly,
    RelativeYearly,
    Rule,
    Weekly,
)

_PATTERNS: dict[str, type[Pattern]] = {
    "daily": Daily,
    "weekly": Weekly,
    "absolute-monthly": AbsoluteMonthly,
    "relative-monthly": RelativeMonthly,
    "absolute-yearly": AbsoluteYearly,
    "relative-yearly": RelativeYearly,
}
_NAMES = {kind: name for name, kind in _PATTERNS.items()}


def pattern_name(pattern: Pattern) -> str:
    """Name a pattern."""
    return _NAMES[type(pattern)]


def said_of(rule: Rule) -> dict[str, Any]:
    """Return what says this rule; `rule_of` reads it."""
    pattern = rule.pattern
    said: dict[str, Any] = {"pattern": pattern_name(pattern)}
    for name in pattern.__dataclass_fields__:
        value = getattr(pattern, name)
        said[name] = list(value) if isinstance(value, tuple) else int(value)
    said["start"] = rule.start.isoformat()
    if rule.until is not None:
        said["until"] = rule.until.isoformat()
    if rule.count is not None:
        said["count"] = rule.count
    return said


def rule_of(said: dict[str, Any]) -> Rule:
    """Read what `said_of` said. Raises ValueError; of what was never said, also KeyError, TypeError, AttributeError."""
    kind: Any = _PATTERNS[said["pattern"]]
    until = said.get("until")
    return Rule(
        kind(**{name: _value(name, said[name]) for name in kind.__dataclass_fields__}),
        date.fromisoformat(said["start"]),
        None if until is None else date.fromisoformat(until),
        said.get("count"),
    )


def _value(name: str, value: Any) -> Any:
    if name == "nth":
        return Nth(value)
    return tuple(value) if isinstance(value, list) else value
