"""Comparing everything the mailbox shows with everything that is remembered.

The feed tells what changes, but not all of it everywhere: Graph never says what left the calendar, and notifications get lost.
So from time to time the whole calendar is listed, without bodies, and held against the records. Only what differs comes out, in
the same form in which the feed tells changes; `observe` then reads it, and searches what seems gone before it believes that.

Nothing is remembered of a comparison. Looking once at what it names makes the next one empty.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

import structlog

from greenroom.exchange.contract import Changes
from greenroom.meetings.decision import last_end
from greenroom.meetings.meeting import Glance, Kind, MeetingKey, Response
from greenroom.meetings.reasons import Reason
from greenroom.meetings.record import State
from greenroom.scheduler.integration import Integration
from greenroom.storage import Standing, Storage

log = structlog.get_logger(__name__)

_MARGIN = timedelta(days=1)
"""All-day meetings end at somebody's midnight, and clocks differ."""
_HOURS = 24
RENEW_WITHIN = timedelta(days=30)
"""So long before a credential runs out its end is worth a warning."""


async def compare(integration: Integration, storage: Storage, now: datetime, *, doubtful: bool = False) -> Changes:
    """Return what the calendar and the records disagree about, as changes to be looked at: glances, and ids of items gone.

    With `doubtful` also, once a day each, the series whose single occurrences the list does not show.
    `cursor` is empty and means nothing: the feed goes on where it was. `more` is false; `slices` cuts what is large. Raises
    ExchangeError when the calendar cannot be listed as a whole: then nothing is said about any meeting.
    """
    await note_credential(integration, storage, now)
    found = await differing(integration, storage, now, doubtful=doubtful)
    if found.glances or found.gone:
        address = integration.mailbox.address
        log.info("calendar differs", mailbox=address, items=len(found.glances), gone=len(found.gone))
    return found


async def differing(integration: Integration, storage: Storage, now: datetime, *, doubtful: bool = False) -> Changes:
    """Return the same as `compare`, and change nothing. Raises ExchangeError when the calendar cannot be listed as a whole."""
    shown = _Shown(await integration.mailbox.inventory(now - integration.policy.after - _MARGIN))
    news: list[Glance] = []
    gone: dict[str, None] = {}
    async with storage.reading() as work:
        async for standing in work.meetings.living(integration.number):
            glances = shown.take(standing)
            news += _living_differs(standing, glances, now, doubtful=doubtful)
            if not glances and not shown.mentions(standing) and not _is_over(standing, now):
                gone[standing.ref.id] = None
        async for standing in work.meetings.standings(integration.number, keys=shown.keys(), items=shown.items()):
            news += _closed_differs(standing, shown.take(standing), now)
    news += shown.rest()
    return Changes(tuple(news), tuple(gone), "", more=False)


def slices(changes: Changes, limit: int) -> Iterator[Changes]:
    """Cut changes into slices of at most `limit` meetings each; `more` is true for all but the last. None for no changes."""
    entries: list[Glance | str] = [*changes.glances, *changes.gone]
    for start in range(0, len(entries), limit):
        piece = entries[start : start + limit]
        yield Changes(
            glances=tuple(entry for entry in piece if isinstance(entry, Glance)),
            gone=tuple(entry for entry in piece if isinstance(entry, str)),
            cursor=changes.cursor,
            more=start + limit < len(entries),
        )


async def note_credential(integration: Integration, storage: Storage, now: datetime) -> None:
    """Store when the secret or certificate that signs in runs out, and warn once a day when that is near.

    In a hybrid organisation it is that of the two which runs out first; the warning names its table of the configuration. What
    was warned of today is told by the day of the last comparison, which `Mailboxes.note_reconciled` keeps.
    """
    mailbox = integration.mailbox
    table, expires = "exchange", mailbox.credential_expires_at
    there = None if integration.elsewhere is None else integration.elsewhere.credential_expires_at
    if there is not None and (expires is None or there < expires):
        table, expires = "organizers", there
    async with storage.work() as work:
        before = await work.mailboxes.get(mailbox.address)
        if before.credential_expires_at != expires:
            await work.mailboxes.note_credential(mailbox.address, expires)
    told_today = before.reconciled_at is not None and before.reconciled_at.date() >= now.date()
    news = not told_today or before.credential_expires_at != expires
    if expires is not None and expires - now <= RENEW_WITHIN and news:
        event = "credential has run out" if expires <= now else "credential runs out soon: renew it"
        days = (expires - now).days
        log.warning(event, integration=integration.name, mailbox=mailbox.address, table=table, days=days)


