"""Bodies of events as clients of Graph write them."""

from typing import Any

BERLIN = "W. Europe Standard Time"


def at(text: str, zone: str = "UTC") -> dict[str, str]:
    """A dateTimeTimeZone of December 2026: at("02T09:00")."""
    return {"dateTime": f"2026-12-{text}:00", "timeZone": zone}


def people(*addresses: str, role: str = "required") -> list[dict[str, Any]]:
    return [{"emailAddress": {"address": one}, "type": role} for one in addresses]


def event(*addresses: str, **more: Any) -> dict[str, Any]:
    """An event of one hour on 2 December, with these attendees."""
    return {
        "subject": "Plan",
        "body": {"contentType": "html", "content": "<p>Agenda</p>"},
        "start": at("02T09:00"),
        "end": at("02T10:00"),
        "attendees": people(*addresses),
        **more,
    }


def weekly(**span: Any) -> dict[str, Any]:
    """Every Wednesday from 2 December on; five times unless told otherwise."""
    return {
        "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["wednesday"]},
        "range": {"type": "numbered", "startDate": "2026-12-02", "numberOfOccurrences": 5, **span},
    }
