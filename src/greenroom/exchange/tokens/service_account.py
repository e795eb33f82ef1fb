"""Tokens of a service account that signed in by hand: renewed by what it left, which a `Keeper` keeps for all processes.

Access tokens live here alone. What is refused is told to the keeper, and tried again an hour later at the earliest: an account that
was enabled again is found by itself. Whoever signs in anew is found at once.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog

from greenroom.exchange.backoff import BackOff
from greenroom.exchange.errors import ExchangeError, MisconfiguredError, SignInError, TryLaterError
from greenroom.exchange.graph.refusals import Refusals
from greenroom.exchange.tokens.contract import Grant, Keeper, KeptSignIn, SignInLostError
from greenroom.exchange.tokens.user import UserSignIn

log = structlog.get_logger(__name__)

AGAIN = timedelta(hours=1)
_AHEAD = timedelta(minutes=5)
_PATIENCE = 75.0


class ServiceAccountTokens:
    """A `TokenSource` (see `greenroom.exchange.graph.settings`) for one service account. It closes `user`."""

    expires_at = None  # nobody says how long a refresh token lasts

    def __init__(self, user: UserSignIn, keeper: Keeper, clock: Callable[[], datetime]) -> None:
        self._user = user
        self._keeper = keeper
        self._clock = clock
        self._refusals = Refusals(clock)
        self._back_off = BackOff()
        self._turn = asyncio.Lock()
        self._token = ""
        self._ends = self._renews = datetime.min.replace(tzinfo=UTC)
        self._sign_in = ""
        self._unkept: tuple[str, str] | None = None

    @property
    def identity(self) -> str:
        """Changes when somebody signs in anew, so that what was refused before is not held against them."""
        return self._sign_in

    async def token(self, *, fresh: bool = False) -> str:
        """Return a token; see `TokenSource`. Raises SignInLostError where somebody must sign in again."""
        try:
            async with asyncio.timeout(_PATIENCE), self._turn:
                now = self._clock()
                if self._token and not fresh and now < self._renews:
                    return self._token
                return await self._renewed(now, fresh=fresh)
        except TimeoutError:
            raise TryLaterError("no token came in time", code="timeout") from None

    async def close(self) -> None:
        """Close connections."""
        await self._user.close()

    async def _renewed(self, now: datetime, *, fresh: bool) -> str:
        try:
            kept = await self._keeper.read()
            if kept.sign_in != self._sign_in:
                self._refusals.accepted()
                self._sign_in, self._token, self._unkept = kept.sign_in, "", None
            if kept.refused_at is not None and now - kept.refused_at < AGAIN:
                raise SignInLostError(
                    f"the sign-in of the service account was refused at {kept.refused_at:%Y-%m-%d %H:%M} UTC and is not tried "
                    "again for an hour",
                    code="sign-in-lost",
                )
            self._refusals.check()
            self._back_off.check("", now)
            grant = await self._asked(kept)
        except TryLaterError:
            if self._token and not fresh and now < self._ends:
                return self._token  # it is merely ageing
            raise
        except ExchangeError:
            self._token = ""  # whoever asks next looks whether somebody has signed in anew
            raise
        self._refusals.accepted()
        self._back_off.succeeded("")
        self._token = grant.access_token
        lasts = timedelta(seconds=max(grant.lasts, 60))
        self._ends = self._clock() + lasts
        self._renews = self._ends - min(_AHEAD, lasts / 5)
        return self._token

    async def _asked(self, kept: KeptSignIn) -> Grant:
        try:
            try:
                return await self._once(kept)
            except SignInLostError:
                other = await self._keeper.read()
                if other.mark == kept.mark:
                    raise
                kept = other  # another process renewed meanwhile, and what we had was spent
                return await self._once(kept)
        except SignInLostError as error:
            log.warning("sign-in.lost", code=error.code)
            self._refusals.refused(error)
            await self._keeper.refused(kept, error.code)
            raise
        except (SignInError, MisconfiguredError) as error:
            log.warning("sign-in.refused", code=error.code)
            self._refusals.refused(error)
            raise
        except TryLaterError as error:
            if error.after is not None:
                error.after = self._back_off.wait("", self._clock(), error.after)
            raise

    async def _once(self, kept: KeptSignIn) -> Grant:
        unkept = self._unkept is not None and self._unkept[0] == kept.mark
        grant = await self._user.renew(self._unkept[1] if self._unkept is not None and unkept else kept.refresh_token)
        try:
            await self._keeper.renewed(kept, grant.refresh_token)
            self._unkept = None
        except ExchangeError as error:  # the token is good; what renews it next is kept here until it can be stored
            log.warning("sign-in.not-kept", code=error.code)
            self._unkept = (kept.mark, grant.refresh_token)
        return grant
