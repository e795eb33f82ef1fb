"""What an integration wants of its rooms on Pexip Infinity, as values.

`RoomStyle` is what every room has in common beside what its meeting says. Names of fields and their values are those of the
management API's conference resource; the policy server's answers say the same things in their own words (`answers`).
"""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum


class Provisioning(StrEnum):
    """When rooms are made through the management API."""

    AHEAD = "ahead"  # when the meeting is scheduled
    JUST_IN_TIME = "just-in-time"  # `lead` before each window, and gone `grace` behind it
    NONE = "none"  # never: rooms exist by our answers to policy requests alone


@dataclass(frozen=True, slots=True)
class RoomStyle:
    """What the rooms of an integration have in common. None leaves a thing as Pexip has it by default.

    Themes and identity provider groups are names, as an administrator sees them; rates are in kbit/s.
    """

    theme: str | None = None
    host_identity_provider_group: str | None = None
    guest_identity_provider_group: str | None = None
    non_idp_participants: str | None = None  # disallow_all, allow_if_trusted
    guests_can_present: bool | None = None
    mute_all_guests: bool | None = None
    participant_limit: int | None = None
    call_type: str | None = None  # video, video-only, audio
    host_view: str | None = None
    crypto_mode: str | None = None  # besteffort, on, off
    enable_chat: str | None = None  # default, yes, no
    live_captions_enabled: str | None = None  # default, yes, no
    max_pixels_per_second: str | None = None  # sd, hd, fullhd
    max_callrate_in: int | None = None
    max_callrate_out: int | None = None


@dataclass(frozen=True, slots=True)
class PexipSettings:
    """How one integration uses Pexip. `integration` is its number.

    `latency` is how long configuration takes to reach the conferencing nodes, `lead` how long before a window a room is made just
    in time, `grace` how long behind its last window it stays. `domains` are those by which the platform is dialled (lower case),
    beside the one of the aliases. A retired room's alias is given to no other for `alias_quarantine`.
    """

    integration: int
    tag_prefix: str = "greenroom"
    provisioning: Provisioning = Provisioning.AHEAD
    policy: bool = False
    lead: timedelta = timedelta(minutes=5)
    grace: timedelta = timedelta(minutes=5)
    latency: timedelta = timedelta(seconds=90)
    alias_quarantine: timedelta = timedelta(days=90)
    domains: frozenset[str] = field(default_factory=frozenset)
    style: RoomStyle = field(default_factory=RoomStyle)

    def tag(self, mark: str) -> str:
        """Our mark on a conference, by which it is found again."""
        return f"{self.tag_start}{mark}"

    @property
    def tag_start(self) -> str:
        """What the marks of all rooms of this integration begin with."""
        return f"{self.tag_prefix}-{self.integration}-"
