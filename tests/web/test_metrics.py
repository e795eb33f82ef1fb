"""What Prometheus reads: as its own parser understands it, and who may read it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from greenroom import __version__
from greenroom.assembly import bind, open_greenroom, serving
from greenroom.meetings.record import State
from greenroom.settings import load_settings
from greenroom.storage import Alarm, MailboxState, Storage, StorageError
from greenroom.storage.drifts import StoredDrift
from greenroom.web.app import create_app
from greenroom.web.metrics import Metrics, Watched, metrics_router
from support.house import write_config
from support.join_rooms import NOW, PLACES, Clock, RoomsInMemory
from support.records import full_record

BOX = "rooms@planted.example"
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
LOOPBACK = ("127.0.0.0/8", "::1/128")
Told = dict[str, dict[tuple[str, ...], float]]


@pytest.fixture
async def storage() -> AsyncIterator[Storage]:
    opened = Storage.open("sqlite://")
    await opened.migrate()
    yield opened
    await opened.close()


def metrics(storage: Storage, *, kept: float = 0.0) -> Metrics:
    watched = [Watched(1, "main", BOX), Watched(2, "other", "other@planted.example")]
    return Metrics(storage, watched, Clock(), kinds=["orphan-room", "room-missing"], kept=kept)


async def told(storage: Storage) -> Told:
    """All samples, by name and then by the values of their labels, the integration first."""
    text = (await metrics(storage).text()).decode()
    samples = [one for family in text_string_to_metric_families(text) for one in family.samples]
    by_name: Told = {}
    for one in samples:
        labels = sorted(one.labels, key=lambda name: (name != "integration", name))
        by_name.setdefault(one.name, {})[tuple(one.labels[name] for name in labels)] = one.value
    return by_name


async def test_a_mailbox_at_work_is_told_in_numbers(storage: Storage) -> None:
    records = [full_record(n, state=State.DEFECTIVE if n > 3 else State.SCHEDULED) for n in range(1, 6)]
    async with storage.work() as work:
        await work.meetings.save([*records, replace(full_record(9, state=State.SCHEDULED), integration=2)])
        await work.mailboxes.claim(BOX, "host/4711", NOW, NOW + MINUTE)
        await work.mailboxes.note_pass(BOX, NOW - 10 * MINUTE, None)
        await work.mailboxes.note_backlog(BOX, 500, 120, NOW - 5 * MINUTE)
        await work.mailboxes.note_line(BOX, 37, NOW + HOUR)
        await work.mailboxes.note_credential(BOX, NOW + 90 * HOUR)
        await work.mailboxes.note_drift(BOX, NOW - HOUR)
        await work.drifts.replace(1, [StoredDrift(1, "orphan-room", "room-7", "", NOW - HOUR, NOW)], NOW)
    found = await told(storage)
    assert found["greenroom_build_info"] == {(__version__,): 1}
    assert {name: values[("main",)] for name, values in found.items() if ("main",) in values} == {
        "greenroom_attended": 1,
        "greenroom_last_success_timestamp_seconds": (NOW - 10 * MINUTE).timestamp(),
        "greenroom_lag_seconds": 600,
        "greenroom_backlog_meetings": 500,
        "greenroom_backlog_done": 120,
        "greenroom_replies_waiting": 37,
        "greenroom_defective_meetings": 2,
        "greenroom_drift_timestamp_seconds": (NOW - HOUR).timestamp(),
        "greenroom_credential_expiry_timestamp_seconds": (NOW + 90 * HOUR).timestamp(),
    }
    states = {state: number for (name, state), number in found["greenroom_meetings"].items() if name == "main"}
    assert set(states) == {state.value for state in State}
    assert {state: number for state, number in states.items() if number} == {"scheduled": 3, "defective": 2}
    assert found["greenroom_meetings"][("other", "scheduled")] == 1
    assert found["greenroom_drift"] == {("main", "orphan-room"): 1, ("main", "room-missing"): 0}


async def test_a_mailbox_nobody_attended_yet_has_no_times_and_no_lag(storage: Storage) -> None:
    found = await told(storage)
    for name in ("lag_seconds", "last_success_timestamp_seconds", "drift", "drift_timestamp_seconds"):
        assert f"greenroom_{name}" not in found
    assert found["greenroom_attended"] == {("main",): 0, ("other",): 0}
    assert found["greenroom_backlog_meetings"][("main",)] == 0


async def test_a_claim_that_ran_out_attends_nothing(storage: Storage) -> None:
    async with storage.work() as work:
        await work.mailboxes.claim(BOX, "host/4711", NOW - HOUR, NOW - MINUTE)
    assert (await told(storage))["greenroom_attended"][("main",)] == 0


async def test_incidents_of_a_day_are_counted_by_code(storage: Storage) -> None:
    async with storage.work() as work:
        await work.alarms.note(
            [
                Alarm(1, "platform-unavailable", "a planted subject", 9, NOW - HOUR, NOW),
                Alarm(1, "platform-unavailable", "another", 1, NOW - HOUR, NOW),
                Alarm(0, "policy-password-guessing", "198.51.100.7", 40, NOW - HOUR, NOW),
                Alarm(1, "policy-alias-guessing", "long ago", 1, NOW - 40 * HOUR, NOW - 30 * HOUR),
            ]
        )
    assert (await told(storage))["greenroom_alarms"] == {
        ("main", "platform-unavailable"): 2,
        ("", "policy-password-guessing"): 1,
    }


async def test_no_address_no_subject_and_no_person_stands_in_it(storage: Storage) -> None:
    async with storage.work() as work:
        await work.meetings.save([full_record(1)])
        await work.mailboxes.claim(BOX, "secret-host/4711", NOW, NOW + MINUTE)
        await work.alarms.note([Alarm(1, "policy-alias-guessing", "198.51.100.7", 9, NOW, NOW)])
        await work.drifts.replace(1, [StoredDrift(1, "orphan-room", "room-7", "detail", NOW, NOW)], NOW)
    text = (await metrics(storage).text()).decode()
    assert not [word for word in ("planted", "@", "198.51", "secret-host", "room-7", "detail") if word in text]


async def test_every_metric_says_what_it_is_and_times_say_their_unit(storage: Storage) -> None:
    families = list(text_string_to_metric_families((await metrics(storage).text()).decode()))
    assert len(families) >= 13
    assert not [one.name for one in families if not one.documentation.endswith(".")]
    assert all("seconds" in one.documentation for one in families if "seconds" in one.name)


def test_the_lag_before_the_first_good_pass_is_how_long_it_has_been_caught_up_with() -> None:
    assert MailboxState(BOX).lag(NOW) is None
    assert MailboxState(BOX, backlog_since=NOW - MINUTE).lag(NOW) == MINUTE
    assert MailboxState(BOX, backlog_since=NOW - MINUTE, last_success_at=NOW - HOUR).lag(NOW) == HOUR
    assert MailboxState(BOX, last_success_at=NOW + HOUR).lag(NOW) == timedelta()


async def test_asking_often_reads_the_database_now_and_then(storage: Storage) -> None:
    often = metrics(storage, kept=60)
    before = await often.text()
    async with storage.work() as work:
        await work.mailboxes.note_line(BOX, 99, None)
    assert await often.text() == before
    assert await metrics(storage).text() != before


async def asked(
    address: str, storage: Storage, *, networks: tuple[str, ...] = LOOPBACK, method: str = "GET"
) -> httpx2.Response:
    app = create_app(RoomsInMemory(), Clock(), PLACES, more=[metrics_router(metrics(storage), networks)])
    transport = httpx2.ASGITransport(app=app, client=(address, 4711))
    async with httpx2.AsyncClient(transport=transport, base_url="https://meet.example.org") as client:
        return await client.request(method, "/metrics")


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
async def test_who_is_on_this_computer_may_read_it(storage: Storage, address: str) -> None:
    answer = await asked(address, storage)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    head = await asked(address, storage, method="HEAD")
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize("address", ["192.0.2.9", "10.0.0.1", "2001:db8::1", "", "unknown"])
async def test_for_all_others_there_is_no_such_page(storage: Storage, address: str) -> None:
    answer = await asked(address, storage)
    assert answer.status_code == 404
    assert b"greenroom_" not in answer.content


async def test_the_networks_are_those_of_the_configuration(storage: Storage) -> None:
    assert (await asked("10.1.2.3", storage, networks=("10.0.0.0/8",))).status_code == 200
    assert (await asked("127.0.0.1", storage, networks=("10.0.0.0/8",))).status_code == 404
    assert (await asked("127.0.0.1", storage, networks=())).status_code == 404


@pytest.mark.parametrize(
    ("said", "status"),
    [(None, 200), ("198.51.100.7", 404), ("127.0.0.1, 198.51.100.7", 404), ("unknown", 404)],
    ids=["itself", "visitor", "visitor-who-lies", "garbage"],
)
async def test_a_visitor_behind_the_proxy_of_this_computer_is_not_taken_for_it(
    storage: Storage, said: str | None, status: int
) -> None:
    app = create_app(RoomsInMemory(), Clock(), PLACES, more=[metrics_router(metrics(storage), LOOPBACK)])
    listener = bind("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/metrics"
    async with serving(app, listener), httpx2.AsyncClient(trust_env=False) as client:
        answer = await client.get(url, headers={} if said is None else {"X-Forwarded-For": said})
    assert answer.status_code == status


async def test_a_database_that_cannot_be_read_is_said_so(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(_self: Storage) -> None:
        raise StorageError("the database is away")

    monkeypatch.setattr(Storage, "reading", down)
    answer = await asked("127.0.0.1", storage)
    assert (answer.status_code, answer.headers["content-type"]) == (503, "text/plain; charset=utf-8")


async def test_the_program_as_it_is_put_together_tells_them(tmp_path: Path) -> None:
    file = write_config(tmp_path)
    for networks, status in (("", 200), ('metrics_from = ["192.0.2.0/24"]', 404)):
        told_from = file.read_text().replace("[storage]", f"{networks}\n[storage]")
        (tmp_path / "other.toml").write_text(told_from)
        async with open_greenroom(load_settings(tmp_path / "other.toml", {})) as greenroom:
            transport = httpx2.ASGITransport(app=greenroom.app, client=("127.0.0.1", 4711))
            async with httpx2.AsyncClient(transport=transport, base_url="https://meet.example.org") as client:
                answer = await client.get("/metrics")
        assert answer.status_code == status
        assert ('greenroom_meetings{integration="main",state="scheduled"} 0.0' in answer.text) is (status == 200)
