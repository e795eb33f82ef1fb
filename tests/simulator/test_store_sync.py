from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenroom.simulator.errors import InvalidSyncState
from greenroom.simulator.model import SyncResult
from support.box import ANN, AUTO, START, Box


def kinds(result: SyncResult) -> list[tuple[str, str]]:
    return [(change.kind, change.item_id) for change in result.changes]


def make(box: Box, count: int = 1) -> list[str]:
    return [box.invite(send="SendToNone").id for _ in range(count)]


def sync(box: Box, state: str | None, size: int = 512) -> SyncResult:
    return box.exchange.sync(ANN, "calendar", state, size)


def test_the_first_sync_tells_all_newest_first() -> None:
    box = Box()
    one, two = make(box, 2)
    result = sync(box, None)
    assert kinds(result) == [("create", two), ("create", one)]
    assert result.includes_last
    assert result.changes[0].item is box.exchange.get(ANN, two)
    assert not sync(box, result.state).changes


def test_an_item_changed_several_times_is_told_once() -> None:
    box = Box()
    (one,) = make(box)
    state = sync(box, None).state
    for subject in "ABC":
        box.exchange.update_item(ANN, one, {"subject": subject})
    assert kinds(sync(box, state)) == [("update", one)]
    assert kinds(sync(box, None)) == [("create", one)]


def test_created_and_deleted_since_is_not_told() -> None:
    box = Box()
    state = sync(box, None).state
    (one,) = make(box)
    box.exchange.delete_item(ANN, one, "HardDelete")
    assert not sync(box, state).changes


def test_a_moved_item_is_deleted_here_and_created_there() -> None:
    box = Box()
    (one,) = make(box)
    state, there = sync(box, None).state, box.exchange.sync(ANN, "deleteditems", None, 10).state
    moved = box.exchange.move_item(ANN, one, "deleteditems")
    assert kinds(sync(box, state)) == [("delete", one)]
    assert kinds(box.exchange.sync(ANN, "deleteditems", there, 10)) == [("create", moved.id)]


def test_only_reading_is_a_read_flag_change() -> None:
    box = Box()
    box.invite(AUTO)
    state = box.exchange.sync(AUTO, "inbox", None, 10).state
    request = box.request(AUTO)
    box.exchange.update_item(AUTO, request.id, {"is_read": True})
    assert kinds(box.exchange.sync(AUTO, "inbox", state, 10)) == [("read_flag", request.id)]
    assert request.is_read


def test_pages_together_tell_everything_once() -> None:
    box = Box()
    made = make(box, 25)
    state, told, pages = None, [], 0
    while True:
        result = sync(box, state, 10)
        told += [change.item_id for change in result.changes]
        state, pages = result.state, pages + 1
        if result.includes_last:
            break
    assert (told, pages) == (list(reversed(made)), 3)


def test_a_page_asked_for_again_is_the_same() -> None:
    box = Box()
    make(box, 5)
    first = sync(box, None, 2)
    assert kinds(sync(box, first.state, 2)) == kinds(sync(box, first.state, 2))


def test_an_expired_foreign_or_broken_state_is_refused() -> None:
    box = Box()
    make(box)
    state = sync(box, None).state
    inbox_state = box.exchange.sync(ANN, "inbox", None, 1).state
    for bad in (inbox_state, "garbage", state[:-8] + "AAAAAAA=", "é", "A" * 10_000):
        with pytest.raises(InvalidSyncState):
            sync(box, bad)
    box.exchange.expire_sync_states()
    with pytest.raises(InvalidSyncState):
        sync(box, state)
    assert sync(box, None).includes_last


class Follower:
    """A client that believes what sync tells it."""

    def __init__(self, box: Box, size: int) -> None:
        self.box, self.size = box, size
        self.known: dict[str, str] = {}
        self.state: str | None = None

    def page(self) -> bool:
        result = sync(self.box, self.state, self.size)
        self.state = result.state
        for change in result.changes:
            if change.kind == "delete":
                self.known.pop(change.item_id, None)
            else:
                assert change.item is not None
                self.known[change.item_id] = change.item.change_key
        return result.includes_last

    def catch_up(self) -> None:
        for _ in range(2):  # the round under way, then all that came since
            while not self.page():
                pass


def act(box: Box, step: str, number: int) -> None:
    there = [item.id for item in box.exchange.items(ANN, "calendar")]
    if step == "make" or not there:
        box.exchange.create_meeting(ANN, {"start": START, "end": START})
    elif step == "change":
        box.exchange.update_item(ANN, there[number % len(there)], {"subject": str(number)})
    elif step == "delete":
        box.exchange.delete_item(ANN, there[number % len(there)], "HardDelete")
    else:
        box.exchange.move_item(ANN, there[number % len(there)], "drafts")


@settings(max_examples=150, deadline=timedelta(seconds=2))
@given(
    st.lists(st.tuples(st.sampled_from(["make", "change", "delete", "move", "page"]), st.integers(0, 30)), max_size=40),
    st.integers(1, 4),
)
def test_a_client_that_follows_the_changes_knows_what_is_there(steps: list[tuple[str, int]], size: int) -> None:
    box = Box()
    client = Follower(box, size)
    for step, number in steps:
        if step == "page":
            client.page()
        else:
            act(box, step, number)
    client.catch_up()
    assert client.known == {item.id: item.change_key for item in box.exchange.items(ANN, "calendar")}
