"""Which texts there are, and which variables each may use: the table behind rendering, linting and the documentation."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from greenroom.meetings.reply import ROOM_LATE, Outcome


@dataclass(frozen=True, slots=True)
class Variable:
    """What a template variable holds. An `optional` one may be None, and is None where the caller does not give it.

    The value of a `html` one is rendered HTML of our own and is not escaped; all others are plain text. One with `fields` is a
    list, whose entries have these: `{% for one in phones %}{{ one["number"] }}{% endfor %}`. A list may be empty.
    """

    description: str
    optional: bool = False
    html: bool = False
    fields: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class TextKind:
    """One text: HTML or plain, with a greatest length where the place it goes to has one, and the variables it must use."""

    purpose: str
    html: bool
    variables: Mapping[str, Variable]
    longest: int | None = None
    required: frozenset[str] = frozenset()


_DIAL: Final = {
    "alias": Variable("what an endpoint dials, with domain"),
    "numeric_alias": Variable("what a telephone caller keys in, digits only"),
    "join_url": Variable("the stable join page of this meeting"),
}
_NAMES: Final = {
    "subject": Variable("subject of the meeting; for a private meeting a fixed phrase stands in its place"),
    "organizer_name": Variable("display name of the organizer"),
    "organizer_email": Variable("address of the organizer"),
    "private": Variable("true for a private, personal or confidential meeting"),
}
_TICKET: Final = {"ticket": Variable("the ticket, as it must stand in the invitation")}
_PIN: Final = Variable("the guest PIN, or None where the policy gives none", optional=True)
_TELEPHONES: Final = {
    "phones": Variable(
        "telephone numbers by country",
        optional=True,
        fields={
            "country": "its code, such as DE",
            "name": "what stands before the number: its label, or else the country's code",
            "number": "the number, as people read it",
            "keys": "what is keyed in when asked for, with its #",
            "link": "address that dials the number and keys in the rest",
        },
    ),
    "phone": Variable("telephone number or numbers as one text, as configured, or None", optional=True),
}
_ACCEPT: Final = (
    _DIAL
    | _TELEPHONES
    | {
        "pin": _PIN,
        "host_pin": Variable("the host PIN, for the organizer alone, or None", optional=True),
        "instructions": Variable(
            "joining instructions in HTML where the meeting itself could not be changed", optional=True, html=True
        ),
        "start_time": Variable("start of the meeting or of its first occurrence, written out", optional=True),
        "end_time": Variable("end of the meeting or of its first occurrence, written out", optional=True),
        "ready_in": Variable(
            "in how many seconds the room can be dialled, where it is new and somebody might dial it sooner; else None",
            optional=True,
        ),
    }
)
_OWN_ROOM: Final = {
    "name": Variable("name of the room"),
    "description": Variable("its description, or empty"),
    "alias": Variable(
        "what is dialled: its first alias with a domain, else another one, else a number; empty without any"
    ),
    "numeric_alias": Variable("what a telephone caller keys in, digits only; empty where the room has no such alias"),
    "domain_aliases": Variable("all aliases with a domain: a list of texts"),
    "other_aliases": Variable("all that are neither those nor numbers: a list of texts"),
    "numeric_aliases": Variable("all that are numbers: a list of texts"),
    "web_app_url": Variable("address of the room in a browser, or None", optional=True),
}
_DECLINE: Final = {
    "alias": Variable("the alias the ticket names, where it is known", optional=True),
    "correlation_id": Variable("id by which an administrator finds what happened"),
    "reason": Variable("a short code of the reason", optional=True),
}

_WAYS: Final = _TELEPHONES | {
    "dial": Variable(
        "what else can be dialled",
        optional=True,
        fields={
            "label": "what it is for, such as SIP",
            "value": "what to dial",
            "link": "the same as an address that may be followed, or None",
        },
    ),
}


def _texts() -> dict[str, TextKind]:
    texts = {
        "joining_instructions": TextKind(
            "the block at the end of the invitation",
            html=True,
            variables=_DIAL
            | _TICKET
            | _WAYS
            | {
                "pin": _PIN,
                "web_app_url": Variable(
                    "address of the meeting itself, which does not know when the room is open, or None", optional=True
                ),
                "qr_url": Variable("address of a picture with the join page as a QR code, or None", optional=True),
            },
            required=frozenset({"ticket"}),
        ),
        "placeholder_instructions": TextKind(
            "the block while no room can be given: details follow",
            html=True,
            variables=_TICKET,
            required=frozenset({"ticket"}),
        ),
        "personal_instructions": TextKind(
            "the block of a meeting that takes place in a person's own room",
            html=True,
            variables=_OWN_ROOM
            | _TICKET
            | _WAYS
            | {
                "pin": Variable("the PIN to give away, or None", optional=True),
                "asks_pin": Variable("true where the room asks all for a PIN that is not given away"),
            },
            required=frozenset({"ticket"}),
        ),
        "personal_location": TextKind(
            "what is put in the Location field for such a meeting", html=False, variables=_OWN_ROOM, longest=255
        ),
        "personal_name": TextKind("how a person's own room is offered", html=False, variables=_OWN_ROOM, longest=125),
        "personal_description": TextKind("what is said of it there", html=False, variables=_OWN_ROOM, longest=250),
        "room_name": TextKind("name of the room, seen by its participants", html=False, variables=_NAMES, longest=250),
        "room_description": TextKind("description of the room", html=False, variables=_NAMES, longest=250),
        "room_subject": TextKind(
            "title by which lists and logs of administrators show it", html=False, variables=_NAMES, longest=255
        ),
        "alias_description": TextKind("description of each alias", html=False, variables=_NAMES, longest=250),
        "location": TextKind("what is put in the Location field", html=False, variables=_DIAL, longest=255),
    }
    texts[ROOM_LATE] = TextKind(
        "what an organizer is told while the room is late and the start is near",
        html=True,
        variables={"correlation_id": _DECLINE["correlation_id"]},
    )
    for outcome in Outcome:
        variables = _ACCEPT if outcome.accepts else _DECLINE
        texts[outcome.text] = TextKind(f"the reply {outcome.value.replace('_', ' ')}", html=True, variables=variables)
    return texts


TEXTS: Final[Mapping[str, TextKind]] = MappingProxyType(_texts())
PRIVATE_SUBJECT: Final = MappingProxyType(
    {
        "en": "Private meeting",
        "de": "Private Besprechung",
        "fr": "Réunion privée",
        "sv": "Privat möte",
        "no": "Privat møte",
    }
)


def file_name(name: str) -> str:
    """Name of the file that holds a text: `<name>.html.j2` or `<name>.txt.j2`."""
    return f"{name}.{'html' if TEXTS[name].html else 'txt'}.j2"
