"""`greenroom keys`: which are needed, a new one, and none too few."""

import asyncio
import base64
import json
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from greenroom.cli import main
from greenroom.meetings.alias import pin
from greenroom.meetings.meeting import Kind, MeetingKey, Span
from greenroom.meetings.policy import PinPolicy, Policy
from greenroom.meetings.record import Record, State
from greenroom.meetings.ticket import KeyRing, Ticket
from greenroom.meetings.ticket_finder import find_tickets
from greenroom.scheduler.attend import Attendant
from greenroom.settings import load_settings
from greenroom.storage import Reservation, Storage
from support.attended import integration_of
from support.fake_mailbox import FakeMailbox
from support.greenroom_at_work import Clock
from support.house import KEY, fill, write_config
from support.observations import NOW as THEN
from support.observations import observation
from support.records import bare_record

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
OTHER = base64.b64encode(b"x" * 32).decode()
SECRETS = {KEY, OTHER}
ADDIN = """
[integration.addin]
keep_days = 30
[integration.addin.exchange_tokens]
metadata_urls = ["https://mail.example.org/autodiscover/metadata/json/1"]
"""


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    file = tmp_path / "ticket-keys"
    file.write_text(f"# of the main house\n0:{KEY}\n")
    file.chmod(0o640)
    return file


@pytest.fixture
def config(tmp_path: Path, keys: Path) -> Path:
    config = write_config(tmp_path)
    inline = f'ticket_keys = [{{ id = 0, key = "{KEY}" }}]'
    config.write_text(config.read_text().replace(inline, f'ticket_keys_file = "{keys.name}"'))
    fill(tmp_path)
    return config


def made_with(key_id: int, number: int = 1, *, ends_in: timedelta = DAY, **changes: Any) -> Record:
    span = Span(NOW + ends_in - timedelta(hours=1), NOW + ends_in, "UTC")
    plain = {"state": State.SCHEDULED, "alias_number": 700_000_000 + number, "span": span, "issued_at": NOW - 100 * DAY}
    return bare_record(number, alias_key=key_id, **(plain | changes))


def keep(config: Path, *records: Record, asked: Reservation | None = None) -> None:
    async def store() -> None:
        storage = Storage.open(f"sqlite:///{config.parent}/greenroom.db")
        async with storage.work() as work:
            await work.meetings.save(list(records))
            if asked is not None:
                await work.asked.add([asked])
        await storage.close()

    asyncio.run(store())


def run(config: Path, command: str, *arguments: str) -> Result:
    given = ["keys", command, *arguments, "--config", str(config)]
    result = CliRunner().invoke(main, given, env={"COLUMNS": "200", "TZ": "UTC"})
    assert not any(secret in result.output for secret in SECRETS), "old keys are never shown"
    return result


def told(result: Result, code: int = 0) -> str:
    assert result.exit_code == code, result.output
    return " ".join(result.output.split())


def listed(config: Path, code: int = 0) -> dict[int, dict[str, Any]]:
    result = run(config, "list", "--json")
    assert result.exit_code == code, result.output
    (one,) = json.loads(result.stdout)["integrations"]
    return {key["id"]: key for key in one["keys"]}


def refused(result: Result) -> str:
    assert result.exit_code == 1, result.output
    return str(json.loads(result.stdout)["failure"]["code"])


def two_keys(keys: Path) -> None:
    keys.write_text(f"1:{OTHER}\n0:{KEY}\n")


# --- list -----------------------------------------------------------------------------------------------------------


def test_a_key_is_needed_as_long_as_rooms_of_its_meetings_are_open(config: Path, keys: Path) -> None:
    two_keys(keys)
    keep(config, made_with(0, 1), made_with(0, 2, ends_in=9 * DAY), made_with(1, 3, ends_in=20 * DAY))
    found = listed(config)
    assert (found[1]["current"], found[1]["removable"], found[1]["meetings"]) == (True, False, 1)
    old = found[0]
    assert (old["current"], old["removable"], old["meetings"]) == (False, False, 2)
    assert old["latest_end"] == (NOW + 9 * DAY).isoformat()
    assert old["removable_after"] == (NOW + 9 * DAY + timedelta(hours=1)).isoformat(), "an hour is the room open longer"
    said = told(run(config, "list"))
    assert "current" in said
    assert f"after {NOW + 9 * DAY + timedelta(hours=1):%Y-%m-%d %H:%M}" in said


def test_what_does_not_live_any_more_needs_no_key(config: Path, keys: Path) -> None:
    two_keys(keys)
    keep(
        config, *(made_with(0, n, state=state) for n, state in enumerate([State.ENDED, State.DECLINED, State.IGNORED]))
    )
    found = listed(config)[0]
    assert (found["meetings"], found["removable"]) == (0, True)
    assert " now" in told(run(config, "list"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": Kind.SERIES}, "not while its endless series live"),
        ({"span": None, "state": State.PENDING}, "not while its meetings live"),
    ],
    ids=["endless", "unknown"],
)
def test_a_key_whose_meetings_have_no_end_stays(config: Path, keys: Path, changes: dict[str, Any], said: str) -> None:
    two_keys(keys)
    keep(config, made_with(0, **changes))
    assert listed(config)[0]["removable_after"] is None
    assert said in told(run(config, "list"))
    assert refused(run(config, "prune", "--id", "0", "--yes", "--json")) == "key-is-needed"


