"""From facts to words: the room's specification, the joining instructions, and what a reply says."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from markupsafe import Markup

from greenroom.meetings.admission import Admission
from greenroom.meetings.alias import Alias, join_id, pin
from greenroom.meetings.dialling import Ways
from greenroom.meetings.meeting import Observation, Sensitivity
from greenroom.meetings.policy import PinPolicy
from greenroom.meetings.record import Record
from greenroom.meetings.reply import Outcome
from greenroom.meetings.room import RoomSpec
from greenroom.scheduler.integration import Integration

Variables = dict[str, object]


class _WayIn(Protocol):
    """What joining instructions are made of."""

    @property
    def alias(self) -> Alias: ...
    @property
    def join_id(self) -> str: ...
    @property
    def guest_pin(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class RoomToCome:
    """What is certain of a room that no meeting has asked for yet: an alias and the key it was drawn with tell it."""

    alias: Alias
    join_id: str
    guest_pin: str | None = field(repr=False)


def room_to_come(integration: Integration, alias: Alias, key: int, *, pins: PinPolicy | None = None) -> RoomToCome:
    """Say how people will get in; `pins` is the integration's policy unless told. Raises KeyError for a key that is not there."""
    ring, pins = integration.ring, pins or integration.policy.pin
    return RoomToCome(
        alias,
        join_id(ring.secret(key, "join"), alias),
        None if pins is PinPolicy.NONE else pin(ring.secret(key, "pin"), alias, "guest"),
    )


def room_spec(integration: Integration, observation: Observation, admission: Admission, record: Record) -> RoomSpec:
    """Say which room this meeting should have. The record holds the alias (`alias_number` and `alias_key` are set)."""
    alias, key = _alias(integration, record)
    naming = _naming(observation)
    pins = PinPolicy.NONE if record.adopted is not None else integration.policy.pin
    room = room_to_come(integration, alias, key, pins=pins)
    return RoomSpec(
        mark=record.mark,
        alias=alias,
        join_id=room.join_id,
        name=integration.say("room_name", naming),
        description=integration.say("room_description", naming),
        owner=observation.organizer.address,
        admission=admission,
        host_pin=pin(integration.ring.secret(key, "pin"), alias, "host") if pins is PinPolicy.HOST_AND_GUEST else None,
        guest_pin=room.guest_pin,
    )


def ticket_of(integration: Integration, record: Record) -> str:
    """Print the ticket of a record's reservation; the same text whenever it is printed."""
    alias, key = _alias(integration, record)
    return integration.ring.issue(alias.number, record.issued_at or record.created_at, key_id=key)


def instructions_html(integration: Integration, spec: _WayIn, ticket: str) -> str:
    """Render the joining instructions for the invitation. They carry the guest's PIN, never the host's."""
    links = integration.links
    ways = links.ways.of(spec.alias, spec.join_id)
    return integration.say(
        "joining_instructions",
        _addresses(integration, spec)
        | ways_in(ways)
        | {
            "qr_url": links.picture(spec.join_id),
            "pin": spec.guest_pin,
            "ticket": ticket,
        },
    )


def placeholder_html(integration: Integration, ticket: str) -> str:
    """Render what stands in an invitation while nobody can say how to join."""
    return integration.say("placeholder_instructions", {"ticket": ticket})


def location_text(integration: Integration, spec: _WayIn) -> str:
    """Render what is appended to the meeting's location."""
    return integration.say("location", _addresses(integration, spec))


def acceptance_html(
    integration: Integration,
    outcome: Outcome,
    times: tuple[datetime, datetime] | None,
    spec: RoomSpec,
    instructions: str | None,
    *,
    ready_in: int | None = None,
) -> str:
    """Render an accept of what takes place then.

    `instructions` are the joining instructions where the organizer's meeting could not carry them. `ready_in` is in how many
    seconds the room can be dialled, where somebody might dial it sooner.
    """
    return integration.say(
        outcome.text,
        _addresses(integration, spec)
        | _telephones(integration.links.ways.of(spec.alias, spec.join_id))
        | {
            "ready_in": ready_in,
            "pin": spec.guest_pin,
            "host_pin": spec.host_pin,
            "instructions": None if instructions is None else Markup(instructions),  # noqa: S704 (rendered by our own template)
            "start_time": "" if times is None else _time_text(times[0]),
            "end_time": "" if times is None else _time_text(times[1]),
        },
    )


def refusal_html(integration: Integration, outcome: Outcome, record: Record) -> str:
    """Render a decline: what is wrong, what to do next, and the correlation id to quote."""
    alias = "" if record.alias_number is None else _spelled(integration, record, record.alias_number).name
    return integration.say(
        outcome.text, {"alias": alias, "correlation_id": record.correlation_id, "reason": record.reason}
    )


def title(integration: Integration, observation: Observation) -> str:
    """Return the name under which a meeting is listed: the room's name, which is neutral for a private meeting."""
    return integration.say("room_name", _naming(observation))


def ways_in(ways: Ways) -> Variables:
    """Return the variables of a text that tell how people get into a room."""
    dial = [{"label": one.label, "value": one.value, "link": one.href} for one in ways.dial]
    return _telephones(ways) | {"web_app_url": ways.web_app, "dial": dial}


def _addresses(integration: Integration, spec: _WayIn) -> Variables:
    return {
        "alias": spec.alias.name,
        "numeric_alias": spec.alias.numeric,
        "join_url": integration.links.page(spec.join_id),
    }


def _telephones(ways: Ways) -> Variables:
    phones = [
        {"country": one.country, "name": one.name, "number": one.number, "keys": one.keys, "link": one.href}
        for one in ways.phones
    ]
    return {"phones": phones, "phone": ways.phone or None}


def _alias(integration: Integration, record: Record) -> tuple[Alias, int]:
    if record.alias_number is None or record.alias_key is None:
        raise ValueError("the record has no reservation")
    return _spelled(integration, record, record.alias_number), record.alias_key


def _spelled(integration: Integration, record: Record, number: int) -> Alias:
    return record.adopted or integration.aliases.alias(number)


def _naming(observation: Observation) -> Variables:
    private = observation.sensitivity is not Sensitivity.NORMAL
    return {
        "subject": "" if private else observation.subject,
        "organizer_name": observation.organizer.name or observation.organizer.address,
        "organizer_email": observation.organizer.address,
        "private": private,
    }


def _time_text(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
