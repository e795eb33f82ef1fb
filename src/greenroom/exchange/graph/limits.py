"""What Exchange Online allows one application in one mailbox ("Microsoft Graph service-specific throttling limits", Outlook)."""

from collections.abc import Callable
from datetime import datetime


class Limits:
    """The limits of one application, shared by all its transports, and kept per mailbox."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
