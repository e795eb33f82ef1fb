"""The rules for PINs, which the management API and external policy share.

Field reports in ``odallokken/pexip-skills`` (``pexip-infinity-debugging/references/policy-debugging.md``,
``pexip-policy-server/SKILL.md``) have them for policy; lengths are also in the schema of conferences.
"""

from __future__ import annotations

import re
from typing import Final

_PIN: Final = re.compile(r"[0-9]+#?", re.ASCII)
_LONGEST: Final = 20
_SHORTEST: Final = 4


def pin_problems(pin: str | None, guest_pin: str | None, *, guests: bool, shortest: int = _SHORTEST) -> dict[str, str]:
    """What is wrong with two PINs (None or "" for none), by field."""
    problems: dict[str, str] = {}
    for name, value in (("pin", pin), ("guest_pin", guest_pin)):
        if value and not (_PIN.fullmatch(value) and shortest <= len(value) <= _LONGEST):
            problems[name] = f"Length: {shortest}-{_LONGEST} digits, including any terminal #."
    if guests and not pin:
        problems["pin"] = "A Host PIN is needed when Guests are allowed."
    if guest_pin and not guests:
        problems["guest_pin"] = "A Guest PIN is only possible when Guests are allowed."
    if pin and guest_pin and not problems:
        if pin == guest_pin:
            problems["guest_pin"] = "Host PIN and Guest PIN must differ."
        elif pin.endswith("#") != guest_pin.endswith("#"):
            problems["guest_pin"] = "Either both PINs or none must end with #."
        elif len(pin) != len(guest_pin) and not pin.endswith("#"):
            problems["guest_pin"] = "PINs must have the same length, or both end with #."
    return problems
