"""Single values that belong to the whole installation, by name."""

import sqlalchemy as sa

from greenroom.storage.schema import facts
from greenroom.storage.session import Session
from greenroom.storage.sql import insert

INSTALLATION = "installation"
"""A random id of this database: two installations with the same configuration differ in it."""

WATCHES = "watch:"
"""So begin the names of what is known of the marks on mailboxes; it is true of one database only, never of a copy."""


class Facts:
    """Named values."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(self, name: str) -> str | None:
        """Return a value; None where it was never set."""
        found = await self._session.execute(sa.select(facts.c.value).where(facts.c.name == name))
        value = found.scalar_one_or_none()
        return None if value is None else str(value)

    async def beginning(self, prefix: str) -> dict[str, str]:
        """Return all values whose names begin like this, by the rest of the name."""
        mine = sa.select(facts).where(facts.c.name.startswith(prefix, autoescape=True)).order_by(facts.c.name)
        return {str(row.name)[len(prefix) :]: str(row.value) for row in await self._session.execute(mine)}

    async def put(self, name: str, value: str) -> None:
        """Set a value."""
        statement = insert(self._session, facts).values(name=name, value=value)
        await self._session.execute(
            statement.on_conflict_do_update(index_elements=[facts.c.name], set_={"value": value})
        )

    async def put_first(self, name: str, value: str) -> str:
        """Set a value unless there is one, and return the one there is: of several processes all get the same."""
        statement = insert(self._session, facts).values(name=name, value=value)
        await self._session.execute(statement.on_conflict_do_nothing(index_elements=[facts.c.name]))
        kept = await self.get(name)
        return value if kept is None else kept

    async def forget(self, name: str) -> None:
        """Forget a value."""
        await self._session.execute(sa.delete(facts).where(facts.c.name == name))

    async def drop(self, prefix: str) -> None:
        """Forget all values whose names begin like this."""
        await self._session.execute(sa.delete(facts).where(facts.c.name.startswith(prefix, autoescape=True)))