def test_a_room_that_waits_for_its_invitation_needs_its_key(config: Path, keys: Path) -> None:
    two_keys(keys)
    until = NOW + 12 * DAY
    keep(config, asked=Reservation(5, 1, None, NOW, asked_by="a", request_id="r", key_id=0, expires_at=until))
    found = listed(config)[0]
    assert (found["reservations"], found["removable"], found["removable_after"]) == (1, False, until.isoformat())


def test_what_an_add_in_may_have_in_store_is_waited_for(config: Path, keys: Path) -> None:
    two_keys(keys)
    config.write_text(config.read_text() + ADDIN)
    keep(config, made_with(0, state=State.ENDED))
    waits = datetime.fromisoformat(listed(config)[0]["removable_after"]) - NOW
    assert 30 * DAY <= waits < 31 * DAY, "nobody knows that the next key has issued yet"
    keep(config, made_with(1, 2, issued_at=NOW - 20 * DAY))
    assert datetime.fromisoformat(listed(config)[0]["removable_after"]) == NOW + 10 * DAY
    keep(config, made_with(1, 3, issued_at=NOW - 40 * DAY))
    assert listed(config)[0]["removable"] is True


def test_a_key_that_meetings_need_and_nobody_has_is_a_problem(config: Path) -> None:
    keep(config, made_with(7))
    found = listed(config, 1)
    assert found[7]["configured"] is False
    assert "Key 7 is missing in the configuration" in told(run(config, "list"), 1)


# --- rotate ---------------------------------------------------------------------------------------------------------


def test_a_new_key_is_the_first_line_and_everything_else_stays(config: Path, keys: Path) -> None:
    before = keys.read_text()
    said = told(run(config, "rotate", "--yes"))
    assert "Key 1 is the current one" in said
    assert "Restart `greenroom serve`" in said
    assert "Old keys must stay" in said
    first, rest = keys.read_text().split("\n", 1)
    assert first.startswith("1:")
    assert len(base64.b64decode(first[2:])) == 32
    assert first[2:] not in said
    assert rest == before
    (old,) = keys.parent.glob("ticket-keys.*.old")
    assert old.read_text() == before
    assert {stat.S_IMODE(file.stat().st_mode) for file in (keys, old)} == {0o640}
    assert [key.id for key in load_settings(config, {}).integration[0].ticket_keys] == [1, 0]


def test_a_link_to_the_file_stays_a_link(config: Path, keys: Path) -> None:
    real = keys.rename(keys.with_name("real-keys"))
    keys.symlink_to(real.name)
    told(run(config, "rotate", "--yes"))
    assert keys.is_symlink()
    assert real.read_text().startswith("1:")


def test_nothing_is_changed_without_a_yes(config: Path, keys: Path) -> None:
    before = keys.read_text()
    assert "Nothing was changed" in told(run(config, "rotate"), 1)
    assert refused(run(config, "rotate", "--json")) == "not-confirmed"
    assert keys.read_text() == before


def test_an_id_that_something_lives_with_is_not_taken_again(config: Path) -> None:
    keep(config, made_with(1), asked=Reservation(5, 1, None, NOW, asked_by="a", request_id="r", key_id=2))
    assert json.loads(run(config, "rotate", "--yes", "--json").stdout)["id"] == 3


def test_ids_begin_again_behind_the_last_one(config: Path, keys: Path) -> None:
    keys.write_text(f"15:{KEY}\n")
    assert json.loads(run(config, "rotate", "--yes", "--json").stdout)["id"] == 0


def test_with_sixteen_keys_it_says_which_may_go(config: Path, keys: Path) -> None:
    lines = [f"{n}:{base64.b64encode(bytes([n]) * 32).decode()}" for n in range(16)]
    keys.write_text("\n".join(lines))
    keep(config, *(made_with(n, n) for n in range(16) if n != 4))
    result = run(config, "rotate", "--yes", "--json")
    assert refused(result) == "no-free-id"
    assert "one of 4." in json.loads(result.stdout)["failure"]["next"]
    keep(config, made_with(4, 4, ends_in=timedelta(hours=2)))
    assert (
        "The first one is key 4, after "
        in json.loads(run(config, "rotate", "--yes", "--json").stdout)["failure"]["next"]
    )
    assert keys.read_text() == "\n".join(lines)


