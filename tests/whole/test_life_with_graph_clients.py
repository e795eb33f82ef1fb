"""The whole life of meetings over real Graph: other people's clients play organizer and attendee, Greenroom attends.

python-o365 and msgraph-sdk, Greenroom and the simulator are processes of their own that speak TLS with each other. What is checked
is what people see: their own calendars, as another vendor's client reads them, and the join page.
"""

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from support.online import Attended, Online, online, serving_online
from support.peer import PEERS, Peer, PeerMissingError, peer
from support.whole import PASSWORD, equipment, eventually, settles, world

PEERS_ID = "0c9e6a51-35b7-4d0f-8f0e-5d4f7a1b2c3d"
HOUR = timedelta(hours=1)
WATCHED = "vmr-watched@sim.test"
NOTIFIED = "vmr-notified@sim.test"
STRICT = "vmr-strict@sim.test"
# The notified one would be looked at too late by polling: what it does in time, notifications brought about.
MAILBOXES = (
    Attended(WATCHED),
    Attended(NOTIFIED, notifications=True, poll_seconds=600),
    Attended(STRICT, more='[integration.meetings]\nunticketed = "decline"'),
)
_JOIN_LINK = re.compile(r"http://127\.0\.0\.1:\d+/j/[A-Za-z0-9_-]+")
_TICKET = re.compile(r"Meeting reference: *(GRM(?:-[0-9A-Z]{5}){8})")


@dataclass
class Meeting:
    """One meeting, as its organizer and an attendee see it with a client."""

    exchange: Online
    client: Peer
    organizer: str
    attendee: str
    equipment: str
    subject: str = field(default_factory=lambda: f"Planning {secrets.token_hex(4)}")
    event: str = ""

    def invite(self, days: int = 2) -> None:
        start = in_days(days)
        self.event = self.client.invite(
            self.organizer,
            self.subject,
            start=start,
            end=start + HOUR,
            equipment=self.equipment,
            attendees=[self.attendee],
        )

    def own(self) -> dict[str, Any]:
        return dict(self.client.do("see", organizer=self.organizer, event=self.event))

    def attendees(self) -> dict[str, Any] | None:
        """The attendee's copy."""
        listed = self.client.do("listed", mailbox=self.attendee)
        mine = next((one["event"] for one in listed if self.subject in one["subject"]), None)
        return None if mine is None else dict(self.client.do("see", organizer=self.attendee, event=mine))

    def move(self, days: int) -> datetime:
        start = in_days(days)
        end = start + HOUR
        self.client.do("move", organizer=self.organizer, event=self.event, start=start.isoformat(), end=end.isoformat())
        return start

    def cancel(self) -> None:
        self.client.do("cancel", organizer=self.organizer, event=self.event)

    def answers(self) -> list[str]:
        """What the equipment mailbox has answered."""
        return self.exchange.answers(self.organizer, self.equipment, self.subject)

    def answered(self, *answers: str) -> None:
        """The equipment mailbox has answered just so, and the organizer's event shows the last answer."""
        eventually(lambda: len(self.answers()) >= len(answers))
        shown = {"Accept": "accepted", "Decline": "declined"}[answers[-1]]
        eventually(lambda: self.own()["answers"][self.equipment] == shown)
        assert self.answers() == list(answers)

    def link(self) -> str:
        """The join link in the organizer's own event."""
        (link,) = set(_JOIN_LINK.findall(self.own()["body"]))
        return str(link)


def in_days(days: int) -> datetime:
    return (datetime.now(UTC) + timedelta(days=days)).replace(minute=0, second=0, microsecond=0)


