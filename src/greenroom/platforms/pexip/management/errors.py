"""What the management API can do to a caller beyond the contract of platforms, each a kind of an error that stands there.

Texts are codes and names of published fields; nothing of what Pexip says in words gets into them, for it may quote content.
"""

from datetime import timedelta

from greenroom.platforms.errors import PlatformError, PlatformUnavailableError, RoomRefusedError
from greenroom.platforms.pexip.management.fields import FieldErrors


class CodedUnavailableError(PlatformUnavailableError):
    """Out of reach or busy, nothing was changed. `code` says what happened."""

    def __init__(self, code: str, after: timedelta | None = None) -> None:
        super().__init__(code, after)
        self.code = code


class BrokenConnectionError(CodedUnavailableError):
    """The connection broke before an answer was whole; what only reads may be asked once more."""


class GarbledAnswerError(CodedUnavailableError):
    """What came is not an answer of the management API, or not a whole one."""


class ShiftedListError(GarbledAnswerError):
    """The list changed while it was read page by page, or contradicts itself; read it anew, later."""


class OutcomeUnknownError(CodedUnavailableError):
    """A change was sent and no whole answer came: it may have been made or not. Look before it is repeated."""


class ConferenceGoneError(CodedUnavailableError):
    """The conference that should be changed is no longer there. Look it up by its mark again."""


class NameTakenError(PlatformError):
    """Another conference has this name: take another, or find that it is ours after a lost answer."""


class FieldsRefusedError(RoomRefusedError):
    """Pexip does not accept these fields; `errors` tells which."""

    def __init__(self, errors: FieldErrors) -> None:
        super().__init__(errors.text)
        self.errors = errors
