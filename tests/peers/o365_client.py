"""python-o365 at work: as an organizer, and as the clerk of an equipment mailbox who accepts what has come.

It is run by the Python of its own environment: `.peers/o365/bin/python o365_client.py`.
"""

import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from msal import ConfidentialClientApplication
from O365 import Account, MSGraphProtocol
from O365.utils.token import MemoryTokenBackend
from orders import run

_SCOPE = "https://graph.microsoft.com/.default"


def account(root: str, tenant: str, client: str, secret: str, authority_file: str) -> Account:
    """Sign in for real; only where Microsoft is, is told differently."""
    protocol_class = type("Protocol", (MSGraphProtocol,), {"_protocol_url": root + "/"})
    mine = Account(
        (client, secret),
        protocol=protocol_class(timezone="UTC"),
        auth_flow_type="credentials",
        tenant_id=tenant,
        token_backend=MemoryTokenBackend(),
        verify_ssl=authority_file,
        request_retries=0,
        requests_delay=0,  # milliseconds; by itself it would pause for 200 before each request
    )
    mine.con._msal_client = ConfidentialClientApplication(
        client,
        client_credential=secret,
        authority=f"{root}/{tenant}",
        token_cache=mine.con.token_backend,
        verify=authority_file,
        instance_discovery=False,
    )
    assert mine.authenticate(requested_scopes=[_SCOPE])
    return mine


class Orders:
    """What can be asked for. Times are ISO texts in UTC."""

    def __init__(self, mine: Account) -> None:
        self._account = mine

    def invite(
        self, organizer: str, *, subject: str, start: str, end: str, body: str, equipment: str, attendees: list[str]
    ) -> str:
        event = self._account.schedule(resource=organizer).get_default_calendar().new_event(subject)
        event.start, event.end = _time(start), _time(end)
        event.body = body
        for address in [*attendees, equipment]:
            event.attendees.add(address)
        assert event.save()
        return str(event.object_id)

    def see(self, organizer: str, *, event: str) -> dict[str, Any]:
        found = self._event(organizer, event)
        return {
            "subject": found.subject,
            "start": found.start.isoformat(),
            "body": found.body,
            "location": found.location.get("displayName", ""),
            "cancelled": found.is_cancelled,
            "answers": {
                one.address: one.response_status.status.value if one.response_status.status else "none"
                for one in found.attendees
            },
        }

    def move(self, organizer: str, *, event: str, start: str, end: str) -> None:
        found = self._event(organizer, event)
        found.start, found.end = _time(start), _time(end)
        assert found.save()

    def uninvite(self, organizer: str, *, event: str, address: str) -> None:
        found = self._event(organizer, event)
        found.attendees.remove(address)
        assert found.save()

    def cancel(self, organizer: str, *, event: str) -> None:
        assert self._event(organizer, event).cancel_event("No longer needed")

    def listed(self, mailbox: str) -> list[dict[str, Any]]:
        events = (
            self._account.schedule(resource=mailbox)
            .get_default_calendar()
            .get_events(limit=None, include_recurring=False)
        )
        return [{"event": one.object_id, "subject": one.subject, "cancelled": one.is_cancelled} for one in events]

    def attend(self, mailbox: str, *, wanted: str = "") -> int:
        """Accept every meeting that waits and whose text holds `wanted`, as such a program would: list, then one answer each."""
        done = 0
        calendar = self._account.schedule(resource=mailbox).get_default_calendar()
        for event in calendar.get_events(limit=None, batch=100, include_recurring=False):
            status, found = event.response_status.status, re.search(wanted, event.body or "")
            if status is not None and status.value == "not_responded" and found:
                assert event.accept_event(f"The room is ready. Reference: {found[0]}")
                done += 1
        return done

    def _event(self, organizer: str, event: str) -> Any:
        return self._account.schedule(resource=organizer).get_default_calendar().get_event(event)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(ZoneInfo("UTC"))


if __name__ == "__main__":
    run(lambda *words: Orders(account(*words)))
