"""The right to write into organizers' meetings, which an administrator withdraws and gives back; and what people read then."""

import secrets
from collections.abc import Sequence
from typing import Any

from greenroom.meetings.instructions import instructions_block
from greenroom.meetings.meeting import MeetingKey
from greenroom.meetings.templates import Texts
from greenroom.meetings.ticket import NUMBER_LIMIT, OFFLINE
from greenroom.meetings.ticket_finder import find_tickets
from support.colleague import HOUR
from support.disasters import EQUIPMENT, Place, tomorrow
from support.whole import CLIENT_ID, CLIENT_SECRET, PASSWORD, SERVICE, settings_in

SAYS = "is being prepared"
"""What a placeholder says, and nothing else does."""


def withdraw(place: Place) -> None:
    """Leave the equipment mailbox as the only one that may be opened: the roles are given anew, with a smaller scope."""
    _grant(place, [EQUIPMENT])


def give_back(place: Place) -> None:
    """Let all mailboxes be opened again."""
    _grant(place, "everybody")


def _grant(place: Place, scope: Sequence[str] | str) -> None:
    place.exchange.post("accounts", login=SERVICE, password=PASSWORD, impersonate=scope)
    place.exchange.post("applications", client_id=CLIENT_ID, secret=CLIENT_SECRET, scope=scope)


def invite_with_promises(place: Place, count: int) -> list[str]:
    """Let people invite whose add-in reached nobody: each text holds a placeholder with a ticket of its own."""
    (entry,) = settings_in(place.folder).integration
    names = []
    for _ in range(count):
        number = secrets.randbelow(NUMBER_LIMIT)
        (ticket,) = find_tickets(place.ticket(number, OFFLINE), entry.ticket_prefix)
        html = Texts().render("placeholder_instructions", {"ticket": ticket})
        body = f"<html><body><p>Agenda</p>{instructions_block(html, ticket)}<p>Regards</p></body></html>"
        assert SAYS in body
        names += place.invite(1, start=tomorrow() + HOUR / 2 * place.count, body=body)
    return names


def text_of(place: Place, name: str) -> str:
    """What an organizer's own meeting says."""
    mailbox = place.exchange.state(place.whose[name].address)
    (text,) = (str(item["body"]) for item in mailbox["calendar"] if item["subject"] == name)
    return text


def replies(place: Place, name: str) -> list[str]:
    """What the equipment mailbox wrote to an organizer about a meeting, oldest first."""
    found = place.exchange.answers(place.whose[name].address)
    return [str(one["body"]) for one in found if one["subject"].rpartition(": ")[2] == name]


def carries(text: str, place: Place, name: str) -> bool:
    """Whether a text lets its reader join the room that this meeting has now."""
    room = place.rooms()[place.by_name()[name]]
    return f"/j/{room.join_id}" in text and room.alias in text


def story(place: Place, name: str) -> list[tuple[str, str]]:
    """Steps and codes of what `greenroom explain` tells of a meeting."""
    (key,) = {item["key"] for item in place.exchange.state(EQUIPMENT)["calendar"] if item["subject"] == name}
    told: dict[str, Any] = place.told("explain", MeetingKey.of_global_object_id(bytes.fromhex(key)).value)
    (meeting,) = told["meetings"]
    return [(line["step"], line["code"]) for line in meeting["timeline"]]


def instructions(place: Place) -> dict[str, str]:
    """Where the database says that joining instructions are, by the names of the meetings that live."""
    where = dict(place.sql("SELECT mark, instructions FROM meetings"))
    return {name: where[mark] for name, mark in place.by_name().items()}
