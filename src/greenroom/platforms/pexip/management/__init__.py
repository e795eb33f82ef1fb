"""The client of Pexip Infinity's management API: conferences and aliases of a Management Node in typed values.

What is sent and what an answer means is decided without I/O (`call`, `paging`, `answers`, `fields`, `values`, `assertion`);
`transport` is the thin shell that sends it in the turn which the node's `budget` gives. All that comes back is hostile.
"""

from greenroom.platforms.pexip.management.api import MOST_AT_ONCE, ManagementApi, Named
from greenroom.platforms.pexip.management.budget import RequestBudget
from greenroom.platforms.pexip.management.errors import (
    CodedUnavailableError,
    ConferenceGoneError,
    FieldsRefusedError,
    GarbledAnswerError,
    NameTakenError,
    OutcomeUnknownError,
)
from greenroom.platforms.pexip.management.fields import ALIAS_FIELDS, CONFERENCE_FIELDS, FieldError, FieldErrors
from greenroom.platforms.pexip.management.limits import NodeLimits
from greenroom.platforms.pexip.management.settings import Basic, Credential, ManagementSettings, OAuth2
from greenroom.platforms.pexip.management.values import Conference, ConferenceAlias, Running

__all__ = [
    "ALIAS_FIELDS",
    "CONFERENCE_FIELDS",
    "MOST_AT_ONCE",
    "Basic",
    "CodedUnavailableError",
    "Conference",
    "ConferenceAlias",
    "ConferenceGoneError",
    "Credential",
    "FieldError",
    "FieldErrors",
    "FieldsRefusedError",
    "GarbledAnswerError",
    "ManagementApi",
    "ManagementSettings",
    "NameTakenError",
    "Named",
    "NodeLimits",
    "OAuth2",
    "OutcomeUnknownError",
    "RequestBudget",
    "Running",
]
