"""What Exchange does in a run of chaos: it fails, it refuses, and its notifications are lost, doubled, late or about nothing."""

from collections import Counter
from typing import Any

from chaos_people import People
from chaos_script import Action
from greenroom.simulator.faults import FaultRule
from support.simulator import RunningSimulator
from support.whole import EQUIPMENT, Spoken

_ROUTES: dict[Spoken, tuple[str, ...]] = {
    "ews": ("SyncFolderItems", "GetItem", "FindItem", "UpdateItem", "CreateItem", "UpdateFolder", "*", "*"),
    "graph": ("ListEvents", "GetEvent", "Batch", "UpdateEvent", "AcceptEvent", "*", "*", "*"),
}
_COMMON: tuple[dict[str, Any], ...] = (
    {"kind": "http_503", "retry_after": 2},
    {"kind": "http_503"},
    {"kind": "http_429", "retry_after": 1},
    {"kind": "server_busy", "back_off_ms": 2000},
    {"kind": "timeout_before"},
    {"kind": "timeout_after_commit"},
    {"kind": "timeout_after_commit"},
    {"kind": "truncated_reply"},
    {"kind": "garbage_reply"},
    {"kind": "expired_sync_state"},
    {"kind": "slow", "seconds": 1.5},
)
_FAULTS: dict[Spoken, tuple[dict[str, Any], ...]] = {
    "ews": (*_COMMON, {"kind": "server_busy", "back_off_ms": 2000, "nested": True}),
    "graph": (*_COMMON, {"kind": "http_504"}),
}
_OF_NOTIFICATIONS: dict[Spoken, tuple[dict[str, Any], ...]] = {
    "ews": ({"kind": "drop_stream"},),
    "graph": (
        {"kind": "drop_notifications", "operation": "Notification"},
        {"kind": "late", "operation": "Notification", "seconds": 2.5},
    ),
}


class Trouble:
    """Makes trouble, and counts what came of it."""

    def __init__(self, simulator: RunningSimulator, protocol: Spoken, people: People) -> None:
        self._simulator = simulator
        self._protocol = protocol
        self._people = people
        self._to_double = 0
        self._struck: Counter[str] = Counter()
        if protocol == "graph":
            self._double()

    def make(self, action: Action) -> bool:
        """Make the trouble that an action asks for; returns whether it was one."""
        times = 1 + action.which % 3
        if action.what == "fault":
            faults, routes = _FAULTS[self._protocol], _ROUTES[self._protocol]
            self._add(operation=routes[action.which % len(routes)], times=times, **faults[action.how % len(faults)])
        elif action.what == "refusal":
            self._add(kind="unauthorized", times=1)
        elif action.what == "notifications":
            if self._protocol == "graph" and action.flag:
                self._to_double += times
            else:
                rules = _OF_NOTIFICATIONS[self._protocol]
                self._add(times=times, **rules[action.which % len(rules)])
        elif action.what == "nudge":
            self._nudge(action)
        else:
            return False
        return True

    def end(self) -> dict[str, int]:
        """End all trouble; returns which faults struck, and how often."""
        for rule in self._simulator.faults.snapshot():
            if rule["struck"]:
                self._struck[rule["kind"]] += rule["struck"]
        self._simulator.faults.clear()
        self._to_double = 0
        return dict(sorted(self._struck.items()))

    def _add(self, **rule: Any) -> None:
        self._simulator.faults.add(FaultRule.from_json(rule))

    def _nudge(self, action: Action) -> None:
        """Let the mailbox tell of a change that is none."""
        living = [one for one in self._people.meetings if one.lives]
        if living:
            item = self._people.item(living[action.which % len(living)], EQUIPMENT)
            if item is not None:
                self._simulator.exchange.update_item(EQUIPMENT, item.id, {"is_read": not item.is_read})

    def _double(self) -> None:
        callbacks = self._simulator.graph.callbacks
        post = callbacks.post

        async def doubled(url: str, body: Any) -> bool:
            taken = await post(url, body)
            if self._to_double:
                self._to_double -= 1
                self._struck["doubled notification"] += 1
                await post(url, body)
            return taken

        callbacks.post = doubled  # type: ignore[method-assign]  # Graph may repeat itself; the simulator does not
