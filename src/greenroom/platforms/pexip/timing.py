"""When a conference should be at Pexip, which knows no time itself. Pure.

```
 ahead          from the first `ensure` ..................................... last window closes + grace
 just in time        opens - lead [ window ] closes + grace      opens - lead [ window ] ...
```
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from greenroom.meetings.admission import Admission
from greenroom.platforms.pexip.style import PexipSettings, Provisioning

_AGAIN = timedelta(days=1)
"""When to look again where no end, or no beginning, is in sight."""


@dataclass(frozen=True, slots=True)
class Need:
    """Whether a conference should be there, and when that is to be judged again (None: not by the clock).

    `spare`: it should not be made now, but one that is there may stay, as it is needed so soon that it would hardly be gone.
    """

    exists: bool
    next_at: datetime | None
    spare: bool = False


GONE = Need(exists=False, next_at=None)


def need(admission: Admission, settings: PexipSettings, now: datetime) -> Need:
    """Judge by the room's times as zone rules have them today."""
    if settings.provisioning is Provisioning.NONE:
        return GONE
    past = now - settings.grace
    if settings.provisioning is Provisioning.AHEAD:
        closes = admission.closes
        if closes is not None and past >= closes:
            return GONE
        return Need(exists=True, next_at=closes and closes + settings.grace)
    window = admission.at(past) or admission.following(past)
    if window is None:
        return GONE if admission.is_over(past) else Need(exists=False, next_at=now + _AGAIN)
    makes = window.opens - max(settings.lead, settings.latency)
    if makes > now:
        return Need(exists=False, next_at=makes, spare=makes - settings.latency <= now)
    return Need(exists=True, next_at=now + _AGAIN if window.closes is None else window.closes + settings.grace)
