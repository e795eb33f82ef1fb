"""Addresses of what settings name: the theme and the identity provider groups."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final, Literal

from greenroom.platforms.errors import PlatformMisconfiguredError
from greenroom.platforms.pexip.payload import LINKS
from greenroom.platforms.pexip.ports import Management
from greenroom.platforms.pexip.style import RoomStyle

_KEPT = timedelta(minutes=10)
_WHAT: Final[dict[str, tuple[Literal["ivr_theme", "identity_provider_group"], str]]] = {
    "theme": ("ivr_theme", "theme"),
    "host_identity_provider_group": ("identity_provider_group", "identity provider group"),
    "guest_identity_provider_group": ("identity_provider_group", "identity provider group"),
}


class Links:
    """Asks for each name once, and again after a while or when `forget` says that something has changed there."""

    def __init__(self, management: Management, style: RoomStyle, clock: Callable[[], datetime]) -> None:
        self._management = management
        self._style = style
        self._clock = clock
        self._known: Mapping[str, str] | None = None
        self._until: datetime | None = None

    async def all(self) -> Mapping[str, str]:
        """Return the address for each field a style fills. Raises PlatformMisconfiguredError where a name leads nowhere."""
        now = self._clock()
        if self._known is None or self._until is None or now >= self._until:
            found: dict[str, str] = {}
            for attribute, field in LINKS.items():
                name = getattr(self._style, attribute)
                if name is not None:
                    found[field] = await self._find(attribute, name)
            self._known, self._until = found, now + _KEPT
        return self._known

    def forget(self) -> None:
        """Ask again next time."""
        self._known = None

    async def _find(self, attribute: str, name: str) -> str:
        resource, what = _WHAT[attribute]
        uri = await self._management.resource_uri_by_name(resource, name)
        if uri is None:
            hint = f"[integration.pexip.rooms] {attribute} must be the name of a {what} as the Management Node shows it"
            raise PlatformMisconfiguredError(f"no-such-{what.replace(' ', '-')}", hint=hint)
        return uri
