"""What is in a backup, in words."""

from greenroom.storage.backup_format import Manifest

TABLES = {
    "": "Bringing everything up to date",
    "addin_manifests": "The add-in",
    "addin_refusals": "The add-in",
    "alarms": "Alarms",
    "counters": "Facts",
    "drifts": "Drift",
    "facts": "Facts",
    "journal": "The journal",
    "mailboxes": "Mailboxes",
    "meetings": "Meetings",
    "organizer_routes": "Organizers",
    "reservations": "Reservations",
    "rooms": "Rooms",
}
_TOLD = {"meetings": "meeting", "rooms": "room", "reservations": "reservation"}
_UNIT = 1000


def rows_and_size(manifest: Manifest, size: int) -> str:
    """Say how much is in it: the tables that people know, all rows, and the size of the file."""
    rows = {entry.name: entry.rows for entry in manifest.tables}
    told = [f"{rows.get(name, 0):,} {word}{'' if rows.get(name) == 1 else 's'}" for name, word in _TOLD.items()]
    return f"{', '.join(told)}; {manifest.rows:,} rows in all, {_in_words(size)}"


def _in_words(size: int) -> str:
    found = float(size)
    for unit in ("bytes", "kB", "MB"):
        if found < _UNIT:
            return f"{found:.0f} {unit}" if unit == "bytes" else f"{found:.1f} {unit}"
        found /= _UNIT
    return f"{found:.1f} GB"
