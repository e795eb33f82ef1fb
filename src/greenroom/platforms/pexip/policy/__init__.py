"""The external policy server's core: Conferencing Nodes ask at every call, and are answered from memory, to the second.

```
feed (storage) ──> Follower ──> Directory <── Desk <── the web server's door
```

`addresses` reads what was dialled, `answers` writes what is told, `validity` judges it by Pexip's rules, `wording` names a room.
"""

from greenroom.platforms.pexip.policy.addresses import Dialled, normalise, read
from greenroom.platforms.pexip.policy.answers import check_answer, room_answer
from greenroom.platforms.pexip.policy.desk import Desk
from greenroom.platforms.pexip.policy.directory import Directory
from greenroom.platforms.pexip.policy.follower import Feed, Follower
from greenroom.platforms.pexip.policy.room import FeedRoom
from greenroom.platforms.pexip.policy.settings import ClosedAnswers, PolicySettings
from greenroom.platforms.pexip.policy.validity import problems
from greenroom.platforms.pexip.policy.wording import Pins, pins_of, unique_name

__all__ = [
    "ClosedAnswers",
    "Desk",
    "Dialled",
    "Directory",
    "Feed",
    "FeedRoom",
    "Follower",
    "Pins",
    "PolicySettings",
    "check_answer",
    "normalise",
    "pins_of",
    "problems",
    "read",
    "room_answer",
    "unique_name",
]
