"""Faults that can be switched on: what a real Exchange does on its bad days, at will and counted.

A rule says which calls it meets (operation, mailbox), how many it lets pass first (``after``), how often it strikes
(``times``) and what happens (``kind``). The first rule that matches and still has strikes left wins.

Kinds::

    http_429             429 with Retry-After
    http_503             503, with Retry-After if ``retry_after`` is given
    http_504             504, likewise
    server_busy          ErrorServerBusy with BackOffMilliseconds: a SOAP fault with HTTP 500, or, with ``nested``,
                         every response message of an HTTP 200. Graph: 503 ErrorServerBusy with Retry-After
    timeout_before       nothing is done; the connection hangs for ``seconds`` and closes without an answer
    timeout_after_commit the work is done; then the connection hangs for ``seconds`` and closes without an answer
    drop_stream          a streaming connection is cut in the middle
    expired_sync_state   ErrorInvalidSyncStateData to a request that carries a sync state. Graph: 410 to a delta token
    unauthorized         401 as for a wrong password
    truncated_reply      the work is done; the reply ends in the middle of the XML
    garbage_reply        the work is done; the reply is not XML at all
    access_denied        every response message is ErrorAccessDenied. Graph: 403
    slow                 the answer comes ``seconds`` late
    drop_notifications   what Graph would post to a subscriber (operation Notification) is lost
    late                 what Graph posts to a subscriber is posted ``seconds`` late
"""

from __future__ import annotations

import itertools
import threading
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FaultKind = Literal[
    "http_429",
    "http_503",
    "http_504",
    "server_busy",
    "timeout_before",
    "timeout_after_commit",
    "drop_stream",
    "expired_sync_state",
    "unauthorized",
    "truncated_reply",
    "garbage_reply",
    "access_denied",
    "slow",
    "drop_notifications",
    "late",
]
FAULT_KINDS: Final[frozenset[str]] = frozenset(get_args(FaultKind))
OF_STREAMS: Final = frozenset({"drop_stream"})
OF_NOTIFICATIONS: Final = frozenset({"drop_notifications", "late"})


class FaultRuleError(ValueError):
    """A fault rule given as JSON cannot be understood; the message says which field and what is allowed."""


@dataclass(frozen=True, slots=True)
class FaultRule:
    """One fault and the calls it strikes.

    ``operation`` is the name of an operation or ``*`` (all but the sign-in of Graph, which has to be named: Token, Discovery);
    ``mailbox`` the address of the mailbox spoken for, or None for every one; ``times`` None means until removed.
    ``retry_after`` is in seconds, ``back_off_ms`` in milliseconds.
    """

    kind: FaultKind
    operation: str = "*"
    mailbox: str | None = None
    times: int | None = None
    after: int = 0
    seconds: float = 0.0
    retry_after: int | None = None
    back_off_ms: int = 1000
    nested: bool = False
    id: int = 0

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> FaultRule:
        """Read a rule as the control surface takes it; raises `FaultRuleError` naming the field that is wrong."""
        known = {field.name for field in fields(cls)} - {"id"}
        if unknown := set(data) - known:
            raise FaultRuleError(f"unknown field {min(unknown)}; allowed are {', '.join(sorted(known))}")
        kind = data.get("kind")
        if kind not in FAULT_KINDS:
            raise FaultRuleError(f"kind must be one of {', '.join(sorted(FAULT_KINDS))}")
        wanted: dict[str, type | tuple[type, ...]] = {
            "operation": str,
            "mailbox": (str, type(None)),
            "times": (int, type(None)),
            "after": int,
            "seconds": (int, float),
            "retry_after": (int, type(None)),
            "back_off_ms": int,
            "nested": bool,
        }
        for name, kinds in wanted.items():
            if name in data and not isinstance(data[name], kinds):
                raise FaultRuleError(f"{name} has the wrong type")
        return cls(**data)


@dataclass(slots=True)
class _Armed:
    rule: FaultRule
    met: int = 0
    struck: int = 0

    def strikes(self, operation: str, mailbox: str | None) -> bool:
        if self.rule.operation not in ("*", operation):
            return False
        if self.rule.mailbox is not None and self.rule.mailbox.casefold() != (mailbox or "").casefold():
            return False
        if self.rule.times is not None and self.struck >= self.rule.times:
            return False
        self.met += 1
        if self.met <= self.rule.after:
            return False
        self.struck += 1
        return True


class Faults:
    """The rules that are switched on. Safe to use from the thread of a test while a server runs in another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._armed: list[_Armed] = []
        self._listeners: list[Callable[[], None]] = []

    def add(self, rule: FaultRule) -> int:
        """Switch a rule on; returns the id by which it can be removed."""
        with self._lock:
            number = next(self._ids)
            self._armed.append(_Armed(replace(rule, id=number)))
            listeners = list(self._listeners)
        for listener in listeners:
            listener()
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

    def strike(
        self,
        operation: str,
        mailbox: str | None,
        *,
        stream: bool = False,
        notification: bool = False,
        sync_state: bool = False,
        by_name: bool = False,
    ) -> FaultRule | None:
        """Return the rule that strikes this call, counting the strike; None when the call goes through.

        ``stream`` and ``notification`` ask for the rules about an open streaming connection, or about posted notifications,
        only; else both are left aside. Rules about sync states meet only requests that carry one (``sync_state``).
        ``by_name`` leaves aside rules for every operation.
        """
        with self._lock:
            for armed in self._armed:
                kind = armed.rule.kind
                if kind == "expired_sync_state" and not sync_state:
                    continue
                if by_name and armed.rule.operation == "*":
                    continue
                if (kind in OF_STREAMS) is not stream or (kind in OF_NOTIFICATIONS) is not notification:
                    continue
                if armed.strikes(operation, mailbox):
                    return armed.rule
        return None

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call ``listener`` whenever a rule is added (from any thread); returns the function that stops it."""
        with self._lock:
            self._listeners.append(listener)

        def stop() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return stop

    def snapshot(self) -> list[dict[str, Any]]:
        """The rules that are on, each with how many calls it met and struck."""
        with self._lock:
            return [{**asdict(a.rule), "met": a.met, "struck": a.struck} for a in self._armed]
