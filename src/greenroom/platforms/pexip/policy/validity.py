"""What Pexip takes as an answer to a question for a service's configuration: one bad field and it takes nothing of it.

Sources: Pexip's documentation of responses to service configuration requests (required and optional fields of each service type,
their values, units and lengths), and what people found when answers were ignored (PINs, see known-product.md 10.3).
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from greenroom.platforms.pexip.policy.wording import LONGEST, LONGEST_OWNER

VIEWS = frozenset(
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
"""Layouts of a VMR. (`teams` and `teams_focus` are for gateway calls to Teams alone.)"""

MOST_PARTICIPANTS = 1_000_000
CALLRATES = range(128_000, 8_192_001)
"""Bits per second; the management API counts in kbit/s."""

_PIN = re.compile(r"[0-9]{4,20}|[0-9]{3,19}#")
_DEFAULT_YES_NO = frozenset({"default", "yes", "no"})
Rule = Callable[[Any], bool]


def _text(longest: int = LONGEST) -> Rule:
    return lambda value: isinstance(value, str) and 0 < len(value) <= longest


def _one_of(choices: frozenset[str]) -> Rule:
    return lambda value: isinstance(value, str) and value in choices


def _number(allowed: range) -> Rule:
    return lambda value: type(value) is int and value in allowed


def _flag(value: object) -> bool:
    return isinstance(value, bool)


def _pin(value: object) -> bool:
    return isinstance(value, str) and _PIN.fullmatch(value) is not None


def _completion(value: object) -> bool:
    return value == {"disconnect": True}


_ANY_SERVICE: dict[str, Rule] = {
    "service_type": _text(),
    "name": _text(),
    "service_tag": _text(),
    "description": _text(),
    "pin": _pin,
    "guest_pin": _pin,
    "allow_guests": _flag,
    "ivr_theme_name": _text(),
    "host_identity_provider_group": _text(),
    "guest_identity_provider_group": _text(),
    "non_idp_participants": _one_of(frozenset({"disallow_all", "allow_if_trusted"})),
    "max_callrate_in": _number(CALLRATES),
    "max_callrate_out": _number(CALLRATES),
    "max_pixels_per_second": _one_of(frozenset({"sd", "hd", "fullhd"})),
}
_RULES: dict[str, dict[str, Rule]] = {
    "conference": _ANY_SERVICE
    | {
        "view": _one_of(VIEWS),
        "participant_limit": _number(range(MOST_PARTICIPANTS + 1)),
        "enable_chat": _one_of(_DEFAULT_YES_NO),
        "live_captions_enabled": _one_of(_DEFAULT_YES_NO),
        "crypto_mode": _one_of(frozenset({"besteffort", "on", "off"})),
        "call_type": _one_of(frozenset({"video", "video-only", "audio"})),
        "mute_all_guests": _flag,
        "guests_can_present": _flag,
        "enable_overlay_text": _flag,
        "primary_owner_email_address": _text(LONGEST_OWNER),
    },
    "media_playback": _ANY_SERVICE | {"media_playlist_name": _text(), "on_completion": _completion},
}
_REQUIRED = {
    "conference": ("service_type", "name", "service_tag"),
    "media_playback": ("service_type", "name", "service_tag", "media_playlist_name"),
}


def problems(answer: Mapping[str, Any]) -> list[str]:
    """Judge an answer that is to be sent; empty if Pexip takes it.

    Codes are names of fields with what is wrong: `missing`, `unknown`, `value`; of PINs also `equal`, `lengths`,
    `without-pin`, `without-guests`. They carry no value. Service types that we do not serve are a problem.
    """
    found = [f"{name}: value" for name in ("status",) if answer.get(name) != "success"]
    if answer.get("action") not in ("continue", "reject"):
        found.append("action: value")
    result = answer.get("result", {})
    if not isinstance(result, dict):
        return [*found, "result: value"]
    if not result:
        return found
    if answer.get("action") == "reject":
        found.append("action: value")  # it is not looked at beside a service
    rules = _RULES.get(str(result.get("service_type")))
    if rules is None:
        return [*found, "service_type: value"]
    found += [f"{name}: missing" for name in _REQUIRED[result["service_type"]] if name not in result]
    found += [f"{name}: unknown" for name in sorted(map(str, result)) if name not in rules]
    found += [f"{name}: value" for name, rule in rules.items() if name in result and not rule(result[name])]
    return found + _problems_of_pins(result)


def _problems_of_pins(result: Mapping[str, Any]) -> list[str]:
    pin, guest_pin, allow_guests = result.get("pin"), result.get("guest_pin"), result.get("allow_guests", False)
    found = []
    if allow_guests and not pin:
        found.append("allow_guests: without-pin")
    if guest_pin is not None and not allow_guests:
        found.append("guest_pin: without-guests")
    if isinstance(pin, str) and isinstance(guest_pin, str):
        if pin == guest_pin:
            found.append("guest_pin: equal")
        if len(pin) != len(guest_pin) and not (pin.endswith("#") and guest_pin.endswith("#")):
            found.append("guest_pin: lengths")
    return found
