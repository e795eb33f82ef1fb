"""Graph subscriptions to the events of a calendar: made, validated, renewed, told.

Sources: Graph "subscription resource type" (lifetimes, limits), "Receive change notifications through webhooks", "Reduce missing
subscriptions and change notifications" (lifecycle). Subscriptions live in memory only.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from greenroom.simulator import ids
from greenroom.simulator.graph.call import App, GraphCall, GraphError, GraphReply, Route
from greenroom.simulator.graph.callbacks import usable
from greenroom.simulator.graph.delivery import Change, Delivery, changes_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from greenroom.simulator.counters import Counters
    from greenroom.simulator.exchange import Exchange
    from greenroom.simulator.faults import Faults
    from greenroom.simulator.graph.callbacks import Callbacks
    from greenroom.simulator.graph.dispatch import GraphJudge
    from greenroom.simulator.model import Event

LONGEST: Final = timedelta(minutes=10_080)
SHORTEST: Final = timedelta(minutes=45)
PER_MAILBOX: Final = 1_000
MAX_CLIENT_STATE: Final = 128
_CHANGE_TYPES: Final = ("created", "updated", "deleted")
_RESOURCE: Final = re.compile(
    r"/?(?:users(?:/|\('(?=[^']*'\)/)))?([^/']+)(?:'\))?/(?:calendar/)?events/?", re.IGNORECASE
)
_CREATE_FIELDS: Final = frozenset(
    {
        "changeType",
        "clientState",
        "expirationDateTime",
        "latestSupportedTlsVersion",
        "lifecycleNotificationUrl",
        "notificationUrl",
        "resource",
    }
)
_RENEW_FIELDS: Final = frozenset({"expirationDateTime", "notificationUrl"})

LifecycleEvent = Literal["missed", "subscriptionRemoved", "reauthorizationRequired"]


@dataclass(slots=True)
class Subscription:
    """One subscription. `mailbox` is the primary address of whom `resource` names; `expires` aware UTC."""

    id: str
    app: App
    resource: str
    mailbox: str
    change_type: str
    notification_url: str
    lifecycle_url: str | None
    expires: datetime
    immutable_ids: bool
    tls: str
    client_state: str | None = field(default=None, repr=False)
    delivery: Delivery | None = None

    @property
    def changes(self) -> frozenset[str]:
        """The change types as a set."""
        return frozenset(self.change_type.split(","))


class Subscriptions:
    """All subscriptions of a tenant; `delay` is how many seconds Graph takes before it posts a notification."""

    def __init__(
        self,
        exchange: Exchange,
        callbacks: Callbacks,
        *,
        admit: Callable[[App, str], str],
        faults: Faults,
        counters: Counters,
        pause: Callable[[float], Awaitable[None]],
        judge: GraphJudge | None = None,
    ) -> None:
        self.delay = 0.0
        self._exchange = exchange
        self._callbacks = callbacks
        self._admit = admit
        self._faults = faults
        self._counters = counters
        self._pause = pause
        self._judge = judge
        self._all: dict[str, Subscription] = {}
        exchange.site.listeners.append(self._told)

    def routes(self) -> tuple[Route, ...]:
        """The operations on subscriptions."""
        one = "subscriptions/{id}"
        return (
            Route("GET", "subscriptions", "ListSubscriptions", self._list),
            Route("POST", "subscriptions", "CreateSubscription", self._create),
            Route("GET", one, "GetSubscription", self._get),
            Route("PATCH", one, "RenewSubscription", self._renew),
            Route("DELETE", one, "DeleteSubscription", self._delete),
            Route("POST", f"{one}/reauthorize", "ReauthorizeSubscription", self._reauthorize),
        )

    def active(self) -> list[Subscription]:
        """The subscriptions that have not expired."""
        now = self._exchange.clock()
        for gone in [one for one in self._all.values() if one.expires <= now]:
            self._end(gone)
        return list(self._all.values())

    def lifecycle(self, subscription_id: str, event: LifecycleEvent) -> None:
        """Tell a subscriber something about the subscription itself; `subscriptionRemoved` ends it, too.

        May be called from any thread. Raises KeyError for an unknown subscription, ValueError for an unknown event.
        """
        if event not in get_args(LifecycleEvent):
            raise ValueError(f"a lifecycle event is one of {', '.join(get_args(LifecycleEvent))}")
        subscription = self._all[subscription_id]
        self._callbacks.soon(lambda: self._lifecycle(subscription, event))

    def _lifecycle(self, subscription: Subscription, event: LifecycleEvent) -> None:
        if event == "subscriptionRemoved":
            self._end(subscription)
        url = subscription.lifecycle_url
        if url is None:
            return
        told = {"lifecycleEvent": event, "resource": subscription.resource} | self._head(subscription)
        self._callbacks.spawn(self._post(url, {"value": [told]}))

    async def _post(self, url: str, body: Any) -> None:
        if self._judge is not None:
            self._judge.notification(body)
        if not await self._callbacks.post(url, body):
            self._callbacks.repeat(url, body, lambda: True)

    # --- operations -----------------------------------------------------------------------------------------------

    async def _create(self, call: GraphCall) -> GraphReply:
        body = _object(call.body, _CREATE_FIELDS)
        resource, change_type = _text(body, "resource"), _change_type(_text(body, "changeType"))
        url, lifecycle = _url(body, "notificationUrl"), None
        if body.get("lifecycleNotificationUrl") is not None:
            lifecycle = _url(body, "lifecycleNotificationUrl")
        state = body.get("clientState")
        if state is not None and (not isinstance(state, str) or len(state) > MAX_CLIENT_STATE):
            raise _invalid(f"clientState exceeds {MAX_CLIENT_STATE} characters.")
        mailbox = self._mailbox(call.app, resource)
        expires = self._expiry(_text(body, "expirationDateTime"))
        self._check_room(call.app, mailbox, change_type)
        await self._validate(url, *([] if lifecycle is None else [lifecycle]))
        self._check_room(call.app, mailbox, change_type)  # another may have come in the meantime
        subscription = Subscription(
            id=str(uuid.uuid4()),
            app=call.app,
            resource=resource,
            mailbox=mailbox,
            change_type=change_type,
            notification_url=url,
            lifecycle_url=lifecycle,
            expires=expires,
            immutable_ids=call.prefer.immutable_ids,
            tls=str(body.get("latestSupportedTlsVersion") or "v1_2"),
            client_state=state,
        )
        subscription.delivery = self._delivery(subscription)
        self._all[subscription.id] = subscription
        return GraphReply(201, _shown(subscription, call.base, context=True))

    def _list(self, call: GraphCall) -> GraphReply:
        mine = [one for one in self.active() if one.app.client_id == call.app.client_id]
        value = [_shown(one, call.base) for one in mine]
        return GraphReply(body={"@odata.context": f"{call.base}/$metadata#subscriptions", "value": value})

    def _get(self, call: GraphCall) -> GraphReply:
        return GraphReply(body=_shown(self._find(call), call.base, context=True))

    async def _renew(self, call: GraphCall) -> GraphReply:
        subscription = self._find(call)
        body = _object(call.body, _RENEW_FIELDS)
        expires = subscription.expires
        if "expirationDateTime" in body:
            expires = self._expiry(_text(body, "expirationDateTime"))
        if "notificationUrl" in body:
            url = _url(body, "notificationUrl")
            await self._validate(url)
            subscription.notification_url = url
        subscription.expires = expires
        return GraphReply(body=_shown(subscription, call.base, context=True))

    def _delete(self, call: GraphCall) -> GraphReply:
        self._end(self._find(call))
        return GraphReply(204)

    def _reauthorize(self, call: GraphCall) -> GraphReply:
        self._find(call)
        return GraphReply(204)

    # --- parts ----------------------------------------------------------------------------------------------------

    def _mailbox(self, app: App, resource: str) -> str:
        match = _RESOURCE.fullmatch(resource)
        if match is None or match[1].lower() == "me":
            raise _invalid("The resource is not one whose changes can be subscribed to here: users/{id}/events.")
        try:
            return self._admit(app, match[1])
        except GraphError as error:
            if error.code != "MailboxNotEnabledForRESTAPI":
                raise
            text = "Operation: Create; Exception: [Status Code: NotFound; Reason: The mailbox is currently on backend 'Unknown'.]"
            raise GraphError(404, "ExtensionError", text) from None

    def _expiry(self, text: str) -> datetime:
        now = self._exchange.clock()
        try:
            wanted = datetime.fromisoformat(text)
        except ValueError:
            raise _invalid("expirationDateTime is no time.") from None
        wanted = wanted.replace(tzinfo=UTC) if wanted.tzinfo is None else wanted.astimezone(UTC)
        if wanted <= now:
            raise _invalid("Subscription expiration must be in the future.")
        if wanted > now + LONGEST:
            minutes = int(LONGEST.total_seconds() // 60)
            raise _invalid(f"Subscription expiration can only be {minutes} minutes in the future.")
        return max(wanted, now + SHORTEST)

    def _check_room(self, app: App, mailbox: str, change_type: str) -> None:
        there = [one for one in self.active() if one.mailbox == mailbox]
        wanted = frozenset(change_type.split(","))
        if any(one.app.client_id == app.client_id and one.changes == wanted for one in there):
            text = "Subscription with the same resource and changeType already exists."
            raise GraphError(409, "Conflict", text)
        if len(there) >= PER_MAILBOX:
            raise GraphError(
                403, "ExtensionError", "The maximum number of active subscriptions of a mailbox is reached."
            )

    async def _validate(self, *urls: str) -> None:
        results = await asyncio.gather(*(self._callbacks.validate(url) for url in urls))
        if not all(results):
            text = "Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request."
            raise GraphError(400, "ValidationError", text)

    def _find(self, call: GraphCall) -> Subscription:
        self.active()
        subscription = self._all.get(call.path["id"])
        if subscription is None or subscription.app.client_id != call.app.client_id:
            raise GraphError(404, "ResourceNotFound", "The object was not found.")
        return subscription

    def _end(self, subscription: Subscription) -> None:
        self._all.pop(subscription.id, None)
        if subscription.delivery is not None:
            subscription.delivery.end()

    # --- notifications --------------------------------------------------------------------------------------------

    def _told(self, address: str, event: Event) -> None:
        """An event of the store, perhaps outside the loop."""
        for subscription in self._all.values():
            if subscription.mailbox != address or subscription.delivery is None:
                continue
            store = self._exchange.site.stores[address]
            found = changes_of(store, event, immutable=subscription.immutable_ids)
            wanted = [change for change in found if change[0] in subscription.changes]
            if wanted:
                self._callbacks.soon(lambda to=subscription.delivery, what=wanted: to.offer(what))  # type: ignore[misc]  # mypy cannot type lambdas with defaults

    def _delivery(self, subscription: Subscription) -> Delivery:
        return Delivery(
            self._callbacks,
            url=lambda: subscription.notification_url,
            wrap=lambda changes: self._wrapped(subscription, changes),
            overflow=lambda: self._lifecycle(subscription, "missed"),
            faults=self._faults,
            counters=self._counters,
            mailbox=subscription.mailbox,
            pause=self._pause,
            delay=lambda: self.delay,
        )

    def _wrapped(self, subscription: Subscription, changes: list[Change]) -> Any:
        if subscription.id not in {one.id for one in self.active()}:
            return None
        user = ids.mailbox_guid(subscription.mailbox)
        value = []
        for what, item_id, change_key in changes:
            address = f"Users/{user}/Events/{item_id}"
            data = {
                "@odata.type": "#Microsoft.Graph.Event",
                "@odata.id": address,
                "@odata.etag": f'W/"{change_key}"',
                "id": item_id,
            }
            value.append({"changeType": what, "resource": address, "resourceData": data} | self._head(subscription))
        body = {"value": value}
        if self._judge is not None:
            self._judge.notification(body)
        return body

    def _head(self, subscription: Subscription) -> dict[str, Any]:
        return {
            "subscriptionId": subscription.id,
            "subscriptionExpirationDateTime": _instant(subscription.expires),
            "clientState": subscription.client_state,
            "tenantId": self._exchange.site.tenant,
        }


def _shown(subscription: Subscription, base: str, *, context: bool = False) -> dict[str, Any]:
    head = {"@odata.context": f"{base}/$metadata#subscriptions/$entity"} if context else {}
    return head | {
        "id": subscription.id,
        "resource": subscription.resource,
        "applicationId": subscription.app.client_id,
        "changeType": subscription.change_type,
        "clientState": subscription.client_state,
        "notificationUrl": subscription.notification_url,
        "notificationQueryOptions": None,
        "lifecycleNotificationUrl": subscription.lifecycle_url,
        "expirationDateTime": _instant(subscription.expires),
        "creatorId": subscription.app.client_id,
        "includeResourceData": None,
        "latestSupportedTlsVersion": subscription.tls,
        "encryptionCertificate": None,
        "encryptionCertificateId": None,
        "notificationUrlAppId": None,
    }


def _instant(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _invalid(text: str) -> GraphError:
    return GraphError(400, "InvalidRequest", text)


def _object(body: Any, allowed: frozenset[str]) -> Mapping[str, Any]:
    if not isinstance(body, Mapping):
        raise _invalid("The body must be a subscription.")
    unknown = sorted(str(name) for name in body if name not in allowed and not str(name).startswith("@odata."))
    if unknown:
        raise _invalid(f"The property '{unknown[0][:100]}' cannot be set.")
    return body


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise _invalid(f"{name} is missing.")
    return value


def _url(body: Mapping[str, Any], name: str) -> str:
    url = _text(body, name)
    if not usable(url):
        raise _invalid(f"{name} must be an https address.")
    return url


def _change_type(text: str) -> str:
    named = [one.strip() for one in text.split(",")]
    if not set(named) <= set(_CHANGE_TYPES) or len(set(named)) != len(named):
        raise _invalid("changeType is a list of created, updated, deleted.")
    return ",".join(named)
