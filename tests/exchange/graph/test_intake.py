"""Notifications from strangers: refused, bounded, and told of without their content."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from exchange.scripted import Clock
from greenroom.exchange.graph import flood
from greenroom.exchange.graph.intake import GraphIntake, Signal
from greenroom.exchange.notifications import Taken
from support import planted
from support.notified import OTHER_TENANT, SUBSCRIPTION, TENANT, Listening, entry, lifecycle, posted

OTHER = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ours(clock: Clock) -> Listening:
    return Listening(GraphIntake(TENANT, clock=clock))


def test_a_genuine_notification_wakes(ours: Listening) -> None:
    assert ours.intake.take(ours.fresh()) is Taken.TAKEN
    assert ours.signals == [Signal.CHANGED]


@pytest.mark.parametrize("event", ["missed", "subscriptionRemoved", "reauthorizationRequired"])
def test_a_lifecycle_event_is_handed_on(ours: Listening, event: str) -> None:
    assert ours.intake.take(posted(lifecycle(ours.state, event))) is Taken.TAKEN
    assert ours.signals == [Signal(event)]


def test_every_secret_is_32_random_bytes_and_is_not_kept(clock: Clock) -> None:
    intake = GraphIntake(TENANT, clock=clock)
    states = {intake.expect(lambda _: None).client_state for _ in range(50)}
    assert len(states) == 50
    assert all(len(state) == 43 for state in states)
    assert not any(state in repr(vars(intake)) for state in states)


def test_what_comes_before_the_answer_of_the_create_request_counts(clock: Clock) -> None:
    ours = Listening(GraphIntake(TENANT, clock=clock), settled=False)
    assert ours.intake.take(ours.fresh()) is Taken.TAKEN
    ours.expectation.settle(OTHER)
    assert ours.intake.take(ours.fresh()) is Taken.REFUSED
    assert ours.intake.take(ours.fresh(subscriptionId=OTHER.upper())) is Taken.TAKEN
    assert len(ours.signals) == 2


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"clientState": "x" * 43}, "wrong-secret"),
        ({"clientState": "x"}, "wrong-secret"),
        ({"clientState": "\ud800"}, "wrong-secret"),
        ({"subscriptionId": OTHER}, "unknown-subscription"),
        ({"tenantId": OTHER_TENANT}, "wrong-tenant"),
        ({"tenantId": None}, "wrong-tenant"),
        ({"clientState": None}, "unreadable"),
        ({"clientState": ""}, "unreadable"),
        ({"clientState": "x" * 129}, "unreadable"),
        ({"clientState": 7}, "unreadable"),
        ({"clientState": ["x"]}, "unreadable"),
        ({"subscriptionId": "7f105c7d"}, "unreadable"),
        ({"subscriptionId": {"a": 1}}, "unreadable"),
        ({"tenantId": planted.NAME}, "unreadable"),
        ({"changeType": planted.SUBJECT}, "unreadable"),
        ({"changeType": ["updated"]}, "unreadable"),
        ({"changeType": None}, "unreadable"),
        ({"changeType": "", "lifecycleEvent": planted.TEXT}, "unreadable"),
    ],
)
@pytest.mark.parametrize("life", [False, True], ids=["change", "lifecycle"])
def test_what_is_not_ours_is_refused_and_told_without_its_content(
    ours: Listening, changed: dict[str, Any], kind: str, *, life: bool
) -> None:
    make = (lambda s, **c: lifecycle(s, "missed", **c)) if life and "changeType" not in changed else entry
    with capture_logs() as logs:
        taken = ours.intake.take(posted(make(ours.state, **changed)))
    assert taken is (Taken.MALFORMED if kind == "unreadable" else Taken.REFUSED)
    assert ours.signals == []
    assert [(line["event"], line["kind"]) for line in logs] == [("graph.notifications.refused", kind)]
    assert not planted.found_in(repr(logs))
    assert SUBSCRIPTION not in repr(logs)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"null",
        b"[]",
        b"{}",
        b'"value"',
        b"7",
        b'{"value": null}',
        b'{"value": {}}',
        b'{"value": []}',
        b'{"value": "' + planted.SUBJECT.encode() + b'"}',
        b'{"value": [NaN]}',
        b'{"value": [Infinity]}',
        b'{"value": [1e999999]}',
        b'{"value": [' + b"9" * 9_000 + b"]}",
        b'{"value": [null, 1, "x", [], {}]}',
        b"\xff\xfe{\x00}\x00",
        '{"value": []}'.encode("utf-16"),
        b'\xef\xbb\xbf{"value": []}',
        b"[" * 200_000,
        b'{"value":' * 40_000,
        b'{"value": [' + b"[" * 300 + b"]" * 300 + b"]}",
        b'{"value": [' + b"{}," * 1_000 + b"{}]}",
        b"<?xml version='1.0'?><x/>",
    ],
    ids=lambda body: body[:14].decode("latin-1"),
)
def test_what_is_no_collection_is_malformed(ours: Listening, body: bytes) -> None:
    with capture_logs() as logs:
        assert ours.intake.take(body) is Taken.MALFORMED
    assert ours.signals == []
    assert not planted.found_in(repr(logs))


def test_a_genuine_entry_too_deep_is_malformed(ours: Listening) -> None:
    deep: Any = "x"
    for _ in range(30):
        deep = [deep]
    assert ours.intake.take(posted(entry(ours.state, resourceData=deep))) is Taken.MALFORMED
    assert ours.intake.take(posted(entry(ours.state, resource='[[[[{{"\\' * 20))) is Taken.TAKEN, "text is no nesting"


def test_good_entries_count_beside_bad_ones(ours: Listening) -> None:
    body = posted(7, entry("wrong"), entry(ours.state, tenantId=OTHER_TENANT), entry(ours.state), {"x": []})
    with capture_logs() as logs:
        assert ours.intake.take(body) is Taken.TAKEN
    assert ours.signals == [Signal.CHANGED]
    assert {line["kind"]: line["count"] for line in logs} == {"wrong-secret": 1, "wrong-tenant": 1, "unreadable": 2}


def test_a_refused_entry_outweighs_an_unreadable_one(ours: Listening) -> None:
    assert ours.intake.take(posted(7, entry("wrong"))) is Taken.REFUSED


@pytest.mark.parametrize("tenant", ["contoso.onmicrosoft.com", "organizations", ""])
def test_where_the_tenant_is_a_domain_any_guid_may_come_with_the_secret(tenant: str, clock: Clock) -> None:
    ours = Listening(GraphIntake(tenant, clock=clock))
    assert ours.intake.take(ours.fresh(tenantId=OTHER_TENANT)) is Taken.TAKEN


def test_the_tenant_is_compared_whatever_its_case(clock: Clock) -> None:
    ours = Listening(GraphIntake(TENANT.upper(), clock=clock))
    assert ours.intake.take(ours.fresh()) is Taken.TAKEN


def test_a_replay_is_taken_and_wakes_nobody(ours: Listening) -> None:
    body = ours.fresh()
    assert [ours.intake.take(body) for _ in range(3)] == [Taken.TAKEN] * 3
    assert ours.signals == [Signal.CHANGED]


def test_the_same_fact_in_another_wrapping_is_a_replay(ours: Listening) -> None:
    one = entry(ours.state)
    assert ours.intake.take(posted(one)) is Taken.TAKEN
    assert ours.intake.take(posted({"id": "again", **one})) is Taken.TAKEN
    assert ours.intake.take(posted(one, one)) is Taken.TAKEN
    assert ours.signals == [Signal.CHANGED]


def test_another_version_or_kind_of_change_is_no_replay(ours: Listening) -> None:
    bodies = [ours.fresh(), ours.fresh(), posted(entry(ours.state, changeType="deleted")), posted(entry(ours.state))]
    assert [ours.intake.take(body) for body in bodies] == [Taken.TAKEN] * 4
    assert len(ours.signals) == 4


def test_a_change_without_a_version_is_no_replay_of_another(ours: Listening) -> None:
    bodies = [posted(entry(ours.state, resourceData=None, id=str(n))) for n in range(3)]
    assert [ours.intake.take(body) for body in bodies] == [Taken.TAKEN] * 3
    assert len(ours.signals) == 3


def test_the_same_loss_may_be_told_again_later(ours: Listening, clock: Clock) -> None:
    body = posted(lifecycle(ours.state, "missed"))
    ours.intake.take(body)
    clock.advance(seconds=50)
    ours.intake.take(body)
    assert len(ours.signals) == 1
    clock.advance(seconds=20)
    ours.intake.take(body)
    assert len(ours.signals) == 2


def test_a_change_is_known_as_a_replay_for_ten_minutes(ours: Listening, clock: Clock) -> None:
    body = ours.fresh()
    for minutes in (0, 9, 2):
        clock.advance(minutes=minutes)
        ours.intake.take(body)
    assert len(ours.signals) == 2


def test_what_was_refused_is_not_remembered_as_known(clock: Clock) -> None:
    early = Listening(GraphIntake(TENANT, clock=clock), settled=False)
    early.expectation.settle(OTHER)
    body = early.fresh()
    assert early.intake.take(body) is Taken.REFUSED
    early.expectation.settle(SUBSCRIPTION)
    assert early.intake.take(body) is Taken.TAKEN
    assert len(early.signals) == 1


def test_the_memory_of_replays_is_bounded(ours: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("greenroom.exchange.graph.intake._REMEMBERED", 10)
    for _ in range(50):
        ours.intake.take(ours.fresh())
    assert len(ours.intake._seen) == 10
    assert len(ours.signals) == 50


def test_a_subscription_that_is_over_is_answered_and_wakes_nobody(ours: Listening) -> None:
    ours.expectation.retire()
    assert ours.intake.take(ours.fresh()) is Taken.TAKEN
    assert ours.intake.take(posted(entry("wrong"))) is Taken.REFUSED
    assert ours.signals == []


def test_only_a_few_subscriptions_that_are_over_are_remembered(ours: Listening, clock: Clock) -> None:
    ours.expectation.retire()
    for number in range(20):
        later = ours.intake.expect(ours.signals.append)
        later.settle(f"00000000-0000-4000-8000-0000000000{number:02d}")
        later.retire()
    assert ours.intake.take(ours.fresh()) is Taken.REFUSED
    assert len(ours.intake._known) <= 10


def test_a_secret_of_which_no_subscription_came_counts_no_more(clock: Clock) -> None:
    ours = Listening(GraphIntake(TENANT, clock=clock), settled=False)
    ours.expectation.forget()
    assert ours.intake.take(ours.fresh()) is Taken.REFUSED


def test_in_a_flood_strangers_are_sent_away_and_a_genuine_notification_wakes(ours: Listening) -> None:
    with capture_logs() as logs:
        outcomes = [ours.intake.take(b'{"value": ["' + planted.TEXT.encode() + b'"]}') for _ in range(5_000)]
        assert outcomes[0] is Taken.MALFORMED
        assert outcomes[-1] is Taken.TOO_MANY
        assert outcomes.count(Taken.MALFORMED) <= 100
        assert ours.intake.take(ours.fresh()) is Taken.TAKEN
    assert ours.signals == [Signal.CHANGED]
    assert len(logs) == 2, "one line for each kind, however many come"


def test_after_a_flood_everything_is_answered_as_before(ours: Listening, clock: Clock) -> None:
    for _ in range(500):
        ours.intake.take(b"x")
    clock.advance(seconds=30)
    assert ours.intake.take(b"x") is Taken.MALFORMED


def test_large_bodies_use_up_the_patience_sooner(ours: Listening) -> None:
    outcomes = [ours.intake.take(b'{"value": [' + b" " * 250_000 + b"7]}") for _ in range(20)]
    assert outcomes.count(Taken.MALFORMED) < 10


def test_a_flood_of_replays_is_a_flood(ours: Listening) -> None:
    body = ours.fresh()
    outcomes = [ours.intake.take(body) for _ in range(1_000)]
    assert outcomes[-1] is Taken.TOO_MANY
    assert ours.intake.take(ours.fresh()) is Taken.TAKEN
    assert len(ours.signals) == 2


def test_a_flood_that_names_our_subscription_is_sent_away_too(ours: Listening) -> None:
    outcomes = [ours.intake.take(posted(entry(f"wrong{n}"))) for n in range(1_000)]
    assert outcomes[0] is Taken.REFUSED
    assert outcomes[-1] is Taken.TOO_MANY
    assert ours.intake.take(ours.fresh()) is Taken.TAKEN


def test_in_a_flood_the_first_notification_of_a_new_subscription_wakes(clock: Clock) -> None:
    ours = Listening(GraphIntake(TENANT, clock=clock), settled=False)
    for _ in range(500):
        ours.intake.take(b"x")
    assert ours.intake.take(ours.fresh()) is Taken.TAKEN
    assert len(ours.signals) == 1


def test_refusals_are_counted_and_told_once_a_minute(clock: Clock) -> None:
    tally = flood.Tally(clock)
    with capture_logs() as logs:
        for _ in range(70):
            clock.advance(seconds=1)
            tally.count("flood", 3)
    assert [line["count"] for line in logs] == [3, 180]


def test_an_allowance_survives_a_clock_that_is_put_back(clock: Clock) -> None:
    allowance = flood.Allowance(clock, burst=2, per_second=1)
    assert [allowance.spend(1) for _ in range(3)] == [True, True, False]
    clock.advance(days=-1)
    assert not allowance.spend(1)
    clock.advance(seconds=1)
    assert allowance.spend(1)
    clock.advance(seconds=5)
    assert allowance.spend(50), "a full bucket is all there is"


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)
_entries = st.dictionaries(
    st.sampled_from(
        ["subscriptionId", "clientState", "tenantId", "changeType", "lifecycleEvent", "resourceData", "resource", "id"]
    ),
    _json | st.sampled_from([SUBSCRIPTION, TENANT, "updated", "missed"]),
)


@settings(max_examples=30)
@given(st.binary(max_size=200) | _json.map(lambda v: json.dumps(v).encode()))
def test_whatever_is_posted_nothing_is_raised_and_nobody_woken(body: bytes) -> None:
    ours = Listening(GraphIntake(TENANT, clock=Clock()))
    assert ours.intake.take(body) in (Taken.MALFORMED, Taken.REFUSED)
    assert ours.signals == []


@settings(deadline=None)  # other tests may run beside it
@given(st.lists(_entries | _json, max_size=5))
def test_whatever_an_entry_holds_only_the_secret_opens(entries: list[Any]) -> None:
    ours = Listening(GraphIntake(TENANT, clock=Clock()))
    assert ours.intake.take(posted(*entries)) in (Taken.MALFORMED, Taken.REFUSED)
    assert ours.intake.take(posted(*entries, entry(ours.state))) is Taken.TAKEN
    assert ours.signals == [Signal.CHANGED]


@settings(deadline=None)  # other tests may run beside it
@given(_json)
def test_whatever_a_genuine_entry_says_besides_it_wakes(content: Any) -> None:
    ours = Listening(GraphIntake(TENANT, clock=Clock()))
    ours.intake.take(posted(entry(ours.state, resourceData=content, encryptedContent=content)))
    assert ours.signals == [Signal.CHANGED]
