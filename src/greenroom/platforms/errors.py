"""What can go wrong towards a video platform, sorted by what the caller should do.

```
PlatformError
├── PlatformUnavailableError  try again later; nothing is known to have happened
├── AliasTakenError           another room has this alias: take another, or decline
└── RoomRefusedError          the platform will never accept this room: stop and tell
```
"""


class PlatformError(Exception):
    """Something went wrong towards the platform. Texts carry codes, never names or PINs."""


class PlatformUnavailableError(PlatformError):
    """The platform cannot be reached or is busy."""


class AliasTakenError(PlatformError):
    """The alias or numeric alias belongs to a room that is not this meeting's."""


class RoomRefusedError(PlatformError):
    """The platform rejects the room for good."""
