"""Where real platforms, versions and reports about them differ, and where a test wants one of the ways."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

from greenroom.simulator.faults import FaultRuleError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(slots=True)
class Options:
    """How this platform behaves.

    ``masked_pins``: PINs are read back as stars. ``returns_data``: POST and PATCH answer with the object; else bodies are
    empty. ``location``: whether Location is an address with or without the host. ``patched``: status of a PATCH.
    ``duplicate``: status for a name or alias that another has. ``alias_errors``: under which resource an alias refused inside a
    conference is named. ``half_made``: a conference stays without aliases when one of its aliases is refused. ``atomic_lists``:
    a PATCH of a list does all or nothing; Tastypie stops at the first refusal and keeps what was done before.
    ``unknown_fields`` and ``unknown_filters``: "refused" helps tests; Tastypie leaves them out of account, and a filter that is
    left out of account finds everything. ``requests_per_minute``: more get 429; ``retry_after``: with that header.
    ``min_pin_length``: a policy of the whole platform, 4 to 20.
    """

    masked_pins: bool = False
    returns_data: bool = False
    location: Literal["absolute", "path"] = "absolute"
    patched: int = 202
    duplicate: int = 400
    alias_errors: Literal["conference_alias", "conference"] = "conference_alias"
    half_made: bool = False
    atomic_lists: bool = False
    unknown_fields: Literal["refused", "ignored"] = "refused"
    unknown_filters: Literal["refused", "ignored"] = "refused"
    requests_per_minute: int = 1000
    retry_after: bool = True
    min_pin_length: int = 4
    default_limit: int = 20
    max_limit: int = 10_000

    def change(self, data: Mapping[str, Any]) -> None:
        """Set some. Raises FaultRuleError for a name or a type that is wrong, and changes nothing then."""
        known = {field.name: type(getattr(self, field.name)) for field in fields(self)}
        for name, value in data.items():
            if name not in known:
                raise FaultRuleError(f"unknown option {name}; there are {', '.join(sorted(known))}")
            if type(value) is not known[name]:
                raise FaultRuleError(f"{name} has the wrong type")
        for name, value in data.items():
            setattr(self, name, value)

    def snapshot(self) -> dict[str, Any]:
        """All of them, ready for JSON."""
        return asdict(self)
