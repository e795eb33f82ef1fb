"""What Greenroom remembers: mailboxes, meetings, reservations, rooms, organizers' routes and the journal, on SQLite or PostgreSQL.

```
storage = Storage.open("sqlite:///greenroom.db")
await storage.migrate()
async with storage.work() as work:  # one transaction
    await work.meetings.save(records)
    await work.journal.append(entries)
```

Every query is in a repository (one module per noun); nobody outside writes SQL or commits. The calendar is the truth:
all of this can be lost and is rebuilt by the next pass.
"""

from greenroom.storage.alarms import Alarm
from greenroom.storage.database import Storage
from greenroom.storage.drifts import StoredDrift
from greenroom.storage.errors import (
    AliasHeldError,
    BadUrlError,
    StorageBusyError,
    StorageError,
    StorageFaultError,
    StorageSignInError,
    StorageUnreachableError,
    StorageVersionError,
)
from greenroom.storage.fed_rooms import FeedRoom
from greenroom.storage.housing import Housed, KeptRoom
from greenroom.storage.refusals import Refused
from greenroom.storage.room_feed import RoomFeed
from greenroom.storage.room_store import RoomStore
from greenroom.storage.values import MailboxState, OrganizerRoute, Reservation, RoomEnd, Side, Standing, StoredRoom
from greenroom.storage.work import Work

__all__ = [
    "Alarm",
    "AliasHeldError",
    "BadUrlError",
    "FeedRoom",
    "Housed",
    "KeptRoom",
    "MailboxState",
    "OrganizerRoute",
    "Refused",
    "Reservation",
    "RoomEnd",
    "RoomFeed",
    "RoomStore",
    "Side",
    "Standing",
    "Storage",
    "StorageBusyError",
    "StorageError",
    "StorageFaultError",
    "StorageSignInError",
    "StorageUnreachableError",
    "StorageVersionError",
    "StoredDrift",
    "StoredRoom",
    "Work",
]
