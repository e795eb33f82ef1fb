"""Opens what commands need that recover, compare and look again: an integration with mailbox and platform, and the database.

Like `assembly`, `calendars` and `rooms` it may name adapters; nothing is attended and nothing is served.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from greenroom.calendars import Calendars
from greenroom.importing import is_prepared
from greenroom.integrations import build_integrations
from greenroom.rooms import Platforms
from greenroom.scheduler.attend import Attendant
from greenroom.scheduler.case import Clock
from greenroom.scheduler.integration import Integration
from greenroom.scheduler.numbers import check_numbers
from greenroom.settings import Integration as IntegrationSettings
from greenroom.settings import Settings
from greenroom.storage import Storage


@dataclass(frozen=True, slots=True)
class Desk:
    """What such a command works with. `storage` is None where nothing is remembered yet and nothing shall be made.

    `attendant` makes one that attends the mailbox; whoever lets it do something has borrowed the mailbox before.
    """

    integration: Integration
    storage: Storage | None
    attendant: Callable[[], Attendant]


@asynccontextmanager
async def open_recovery(
    settings: Settings, entry: IntegrationSettings, clock: Clock, *, prepare: bool
) -> AsyncIterator[Desk]:
    """Open one integration; with `prepare` the database is made or brought up to date.

    Raises StorageError, and CalendarError for a file of the configuration that cannot be used.
    """
    alone = settings.model_copy(update={"integration": (entry,)})
    storage = Storage.open(settings.storage.url.get_secret_value())
    calendars = Calendars(alone, clock, storage)
    platforms = Platforms(alone, storage, clock)
    integration: Integration | None = None
    try:
        (integration,) = build_integrations(alone, calendars, platforms)
        built = integration
        if prepare:
            await storage.migrate()
        remembers = prepare or await is_prepared(settings, storage)
        if remembers:
            await check_numbers(storage, {entry.number: entry.mailbox})
        yield Desk(built, storage if remembers else None, lambda: Attendant(built, storage, clock))
    finally:
        await calendars.close()
        if integration is not None:
            await integration.platform.close()
        await platforms.close()
        await storage.close()
