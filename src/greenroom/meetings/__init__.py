"""The domain: what a meeting, a ticket, an alias, a room and a reply are, and what follows from what.

Values and pure functions. Nothing here reads a clock, a network or a database, nothing is imported from the other rooms of the
house, and the only files read are text templates: the packaged ones beside the code and those of the administrator's folder.
"""

from greenroom.meetings.admission import Admission, AdmissionWindow, Once
from greenroom.meetings.alias import Alias, AliasPlan, join_id, pin
from greenroom.meetings.instructions import (
    instructions_block,
    replace_block,
    text_block,
    with_instructions,
    with_location,
)
from greenroom.meetings.meeting import (
    Changed,
    Glance,
    ItemRef,
    Kind,
    MeetingKey,
    Observation,
    Person,
    Response,
    Sensitivity,
    Span,
    fingerprint,
)
from greenroom.meetings.record import InstructionsState, JournalEntry, Record, State
from greenroom.meetings.recurrence import Moved, Occurrence, Occurrences, Series
from greenroom.meetings.reply import Outcome
from greenroom.meetings.room import RoomSpec
from greenroom.meetings.templates import TemplateError, TextProblem, Texts
from greenroom.meetings.text_table import TEXTS, TextKind, Variable
from greenroom.meetings.ticket import KeyRing, Ticket, TicketFault
from greenroom.meetings.ticket_finder import find_tickets
from greenroom.meetings.zones import Zone

__all__ = [
    "TEXTS",
    "Admission",
    "AdmissionWindow",
    "Alias",
    "AliasPlan",
    "Changed",
    "Glance",
    "InstructionsState",
    "ItemRef",
    "JournalEntry",
    "KeyRing",
    "Kind",
    "MeetingKey",
    "Moved",
    "Observation",
    "Occurrence",
    "Occurrences",
    "Once",
    "Outcome",
    "Person",
    "Record",
    "Response",
    "RoomSpec",
    "Sensitivity",
    "Series",
    "Span",
    "State",
    "TemplateError",
    "TextKind",
    "TextProblem",
    "Texts",
    "Ticket",
    "TicketFault",
    "Variable",
    "Zone",
    "find_tickets",
    "fingerprint",
    "instructions_block",
    "join_id",
    "pin",
    "replace_block",
    "text_block",
    "with_instructions",
    "with_location",
]