def page_says(link: str, state: str) -> bool:
    """Whether the join page comes to be in a state."""

    def wanted() -> bool:
        page = httpx2.get(link, trust_env=False)
        return page.is_success and f'data-state="{state}"' in page.text

    return eventually(wanted)


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Online]:
    """One simulator and one Greenroom for all tests; every test has people and meetings of its own."""
    folder = tmp_path_factory.mktemp("online")
    seed = world()
    people = [f"{role}-{name}@sim.test" for role in ("olga", "anton") for name in PEERS]
    seed["mailboxes"] = [
        *({"address": address, "password": PASSWORD} for address in people),
        *(equipment(one.mailbox, "auto_update") for one in MAILBOXES),
    ]
    seed["applications"].append({"client_id": PEERS_ID, "secret": PASSWORD, "scope": "everybody"})
    with online(folder, seed) as running:
        with serving_online(folder, running, MAILBOXES) as greenroom:
            yield running
            assert greenroom.stop() == 0
        assert "Traceback" not in greenroom.output()


@pytest.fixture(scope="module", params=PEERS)
def client(request: pytest.FixtureRequest, exchange: Online) -> Iterator[tuple[str, Peer]]:
    name = request.param
    signed_in = peer(
        name,
        root=exchange.url,
        tenant=exchange.tenant,
        client=PEERS_ID,
        secret=PASSWORD,
        authority=exchange.authority,
    )
    try:
        with signed_in as running:
            yield name, running
    except PeerMissingError as error:
        pytest.skip(str(error))


def planned(exchange: Online, client: tuple[str, Peer], equipment_address: str) -> Meeting:
    name, running = client
    return Meeting(exchange, running, f"olga-{name}@sim.test", f"anton-{name}@sim.test", equipment_address)


def test_a_meeting_lives_from_invitation_to_cancellation(exchange: Online, client: tuple[str, Peer]) -> None:
    meeting = planned(exchange, client, WATCHED)
    meeting.invite()
    meeting.answered("Accept")
    own, link = meeting.own(), meeting.link()
    assert "Agenda" in own["body"]
    assert len(_TICKET.findall(own["body"])) == 1
    assert own["location"]
    theirs = meeting.attendees()
    assert theirs is not None
    assert link in theirs["body"]
    assert theirs["location"] == own["location"]
    assert page_says(link, "too-early")

    start = meeting.move(days=3)
    meeting.answered("Accept", "Accept")
    moved = meeting.attendees()
    assert moved is not None
    assert moved["start"].startswith(start.strftime("%Y-%m-%dT%H:%M"))
    assert meeting.link() == link

    meeting.cancel()
    assert page_says(link, "cancelled")
    cancelled = meeting.attendees()
    assert cancelled is not None
    assert cancelled["cancelled"]
    assert settles(meeting.answers) == ["Accept", "Accept"]


def test_notifications_bring_everything_about_where_polling_would_come_too_late(
    exchange: Online, client: tuple[str, Peer]
) -> None:
    meeting = planned(exchange, client, NOTIFIED)
    meeting.invite()
    meeting.answered("Accept")
    link = meeting.link()
    assert page_says(link, "too-early")
    meeting.move(days=3)
    meeting.answered("Accept", "Accept")
    meeting.cancel()
    assert page_says(link, "cancelled")


@pytest.mark.slow
def test_taking_the_equipment_out_of_a_meeting_ends_its_room(exchange: Online, client: tuple[str, Peer]) -> None:
    meeting = planned(exchange, client, WATCHED)
    meeting.invite()
    meeting.answered("Accept")
    link = meeting.link()
    assert page_says(link, "too-early")
    meeting.client.do("uninvite", organizer=meeting.organizer, event=meeting.event, address=WATCHED)
    assert page_says(link, "cancelled")
    assert WATCHED not in meeting.own()["answers"]
    assert settles(meeting.answers) == ["Accept"]


def test_a_meeting_that_gets_no_room_is_seen_as_declined(exchange: Online, client: tuple[str, Peer]) -> None:
    meeting = planned(exchange, client, STRICT)
    meeting.invite()
    meeting.answered("Decline")
    assert not _JOIN_LINK.search(meeting.own()["body"])
