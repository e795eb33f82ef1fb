"""How the ticket keys of an integration stand, for the commands that show or change them."""

from datetime import datetime, timedelta

from greenroom.scheduler.key_standings import KeyStanding, key_standings
from greenroom.settings import Integration
from greenroom.storage import Work


async def standings_of(work: Work, entry: Integration, now: datetime) -> list[KeyStanding]:
    """Return how every key of an integration stands, the current one first."""
    return await key_standings(
        work,
        entry.number,
        [key.id for key in entry.ticket_keys],
        now,
        after=timedelta(minutes=entry.meetings.after),
        promises=promises_of(entry),
    )


def promises_of(entry: Integration) -> timedelta:
    """For how long an add-in may use what was signed for it and is not stored; nothing where there is no add-in."""
    return timedelta() if entry.addin is None else timedelta(days=entry.addin.keep_days)
