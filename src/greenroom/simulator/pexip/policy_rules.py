"""Whether an answer of a policy server is valid by Pexip's rules: one bad field makes the whole answer void.

Fields, types and choices: ``odallokken/pexip-skills`` (``pexip-external-policy/references/service-configuration.md``), which
follows docs.pexip.com/admin/external_policy_requests.htm; rules for PINs and views: the field reports named in `pins`.
Stricter than Pexip: a field that is in no list is a problem, too, so that a misspelt one is found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from greenroom.simulator.pexip.pins import pin_problems

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

MAX_TEXT: Final = 250
VIEWS: Final = frozenset(
    {
        "one_main_zero_pips",
        "one_main_seven_pips",
        "one_main_twentyone_pips",
        "two_mains_twentyone_pips",
        "one_main_thirtythree_pips",
        "four_mains_zero_pips",
        "nine_mains_zero_pips",
        "sixteen_mains_zero_pips",
        "twentyfive_mains_zero_pips",
        "five_mains_seven_pips",
        "one_main_one_pip",
        "one_main_nine_around",
        "one_main_twelve_around",
        "two_mains_eight_around",
    }
)
_YES_NO: Final = frozenset({"default", "yes", "no"})
_CALL: Final = frozenset({"video", "video-only", "audio"})
_RATE: Final = range(128_000, 8_192_001)

_COMMON: Final[dict[str, Any]] = {
    "name": str,
    "service_tag": str,
    "service_type": str,
    "local_alias": str,
    "description": str,
    "ivr_theme_name": "ivr_theme",
    "max_callrate_in": _RATE,
    "max_callrate_out": _RATE,
    "max_pixels_per_second": frozenset({"sd", "hd", "fullhd", None}),
}
_MEDIA: Final[dict[str, Any]] = {
    "bypass_proxy": bool,
    "call_type": _CALL,
    "crypto_mode": frozenset({"besteffort", "on", "off", None}),
    "local_display_name": str,
}
_GUARDED: Final[dict[str, Any]] = {
    "allow_guests": bool,
    "pin": str,
    "guest_pin": str,
    "guest_identity_provider_group": "identity_provider_group",
    "host_identity_provider_group": "identity_provider_group",
    "non_idp_participants": frozenset({"allow_if_trusted", "disallow_all"}),
}
_ROOM: Final[dict[str, Any]] = {
    **_COMMON,
    **_MEDIA,
    **_GUARDED,
    "automatic_participants": list,
    "breakout_rooms": bool,
    "breakout": bool,
    "breakout_uuid": str,
    "breakout_name": str,
    "breakout_uuids": list,
    "breakout_description": str,
    "breakout_guests_allowed_to_leave": bool,
    "end_action": frozenset({"disconnect", "transfer"}),
    "end_time": range(2**40),
    "denoise_enabled": bool,
    "direct_media": frozenset({"best_effort", "always", "never"}),
    "direct_media_notification_duration": range(31),
    "enable_chat": _YES_NO,
    "enable_active_speaker_indication": bool,
    "enable_overlay_text": bool,
    "guests_can_present": bool,
    "live_captions_enabled": _YES_NO,
    "live_captions_language": str,
    "locked": bool,
    "mute_all_guests": bool,
    "participant_limit": range(1_000_001),
    "pinning_config": str,
    "prefer_ipv6": _YES_NO,
    "primary_owner_email_address": str,
    "softmute_enabled": bool,
    "source_language": str,
}
SERVICES: Final[dict[str, dict[str, Any]]] = {
    "conference": {**_ROOM, "view": VIEWS},
    "lecture": {
        **_ROOM,
        "force_presenter_into_main": bool,
        "guest_view": VIEWS,
        "host_view": VIEWS,
        "guests_can_see_guests": frozenset({"no_hosts", "always", "never"}),
    },
    "media_playback": {
        **_COMMON,
        **_GUARDED,
        "media_playlist_name": "media_library_playlist",
        "on_completion": dict,
    },
    "test_call": {**_COMMON, **_MEDIA},
    "two_stage_dialing": {
        **_COMMON,
        **_MEDIA,
        "match_string": str,
        "replace_string": str,
        "post_match_string": str,
        "post_replace_string": str,
        "system_location_name": "system_location",
        "two_stage_dial_type": frozenset({"regular", "mssip", "gms", "teams"}),
    },
}
"""The fields of every kind of service; a name of a resource means: the name of one of those. Gateways are not simulated."""
_REQUIRED: Final = ("name", "service_tag", "service_type")


def service_problems(result: Mapping[str, Any], names: Mapping[str, Collection[str]]) -> list[str]:
    """What is wrong with the ``result`` of a service configuration. ``names`` are the names the nodes know, by resource."""
    kind = result.get("service_type")
    if not isinstance(kind, str) or kind not in SERVICES:
        return ["service_type is missing or unknown"]
    fields = SERVICES[kind]
    needed = (*_REQUIRED, "media_playlist_name") if kind == "media_playback" else _REQUIRED
    problems = [f"{name} is missing" for name in needed if name not in result]
    for name, value in result.items():
        if name not in fields:
            problems.append(f"{name} is no field of a {kind}")
        elif problem := _problem(name, fields[name], value, names):
            problems.append(problem)
    if result.get("name") == "":
        problems.append("name is empty")
    if not problems:
        problems += _pins(result)
        problems += _completion(result.get("on_completion"))
        if result.get("breakout") and result.get("breakout_rooms"):
            problems.append("breakout_rooms is true in a breakout room")
    return problems


def _problem(name: str, rule: Any, value: Any, names: Mapping[str, Collection[str]]) -> str | None:
    if rule is bool:
        fault = not isinstance(value, bool) and "is not true or false"
    elif isinstance(rule, range):
        whole = isinstance(value, int) and not isinstance(value, bool)
        fault = not (whole and value in rule) and f"is not a number from {rule.start} to {rule.stop - 1}"
    elif isinstance(rule, frozenset):
        known = (isinstance(value, str) or value is None) and value in rule
        fault = not known and "has a value that does not exist"
    elif rule in (list, dict):
        fault = not isinstance(value, rule) and "has the wrong type"
    elif not isinstance(value, str):
        fault = "is not a string"
    elif len(value) > MAX_TEXT:
        fault = f"is longer than {MAX_TEXT} characters"
    else:
        fault = isinstance(rule, str) and value not in names[rule] and f"names no {rule} that exists"
    return f"{name} {fault}" if fault else None


def _pins(result: Mapping[str, Any]) -> list[str]:
    problems = [f"{name} is empty" for name in ("pin", "guest_pin") if result.get(name) == ""]
    found = pin_problems(result.get("pin"), result.get("guest_pin"), guests=bool(result.get("allow_guests")))
    return problems + [f"{name}: {text}" for name, text in found.items()]


def _completion(value: Any) -> list[str]:
    if value is None or value == {"disconnect": True}:
        return []
    transfer = value.get("transfer") if isinstance(value, dict) and set(value) == {"transfer"} else None
    if isinstance(transfer, dict) and isinstance(transfer.get("conference"), str):
        roles = ("auto", "host", "chair", "guest")
        if set(transfer) <= {"conference", "role"} and transfer.get("role", "auto") in roles:
            return []
    return ["on_completion has a form that does not exist"]


_TEXTS: Final = ("call_tag", "layout_group", "reject_reason", "remote_alias", "receive_from_audio_mix")
_FLAGS: Final = (
    "bypass_lock",
    "can_receive_personal_mix",
    "disable_overlay_text",
    "prefers_multiscreen_mix",
    "wants_presentation_in_mix",
)
PARTICIPANT: Final[dict[str, Any]] = {
    **dict.fromkeys(_TEXTS, str),
    **dict.fromkeys(_FLAGS, bool),
    "display_count": range(100),
    "spotlight": range(2**40),
    "send_to_audio_mixes": list,
    "preauthenticated_role": frozenset({"chair", "guest", None}),
    "rx_presentation_policy": frozenset({"ALLOW", "DENY"}),
}
"""What a participant's properties may be; all of them may be left out."""


