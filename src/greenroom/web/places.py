"""From the configuration to what the join page shows of it."""

from collections.abc import Mapping

from greenroom.settings import Settings
from greenroom.web.contract import Place


def places_of(settings: Settings) -> Mapping[int, Place]:
    """Return the place of every integration, by its number."""
    return {
        integration.number: Place(
            meeting_url=integration.platform.meeting_url,
            dial=tuple((dial.label, dial.pattern) for dial in integration.platform.dial),
            phone=integration.platform.phone,
        )
        for integration in settings.integration
    }
