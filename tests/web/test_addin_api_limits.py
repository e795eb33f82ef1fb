"""How often somebody may ask, what a flood of bad tokens costs, and that nothing of it fills memory, log or database."""

import asyncio
import time
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from greenroom.web.addin_limits import BadTokens, Buckets
from greenroom.web.identity.contract import Refusal
from support.addin_api import BASE, BEARER, page
from support.in_loop import serving
from support.observations import NOW

EXCHANGE = {"Authorization": "Exchange bob-planted-secret"}
BAD = {"Authorization": "Bearer wrong"}


async def test_a_person_may_ask_for_so_many_rooms_a_minute() -> None:
    async with page(per_minute=3) as asking:
        statuses = [(await asking.reserve(f"request-number-{n:04}")).status_code for n in range(4)]
        assert statuses == [201, 201, 201, 429]
        refused = await asking.reserve()
        assert refused.json()["code"] == "too-many"
        wait = int(refused.headers["retry-after"])
        assert 1 <= wait <= 20
        (stored,) = await asking.refused(refused)
        assert (stored.kind, stored.reason) == ("limit", "per-minute")
        asking.at("198.51.100.7")
        assert (await asking.reserve()).status_code == 429, "the limit is the person's, wherever they ask from"
        assert (await asking.reserve(headers=EXCHANGE)).status_code == 201
        asking.desk.clock.forward(seconds=wait)
        assert (await asking.reserve()).status_code == 201


async def test_what_is_fetched_ahead_counts_as_asked_for() -> None:
    async with page(per_minute=3) as asking:
        assert (await asking.post("/reservations/ahead", {"integration": 1, "count": 2})).status_code == 200
        assert (await asking.reserve()).status_code == 201
        assert (await asking.reserve()).status_code == 429


async def test_looking_costs_less_than_asking_for_rooms() -> None:
    async with page(per_minute=1) as asking:
        ticket = (await asking.reserve()).json()["ticket"]
        asked = {"integration": 1, "ticket": ticket}
        statuses = Counter([(await asking.post("/reservations/refresh", asked)).status_code for _ in range(12)])
        assert statuses == {200: 10, 429: 2}


async def test_a_flood_of_bad_tokens_is_turned_away_unseen_and_those_at_work_go_on() -> None:
    async with page(bad_tokens=5) as asking:
        assert (await asking.reserve()).status_code == 201
        with capture_logs() as logs:
            statuses = Counter([(await asking.reserve(headers=BAD)).status_code for _ in range(10)])
        assert statuses == {401: 5, 429: 5}
        assert asking.check.asked == 1 + 5
        assert len([one for one in logs if one["log_level"] != "debug"]) == 5
        shut = await asking.reserve(headers=EXCHANGE)
        assert (shut.status_code, shut.json()["code"]) == (429, "too-many")
        assert int(shut.headers["retry-after"]) >= 1
        assert (await asking.reserve()).status_code == 200, "this token was good from there before"
        asking.at("198.51.100.7")
        assert (await asking.reserve(headers=EXCHANGE)).status_code == 201
        asking.at("203.0.113.9")
        asking.desk.clock.forward(seconds=int(shut.headers["retry-after"]))
        assert (await asking.reserve(headers=EXCHANGE)).status_code == 200


async def test_a_token_that_was_good_and_is_no_more_opens_no_way_past_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with page(bad_tokens=5) as asking:
        assert (await asking.reserve()).status_code == 201
        monkeypatch.setattr("support.addin_api.TOKENS", {})
        assert Counter([(await asking.reserve()).status_code for _ in range(10)]) == {401: 5, 429: 5}
        assert asking.check.asked == 1 + 5


