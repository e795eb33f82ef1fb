"""What Conferencing Nodes are told, as JSON values. Every answer passes `validity.problems`.

Source: Pexip's documentation of the external policy API, requests and responses. Fields of a VMR have other names and units there
than in the management API: `ivr_theme_name`, `view`, rates in bit/s.
"""

import json
from typing import Any, Final

from greenroom.meetings.room import RoomSpec
from greenroom.platforms.errors import RoomRefusedError
from greenroom.platforms.pexip.policy.addresses import read
from greenroom.platforms.pexip.policy.validity import problems
from greenroom.platforms.pexip.policy.wording import fitting_text, mail_address, pins_of, unique_name
from greenroom.platforms.pexip.style import PexipSettings, RoomStyle

Answer = dict[str, Any]

_KBIT = 1000


def text_of(answer: Answer) -> bytes:
    """Write an answer as it is sent."""
    return json.dumps(answer, separators=(",", ":")).encode()


PASSED_ON: Final = text_of({"status": "success", "action": "continue", "result": {}})
"""Not ours: the node looks into its own database."""
REJECTED: Final = text_of({"status": "success", "action": "reject", "result": {}})
"""The caller hears that there is no such conference."""
NOTHING_FOUND: Final = text_of({"status": "success", "result": []})
"""A directory without entries of ours, beside which the node's own are shown."""
DEFAULTS: Final = text_of({"status": "failed", "action": "continue"})
"""No answer: the node does what it does without us. Sent with an HTTP status that says so, too."""

_NOT_FOUND: Final = 404
_OK: Final = 200


def room_answer(spec: RoomSpec, settings: PexipSettings) -> Answer:
    """Return what lets callers into a room. It is the same for everybody, as Pexip demands of a service's configuration."""
    pins = pins_of(spec)
    result: Answer = {
        "service_type": "conference",
        "name": unique_name(spec),
        "service_tag": settings.tag(spec.mark),
        "description": fitting_text(spec.description) or None,
        "pin": pins.pin,
        "guest_pin": pins.guest_pin,
        "allow_guests": pins.allow_guests,
        "primary_owner_email_address": mail_address(spec.owner),
    }
    return _continuing(result | _styled(settings.style, allow_guests=pins.allow_guests))


def playback_answer(settings: PexipSettings, kind: str, playlist: str) -> Answer:
    """Return what plays a list of videos to a caller and hangs up. `kind` tells one such service from another.

    The service has a name of its own, for in the room itself people may still be sitting, and none of a meeting's.
    """
    return _continuing(
        {
            "service_type": "media_playback",
            "name": fitting_text(f"{settings.tag_start}{kind}"),
            "service_tag": f"{settings.tag_start}{kind}",
            "media_playlist_name": playlist,
            "on_completion": {"disconnect": True},
        }
    )


def other_answer(service: str) -> tuple[int, bytes]:
    """Return HTTP status and text for a question that is not about a service's configuration: do as without us.

    404 is the documented way to say so where an empty result would not be a valid one: a location, an avatar.
    """
    if service == "registrations":
        return _OK, NOTHING_FOUND
    if service == "participant/properties" or service.startswith("registrations/"):
        return _OK, PASSED_ON
    return _NOT_FOUND, DEFAULTS


def check_answer(spec: RoomSpec, settings: PexipSettings) -> None:
    """Make sure, before a room is stored, that its answer will be taken. Raises RoomRefusedError with codes of fields."""
    found = problems(room_answer(spec, settings))
    if read(spec.alias.name) is None and read(spec.alias.numeric) is None:
        found.append("alias: value")
    if found:
        raise RoomRefusedError("policy answer: " + ", ".join(found))


def _continuing(result: Answer) -> Answer:
    # An absent field means Pexip's default; null and empty text make some fields invalid.
    known = {name: value for name, value in result.items() if value is not None}
    return {"status": "success", "action": "continue", "result": known}


def _styled(style: RoomStyle, *, allow_guests: bool) -> Answer:
    return {
        "ivr_theme_name": style.theme,
        "host_identity_provider_group": style.host_identity_provider_group,
        "guest_identity_provider_group": style.guest_identity_provider_group if allow_guests else None,
        "non_idp_participants": style.non_idp_participants,
        "guests_can_present": style.guests_can_present,
        "mute_all_guests": style.mute_all_guests,
        "participant_limit": style.participant_limit,
        "call_type": style.call_type,
        "view": style.host_view,  # a VMR has one layout for all; `guest_view` is for auditoriums
        "crypto_mode": style.crypto_mode,
        "enable_chat": style.enable_chat,
        "live_captions_enabled": style.live_captions_enabled,
        "max_pixels_per_second": style.max_pixels_per_second,
        "max_callrate_in": _bits(style.max_callrate_in),
        "max_callrate_out": _bits(style.max_callrate_out),
    }


def _bits(kilobits: int | None) -> int | None:
    return None if kilobits is None else kilobits * _KBIT
