"""msgraph-sdk at work: as an organizer, and as the clerk of an equipment mailbox who accepts what has come.

It is run by the Python of its own environment: `.peers/msgraph/bin/python msgraph_client.py`.
"""

import asyncio
import re
import ssl
from collections.abc import Coroutine
from datetime import datetime
from typing import Any

import httpx
from azure.identity import ClientSecretCredential
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.attendee import Attendee
from msgraph.generated.models.attendee_type import AttendeeType
from msgraph.generated.models.body_type import BodyType
from msgraph.generated.models.date_time_time_zone import DateTimeTimeZone
from msgraph.generated.models.email_address import EmailAddress
from msgraph.generated.models.event import Event
from msgraph.generated.models.item_body import ItemBody
from msgraph.generated.models.response_type import ResponseType
from msgraph.generated.users.item.events.events_request_builder import EventsRequestBuilder
from msgraph.generated.users.item.events.item.accept.accept_post_request_body import AcceptPostRequestBody
from msgraph.generated.users.item.events.item.cancel.cancel_post_request_body import CancelPostRequestBody
from msgraph_core import GraphClientFactory
from orders import run

_SCOPE = "https://graph.microsoft.com/.default"


def client(root: str, tenant: str, application: str, secret: str, authority_file: str) -> GraphServiceClient:
    """Sign in for real; only where Microsoft is, is told differently."""
    credential = ClientSecretCredential(
        tenant,
        application,
        secret,
        authority=root,
        disable_instance_discovery=True,
        connection_verify=authority_file,
    )
    host = httpx.URL(root).host
    provider = AzureIdentityAuthenticationProvider(credential, scopes=[_SCOPE], allowed_hosts=[host])
    trusting = ssl.create_default_context(cafile=authority_file)
    http = GraphClientFactory.create_with_default_middleware(
        client=httpx.AsyncClient(verify=trusting, base_url=f"{root}/v1.0", timeout=60)
    )
    adapter = GraphRequestAdapter(provider, http)
    adapter.base_url = f"{root}/v1.0"
    return GraphServiceClient(request_adapter=adapter)


class Orders:
    """What can be asked for. Times are ISO texts in UTC."""

    def __init__(self, graph: GraphServiceClient) -> None:
        self._graph = graph
        self._loop = asyncio.new_event_loop()

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._loop.run_until_complete(work)

    def invite(
        self, organizer: str, *, subject: str, start: str, end: str, body: str, equipment: str, attendees: list[str]
    ) -> str:
        event = Event(
            subject=subject,
            body=ItemBody(content=body, content_type=BodyType.Html),
            start=_time(start),
            end=_time(end),
            attendees=[
                *[_attendee(address, AttendeeType.Required) for address in attendees],
                _attendee(equipment, AttendeeType.Resource),
            ],
        )
        return str(self._do(self._events(organizer).post(event)).id)

    def see(self, organizer: str, *, event: str) -> dict[str, Any]:
        found = self._do(self._events(organizer).by_event_id(event).get())
        return {
            "subject": found.subject,
            "start": found.start.date_time,
            "body": found.body.content,
            "location": found.location.display_name if found.location else "",
            "cancelled": found.is_cancelled,
            "answers": {one.email_address.address: one.status.response.value for one in found.attendees},
        }

    def move(self, organizer: str, *, event: str, start: str, end: str) -> None:
        self._do(self._events(organizer).by_event_id(event).patch(Event(start=_time(start), end=_time(end))))

    def uninvite(self, organizer: str, *, event: str, address: str) -> None:
        one = self._events(organizer).by_event_id(event)
        people = [p for p in self._do(one.get()).attendees if p.email_address.address != address]
        self._do(one.patch(Event(attendees=people)))

    def cancel(self, organizer: str, *, event: str) -> None:
        body = CancelPostRequestBody(comment="No longer needed")
        self._do(self._events(organizer).by_event_id(event).cancel.post(body))

    def listed(self, mailbox: str) -> list[dict[str, Any]]:
        events = self._do(self._all(mailbox))
        return [{"event": one.id, "subject": one.subject, "cancelled": one.is_cancelled} for one in events]

    def attend(self, mailbox: str, *, wanted: str = "") -> int:
        """Accept every meeting that waits and whose text holds `wanted`, as such a program would: list, then one answer each."""
        return int(self._do(self._attend(mailbox, wanted)))

    async def _attend(self, mailbox: str, wanted: str) -> int:
        done = 0
        for event in await self._all(mailbox):
            found = re.search(wanted, event.body.content or "")
            if event.response_status.response is ResponseType.NotResponded and found:
                body = AcceptPostRequestBody(comment=f"The room is ready. Reference: {found[0]}", send_response=True)
                await self._events(mailbox).by_event_id(event.id).accept.post(body)
                done += 1
        return done

    async def _all(self, mailbox: str) -> list[Event]:
        query = EventsRequestBuilder.EventsRequestBuilderGetQueryParameters(top=100)
        page = await self._events(mailbox).get(RequestConfiguration(query_parameters=query))
        events = list(page.value)
        while page.odata_next_link:
            page = await self._events(mailbox).with_url(page.odata_next_link).get()
            events += page.value
        return events

    def _events(self, mailbox: str) -> EventsRequestBuilder:
        return self._graph.users.by_user_id(mailbox).events


def _time(text: str) -> DateTimeTimeZone:
    return DateTimeTimeZone(date_time=datetime.fromisoformat(text).strftime("%Y-%m-%dT%H:%M:%S"), time_zone="UTC")


def _attendee(address: str, kind: AttendeeType) -> Attendee:
    return Attendee(email_address=EmailAddress(address=address), type=kind)


if __name__ == "__main__":
    run(lambda *words: Orders(client(*words)))
