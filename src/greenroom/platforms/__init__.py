"""Rooms on video platforms: one contract, and an adapter for each platform that keeps it."""

from greenroom.platforms.contract import Capabilities, OwnedRoom, PersonalRoom, Platform
from greenroom.platforms.errors import (
    AliasTakenError,
    PlatformError,
    PlatformMisconfiguredError,
    PlatformSetupError,
    PlatformSignInError,
    PlatformUnavailableError,
    RoomRefusedError,
)

__all__ = [
    "AliasTakenError",
    "Capabilities",
    "OwnedRoom",
    "PersonalRoom",
    "Platform",
    "PlatformError",
    "PlatformMisconfiguredError",
    "PlatformSetupError",
    "PlatformSignInError",
    "PlatformUnavailableError",
    "RoomRefusedError",
]
