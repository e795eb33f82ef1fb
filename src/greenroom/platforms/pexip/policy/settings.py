"""What the policy server knows of an integration."""

from dataclasses import dataclass, field

from greenroom.meetings.alias import AliasPlan
from greenroom.platforms.pexip.style import PexipSettings


@dataclass(frozen=True, slots=True)
class ClosedAnswers:
    """What callers meet while a room is closed: a media playlist, by the name it has in Pexip; None rejects the call.

    `early_playlist` is for those who come before a meeting's first window, `over_playlist` for everybody later.
    """

    early_playlist: str | None = None
    over_playlist: str | None = None


@dataclass(frozen=True, slots=True)
class PolicySettings:
    """One integration whose rooms are answered for: how it uses Pexip, what its aliases look like, what is said at closed doors."""

    pexip: PexipSettings
    plan: AliasPlan
    closed: ClosedAnswers = field(default_factory=ClosedAnswers)
