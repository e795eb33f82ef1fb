"""The whole life of meetings: exchangelib plays organizer and attendee over EWS, Greenroom attends over EWS or over Graph.

Each is a process, and both faces of the simulator serve one store. What is checked is what people see: their own calendars and
Inboxes, as another vendor's client reads them, and the join page.
"""

import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from support.colleague import HOUR, Colleague, in_days
from support.whole import (
    HOUSES,
    PASSWORD,
    Processing,
    Program,
    SimulatedExchange,
    Spoken,
    equipment,
    eventually,
    serving,
    settles,
    simulated_exchange,
    world,
)

_JOIN_LINK = re.compile(r"http://127\.0\.0\.1:\d+/j/[A-Za-z0-9_-]+")
_TICKET = re.compile(r"Meeting reference: *(GRM(?:-[0-9A-Z]{5}){8})")


EQUIPMENT: dict[Processing, str] = {
    "auto_update": "vmr@sim.test",
    "none": "vmr-raw@sim.test",
    "auto_accept": "vmr-auto@sim.test",
}


@dataclass
class House:
    """One simulated Exchange, one Greenroom, and people who share them with nobody else."""

    exchange: SimulatedExchange
    greenroom: Program
    olga: Colleague
    anton: Colleague
    lena: Colleague

    def answered(self, *kinds: str) -> None:
        """The equipment mailbox has answered just so, and says no more."""
        eventually(lambda: self.olga.kinds() == list(kinds) or len(self.olga.kinds()) > len(kinds))
        assert settles(self.olga.kinds) == list(kinds)

    def rests(self) -> None:
        """Nothing moves any more: neither we nor Exchange do anything about each other's messages."""
        settles(lambda: {name: n for name, n in self.exchange.calls().items() if name not in _WATCHING})

    def body(self, subject: str) -> str:
        return str(self.olga.own(subject).body)

    def join_page(self, subject: str, says: str) -> str:
        """The link in the organizer's own meeting, which opens a page that says what it should."""
        (link,) = set(_JOIN_LINK.findall(self.body(subject)))
        self.page(link, says)
        return str(link)

    def page(self, link: str, says: str) -> httpx2.Response:
        """The join page, once it is in the state that is wanted."""

        def wanted() -> httpx2.Response | None:
            page = httpx2.get(link, trust_env=False)
            return page if page.is_success and f'data-state="{says}"' in page.text else None

        found = eventually(wanted)
        assert found is not None
        return found


_WATCHING = (
    *("SyncFolderItems", "Subscribe", "GetStreamingEvents", "Unsubscribe", "FindItem", "GetItem", "GetFolder"),
    *("ListEvents", "GetEvent", "Batch", "Token", "CreateSubscription", "ListSubscriptions"),
)

MoveIn = Callable[[Processing], House]


BY_THE_SECOND_FACE = pytest.param("graph", marks=pytest.mark.slow)
"""Over Graph other people's clients of Graph live the same life each time."""


@pytest.fixture(scope="module", params=["ews", BY_THE_SECOND_FACE])
def protocol(request: pytest.FixtureRequest) -> Spoken:
    """What Greenroom speaks."""
    spoken: Spoken = request.param
    return spoken


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory, protocol: Spoken) -> Iterator[tuple[SimulatedExchange, Program]]:
    """One simulator and one Greenroom, which attends an equipment mailbox of each kind."""
    folder = tmp_path_factory.mktemp("house")
    seed = world()
    seed["mailboxes"] = [equipment(address, processing) for processing, address in EQUIPMENT.items()]
    with simulated_exchange(folder, seed) as exchange:
        attended = [EQUIPMENT[processing] for spoken, processing in HOUSES if spoken == protocol]
        with serving(folder, exchange, protocol=protocol, mailboxes=attended) as greenroom:
            yield exchange, greenroom
            assert greenroom.stop() == 0
        assert "Traceback" not in greenroom.output()


@pytest.fixture
def move_in(programs: tuple[SimulatedExchange, Program]) -> MoveIn:
    """Let three new people use the equipment mailbox of a kind."""

    def open_house(processing: Processing) -> House:
        exchange, greenroom = programs
        people = []
        for name in ("olga", "anton", "lena"):
            address = f"{name}-{secrets.token_hex(4)}@sim.test"
            exchange.post("mailboxes", address=address, name=name.title(), password=PASSWORD)
            people.append(Colleague.at(exchange.ews_url, address, EQUIPMENT[processing]))
        return House(exchange, greenroom, *people)

    return open_house