@pytest.mark.parametrize("what", ["no token", "another site", "no integration", "no JSON"])
async def test_whoever_has_no_token_fills_no_log_and_keeps_nobody_elses_refusals_out(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("greenroom.web.addin_problems.STORED_A_MINUTE", 3)
    headers: dict[str, dict[str, str]] = {"no token": {}, "another site": {"Sec-Fetch-Site": "cross-site"}}
    asked: dict[str, Any] = {"no JSON": "x", "no integration": {"integration": 9, "request_id": "x" * 16}}
    async with page() as asking:
        with capture_logs() as logs:
            for _ in range(10):
                answer = await asking.post("/reservations", asked.get(what, {}), headers.get(what, BAD))
                assert answer.status_code in {401, 403, 404, 422}
        assert len([one for one in logs if one["log_level"] != "debug"]) == 3
        assert len(await asking.refused(await asking.reserve(headers=BAD))) == 1
        gone = await asking.post("/reservations/refresh", {"integration": 1, "ticket": "GRM-" + "0" * 40})
        assert gone.status_code == 410
        assert len(await asking.refused(gone)) == 1


async def test_people_without_the_right_are_no_flood() -> None:
    async with page(bad_tokens=2) as asking:
        asking.check.refusal = Refusal.NOT_A_MEMBER
        statuses = Counter([(await asking.reserve(headers=BAD)).status_code for _ in range(5)])
        assert statuses == {403: 5}


async def test_only_so_many_refusals_a_minute_are_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("greenroom.web.addin_problems.STORED_A_MINUTE", 3)
    async with page() as asking:
        answers = [await asking.reserve(headers=BAD) for _ in range(13)]
        assert [len(await asking.refused(one)) for one in answers] == [1] * 3 + [0] * 10
        asking.desk.clock.forward(seconds=20)
        with capture_logs() as logs:
            later = await asking.reserve(headers=BAD)
        assert len(await asking.refused(later)) == 1
        assert [one["refusals"] for one in logs if one["event"] == "addin.refusals_not_stored"] == [10]


async def test_an_answer_does_not_wait_for_a_database_that_somebody_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("greenroom.web.addin_problems._PATIENCE", 0.05)
    async with page() as asking:
        held, end = asyncio.Event(), asyncio.Event()

        async def hold() -> None:
            async with asking.desk.storage.work():
                held.set()
                await end.wait()

        holding = asyncio.create_task(hold())
        await held.wait()
        assert (await asking.reserve(headers=BAD)).status_code == 401
        end.set()
        await holding


@pytest.mark.slow
async def test_while_strangers_flood_people_are_answered() -> None:
    async with page() as asking, serving(asking.app) as url:
        limits = httpx2.Limits(max_connections=20)
        took: list[float] = []
        stop = asyncio.Event()

        async def flood(client: httpx2.AsyncClient) -> None:
            while not stop.is_set():
                asked = {"integration": 1, "request_id": "x" * 20}
                assert (await client.post(f"{BASE}/reservations", json=asked, headers=BAD)).status_code in {401, 429}

        async with (
            httpx2.AsyncClient(base_url=url, trust_env=False, limits=limits, timeout=60) as crowd,
            httpx2.AsyncClient(base_url=url, trust_env=False, timeout=60) as person,
        ):
            first = {"integration": 1, "request_id": "person-0000000000"}
            assert (await person.post(f"{BASE}/reservations", json=first, headers=BEARER)).status_code == 201
            floods = [asyncio.create_task(flood(crowd)) for _ in range(8)]
            for n in range(30):
                began = time.perf_counter()
                asked = {"integration": 1, "request_id": f"person-number-{n:04}"}
                answer = await person.post(f"{BASE}/reservations", json=asked, headers=BEARER)
                took.append(time.perf_counter() - began)
                assert answer.status_code == 201
            stop.set()
            await asyncio.gather(*floods)
    assert sorted(took)[15] < 5


def test_a_bucket_fills_within_a_minute_and_never_beyond() -> None:
    buckets, now = Buckets(), NOW
    assert [buckets.take("a", 1, 2, now) for _ in range(3)] == [0, 0, 30]
    assert buckets.take("b", 1, 2, now) == 0
    assert buckets.take("a", 1, 2, now + timedelta(seconds=30)) == 0
    later = now + timedelta(hours=5)
    assert [buckets.take("a", 1, 2, later) for _ in range(3)] == [0, 0, 30]


def test_what_costs_more_than_a_bucket_holds_waits_for_a_full_one() -> None:
    buckets = Buckets()
    assert buckets.take("a", 5, 1, NOW) == 0
    assert buckets.take("a", 5, 1, NOW) == 60


def test_a_clock_that_is_set_back_fills_no_bucket_and_empties_none() -> None:
    buckets = Buckets()
    buckets.take("a", 1, 2, NOW)
    back = NOW - timedelta(days=1)
    assert buckets.take("a", 1, 2, back) == 0
    assert buckets.take("a", 1, 2, back) > 0
    assert buckets.take("a", 1, 2, back + timedelta(seconds=31)) == 0


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 40)), max_size=60), st.integers(1, 20))
def test_in_no_minute_is_more_let_through_than_a_bucket_and_what_fills_it(
    asked: list[tuple[int, float]], per_minute: int
) -> None:
    buckets, now = Buckets(), NOW
    passed: list[tuple[datetime, int]] = []
    for cost, pause in asked:
        now += timedelta(seconds=pause)
        if not buckets.take("a", cost, per_minute, now):
            passed.append((now, min(cost, per_minute)))
    for start, _ in passed:
        within = sum(cost for at, cost in passed if timedelta() <= at - start < timedelta(minutes=1))
        assert within <= 2 * per_minute


def test_memory_is_bounded() -> None:
    buckets, bad = Buckets(10), BadTokens(1, 10)
    for n in range(1_000):
        buckets.take(n, 1, 5, NOW)
        bad.mistaken(f"10.0.{n >> 8}.{n & 255}", "Bearer bad", NOW)
        bad.proved("10.0.0.1", f"Bearer {n}")
    assert len(buckets._left) == len(bad._buckets._left) == len(bad._proved) == 10


def test_a_household_of_ipv6_is_one_address_and_a_dressed_ipv4_is_itself() -> None:
    bad = BadTokens(1)
    bad.mistaken("2001:db8::1", "Bearer bad", NOW)
    bad.mistaken("::ffff:192.0.2.1", "Bearer bad", NOW)
    assert bad.wait("2001:db8::2", "Bearer x", NOW) > 0
    assert bad.wait("2001:db8:0:1::1", "Bearer x", NOW) == 0
    assert bad.wait("192.0.2.1", "Bearer x", NOW) > 0
    assert bad.wait("192.0.2.2", "Bearer x", NOW) == 0
