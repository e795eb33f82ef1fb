"""Making, renewing and ending the one subscription of a mailbox; `wakeups` says when.

For each new one the secret is announced to the intake before Exchange is asked, because validation and the first
notifications come while the request is still under way.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

import structlog

from greenroom.exchange.errors import ExchangeError, OutcomeUnknownError
from greenroom.exchange.graph import subscriptions
from greenroom.exchange.graph.call import Answer, Call, RefusedError
from greenroom.exchange.graph.intake import Expectation, GraphIntake, Signal
from greenroom.exchange.graph.settings import GraphSettings
from greenroom.exchange.graph.subscriptions import Granted, Listed

log = structlog.get_logger(__name__)

_T = TypeVar("_T")

SOONEST = timedelta(minutes=1)
"""No subscription is renewed sooner than this after the last time, whatever Exchange grants."""

_PAGES = 50
_CONFLICT = 409


class Transport(Protocol):
    """What of `GraphTransport` is needed."""

    async def call(self, call: Call) -> Answer:
        """See there."""
        ...

    async def follow(self, link: str, like: Call) -> Answer:
        """See there."""
        ...


class Held:
    """A subscription that lives. `renew_at` is when half of what Exchange granted is over."""

    def __init__(self, granted: Granted, expectation: Expectation, now: datetime) -> None:
        self.ident = granted.ident
        self.expectation = expectation
        self.made_at = now
        self.removed = False
        self._reauthorized_at: datetime | None = None
        self.prolong(granted.expires, now)

    def prolong(self, expires: datetime, now: datetime) -> None:
        """Take over what was granted."""
        self.expires = expires
        self.renew_at = now + max((expires - now) / 2, SOONEST)

    def reauthorize(self, now: datetime) -> None:
        """Renew now because Exchange asks for it, but not again and again."""
        last = self._reauthorized_at
        self._reauthorized_at = now if last is None else max(now, last + SOONEST)
        self.renew_at = min(self.renew_at, self._reauthorized_at)


class Registrar:
    """Speaks to Exchange about the subscriptions of one mailbox. Raises ExchangeError."""

    def __init__(self, transport: Transport, settings: GraphSettings, clock: Callable[[], datetime]) -> None:
        self._transport = transport
        self._settings = settings
        self._mailbox = settings.address
        self._clock = clock
        self._lifetimes = tuple(subscriptions.LIFETIMES)
        self._uncertain = False  # one may have come of a request whose answer was never seen

    async def make(self, intake: GraphIntake, signal: Callable[[Signal], None]) -> Held:
        """Make the only one: what an earlier life of ours left is deleted first, so that nothing is notified twice."""
        subscriptions.check_urls(self._settings.notification_url, self._settings.lifecycle_url, self._mailbox)
        await self._clear()
        try:
            return await self._asking(lambda lifetime: self._create(intake, signal, lifetime))
        except RefusedError as error:
            if error.status != _CONFLICT:
                raise
        await self._clear()  # it was made meanwhile, by a request whose answer was lost
        return await self._asking(lambda lifetime: self._create(intake, signal, lifetime))

    async def renew(self, held: Held) -> bool:
        """Give it as much more time as Exchange grants; False if Exchange does not know it any more."""
        now = self._clock()
        try:
            expires = await self._asking(lambda lifetime: self._renew(held, lifetime))
        except RefusedError as error:
            if error.gone:
                return False
            raise
        held.prolong(expires, now)
        log.info("graph.subscription.renewed", mailbox=self._mailbox, expires=expires.isoformat())
        return True

    async def end(self, held: Held | None) -> None:
        """Leave nothing behind: delete it, or what may have come of a request that was broken off."""
        if held is not None:
            held.expectation.retire()
            await self._delete(held.ident)
        elif self._uncertain:
            await self._clear()

    async def _create(self, intake: GraphIntake, signal: Callable[[Signal], None], lifetime: timedelta) -> Held:
        now = self._clock()
        expectation = intake.expect(signal)
        self._uncertain = True
        try:
            answer = await self._transport.call(
                subscriptions.create(
                    self._mailbox,
                    notification_url=self._settings.notification_url,
                    lifecycle_url=self._settings.lifecycle_url,
                    client_state=expectation.client_state,
                    expires=now + lifetime,
                )
            )
            made = subscriptions.read_granted(answer.body)
        except ExchangeError as error:
            self._uncertain = isinstance(error, OutcomeUnknownError) or error.code == subscriptions.GARBLED
            expectation.forget()
            raise
        except BaseException:  # broken off by whoever waits for us
            expectation.forget()
            raise
        expectation.settle(made.ident)
        self._uncertain = False
        log.info("graph.subscription.made", mailbox=self._mailbox, expires=made.expires.isoformat())
        return Held(made, expectation, now)

    async def _renew(self, held: Held, lifetime: timedelta) -> datetime:
        answer = await self._transport.call(subscriptions.renew(held.ident, self._clock() + lifetime))
        return subscriptions.read_granted(answer.body).expires

    async def _asking(self, ask: Callable[[timedelta], Awaitable[_T]]) -> _T:
        """Ask for as long a life as Exchange allows, and remember how long that is."""
        while True:
            try:
                return await ask(self._lifetimes[0])
            except RefusedError as error:
                shorter = subscriptions.shorter_lifetimes(error, self._lifetimes[0])
                self._lifetimes = shorter or subscriptions.LIFETIMES
                if not shorter:
                    raise

    async def _clear(self) -> None:
        """Delete all of ours; only once the whole list is known, because deleting would move its pages."""
        call = subscriptions.list_all()
        answer = await self._transport.call(call)
        ours: list[Listed] = []
        for _ in range(_PAGES):
            found, link = subscriptions.read_page(answer.body)
            ours += (one for one in found if subscriptions.is_ours(one, self._mailbox, self._settings.notification_url))
            if not link:
                break
            answer = await self._transport.follow(link, call)
        for one in ours:
            log.info("graph.subscription.leftover", mailbox=self._mailbox)
            await self._delete(one.ident)
        self._uncertain = False

    async def _delete(self, ident: str) -> None:
        try:
            await self._transport.call(subscriptions.delete(ident))
        except RefusedError as error:
            if not error.gone:
                raise
