"""The domain: what a meeting, a ticket, an alias, a room and a reply are, and what follows from what.

Values and pure functions. Nothing here reads a clock, a network or a database, nothing is imported from the other rooms of the
house, and the only files read are text templates: the packaged ones beside the code and those of the administrator's folder.
"""

from greenroom.meetings.alias import Alias, AliasPlan, join_id, pin
from greenroom.meetings.instructions import instructions_block, replace_block, with_instructions, with_location
from greenroom.meetings.meeting import (
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
from greenroom.meetings.reply import Outcome
from greenroom.meetings.room import AdmissionWindow, RoomSpec
from greenroom.meetings.templates import TemplateError, TextProblem, Texts
from greenroom.meetings.text_table import TEXTS, TextKind, Variable
from greenroom.meetings.ticket import KeyRing, Ticket, TicketFault
from greenroom.meetings.ticket_finder import find_tickets

__all__ = [
    "TEXTS",
    "AdmissionWindow",
    "Alias",
    "AliasPlan",
    "Glance",
    "InstructionsState",
    "ItemRef",
    "JournalEntry",
    "KeyRing",
    "Kind",
    "MeetingKey",
    "Observation",
    "Outcome",
    "Person",
    "Record",
    "Response",
    "RoomSpec",
    "Sensitivity",
    "Span",
    "State",
    "TemplateError",
    "TextKind",
    "TextProblem",
    "Texts",
    "Ticket",
    "TicketFault",
    "Variable",
    "find_tickets",
    "fingerprint",
    "instructions_block",
    "join_id",
    "pin",
    "replace_block",
    "with_instructions",
    "with_location",
]
