"""What can go wrong towards a video platform, sorted by what the caller should do.

```
PlatformError
├── PlatformUnavailableError    try again later, at the earliest `after`; the room may or may not be as asked
├── AliasTakenError             another room has this alias: take another, or decline
├── RoomRefusedError            the platform will never accept this room: stop and tell
└── PlatformSetupError          nothing will work before an administrator acts: meetings wait for that, none is declined
    ├── PlatformSignInError         the platform does not accept our credential
    └── PlatformMisconfiguredError  a setting here or there is wrong; `hint` says what to do
```
"""

from datetime import timedelta


class PlatformError(Exception):
    """Something went wrong towards the platform. Texts carry codes, never names or PINs."""


class PlatformUnavailableError(PlatformError):
    """The platform cannot be reached or is busy. `after` is how long it asked us to wait, if it did."""

    def __init__(self, code: str = "", after: timedelta | None = None) -> None:
        super().__init__(code)
        self.after = after


class AliasTakenError(PlatformError):
    """The alias or numeric alias belongs to a room that is not this meeting's."""


class RoomRefusedError(PlatformError):
    """The platform rejects the room for good."""


class PlatformSetupError(PlatformError):
    """Nothing will work before an administrator acts. `code` says what is wrong, `hint` what to do next."""

    def __init__(self, code: str, hint: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.hint = hint


class PlatformSignInError(PlatformSetupError):
    """The platform does not accept our credential."""


class PlatformMisconfiguredError(PlatformSetupError):
    """A setting here or there is wrong, such as a theme that does not exist or a certificate nobody trusts."""