def participant_problems(result: Any) -> list[str]:
    """What is wrong with the ``result`` of participant properties."""
    if not isinstance(result, dict):
        return ["result is not an object"]
    problems = []
    for name, value in result.items():
        if name == "remote_display_name":
            problem = None if value is None else _problem(name, str, value, {})
        else:
            problem = _problem(name, PARTICIPANT[name], value, {}) if name in PARTICIPANT else f"{name} is no property"
        if problem:
            problems.append(problem)
    return problems


def location_problems(result: Any, locations: Collection[str]) -> list[str]:
    """What is wrong with the ``result`` of a media location that is not empty."""
    if not isinstance(result, dict):
        return ["result is not an object"]
    wanted = [result.get("location"), *result.get("overflow_locations", [])]
    problems = [] if set(result) <= {"location", "overflow_locations"} else ["result has fields that do not exist"]
    return problems + [f"location {at} names none that exists" for at, one in enumerate(wanted) if one not in locations]


def directory_problems(result: Any) -> list[str]:
    """What is wrong with the ``result`` of a directory lookup."""
    if not isinstance(result, list):
        return ["result is not a list"]
    wanted = {"alias", "description", "username"}
    return [
        f"entry {at} is not made of alias, description and username"
        for at, entry in enumerate(result)
        if not isinstance(entry, dict) or set(entry) != wanted or not all(isinstance(v, str) for v in entry.values())
    ]


def registration_problems(result: Any) -> list[str]:
    """What is wrong with the ``result`` of a registration."""
    if not isinstance(result, dict) or set(result) - {"username", "password"}:
        return ["result is not an object of username and password"]
    return [f"{name} is not a string" for name, value in result.items() if not isinstance(value, str)]
