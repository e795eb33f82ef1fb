"""What happens in a run of chaos, and when: it comes from the seed alone, so that a run can be repeated."""

import random
from dataclasses import dataclass

DEEDS = {
    "invite": 14,
    "copy": 3,
    "move": 7,
    "rename": 4,
    "edit-text": 4,
    "add-colleague": 2,
    "cancel": 4,
    "remove-equipment": 4,
    "add-equipment": 6,
    "move-occurrence": 5,
    "rename-occurrence": 2,
    "delete-occurrence": 3,
}
"""What people do, and how often."""
TROUBLES = {"fault": 16, "refusal": 1, "notifications": 6, "nudge": 3}
"""What Exchange does."""
DISASTERS = {
    "kill": 8,
    "kill-starting": 2,
    "stop": 1,
    "two": 2,
    "lose-database": 2,
    "backup": 3,
    "restore": 2,
    "lose-rooms": 1,
    "recover": 1,
    "drift": 1,
}
"""What happens to Greenroom."""
KINDS = DEEDS | TROUBLES | DISASTERS
_LASTS = {
    "two": 4.0,
    "backup": 2.0,
    "restore": 3.0,
    "recover": 3.0,
    "drift": 3.0,
    "kill-starting": 2.0,
    "lose-rooms": 2.0,
}
"""Seconds for which nothing else is planned: about so long it takes."""
_FIRST = ("invite", "invite", "invite", "backup")


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that happens `at` so many seconds from the start. `which` and `how` choose among what is possible then."""

    at: float
    what: str
    which: int
    how: int
    long: float

    @property
    def flag(self) -> bool:
        """One of two ways."""
        return self.how % 2 == 1


def script(seed: int, seconds: float) -> list[Action]:
    """Make up what happens within so many seconds."""
    random_ = random.Random(seed)
    actions: list[Action] = []
    at = 1.0
    while at < seconds:
        what = random_.choices(list(KINDS), list(KINDS.values()))[0]
        if len(actions) < len(_FIRST):
            what = _FIRST[len(actions)]
        which, how = random_.randrange(1_000_000), random_.randrange(1_000_000)
        actions.append(Action(round(at, 2), what, which, how, round(random_.random(), 3)))
        at += _LASTS.get(what, 0.0) + random_.uniform(0.1, 1.1)
    return actions
