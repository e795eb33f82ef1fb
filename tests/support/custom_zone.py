"""A time zone of somebody's own, which no table of names holds: only its definition says what its clocks do.

Half an hour off all whole ones, with a summer time of its own days: the second Saturday of April and the third of September.
"""

from datetime import timedelta

NAME = "Bridge of the Evening Star"
STANDARD, SUMMER = timedelta(hours=1, minutes=30), timedelta(hours=2, minutes=30)
VTIMEZONE = "\n".join((
    "BEGIN:VTIMEZONE",
    f"TZID:{NAME}",
    "BEGIN:STANDARD",
    "DTSTART:16010101T010000",
    "TZOFFSETFROM:+0230",
    "TZOFFSETTO:+0130",
    "RRULE:FREQ=YEARLY;BYDAY=3SA;BYMONTH=9",
    "END:STANDARD",
    "BEGIN:DAYLIGHT",
    "DTSTART:16010101T230000",
    "TZOFFSETFROM:+0130",
    "TZOFFSETTO:+0230",
    "RRULE:FREQ=YEARLY;BYDAY=2SA;BYMONTH=4",
    "END:DAYLIGHT",
    "END:VTIMEZONE",
))  # fmt: skip
"""The component; the changes of 2027 are on 10 April (23:00 becomes 24:00) and 18 September (01:00 becomes 00:00)."""
