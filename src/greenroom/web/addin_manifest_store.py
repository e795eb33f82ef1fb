"""Manifests with the versions that were given to them: the version rises when, and only when, what a manifest says has changed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from greenroom.addin.manifest import (
    ManifestSettings,
    Profile,
    digest_of,
    next_version,
    parse_version,
    write_manifest,
)
from greenroom.settings import Settings
from greenroom.storage import Storage, StorageError
from greenroom.storage.manifests import StoredManifest
from greenroom.web.addin_manifest import ManifestsUnavailableError, WrittenManifest
from greenroom.web.addin_manifest_settings import manifest_settings

_TRIES = 10


class VersionNotRisenError(Exception):
    """The version that was asked for is not higher than the one before, `before`, which said something else."""

    def __init__(self, before: str) -> None:
        super().__init__(before)
        self.before = before


@dataclass(frozen=True, slots=True)
class Versioned:
    """A manifest, its version, and the version before if this one was given to it just now; both are "" for "none"."""

    version: str
    content: bytes = field(repr=False)
    risen: bool = False
    before: str = ""


class StoredManifests:
    """Writes the manifests of all integrations that have an add-in. `words` are the add-in's texts by integration number."""

    def __init__(
        self,
        settings: Settings,
        words: Mapping[int, Mapping[str, Mapping[str, str]]],
        storage: Storage,
        clock: Callable[[], datetime],
    ) -> None:
        """Raises WordingError if a text is missing that every manifest needs."""
        self._storage = storage
        self._clock = clock
        self._known = {
            (entry.number, profile.value): (
                entry.name,
                manifest_settings(settings, entry, profile, words[entry.number]),
            )
            for entry in settings.integration
            if entry.addin is not None
            for profile in Profile
        }
        self._digests = {which: digest_of(known) for which, (_, known) in self._known.items()}

    async def manifest(self, integration: int, profile: str) -> WrittenManifest | None:
        """See `ManifestWriter`."""
        which = (integration, profile)
        if which not in self._known:
            return None
        name, known = self._known[which]
        try:
            made = await versioned(self._storage, known, self._clock(), digest=self._digests[which])
        except StorageError as error:
            raise ManifestsUnavailableError(type(error).__name__) from error
        return WrittenManifest(filename_of(name, profile), made.version, made.content)


def filename_of(integration: str, profile: str) -> str:
    """Name the file of a manifest; integrations' names have only letters, digits and hyphens."""
    return f"greenroom-{integration}-{profile}.xml"


async def versioned(
    storage: Storage,
    settings: ManifestSettings,
    now: datetime,
    *,
    digest: str = "",
    wanted: str = "",
    force: bool = False,
) -> Versioned:
    """Write a manifest with the version it has, or the next one if it says anything else than the last time.

    `wanted` asks for a version. Raises VersionNotRisenError if it is no higher than the one before, unless `force`; StorageError.
    Two processes may do this at once: one of them gives the version, and both write it.
    """
    digest = digest or digest_of(settings)
    number, profile = settings.integration, settings.profile.value
    for _ in range(_TRIES):
        async with storage.reading() as work:
            known = await work.manifests.get(number, profile)
        if known is not None and known.digest == digest and wanted in {"", known.version}:
            return Versioned(known.version, write_manifest(settings, known.version))
        before = "" if known is None else known.version
        if wanted and not force and before and (parse_version(wanted) or ()) <= (parse_version(before) or ()):
            raise VersionNotRisenError(before)
        version = wanted or next_version(now, before)
        async with storage.work() as work:
            made = StoredManifest(number, profile, digest, version, now)
            if await work.manifests.put(made, known):
                return Versioned(version, write_manifest(settings, version), risen=True, before=before)
    raise ManifestsUnavailableError("others were always faster")
