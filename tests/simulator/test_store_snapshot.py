import json
from pathlib import Path

import pytest

from greenroom.simulator.model import PropertyTag
from greenroom.simulator.recurrence import Recurrence, Weekly
from greenroom.simulator.snapshot import load, save
from support.box import ACCEPT, ANN, AUTO, BOB, GHOST, HOUR, OUTSIDE, START, Box, ics


def busy_box() -> Box:
    box = Box()
    box.exchange.add_account("svc", "svc-pw")
    box.exchange.add_token("t-1", "svc")
    box.exchange.grant_impersonation("svc", [AUTO])
    rule = Recurrence(Weekly(1, ("Wednesday",)), START.date(), count=5)
    tag = PropertyTag("String", set_id="00020329-0000-0000-c000-000000000046", name="mine")
    item = box.invite(AUTO, ACCEPT, BOB, OUTSIDE, GHOST, draft={"recurrence": rule, "extended": {tag: ("a", "b")}})
    box.exchange.respond(AUTO, box.copy(AUTO).id, "Accept")
    box.exchange.deliver_ics(
        BOB, ics("DTSTART;VALUE=DATE:20261202", "RRULE:FREQ=DAILY;COUNT=2", "EXDATE;VALUE=DATE:20261203")
    )
    box.exchange.delete_item(BOB, box.inbox(BOB)[0].id, "HardDelete")
    box.exchange.update_item(ANN, item.id, {"subject": "Changed"})
    box.exchange.set_folder_property(AUTO, "Greenroom-Watcher", "here")
    return box


def test_a_loaded_store_knows_all_the_saved_one_knew(tmp_path: Path) -> None:
    box = busy_box()
    state = box.exchange.sync(AUTO, "inbox", None, 10).state
    save(box.exchange, tmp_path / "box.json")
    again = load(tmp_path / "box.json", lambda: box.now)
    for mailbox in box.exchange.mailboxes():
        assert again.mailbox(mailbox.address) == mailbox
        for folder in box.exchange.folders(mailbox.address):
            assert again.folder_properties(mailbox.address) == box.exchange.folder_properties(mailbox.address)
            assert again.items(mailbox.address, folder.id) == box.exchange.items(mailbox.address, folder.id)
    assert again.outbound == box.exchange.outbound
    assert again.bounced == box.exchange.bounced
    assert again.authenticate("svc", "svc-pw") == again.authenticate_token("t-1")
    assert again.may_impersonate("svc", AUTO)
    assert not again.may_impersonate("svc", ANN)
    assert not again.sync(AUTO, "inbox", state, 10).changes


def test_life_goes_on_in_a_loaded_store(tmp_path: Path) -> None:
    box = busy_box()
    save(box.exchange, tmp_path / "box.json")
    box.exchange = load(tmp_path / "box.json", lambda: box.now)
    (item,) = box.exchange.items(ANN, "calendar")
    known = {one.id for mailbox in box.exchange.mailboxes() for one in box.exchange.items(mailbox.address, "inbox")}
    box.later()
    box.exchange.update_item(ANN, item.id, {"start": START + HOUR, "end": START + 2 * HOUR}, send="SendOnlyToAll")
    assert box.request(AUTO).request_type == "FullUpdate"
    assert box.request(AUTO).id not in known
    assert box.copy(AUTO).meeting.start == START + HOUR


def test_saving_replaces_the_file_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    box = busy_box()
    for _ in range(2):
        save(box.exchange, tmp_path / "box.json")
    assert [path.name for path in tmp_path.iterdir()] == ["box.json"]
    assert "svc-pw" not in (tmp_path / "box.json").read_text()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 9}', '{"version": 1}', "null", "[" * 100_000])
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "box.json").write_text(text)
    with pytest.raises(ValueError):  # noqa: PT011  json's own errors are ValueErrors too
        load(tmp_path / "box.json", Box().exchange.clock)


def test_an_unknown_kind_of_thing_is_refused(tmp_path: Path) -> None:
    save(busy_box().exchange, tmp_path / "box.json")
    data = json.loads((tmp_path / "box.json").read_text())
    data["mailboxes"][0]["$kind"] = "Popen"
    (tmp_path / "box.json").write_text(json.dumps(data))
    with pytest.raises(ValueError, match="no snapshot"):
        load(tmp_path / "box.json", Box().exchange.clock)
