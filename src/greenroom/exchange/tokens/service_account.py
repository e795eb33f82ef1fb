"""Tokens of a service account that signed in by hand: renewed by what it left, which a `Keeper` keeps for all processes.

Access tokens live here alone. What is refused is told to the keeper, and tried again an hour later at the earliest: an account that
was enabled again is found by itself. Whoever signs in anew is found at once, and within a minute where the old token still works:
it may be that of the wrong account.
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
_LOOK = timedelta(minutes=1)
_PATIENCE = 75.0
_PARTING = 10.0


class ServiceAccountTokens:
    """A `TokenSource` (see `greenroom.exchange.graph.settings`) for one service account. It closes `user`."""

    def __init__(self, user: UserSignIn, keeper: Keeper, clock: Callable[[], datetime]) -> None:
        self._user = user
        self._keeper = keeper
        self._clock = clock
        self._refusals = Refusals(clock)
        self._back_off = BackOff()
        self._turn = asyncio.Lock()
        self._token = ""
        self._ends = self._renews = self._looked = datetime.min.replace(tzinfo=UTC)
        self._sign_in = ""
        self._unkept: tuple[str, str] | None = None
        self._under_way: asyncio.Task[Grant] | None = None

    @property
    def expires_at(self) -> datetime | None:
        """When the application's certificate or secret runs out, if it has one; nobody says how long a refresh token lasts."""
        return self._user.expires_at

    @property
    def identity(self) -> str:
        """Changes when somebody signs in anew, so that what was refused before is not held against them."""
        return self._sign_in

    async def token(self, *, fresh: bool = False) -> str:
        """Return a token; see `TokenSource`. Raises SignInLostError where somebody must sign in again."""
        try:
            async with asyncio.timeout(_PATIENCE), self._turn:
                now = self._clock()
                if self._token and not fresh and now < self._renews and not await self._is_replaced(now):
                    return self._token
                return await self._renewed(now, fresh=fresh)
        except TimeoutError:
            raise TryLaterError("no token came in time", code="timeout") from None

    async def close(self) -> None:
        """Close connections, once what is under way is kept: nobody may be given it again."""
        if self._under_way is not None:
            await asyncio.wait({self._under_way}, timeout=_PARTING)
        await self._user.close()

    async def _is_replaced(self, now: datetime) -> bool:
        """Whether somebody has signed in anew since; looked up once a minute."""
        if abs(now - self._looked) < _LOOK:
            return False
        self._looked = now
        try:
            return (await self._keeper.read()).sign_in != self._sign_in
        except ExchangeError as error:  # the token is good for now, and its renewal will meet the same
            log.info("sign-in.not-read", code=error.code)
            return False

    async def _renewed(self, now: datetime, *, fresh: bool) -> str:
        if (left := await self._left_over()) is not None:
            return self._taken(left)
        try:
            self._looked = now
            kept = await self._keeper.read()
            if kept.sign_in != self._sign_in:
                self._refusals.accepted()
                self._sign_in, self._token, self._unkept = kept.sign_in, "", None
            # A refusal far in the future was noted when the clock was wrong.
            if kept.refused_at is not None and abs(now - kept.refused_at) < AGAIN:
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
        return self._taken(grant)

    def _taken(self, grant: Grant) -> str:
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
            self._back_off.heed("", self._clock(), error)
            raise

    async def _once(self, kept: KeptSignIn) -> Grant:
        """Renew in a task of its own: whoever waits may give up, and what the host gave only once must be kept all the same."""
        self._under_way = asyncio.create_task(self._kept(kept))
        try:
            return await asyncio.shield(self._under_way)
        finally:
            if self._under_way.done():
                self._under_way = None

    async def _left_over(self) -> Grant | None:
        """Return what a renewal gave for which nobody waited any more; None if there was none, or it failed."""
        if self._under_way is None:
            return None
        await asyncio.wait({self._under_way})
        task, self._under_way = self._under_way, None
        return None if task.cancelled() or task.exception() is not None else task.result()

    async def _kept(self, kept: KeptSignIn) -> Grant:
        unkept = self._unkept is not None and self._unkept[0] == kept.mark
        grant = await self._user.renew(self._unkept[1] if self._unkept is not None and unkept else kept.refresh_token)
        try:
            await self._keeper.renewed(kept, grant.refresh_token)
            self._unkept = None
        except ExchangeError as error:  # the token is good; what renews it next is kept here until it can be stored
            log.warning("sign-in.not-kept", code=error.code)
            self._unkept = (kept.mark, grant.refresh_token)
        return grant