def test_where_keys_are_in_the_configuration_it_prints_what_belongs_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write_config(tmp_path)
    fill(tmp_path)
    before = config.read_text()
    said = told(run(config, "rotate"))
    assert 'Put this in front of the others in ticket_keys of integration "main": { id = 1, key = "' in said
    put = json.loads(run(config, "rotate", "--json").stdout)["put"]
    assert config.read_text() == before
    config.write_text(before.replace("ticket_keys = [", f"ticket_keys = [{put}, "))
    assert [key.id for key in load_settings(config, {}).integration[0].ticket_keys] == [1, 0]
    monkeypatch.setenv("GREENROOM_INTEGRATION__MAIN__TICKET_KEYS", json.dumps([{"id": 0, "key": KEY}]))
    told_ = json.loads(run(config, "rotate", "--json").stdout)
    assert "GREENROOM_INTEGRATION__MAIN__TICKET_KEYS" in told_["where"]
    assert json.loads(told_["put"])["id"] == 1


# --- prune ----------------------------------------------------------------------------------------------------------


def test_a_key_that_nothing_needs_is_removed(config: Path, keys: Path) -> None:
    two_keys(keys)
    keep(config, made_with(0, ends_in=-DAY, state=State.ENDED), made_with(1, 2))
    said = told(run(config, "prune", "--id", "0", "--yes"))
    assert "Key 0 is not in" in said
    assert keys.read_text() == f"1:{OTHER}\n"
    assert len(list(keys.parent.glob("ticket-keys.*.old"))) == 1


def test_a_key_that_is_needed_is_not_removed(config: Path, keys: Path) -> None:
    two_keys(keys)
    before = keys.read_text()
    keep(config, made_with(0))
    for key_id, code in (("0", "key-is-needed"), ("1", "key-is-current"), ("5", "no-such-key")):
        assert refused(run(config, "prune", "--id", key_id, "--yes", "--json")) == code
    assert keys.read_text() == before


def test_keys_in_the_configuration_are_left_to_their_owner(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    fill(tmp_path)
    ring = f'ticket_keys = [{{ id = 1, key = "{OTHER}" }}, {{ id = 0, key = "{KEY}" }}]'
    config.write_text(config.read_text().replace(f'ticket_keys = [{{ id = 0, key = "{KEY}" }}]', ring))
    assert refused(run(config, "prune", "--id", "0", "--yes", "--json")) == "keys-not-in-a-file"


# --- what it is for -------------------------------------------------------------------------------------------------


def test_after_a_rotation_old_tickets_and_pins_stay_and_new_meetings_get_the_new_key(config: Path, keys: Path) -> None:
    mailbox, clock = FakeMailbox("vmr@greenroom.example", lambda: THEN), Clock(THEN)
    mailbox.clock = clock

    async def start(work: Callable[[Any, Storage], Any]) -> Any:
        """Start Greenroom with the keys that are in the file, and let it look once."""
        entry = load_settings(config, {}).integration[0]
        ring = KeyRing(entry.ticket_prefix, 1, {one.id: one.key for one in entry.ticket_keys}, entry.ticket_keys[0].id)
        storage = Storage.open(f"sqlite:///{config.parent}/greenroom.db")
        policy = Policy(mailbox.address, pin=PinPolicy.HOST_AND_GUEST)
        integration = replace(integration_of(mailbox, storage, clock, policy=policy), ring=ring)
        clock.forward(minutes=1)
        await Attendant(integration, storage, clock).attend()
        try:
            return await work(integration, storage)
        finally:
            await storage.close()

    async def room(storage: Storage, uid: str) -> tuple[Record, Any]:
        key = MeetingKey.of_uid(uid)
        async with storage.reading() as work:
            record = (await work.meetings.by_keys(1, [key]))[key]
            stored = await work.rooms.by_mark(1, record.mark)
        assert stored is not None
        return record, stored.spec

    def ticket(uid: str) -> str:
        (found,) = find_tickets(mailbox.organizer_bodies[MeetingKey.of_uid(uid)].body_html, "GRM")
        return found

    mailbox.invite(observation("old", starts_in=5 * DAY))
    before, spec = asyncio.run(start(lambda _integration, storage: room(storage, "old")))
    printed = ticket("old")
    assert before.alias_key == 0

    told(run(config, "rotate", "--yes"))

    mailbox.invite(observation("new"))
    item = next(one for one in mailbox.items.values() if one.key == before.key)
    assert item.span is not None
    moved = replace(item, span=replace(item.span, start=item.span.start + DAY, end=item.span.end + DAY))
    mailbox.put(replace(moved, sent_at=THEN + timedelta(minutes=1)))

    async def after(integration: Any, storage: Storage) -> None:
        record, same = await room(storage, "old")
        assert record.span == moved.span, "it was looked at again"
        assert (record.alias_key, record.alias_number) == (0, before.alias_number)
        assert (same.host_pin, same.guest_pin, same.join_id) == (spec.host_pin, spec.guest_pin, spec.join_id)
        assert isinstance(integration.ring.verify(printed), Ticket)
        record, other = await room(storage, "new")
        assert record.alias_key == 1
        assert other.host_pin == pin(integration.ring.secret(1, "pin"), other.alias, "host")
        verdict = integration.ring.verify(ticket("new"))
        assert isinstance(verdict, Ticket)
        assert verdict.key_id == 1

    asyncio.run(start(after))
    assert {key_id: one["meetings"] for key_id, one in listed(config).items()} == {1: 1, 0: 1}
    assert mailbox.replies_to(before.key)