@pytest.mark.parametrize(
    ("protocol", "processing"),
    [
        ("ews", "auto_update"),
        pytest.param("ews", "none", marks=pytest.mark.slow),
        pytest.param("graph", "auto_update", marks=pytest.mark.slow),
    ],
    indirect=["protocol"],
    scope="module",
)
def test_a_meeting_lives_from_invitation_to_cancellation(move_in: MoveIn, processing: Processing) -> None:
    home = move_in(processing)
    olga, anton = home.olga, home.anton
    olga.invite("Planning", in_days(2), attendees=[anton.address])
    home.answered("Accept")
    assert olga.answer_of("Planning") == "Accept"
    assert "<p>Agenda</p>" in home.body("Planning")
    link = home.join_page("Planning", "too-early")
    assert _TICKET.findall(home.body("Planning")) == _TICKET.findall(str(anton.own("Planning").body))
    assert link in str(anton.own("Planning").body)
    assert anton.own("Planning").location == olga.own("Planning").location

    olga.move("Planning", in_days(3))
    home.answered("Accept", "Accept")
    assert olga.answer_of("Planning") == "Accept"
    assert anton.own("Planning").start == in_days(3)

    olga.change("Planning", subject="Planning the move")
    home.answered("Accept", "Accept", "Accept")

    people = [*olga.own("Planning the move").required_attendees, home.lena.address]
    olga.change("Planning the move", required_attendees=people)
    assert link in str(eventually(lambda: home.lena.own("Planning the move")).body)
    home.rests()
    assert olga.kinds() == ["Accept", "Accept", "Accept"]
    assert len(_TICKET.findall(home.body("Planning the move"))) == 1

    olga.move("Planning the move", in_days(0))
    home.page(link, "open")

    olga.cancel("Planning the move")
    home.page(link, "cancelled")
    assert anton.own("Canceled: Planning the move").is_cancelled
    home.rests()
    assert olga.kinds() == ["Accept"] * 4


@pytest.mark.slow
def test_taking_the_equipment_out_of_a_meeting_ends_its_room(move_in: MoveIn) -> None:
    home = move_in("auto_update")
    home.olga.invite("Planning", in_days(2))
    home.answered("Accept")
    link = home.join_page("Planning", "too-early")
    home.olga.change("Planning", resources=[])
    home.page(link, "cancelled")
    home.rests()
    assert home.olga.kinds() == ["Accept"]
    home.olga.change("Planning", resources=[EQUIPMENT["auto_update"]])
    home.answered("Accept", "Accept")
    assert home.join_page("Planning", "too-early") == link


@pytest.mark.slow
def test_a_private_meeting_gets_a_room_that_says_nothing_of_it(move_in: MoveIn) -> None:
    home = move_in("auto_update")
    home.olga.invite("Severance talks", in_days(2), sensitivity="Private")
    home.answered("Accept")
    link = home.join_page("Severance talks", "too-early")
    assert "Severance" not in home.page(link, "too-early").text
    (answer,) = home.olga.responses()
    assert "Severance" not in str(answer.body)
    assert "Severance" not in home.greenroom.output()


def test_a_copied_meeting_gets_a_room_of_its_own(move_in: MoveIn) -> None:
    home = move_in("auto_update")
    home.olga.invite("Planning", in_days(2))
    home.answered("Accept")
    link = home.join_page("Planning", "too-early")
    home.olga.invite("Planning again", in_days(4), body=home.body("Planning"))
    home.answered("Accept", "Accept")
    assert home.join_page("Planning again", "too-early") != link
    assert len(_TICKET.findall(home.body("Planning again"))) == 1
    assert home.join_page("Planning", "too-early") == link


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["ews"], indirect=True, scope="module")
def test_with_requests_left_to_us_each_sending_gets_exactly_one_accept(move_in: MoveIn) -> None:
    home = move_in("none")
    for number in range(3):
        home.olga.invite(f"Planning {number}", in_days(2 + number))
    home.answered("Accept", "Accept", "Accept")
    home.rests()
    calendar = home.exchange.state(EQUIPMENT["none"])["calendar"]
    mine = [item for item in calendar if item["organizer"] == home.olga.address]
    assert [item["response"] for item in mine] == ["Accept"] * 3
    for number in range(3):
        assert home.olga.answer_of(f"Planning {number}") == "Accept"
        assert len(_TICKET.findall(home.body(f"Planning {number}"))) == 1


@pytest.mark.slow
def test_where_exchange_accepts_by_itself_the_meeting_still_gets_its_room(move_in: MoveIn) -> None:
    """AutoAccept eats subject and text, and answers first: our accept comes besides, once, and nothing goes in circles."""
    home = move_in("auto_accept")
    home.olga.invite("Planning", in_days(2))
    eventually(lambda: len(home.olga.kinds()) >= 2)
    home.rests()
    assert set(home.olga.kinds()) == {"Accept"}
    assert len(_ours(home.olga.responses())) == 1
    link = home.join_page("Planning", "too-early")
    assert len(_TICKET.findall(home.body("Planning"))) == 1
    home.olga.move("Planning", in_days(3))
    home.rests()
    assert set(home.olga.kinds()) == {"Accept"}
    assert len(_TICKET.findall(home.body("Planning"))) == 1
    home.olga.cancel("Planning")
    home.page(link, "cancelled")


def _ours(responses: list[Any]) -> list[Any]:
    """Answers that Greenroom wrote: they tell how to join."""
    return [response for response in responses if _JOIN_LINK.search(str(response.body))]


def test_the_answer_comes_within_three_seconds(move_in: MoveIn) -> None:
    home = move_in("auto_update")
    home.olga.invite("First", in_days(2))  # the first one waits for everything to be loaded
    home.answered("Accept")
    home.olga.invite("Second", in_days(2) + HOUR)
    eventually(lambda: len(home.exchange.answers(home.olga.address)) == 2, seconds=3)
