"""The organizer's time zone as a page can show it."""

from datetime import UTC, tzinfo

from greenroom.meetings.zones import Zone, find


def find_zone(zone: Zone) -> tzinfo | None:
    """Return the zone of any name a calendar gives; None for UTC itself, which is shown anyway, and for one nobody knows."""
    found = find(zone)
    return None if found is UTC else found
