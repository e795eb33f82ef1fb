"""Into whose calendars Greenroom may write: those who booked lately, those who are named, and what it costs where it may not."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from greenroom.doctor.contract import Check, Explain, Finding, Side
from greenroom.doctor.database import is_prepared
from greenroom.doctor.exchange import RIGHTS, SIGN_IN, subject_of
from greenroom.doctor.findings import About, count
from greenroom.doctor.remedies import grant_script, is_online, quoted
from greenroom.exchange.contract import Access, OrganizerCalendars, Permitted
from greenroom.exchange.errors import ExchangeError
from greenroom.settings import EwsExchange, GraphExchange, Integration
from greenroom.storage import Storage, StorageError

NAME: Final = "mailbox-organizers"
SCOPE: Final = "mailbox-rights"
COST: Final = (
    "Joining instructions travel in the reply there: the organizer reads them, other attendees do not see them."
)
_LATELY: Final = timedelta(days=30)
_MOST: Final = 5
_LOOKED_THROUGH: Final = 200

Sides = Mapping[Side, OrganizerCalendars]
_Told = dict[str, tuple[Side, Permitted]]


def organizers_check(
    entry: Integration,
    sides: Sides,
    storage: Storage | None,
    explain: Explain,
    clock: Callable[[], datetime],
    *,
    named: Sequence[str] = (),
) -> Check:
    """Make the check of organizers' calendars; `named` are looked at besides those who booked lately."""

    async def look() -> list[Finding]:
        about = About(NAME, entry.name)
        if not writes(entry):
            what = "As configured, nothing is written into organizers' own meetings."
            return [about.note(what, COST, _unwanted(entry))]
        try:
            known = await _booked_lately(entry, storage, clock())
            others = [one for one in known if one not in named]
            told = await asyncio.gather(*(may_act_for(sides, one) for one in (*named, *others)))
        except StorageError as error:
            return [about.unknown(f"Who booked lately cannot be read ({type(error).__name__}).")]
        except ExchangeError as error:
            words = explain.exchange(error, entry, "exchange")
            return [about.unknown(words.what, words.mend)]
        answers = dict(zip((*named, *others), told, strict=True))
        return [
            *(_of_one(one, *answers[one], entry) for one in named),
            *_of_many({one: answers[one] for one in others}, entry, about, alone=not named),
        ]

    return Check(NAME, entry.name, look, timedelta(seconds=9), needs=(SIGN_IN, RIGHTS))


def scope_check(entry: Integration) -> Check:
    """Make the check that says how to see what cannot be seen from outside: for whom else a right holds."""

    async def look() -> list[Finding]:
        about = About(SCOPE, entry.mailbox)
        if not isinstance(entry.exchange, GraphExchange) and not entry.exchange.impersonate:
            return []
        what = "Whether the right reaches further than it has to cannot be seen from outside."
        why = "Whoever has the credential could open every mailbox that it reaches."
        if isinstance(entry.exchange, GraphExchange):
            who = quoted(entry.exchange.client_id or "")
            look_at = f"Test-ServicePrincipalAuthorization -Identity {who} -Resource 'somebody outside of the group'"
            mend = f"{look_at}: InScope has to be False. In Entra the application must have no Calendars permission of its own."
        else:
            mend = "Get-ManagementRoleAssignment -Role ApplicationImpersonation: CustomRecipientWriteScope must not be empty."
        return [about.note(what, why, mend)]

    return Check(SCOPE, entry.mailbox, look)


def sides_of(mailbox: OrganizerCalendars, elsewhere: OrganizerCalendars | None) -> Sides:
    """Name the Exchanges of an integration."""
    return {"exchange": mailbox} if elsewhere is None else {"exchange": mailbox, "organizers": elsewhere}


def writes(entry: Integration) -> bool:
    """Whether organizers' meetings are to be changed at all, on either side."""
    if entry.organizers is not None:
        return True
    exchange = entry.exchange
    return exchange.impersonate if isinstance(exchange, EwsExchange) else exchange.update_organizers


async def may_act_for(sides: Sides, person: str) -> tuple[Side, Permitted]:
    """Ask on the integration's own side, then on the other; the first yes counts, else the first answer that knows the person."""
    told = [(side, await there.may_act_for(person)) for side, there in sides.items()]
    allowed = next((one for one in told if one[1].access is Access.YES), None)
    refused = next((one for one in told if one[1].access is Access.NO), None)
    return allowed or refused or told[0]


async def _booked_lately(entry: Integration, storage: Storage | None, now: datetime) -> list[str]:
    if storage is None or not await is_prepared(storage):
        return []
    async with storage.reading() as work:
        records = await work.meetings.search(integration=entry.number, since=now - _LATELY, limit=_LOOKED_THROUGH)
    newest = sorted(records, key=lambda record: record.created_at, reverse=True)
    people = (record.organizer for record in newest if "@" in record.organizer and record.organizer != entry.mailbox)
    return list(dict.fromkeys(people))[:_MOST]


def _of_one(person: str, side: Side, told: Permitted, entry: Integration) -> Finding:
    about = About(NAME, person)
    if told.access is Access.YES:
        return about.well(f"Greenroom may write into this calendar ({subject_of(entry, side)}).")
    if told.access is Access.NO:
        return about.note(f"Greenroom may not write into this calendar ({told.code}).", COST, grant_script(entry, side))
    here = "Exchange knows nobody" if told.access is Access.NOT_FOUND else "The mailbox is on another Exchange than"
    return about.note(f"{here} {'of this address' if told.access is Access.NOT_FOUND else 'ours'} ({told.code}).", COST)


def _of_many(told: _Told, entry: Integration, about: About, *, alone: bool) -> list[Finding]:
    if not told and not alone:
        return []
    if not told:
        return [
            about.unknown("Nobody has booked lately whose calendar could be tried.", "Name one: --organizer ADDRESS")
        ]
    refused = {who: one for who, one in told.items() if one[1].access is Access.NO}
    away = [who for who, one in told.items() if one[1].access in (Access.ELSEWHERE, Access.NOT_FOUND)]
    may = len(told) - len(refused) - len(away)
    of_them = f"{may} of {count(len(told), 'organizer')} who booked last"
    beside = f"; elsewhere: {', '.join(away)}" if away else ""
    if not refused:
        return [about.well(f"Greenroom may write into the calendars of {of_them}{beside}.")]
    side, first = next(iter(refused.values()))
    what = f"Greenroom may write into the calendars of {of_them}; not: {', '.join(refused)} ({first.code}){beside}."
    return [about.note(what, COST, grant_script(entry, side))]


def _unwanted(entry: Integration) -> str:
    if is_online(entry) and entry.exchange.protocol == "ews":
        return "Exchange Online lets nobody impersonate; over Graph it can be granted: greenroom setup microsoft-365 --organizers"
    key = "update_organizers" if entry.exchange.protocol == "graph" else "impersonate"
    return f"If that is not wanted: {key} = true in [integration.exchange], and {grant_script(entry)}"
