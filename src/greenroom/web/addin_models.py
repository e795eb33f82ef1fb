"""What the add-in's API is asked, and what it answers: the models behind its checks and its OpenAPI document.

Nothing of a meeting is asked for: no subject, no attendees. What else a page sends along is not looked at.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from greenroom.web.addin_contract import Ahead, Instructions, Kind, PersonalRoomEntry


def _whole(value: Any) -> Any:
    """Read 1.0 as JSON means it: a number without a fraction is an integer."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[int, BeforeValidator(_whole)]
Number = Annotated[Whole, Field(ge=0, le=65_535, description="Number of the integration, as in the configuration.")]
Printed = Annotated[
    str,
    Field(
        min_length=1,
        max_length=120,
        description="A ticket, as it is printed.",
        examples=["GRM-20003-3CVK1-ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZ"],
    ),
]


class Asked(BaseModel):
    """Every request names its integration."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    integration: Number


class Client(BaseModel):
    """Which Outlook asks; for the log."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    kind: str = Field("", max_length=200)
    version: str = Field("", max_length=200)
    set: str = Field("", max_length=200, description="Highest requirement set.")


class ReserveRequest(Asked):
    """Sets an alias aside."""

    request_id: str = Field(
        min_length=16,
        max_length=64,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="Made up by the page. The same one of the same person gives the same reservation.",
    )
    client: Client | None = None
    delegate: bool = Field(default=False, description="A hint: somebody else's calendar.")
    series: bool = Field(default=False, description="A hint: the meeting is a series.")


class TicketRequest(Asked):
    """Names a reservation."""

    ticket: Printed


class AheadRequest(Asked):
    """Asks for reservations to keep."""

    count: Whole = Field(ge=0, le=100, description="How many are wanted; there may be fewer.")


class PersonalRoomRequest(Asked):
    """Names one of the caller's own rooms."""

    id: str = Field(min_length=1, max_length=200)


class MailboxAnswer(BaseModel):
    """Whom to invite."""

    address: str
    name: str


class ReservationAnswer(BaseModel):
    """What goes into the meeting. `html` and `text` are wrapped already; `location` has at most 255 characters."""

    kind: Literal["vmr", "personal", "offline"]
    ticket: str
    html: str
    text: str
    location: str = Field(max_length=255)
    join_url: str
    alias: str
    numeric_alias: str
    expires_at: datetime | None = Field(description="Until when it is kept if no invitation brings it.")
    claimed: bool = Field(description="Whether a meeting has brought this ticket already.")
    asked: bool = Field(
        description="Whether a page asked for it; else it was made for a meeting that invited the mailbox."
    )
    mailbox: MailboxAnswer | None = Field(description="Whom to invite; nobody for a personal room.")

    @classmethod
    def of(cls, told: Instructions, mailbox: MailboxAnswer) -> "ReservationAnswer":
        """Say it in the API's words."""
        return cls(
            kind=told.kind.value,
            ticket=told.ticket,
            html=told.html,
            text=told.text,
            location=told.location,
            join_url=told.join_url,
            alias=told.alias,
            numeric_alias=told.numeric_alias,
            expires_at=told.expires_at,
            claimed=told.claimed,
            asked=told.asked,
            mailbox=None if told.kind is Kind.PERSONAL else mailbox,
        )


class AheadAnswer(BaseModel):
    """Reservations to keep, and a promise for when they are used up."""

    reservations: list[ReservationAnswer]
    offline: ReservationAnswer

    @classmethod
    def of(cls, told: Ahead, mailbox: MailboxAnswer) -> "AheadAnswer":
        """Say it in the API's words."""
        kept = [ReservationAnswer.of(one, mailbox) for one in told.reservations]
        return cls(reservations=kept, offline=ReservationAnswer.of(told.offline, mailbox))


class PersonalRoomAnswer(BaseModel):
    """One of the caller's own rooms. The id means nothing without its owner's token."""

    id: str
    name: str
    description: str

    @classmethod
    def of(cls, entry: PersonalRoomEntry) -> "PersonalRoomAnswer":
        """Say it in the API's words."""
        return cls(id=entry.id, name=entry.name, description=entry.description)


class PersonalRoomsAnswer(BaseModel):
    """The caller's own rooms."""

    rooms: list[PersonalRoomAnswer]
