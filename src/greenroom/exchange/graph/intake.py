"""What is posted to our notification address, checked: only what carries a secret of ours wakes anybody.

Every subscription has a secret of its own (`clientState`), announced here before Exchange is asked to make the subscription,
because the first notifications may come before its answer. Nothing of a notification is used but which subscription it is for:
what changed is read from Exchange. Everything happens in one event loop; nothing here waits.

Source: Graph "Receive change notifications through webhooks", "Reduce missing subscriptions and change notifications".
"""

import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, StrEnum, auto

from greenroom.exchange.graph.flood import Allowance, Tally
from greenroom.exchange.graph.posted import Notice, NotReadableError, is_guid, read_notices
from greenroom.exchange.notifications import Taken

_SECRET_BYTES = 32
_REMEMBERED = 8_192
_WINDOW = timedelta(minutes=10)
_LIFECYCLE_WINDOW = timedelta(minutes=1)
"""How long a repetition is known as one. Something about the subscription itself may soon be told again in the same words."""

_RETIRED = 8
_BURST = 100.0
_PER_SECOND = 5.0
_SHARE = 16_384
"""A posted body costs one of the allowance, and one more for each of so many bytes."""


class Signal(StrEnum):
    """What a notification that is genuine says."""

    CHANGED = "changed"
    MISSED = "missed"
    REMOVED = "subscriptionRemoved"
    REAUTHORIZE = "reauthorizationRequired"


class _Verdict(Enum):
    WOKE = auto()
    KNOWN = auto()
    REFUSED = auto()


@dataclass(slots=True, eq=False)
class _Listener:
    """One subscription's side: only a digest of its secret is kept. `ident` is empty until Exchange has told it."""

    digest: bytes
    signal: Callable[[Signal], None] | None
    ident: str = ""


class Expectation:
    """Notifications of one subscription are expected. `client_state` is what to give Exchange, and nobody else."""

    def __init__(self, intake: "GraphIntake", client_state: str, listener: _Listener) -> None:
        self.client_state = client_state
        self._intake = intake
        self._listener = listener

    def settle(self, subscription: str) -> None:
        """Exchange has answered: from now on this id must come with the secret."""
        self._intake.settle(self._listener, subscription)

    def retire(self) -> None:
        """The subscription is over: what still comes from it is taken and wakes nobody."""
        self._intake.retire(self._listener)

    def forget(self) -> None:
        """No subscription came of it: its secret counts no more."""
        self._intake.forget(self._listener)


