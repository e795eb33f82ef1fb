"""One unit of work: all repositories over one connection and one transaction."""

from sqlalchemy.ext.asyncio import AsyncConnection

from greenroom.storage.journal import Journal
from greenroom.storage.mailboxes import Mailboxes
from greenroom.storage.meetings import Meetings
from greenroom.storage.reservations import Reservations
from greenroom.storage.rooms import Rooms


class Work:
    """What can be read and written within a transaction. It comes from `Storage.work()`, which commits at its exit."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.mailboxes = Mailboxes(connection)
        self.meetings = Meetings(connection)
        self.reservations = Reservations(connection)
        self.rooms = Rooms(connection)
        self.journal = Journal(connection)
