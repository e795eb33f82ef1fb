"""People at their mail programs, played by exchangelib: somebody else's EWS client sees what Greenroom did."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import exchangelib
from exchangelib import items as ews_items

from support.whole import EQUIPMENT, PASSWORD

HOUR = timedelta(hours=1)


def in_days(days: float) -> Any:
    """A full hour some days from now, as exchangelib wants it."""
    moment = (datetime.now(UTC) + timedelta(days=days)).replace(minute=0, second=0, microsecond=0)
    return exchangelib.EWSDateTime.from_datetime(moment)


def in_seconds(seconds: float) -> Any:
    """A full second some seconds from now."""
    return exchangelib.EWSDateTime.from_datetime(
        (datetime.now(UTC) + timedelta(seconds=seconds)).replace(microsecond=0)
    )


def account(ews_url: str, address: str, *, login: str | None = None) -> Any:
    """A mailbox as its owner opens it, or as `login` does by impersonation."""
    config = exchangelib.Configuration(
        service_endpoint=ews_url,
        credentials=exchangelib.Credentials(login or address, PASSWORD),
        auth_type=exchangelib.BASIC,
        version=exchangelib.Version(exchangelib.version.EXCHANGE_2016),
        max_connections=1,
    )
    access = exchangelib.IMPERSONATION if login else exchangelib.DELEGATE
    return exchangelib.Account(
        address, config=config, autodiscover=False, access_type=access, default_timezone=exchangelib.EWSTimeZone("UTC")
    )


@dataclass
class Colleague:
    """One person with a mailbox, who knows an equipment mailbox to invite."""

    account: Any
    equipment: str = EQUIPMENT

    @classmethod
    def at(cls, ews_url: str, address: str, equipment: str = EQUIPMENT) -> "Colleague":
        return cls(account(ews_url, address), equipment)

    @property
    def address(self) -> str:
        return str(self.account.primary_smtp_address)

    def invite(
        self,
        subject: str,
        start: Any,
        *,
        body: str = "<html><body><p>Agenda</p></body></html>",
        attendees: Sequence[str] = (),
        span: timedelta = HOUR,
        **more: Any,
    ) -> None:
        exchangelib.CalendarItem(
            account=self.account,
            folder=self.account.calendar,
            subject=subject,
            body=exchangelib.HTMLBody(body),
            start=start,
            end=start + span,
            location="Room 4",
            required_attendees=list(attendees),
            resources=[self.equipment],
            **more,
        ).save(send_meeting_invitations=ews_items.SEND_TO_ALL_AND_SAVE_COPY)

    def own(self, subject: str) -> Any:
        """The calendar item of this subject, as it is now; None if there is none."""
        return next((item for item in self.account.calendar.all() if item.subject == subject), None)

    def change(self, subject: str, /, **fields: Any) -> None:
        """Change fields of a meeting and send the update to all."""
        item = self.own(subject)
        for name, value in fields.items():
            setattr(item, name, value)
        item.save(update_fields=list(fields), send_meeting_invitations=ews_items.SEND_TO_ALL_AND_SAVE_COPY)

    def move(self, subject: str, start: Any, span: timedelta = HOUR) -> None:
        self.change(subject, start=start, end=start + span)

    def cancel(self, subject: str) -> None:
        self.own(subject).cancel(body="Not needed any more")

    def answer_of(self, subject: str, address: str | None = None) -> str | None:
        """What somebody answered, as the organizer's own calendar shows it."""
        item = self.own(subject)
        people = [] if item is None else [*(item.required_attendees or []), *(item.resources or [])]
        return next((p.response_type for p in people if p.mailbox.email_address == (address or self.equipment)), None)

    def responses(self) -> list[Any]:
        """The answers of the equipment mailbox in the Inbox, oldest first."""
        found = [message for message in self.account.inbox.all() if isinstance(message, ews_items.MeetingResponse)]
        mine = [message for message in found if message.sender.email_address == self.equipment]
        return sorted(mine, key=lambda message: message.datetime_received)

    def kinds(self) -> list[str]:
        """What the equipment mailbox answered so far, oldest first."""
        return [message.response_type for message in self.responses()]
