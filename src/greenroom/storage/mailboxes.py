"""Where we are with each equipment mailbox."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from greenroom.storage.schema import mailboxes
from greenroom.storage.session import Session
from greenroom.storage.sql import insert
from greenroom.storage.values import MailboxState


class Mailboxes:
    """Cursor, last passes, line of replies and claim of every mailbox, by address (lower case)."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(self, address: str) -> MailboxState:
        """Return what is known of a mailbox; of one that was never attended, the beginning."""
        row = (await self._session.execute(sa.select(mailboxes).where(mailboxes.c.address == address))).one_or_none()
        return MailboxState(address) if row is None else _state(row)

    async def all(self) -> list[MailboxState]:
        """Return every mailbox that was ever attended, by address."""
        rows = await self._session.execute(sa.select(mailboxes).order_by(mailboxes.c.address))
        return [_state(row) for row in rows]

    async def save_cursor(self, address: str, cursor: str) -> None:
        """Store the place in the feed up to which everything has been handled."""
        await self._set(address, cursor=cursor)

    async def note_pass(self, address: str, at: datetime, failure: str | None) -> None:
        """Store when a pass ended, and the code of what kept it from success (None: it succeeded)."""
        if failure is None:
            await self._set(address, last_pass_at=at, last_success_at=at, failure=None)
        else:
            await self._set(address, last_pass_at=at, failure=failure)

    async def note_line(self, address: str, waiting: int, ends_at: datetime | None) -> None:
        """Store how many replies stand in line, and when the last one is expected to go out (None: nobody waits)."""
        await self._set(address, waiting_replies=waiting, replies_end_at=ends_at)

    async def note_reconciled(self, address: str, at: datetime) -> None:
        """Store when the whole calendar was last compared with what is remembered."""
        await self._set(address, reconciled_at=at)

    async def note_credential(self, address: str, expires_at: datetime | None) -> None:
        """Store when the secret or certificate that signs in runs out (None: that is not known)."""
        await self._set(address, credential_expires_at=expires_at)

    async def note_backlog(self, address: str, total: int | None, done: int | None, since: datetime | None) -> None:
        """Store how far catching up got; None three times: nothing is left."""
        await self._set(address, backlog_total=total, backlog_done=done, backlog_since=since)

    async def note_drift(self, address: str, at: datetime) -> None:
        """Store when calendar, database and platform were last held against each other."""
        await self._set(address, drift_at=at)

    async def want(self, address: str, by: str, now: datetime, until: datetime) -> str | None:
        """Ask whoever attends the mailbox to lend it to `by`; returns who else asked before and still waits, or None."""
        state = await self.get(address)
        if state.wanted_by not in (None, by) and state.wanted_until is not None and state.wanted_until > now:
            return state.wanted_by
        await self._set(address, wanted_by=by, wanted_until=until)
        return None

    async def unwant(self, address: str, by: str) -> None:
        """Take one's own wish back."""
        mine = (mailboxes.c.address == address) & (mailboxes.c.wanted_by == by)
        await self._session.execute(sa.update(mailboxes).where(mine).values(wanted_by=None, wanted_until=None))

    async def claim(self, address: str, owner: str, now: datetime, until: datetime) -> bool:
        """Take the mailbox until `until`, or prolong one's own claim; False while another owner's claim lasts."""
        statement = insert(self._session, mailboxes).values(
            address=address, cursor="", claimed_by=owner, claimed_until=until
        )
        statement = statement.on_conflict_do_update(
            index_elements=[mailboxes.c.address],
            set_={"claimed_by": owner, "claimed_until": until},
            where=mailboxes.c.claimed_by.is_(None)
            | (mailboxes.c.claimed_by == owner)
            | (mailboxes.c.claimed_until <= now),
        )
        taken = await self._session.execute(statement.returning(mailboxes.c.address))
        return taken.one_or_none() is not None

    async def release(self, address: str, owner: str) -> None:
        """Give up a claim; nothing happens if it is not this owner's."""
        mine = (mailboxes.c.address == address) & (mailboxes.c.claimed_by == owner)
        await self._session.execute(sa.update(mailboxes).where(mine).values(claimed_by=None, claimed_until=None))

    async def _set(self, address: str, **values: Any) -> None:
        statement = insert(self._session, mailboxes).values(**{"address": address, "cursor": "", **values})
        await self._session.execute(statement.on_conflict_do_update(index_elements=[mailboxes.c.address], set_=values))


def _state(row: sa.Row[Any]) -> MailboxState:
    return MailboxState(
        row.address,
        row.cursor,
        row.last_pass_at,
        row.last_success_at,
        row.failure,
        row.claimed_by,
        row.claimed_until,
        row.waiting_replies,
        row.replies_end_at,
        row.credential_expires_at,
        row.reconciled_at,
        row.wanted_by,
        row.wanted_until,
        row.backlog_total,
        row.backlog_done,
        row.backlog_since,
        row.drift_at,
    )