class GraphIntake:
    """The notifications of one integration; see `NotificationIntake`.

    `tenant` is the configured directory: where it is a GUID, notifications must name it. `most` is how many notifications one
    body may hold (Graph sends far fewer). `clock` gives aware UTC times.
    """

    def __init__(self, tenant: str, *, clock: Callable[[], datetime], most: int = 1_000) -> None:
        self._tenant = tenant.lower() if is_guid(tenant) else None
        self._clock = clock
        self._most = most
        self._known: dict[str, _Listener] = {}
        self._expected: list[_Listener] = []
        self._retired: list[_Listener] = []
        self._dummy = secrets.token_bytes(_SECRET_BYTES)
        self._seen: OrderedDict[bytes, datetime] = OrderedDict()
        self._allowance = Allowance(clock, burst=_BURST, per_second=_PER_SECOND)
        self._tally = Tally(clock)

    def expect(self, signal: Callable[[Signal], None]) -> Expectation:
        """Announce a subscription that is about to be made; `signal` is called for each of its notifications."""
        client_state = secrets.token_urlsafe(_SECRET_BYTES)
        listener = _Listener(_digest(client_state), signal)
        self._expected.append(listener)
        return Expectation(self, client_state, listener)

    def settle(self, listener: _Listener, subscription: str) -> None:
        """See `Expectation.settle`."""
        self.forget(listener)
        listener.ident = subscription.lower()
        self._known[listener.ident] = listener

    def retire(self, listener: _Listener) -> None:
        """See `Expectation.retire`."""
        self._drop_expected(listener)
        listener.signal = None
        if listener.ident and listener not in self._retired:
            self._retired.append(listener)
        if len(self._retired) > _RETIRED:
            self.forget(self._retired[0])

    def forget(self, listener: _Listener) -> None:
        """See `Expectation.forget`."""
        self._drop_expected(listener)
        if listener in self._retired:
            self._retired.remove(listener)
        if self._known.get(listener.ident) is listener:
            del self._known[listener.ident]

    def take(self, body: bytes) -> Taken:
        """Check one posted body and signal whom it concerns. Takes some ten microseconds for each notification in it."""
        price = 1.0 + len(body) / _SHARE
        if not self._allowance.covers(price) and not self._may_be_ours(body):
            self._tally.count("flood")
            return Taken.TOO_MANY
        outcome, woke = self._weigh(body)
        if not woke and not self._allowance.spend(price):
            self._tally.count("flood")
            return Taken.TOO_MANY
        return outcome

    def _may_be_ours(self, body: bytes) -> bool:
        """Whether a body is worth reading in the middle of a flood: it names a subscription, which a stranger does not know."""
        if self._expected and len(body) <= _SHARE:
            return True
        lowered = body.lower()
        return any(ident.encode() in lowered for ident in self._known)

    def _weigh(self, body: bytes) -> tuple[Taken, bool]:
        whole = hashlib.sha256(body).digest()
        if self._remembered(whole):
            return Taken.TAKEN, False
        try:
            notices, unreadable = read_notices(body, most=self._most)
        except NotReadableError as error:
            self._tally.count(error.kind)
            return Taken.MALFORMED, False
        verdicts = [self._admit(notice) for notice in notices]
        if unreadable:
            self._tally.count("unreadable", unreadable)
        genuine = len(verdicts) - verdicts.count(_Verdict.REFUSED)
        if not genuine:
            return (Taken.REFUSED if verdicts else Taken.MALFORMED), False
        self._remember(whole, _LIFECYCLE_WINDOW if any(notice.lifecycle for notice in notices) else _WINDOW)
        return Taken.TAKEN, _Verdict.WOKE in verdicts

    def _admit(self, notice: Notice) -> _Verdict:
        listener = self._identify(notice)
        if listener is None:
            return _Verdict.REFUSED
        if self._tenant is not None and notice.tenant.lower() != self._tenant:
            self._tally.count("wrong-tenant")
            return _Verdict.REFUSED
        if notice.change and self._repeats(notice):
            return _Verdict.KNOWN
        if listener.signal is None:
            return _Verdict.KNOWN
        listener.signal(Signal(notice.lifecycle) if notice.lifecycle else Signal.CHANGED)
        return _Verdict.WOKE

    def _identify(self, notice: Notice) -> _Listener | None:
        """Find whom a notice is for. Every way through compares as often, so that time tells nothing of ids and secrets."""
        given = _digest(notice.client_state)
        listener = self._known.get(notice.subscription.lower())
        matches = hmac.compare_digest(given, listener.digest if listener else self._dummy)
        expected = [one for one in self._expected if hmac.compare_digest(given, one.digest)]
        if listener is not None and matches:
            return listener
        if listener is None and expected:
            return expected[0]
        self._tally.count("wrong-secret" if listener else "unknown-subscription")
        return None

    def _repeats(self, notice: Notice) -> bool:
        if not notice.item or not notice.etag:
            return False  # without both it is no fact that could have been told before
        digest = _digest(f"{notice.subscription.lower()}\n{notice.item}\n{notice.etag}\n{notice.change}")
        if self._remembered(digest):
            return True
        self._remember(digest, _WINDOW)
        return False

    def _remembered(self, digest: bytes) -> bool:
        until = self._seen.get(digest)
        return until is not None and self._clock() < until

    def _remember(self, digest: bytes, window: timedelta) -> None:
        self._seen[digest] = self._clock() + window
        self._seen.move_to_end(digest)
        while len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)

    def _drop_expected(self, listener: _Listener) -> None:
        if listener in self._expected:
            self._expected.remove(listener)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
