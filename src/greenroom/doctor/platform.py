"""The video platform: reachable, permitted, and what its adapter finds missing there."""

from datetime import timedelta

from greenroom.doctor.contract import Check, Explain, Finding
from greenroom.doctor.findings import About
from greenroom.platforms.contract import Platform
from greenroom.platforms.errors import PlatformError, PlatformUnavailableError
from greenroom.settings import Integration
from greenroom.storage import StorageError

NAME = "platform"
_WHY = "Meetings wait for their rooms until it can be used; none is declined."


def platform_check(
    entry: Integration, platform: Platform, explain: Explain, needs: tuple[str, ...], *, alone: bool
) -> Check:
    """Make the check of one integration's platform. `alone`: it is our own database and nothing else."""
    about = About(NAME, entry.name)

    async def look() -> list[Finding]:
        try:
            await platform.check()
        except PlatformUnavailableError as error:
            told = explain.platform(error)
            if error.after is not None:
                return [about.unknown(told.what, told.mend)]
            return [about.wrong(told.what, _WHY, told.mend)]
        except PlatformError as error:
            told = explain.platform(error)
            return [about.wrong(told.what, _WHY, told.mend)]
        except StorageError:  # platforms look at the database last, which has a check of its own
            if alone:
                return [
                    about.unknown("Rooms are in the database, which cannot be used.", "See the check of the database.")
                ]
        if alone:
            return [about.well("Rooms are in Greenroom's own database.")]
        return [about.well("It takes our credential, and has what the settings name.")]

    return Check(NAME, entry.name, look, timedelta(seconds=9), needs=needs)
