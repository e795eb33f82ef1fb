"""The memory of a refused application: tried again by itself, but ever more seldom, so that nobody is hammered."""

from collections.abc import Callable
from datetime import datetime, timedelta

from greenroom.exchange.errors import MisconfiguredError, SignInError

_FIRST = timedelta(minutes=1)
_LONGEST = timedelta(hours=1)


class Refusals:
    """Whether the last sign-in was refused, and until when it is not tried again.

    An application is not locked out like an account, and a new secret or certificate takes minutes to be known everywhere:
    so the first pause is short.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._error: SignInError | MisconfiguredError | None = None
        self._until: datetime | None = None
        self._times = 0

    def check(self) -> None:
        """Raise what went wrong the last time, as long as its pause lasts."""
        if self._error is None or self._until is None:
            return
        now = self._clock()
        if now >= self._until or self._until - now > _LONGEST:  # longer than that if the clock was set back
            return
        minutes = max(1, round((self._until - now) / timedelta(minutes=1)))
        sentence = f"{self._error}; not tried again for {minutes} min"
        if isinstance(self._error, MisconfiguredError):
            raise MisconfiguredError(sentence, hint=self._error.hint, code=self._error.code)
        raise SignInError(sentence, code=self._error.code)

    def refused(self, error: SignInError | MisconfiguredError) -> None:
        """Remember a refusal."""
        self._error = error
        self._until = self._clock() + min(_FIRST * 4**self._times, _LONGEST)
        self._times = min(self._times + 1, 10)

    def accepted(self) -> None:
        """Forget refusals: signing in works."""
        self._error, self._until, self._times = None, None, 0
