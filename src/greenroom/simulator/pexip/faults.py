"""Faults of the management API that can be switched on, at will and counted.

A rule says which calls it meets (method, resource, target), how many it lets pass first (``after``), how often it strikes
(``times``) and what happens (``kind``). The first rule that matches and still has strikes left wins.

Kinds::

    http_NNN             this status instead of an answer; ``body`` (text) or ``fields`` (of a 400, by field); ``retry_after``;
                         with ``committed`` the work is done first
    timeout_before       nothing is done; the connection hangs for ``seconds`` and closes without an answer
    timeout_after_commit the work is done; then the connection hangs for ``seconds`` and closes without an answer
    truncated            the work is done; the JSON of the answer ends in the middle
    cut_body             the work is done; the connection breaks in the middle of the answer
    half_page            a list's page has half of its objects and no next page; "total_count" stays
    garbage              the work is done; the answer is a page of HTML with status 200
    slow                 the answer comes ``seconds`` late
"""

from __future__ import annotations

import itertools
import re
import threading
from dataclasses import asdict, dataclass, field, fields, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from greenroom.simulator.faults import FaultRuleError

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS: Final = frozenset(
    {"timeout_before", "timeout_after_commit", "truncated", "cut_body", "half_page", "garbage", "slow"}
)
_STATUS: Final = re.compile(r"http_([1-5][0-9]{2})")
_TYPES: Final[dict[str, type | tuple[type, ...]]] = {
    "kind": str,
    "method": str,
    "resource": str,
    "target": str,
    "times": (int, type(None)),
    "after": int,
    "seconds": (int, float),
    "retry_after": (int, type(None)),
    "committed": bool,
    "body": (str, type(None)),
    "fields": dict,
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault and the calls it strikes.

    ``method`` is "POST" or a pattern, ``resource`` a pattern for section and name ("configuration/conference",
    "*/conference_alias", "oauth/token"), ``target`` "list", "item", "schema", "root", "token" or a pattern; ``times`` None means
    until it is removed. Rules with resource "*" leave the sign-in ("oauth/token") alone.
    """

    kind: str
    method: str = "*"
    resource: str = "*"
    target: str = "*"
    times: int | None = None
    after: int = 0
    seconds: float = 0.0
    retry_after: int | None = None
    committed: bool = False
    body: str | None = None
    fields: dict[str, list[str]] = field(default_factory=dict)
    id: int = 0

    def __post_init__(self) -> None:
        """Refuse a kind that does not exist."""
        if self.kind not in KINDS and not _STATUS.fullmatch(self.kind):
            raise FaultRuleError(f"kind must be http_NNN or one of {', '.join(sorted(KINDS))}")

    @property
    def status(self) -> int | None:
        """The status of an http_NNN."""
        match = _STATUS.fullmatch(self.kind)
        return int(match[1]) if match else None

    @property
    def before(self) -> bool:
        """Whether nothing is done."""
        return self.kind == "timeout_before" or (self.status is not None and not self.committed)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Fault:
        """Read a rule as the control surface takes it; raises `FaultRuleError` naming the field that is wrong."""
        known = {one.name for one in fields(cls)} - {"id"}
        if unknown := set(data) - known:
            raise FaultRuleError(f"unknown field {min(unknown)}; allowed are {', '.join(sorted(known))}")
        if "kind" not in data:
            raise FaultRuleError("kind is missing")
        for name, value in data.items():
            if not isinstance(value, _TYPES[name]):
                raise FaultRuleError(f"{name} has the wrong type")
        return cls(**data)

    def meets(self, method: str, resource: str, target: str) -> bool:
        """Whether a call is one of those."""
        if self.resource == "*" and target == "token":
            return False
        return (
            fnmatchcase(method, self.method)
            and fnmatchcase(resource, self.resource)
            and fnmatchcase(target, self.target)
        )


@dataclass(slots=True)
class _Armed:
    rule: Fault
    met: int = 0
    struck: int = 0


class PexipFaults:
    """The rules that are switched on. Safe to use from the thread of a test while a server runs in another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._armed: list[_Armed] = []

    def add(self, rule: Fault) -> int:
        """Switch a rule on; returns the id by which it can be removed."""
        with self._lock:
            number = next(self._ids)
            self._armed.append(_Armed(replace(rule, id=number)))
            return number

    def remove(self, number: int) -> bool:
        """Switch one rule off; False if there is none of that id."""
        with self._lock:
            before = len(self._armed)
            self._armed = [armed for armed in self._armed if armed.rule.id != number]
            return len(self._armed) < before

    def clear(self) -> None:
        """Switch every rule off."""
        with self._lock:
            self._armed.clear()

    def strike(self, method: str, resource: str, target: str) -> Fault | None:
        """Return the rule that strikes this call, counting the strike; None when the call goes through."""
        with self._lock:
            for armed in self._armed:
                rule = armed.rule
                if not rule.meets(method, resource, target) or (rule.times is not None and armed.struck >= rule.times):
                    continue
                armed.met += 1
                if armed.met > rule.after:
                    armed.struck += 1
                    return rule
        return None

    def snapshot(self) -> list[dict[str, Any]]:
        """The rules that are on, each with how many calls it met and struck."""
        with self._lock:
            return [{**asdict(a.rule), "met": a.met, "struck": a.struck} for a in self._armed]
