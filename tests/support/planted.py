"""Words that tests put where people put theirs. No log, error text or console line may ever show one.

`tests/conftest.py` fails every test whose captured output has one of them. A message here never repeats what it found.
"""

from typing import Final

SUBJECT: Final = "Quittenbrot zur Kastanienzeit"
TEXT: Final = "Zimtschnecken stehen im Nebenraum"
NAME: Final = "Wendelin Apfelkern"
LOCATION: Final = "Dachboden hinter der Lauchkammer"
PASSWORD: Final = "Kirschkernkissen-Weitwurf-1871"
CLIENT_SECRET: Final = "Pflaumenmus~Sonntagsglas-1904"

MARKERS: Final = {
    "a subject": SUBJECT,
    "a body": TEXT,
    "a name": NAME,
    "a location": LOCATION,
    "a password": PASSWORD,
    "a client secret": CLIENT_SECRET,
}


def found_in(text: str) -> list[str]:
    """What of all this a text shows, in words that do not show it again."""
    return [what for what, marker in MARKERS.items() if marker in text]
