"""Rooms on video platforms: one contract, and an adapter for each platform that keeps it."""

from greenroom.platforms.contract import Capabilities, Platform
from greenroom.platforms.errors import AliasTakenError, PlatformError, PlatformUnavailableError, RoomRefusedError

__all__ = [
    "AliasTakenError",
    "Capabilities",
    "Platform",
    "PlatformError",
    "PlatformUnavailableError",
    "RoomRefusedError",
]
