"""Marks over Graph: named strings of the calendar folder, the same that every other protocol sees."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from exchange.graph.answering import MAILBOX, Graph, always, ok, refused
from exchange.simulated import House, graph_house
from greenroom.exchange.errors import MisconfiguredError, NotPermittedError, OutcomeUnknownError, TryLaterError
from greenroom.exchange.graph.marks import Marks, name_of
from support import planted
from support.simulator import EQUIPMENT


def marks(graph: Graph) -> Marks:
    return Marks(graph.transport(), MAILBOX)


def folder(*properties: Any) -> httpx2.Response:
    return ok({"id": "c", "singleValueExtendedProperties": list(properties)})


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with graph_house() as house:
        yield house


async def test_a_mark_lies_on_the_folder_where_other_protocols_find_it(house: House) -> None:
    assert await house.mailbox.marks() == {}
    await house.mailbox.mark("Watcher", "one | two")
    assert house.simulator.exchange.folder_properties(EQUIPMENT)["Greenroom-Watcher"] == "one | two"
    house.simulator.exchange.set_folder_property(EQUIPMENT, "Greenroom-Contender", "three")
    house.simulator.exchange.set_folder_property(EQUIPMENT, "Somebody-Else", "four")
    assert await house.mailbox.marks() == {"Watcher": "one | two", "Contender": "three"}
    await house.mailbox.mark("Watcher", None)
    assert await house.mailbox.marks() == {"Contender": "three"}
    assert (house.simulator.calls("GetCalendar"), house.simulator.calls("UpdateCalendar")) == (3, 2)


async def test_a_folder_that_may_not_be_changed_is_said_to_be_one(house: House) -> None:
    house.simulator.exchange.mailbox(EQUIPMENT).folders_locked = True
    with pytest.raises(NotPermittedError):
        await house.mailbox.mark("Watcher", "mine")
    assert await house.mailbox.marks() == {}


async def test_names_come_back_in_another_case() -> None:
    graph = always(folder({"id": name_of("Watcher").lower(), "value": "x"}, {"id": name_of("Contender"), "value": ""}))
    assert await marks(graph).read() == {"Watcher": "x"}


@pytest.mark.parametrize(
    "odd",
    [[], [None, 7, {"id": 3}], [{"id": "String {x} Name Greenroom-Watcher", "value": "x"}], [{"value": planted.TEXT}]],
    ids=["none", "no-properties", "another-set", "nameless"],
)
async def test_what_is_no_mark_is_not_taken_for_one(odd: list[Any]) -> None:
    assert await marks(always(folder(*odd))).read() == {}


@pytest.mark.parametrize("body", [[], "text", 3, {"singleValueExtendedProperties": {"a": 1}}], ids=str)
async def test_an_answer_that_is_no_calendar_tells_no_marks(body: Any) -> None:
    graph = always(httpx2.Response(200, content=json.dumps(body).encode()))
    if isinstance(body, dict):
        assert await marks(graph).read() == {}
        return
    with pytest.raises(TryLaterError):
        await marks(graph).read()


async def test_a_change_is_asked_for_once_and_its_answer_may_be_lost() -> None:
    graph = always(httpx2.ReadTimeout("slow"))
    with pytest.raises(OutcomeUnknownError):
        await marks(graph).write("Watcher", "x")
    assert len(graph.asked) == 1
    assert json.loads(graph.asked[0].content) == {
        "singleValueExtendedProperties": [{"id": name_of("Watcher"), "value": "x"}]
    }


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refused(403, "ErrorAccessDenied"), NotPermittedError),
        (refused(400, "ErrorInvalidExtendedProperty"), TryLaterError),
        (refused(404, "MailboxNotEnabledForRESTAPI"), MisconfiguredError),
        (refused(503), TryLaterError),
    ],
    ids=["403", "400", "no-mailbox", "503"],
)
async def test_refusals_are_sorted(answer: httpx2.Response, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        await marks(always(answer)).read()
