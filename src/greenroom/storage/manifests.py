"""Which manifest of the add-in was written last for each integration and profile: what it said, as a digest, and its version."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from greenroom.storage.schema import addin_manifests
from greenroom.storage.session import Session
from greenroom.storage.sql import insert


@dataclass(frozen=True, slots=True)
class StoredManifest:
    """The latest manifest of a profile. `digest` changes with all that it says but `version`."""

    integration: int
    profile: str
    digest: str
    version: str
    made_at: datetime


class Manifests:
    """Manifests by integration and profile; the text itself is written anew whenever it is asked for."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(self, integration: int, profile: str) -> StoredManifest | None:
        """Return the latest one; None if there was none, or the database was lost."""
        rows = await self._session.execute(sa.select(addin_manifests).where(_is(integration, profile)))
        row = rows.one_or_none()
        return (
            None if row is None else StoredManifest(row.integration, row.profile, row.digest, row.version, row.made_at)
        )

    async def put(self, manifest: StoredManifest, instead_of: StoredManifest | None) -> bool:
        """Remember a manifest in the place of the one that was read before (None: there was none).

        False if another process was faster, and nothing is changed then: read again.
        """
        values = {"digest": manifest.digest, "version": manifest.version, "made_at": manifest.made_at}
        if instead_of is None:
            first = insert(self._session, addin_manifests).values(
                integration=manifest.integration, profile=manifest.profile, **values
            )
            statement: sa.Executable = first.on_conflict_do_nothing().returning(addin_manifests.c.version)
        else:
            same = (addin_manifests.c.version == instead_of.version) & (addin_manifests.c.digest == instead_of.digest)
            statement = (
                sa.update(addin_manifests)
                .where(_is(manifest.integration, manifest.profile) & same)
                .values(values)
                .returning(addin_manifests.c.version)
            )
        return (await self._session.execute(statement)).one_or_none() is not None


def _is(integration: int, profile: str) -> sa.ColumnElement[bool]:
    return (addin_manifests.c.integration == integration) & (addin_manifests.c.profile == profile)
