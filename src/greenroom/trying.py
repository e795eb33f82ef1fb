"""Opens what the live test of `greenroom doctor` needs: one integration's calendars and the database. Like `recovering`."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from greenroom.calendars import Calendars
from greenroom.doctor.contract import Explain
from greenroom.doctor.live import USUAL_PATIENCE, Scene
from greenroom.doctor.organizers import sides_of
from greenroom.settings import Integration, Settings
from greenroom.storage import Storage


@asynccontextmanager
async def open_live(
    settings: Settings,
    entry: Integration,
    clock: Callable[[], datetime],
    explain: Explain,
    tell: Callable[[str], None],
    *,
    patience: timedelta = USUAL_PATIENCE,
) -> AsyncIterator[Scene]:
    """Open them; connects to nothing. Raises StorageError, and CalendarError for a file that cannot be used."""
    storage = Storage.open(settings.storage.url.get_secret_value())
    calendars = Calendars(settings.model_copy(update={"integration": (entry,)}), clock, storage)
    try:
        mailbox = calendars.open(entry)
        sides = sides_of(mailbox, calendars.open_elsewhere(entry))
        public = settings.service.public_url
        yield Scene(entry, mailbox, sides, storage, public, explain, clock, tell, patience)
    finally:
        await calendars.close()
        await storage.close()
