"""From the configuration to what the join page shows of it."""

from collections.abc import Mapping

from greenroom.meetings.dialling import WaysToJoin
from greenroom.settings import Settings
from greenroom.settings.ways import ways_of


def places_of(settings: Settings) -> Mapping[int, WaysToJoin]:
    """Return how the rooms of every integration are entered, by its number."""
    return {integration.number: ways_of(integration) for integration in settings.integration}
