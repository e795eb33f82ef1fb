"""Opens what an import needs: an integration with its mailbox, the database, and the scheduler that kept its meetings before.

Like `assembly`, `calendars` and `rooms` it may name adapters; nothing is attended and nothing is served.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from greenroom.calendars import Calendars
from greenroom.integrations import build_integrations
from greenroom.platforms.pexip.takeover import PexipScheduler
from greenroom.rooms import Platforms, pexip_settings
from greenroom.scheduler.case import Clock
from greenroom.scheduler.integration import Integration
from greenroom.scheduler.takeover import OtherScheduler
from greenroom.settings import Integration as IntegrationSettings
from greenroom.settings import Settings
from greenroom.storage import Storage
from greenroom.storage.errors import StorageNotPreparedError, StorageUnreachableError


@dataclass(frozen=True, slots=True)
class Desk:
    """What an import works with. `storage` is None where nothing is remembered yet and nothing shall be made.

    `must_mark` says that rooms have to carry our mark, since they are made at the platform and not by policy alone.
    """

    integration: Integration
    storage: Storage | None
    other: OtherScheduler
    must_mark: bool


def can_import_from_pexip(entry: IntegrationSettings) -> bool:
    """Whether an integration has its rooms on Pexip and a way to its management API."""
    return entry.platform.kind == "pexip" and entry.pexip is not None and entry.pexip.management is not None


@asynccontextmanager
async def open_import(
    settings: Settings, entry: IntegrationSettings, clock: Clock, *, prepare: bool
) -> AsyncIterator[Desk]:
    """Open one integration (see `can_import_from_pexip`); with `prepare` the database is made or brought up to date.

    Raises StorageError, and CalendarError for a file of the configuration that cannot be used.
    """
    pexip = entry.pexip
    alone = settings.model_copy(update={"integration": (entry,)})
    storage = Storage.open(settings.storage.url.get_secret_value())
    calendars = Calendars(alone, clock, storage)
    platforms = Platforms(alone, storage, clock)
    try:
        (integration,) = build_integrations(alone, calendars, platforms)
        api = platforms.open_management(entry)
        if pexip is None or api is None:
            raise ValueError("the integration has no way to Pexip's management API")
        if prepare:
            await storage.migrate()
        remembers = prepare or await is_prepared(settings, storage)
        other = PexipScheduler(api, pexip_settings(entry, pexip), clock)
        yield Desk(integration, storage if remembers else None, other, pexip.makes_rooms != "none")
    finally:
        await calendars.close()
        await platforms.close()
        await storage.close()


async def is_prepared(settings: Settings, storage: Storage) -> bool:
    """Whether there is something to read; a database that was never made is none, any other fault is raised."""
    try:
        await storage.check()
    except StorageNotPreparedError:
        return False
    except StorageUnreachableError:
        if _is_missing_file(settings):
            return False
        raise
    return True


def _is_missing_file(settings: Settings) -> bool:
    file = settings.storage.url.get_secret_value().partition("sqlite:///")[2]
    return bool(file) and not Path(file).exists()