class _Shown:
    """What the mailbox shows, to be taken out piece by piece; what nobody takes is news.

    Messages and meetings that the mailbox itself organizes are no news: the feed of messages loses nothing, and an old request
    must not revive what somebody took out of the calendar.
    """

    def __init__(self, glances: Iterable[Glance]) -> None:
        self._ids: set[str] = set()
        self._messages: set[MeetingKey] = set()
        self._by_key: dict[MeetingKey, list[Glance]] = {}
        self._keyless: dict[str, Glance] = {}
        for glance in glances:
            self._ids.add(glance.ref.id)
            if glance.ref.is_message:
                if glance.key is not None:
                    self._messages.add(glance.key)
            elif glance.response is Response.ORGANIZER:
                continue
            elif glance.key is None:
                self._keyless[glance.ref.id] = glance
            else:
                self._by_key.setdefault(glance.key, []).append(glance)

    def take(self, standing: Standing) -> list[Glance]:
        """Take out what is shown of this meeting."""
        glances = self._by_key.pop(standing.key, [])
        keyless = self._keyless.pop(standing.ref.id, None)
        return glances if keyless is None else [*glances, keyless]

    def mentions(self, standing: Standing) -> bool:
        """Whether the item of this meeting is there, be it nothing that we look at."""
        return standing.ref.id in self._ids or (standing.ref.is_message and standing.key in self._messages)

    def keys(self) -> list[MeetingKey]:
        """Return the keys of what was not taken yet."""
        return list(self._by_key)

    def items(self) -> list[str]:
        """Return the ids of what was not taken yet and shows no key."""
        return list(self._keyless)

    def rest(self) -> list[Glance]:
        """Return what was not taken."""
        return [*(glance for glances in self._by_key.values() for glance in glances), *self._keyless.values()]


def _living_differs(
    standing: Standing, glances: Sequence[Glance], now: datetime, *, doubtful: bool
) -> Sequence[Glance]:
    """Return what is to be looked at of a living meeting: nothing if any of its items is as we left it."""
    if standing.retry_at is not None:
        return ()  # it is looked at again without us
    if standing.state is not State.SCHEDULED:
        return glances
    over = _is_over(standing, now)
    if not over and standing.kind is Kind.SERIES and _may_hide_changes(standing, glances, now, doubtful=doubtful):
        return glances
    fit = [g for g in glances if _is_as_handled(g, standing) and (over or g.response in (None, Response.ACCEPTED))]
    if any(glance.ref.id == standing.ref.id for glance in fit):
        return ()
    return fit or glances


def _may_hide_changes(standing: Standing, glances: Sequence[Glance], now: datetime, *, doubtful: bool) -> bool:
    """Whether a series is worth a look though its list shows nothing new: over Graph no list shows changed occurrences.

    It is when its item has another version than the one we read, and once a day in any case: whether a changed occurrence
    gives its series another version is not written anywhere.
    """
    blind = [glance for glance in glances if glance.fingerprint is None]
    turn = doubtful and int(standing.key.digest[:4], 16) % _HOURS == now.hour
    return any(turn or glance.ref.version != standing.ref.version for glance in blind)


def _closed_differs(standing: Standing, glances: Sequence[Glance], now: datetime) -> Sequence[Glance]:
    """Return what is to be looked at of a meeting that is done with: what was changed since, or came back."""
    if standing.retry_at is not None:
        return ()
    ended = standing.state is State.ENDED
    # What is to come and was taken for over: the clock had run ahead.
    seemed_over = standing.reason in (Reason.OVER, Reason.LONG_OVER)
    came_back = (seemed_over or (ended and standing.reason == Reason.REMOVED)) and not _is_over(standing, now)
    if any(_is_as_handled(glance, standing) for glance in glances) and not came_back:
        return ()
    if ended and standing.reason == Reason.CANCELLED:
        # A cancellation may come as a message alone and leave the item as we accepted it (AutomateProcessing None).
        return [glance for glance in glances if glance.response is not Response.ACCEPTED]
    return glances


def _is_as_handled(glance: Glance, standing: Standing) -> bool:
    """Whether the facts are those we handled, as far as the list shows them."""
    return glance.fingerprint is None or glance.fingerprint == standing.seen


def _is_over(standing: Standing, now: datetime) -> bool:
    end = last_end(standing.kind, standing.span)
    return end is not None and end <= now
