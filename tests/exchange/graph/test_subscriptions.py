"""What is asked of subscriptions, and what their answers tell."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from greenroom.exchange.errors import MisconfiguredError, TryLaterError
from greenroom.exchange.graph import subscriptions
from greenroom.exchange.graph.call import RefusedError
from greenroom.exchange.graph.subscriptions import LIFETIMES, Granted, Listed
from support.graph_schema import request_complaint

AT = datetime(2026, 11, 28, 11, 30, tzinfo=UTC)
HOOK = "https://greenroom.example.test/hooks/graph/main"


def made(**changed: Any) -> dict[str, Any]:
    found = {"id": "7f105c7d", "resource": "users/vmr@example.test/events", "notificationUrl": HOOK}
    return found | {"expirationDateTime": "2026-11-28T11:30:00.1234567Z"} | changed


def test_a_create_request_fits_the_schema_and_asks_for_everything() -> None:
    call = subscriptions.create(
        "vmr@example.test",
        notification_url=HOOK,
        lifecycle_url=HOOK + "/lifecycle",
        client_state="secret",
        expires=AT.astimezone(timezone(timedelta(hours=5))),
    )
    assert request_complaint(call.operation, call.body) is None
    assert call.body == {
        "changeType": "created,updated,deleted",
        "resource": "users/vmr@example.test/events",
        "notificationUrl": HOOK,
        "lifecycleNotificationUrl": HOOK + "/lifecycle",
        "clientState": "secret",
        "expirationDateTime": "2026-11-28T11:30:00Z",
    }
    assert (call.method, call.target(), call.mailbox, call.writes, call.sends) == (
        "POST",
        "subscriptions",
        "",
        True,
        False,
    )
    assert "secret" not in repr(call)


def test_without_a_lifecycle_address_none_is_named() -> None:
    call = subscriptions.create("a@b", notification_url=HOOK, lifecycle_url="", client_state="s", expires=AT)
    assert call.body is not None
    assert "lifecycleNotificationUrl" not in call.body


def test_the_other_requests_are_these() -> None:
    calls = [
        subscriptions.list_all(),
        subscriptions.renew("a/b", AT),
        subscriptions.delete("a/b"),
    ]
    assert [(call.operation, call.method, call.target(), call.body, call.writes) for call in calls] == [
        ("ListSubscriptions", "GET", "subscriptions", None, False),
        ("RenewSubscription", "PATCH", "subscriptions/a%2Fb", {"expirationDateTime": "2026-11-28T11:30:00Z"}, True),
        ("DeleteSubscription", "DELETE", "subscriptions/a%2Fb", None, True),
    ]
    assert all(request_complaint(call.operation, call.body) is None for call in calls)


def test_an_address_cannot_leave_its_place_in_the_resource() -> None:
    assert subscriptions.resource_of("o'neil+vmr@b.test") == "users/o'neil+vmr@b.test/events"
    assert subscriptions.resource_of("a/../b?c#d%@e") == "users/a%2F..%2Fb%3Fc%23d%25@e/events"


def test_what_was_granted_is_read_back() -> None:
    assert subscriptions.read_granted(made()) == Granted("7f105c7d", AT.replace(microsecond=123456))
    assert subscriptions.read_granted(made(expirationDateTime="2026-11-28T12:30:00+01:00")).expires == AT
    assert subscriptions.read_granted(made(expirationDateTime="2026-11-28T11:30:00")).expires == AT


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "x",
        {},
        made(id=None),
        made(id=""),
        made(id="x" * 300),
        made(id=7),
        made(expirationDateTime=None),
        made(expirationDateTime="soon"),
        made(expirationDateTime=7),
        made(expirationDateTime="0001-01-01T00:00:00+14:00"),
    ],
    ids=str,
)
def test_what_is_no_subscription_is_tried_again_later(body: Any) -> None:
    with pytest.raises(TryLaterError, match="no subscription"):
        subscriptions.read_granted(body)


def test_a_page_passes_over_what_is_no_subscription_and_names_the_next() -> None:
    broken = [
        {"id": 7},
        None,
        "x",
        made(id=7),
        made(resource=["x"]),
        made(notificationUrl={"a": 1}),
        made(resource=None),
    ]
    body = {"value": [made(), *broken, made(id="b", expirationDateTime=7)], "@odata.nextLink": "https://x/next"}
    found, link = subscriptions.read_page(body)
    assert ([one.ident for one in found], link) == (["7f105c7d", "b"], "https://x/next")
    assert subscriptions.read_page({"value": [], "@odata.nextLink": 7}) == ([], "")


@pytest.mark.parametrize("body", [None, [], {}, {"value": None}, {"value": {}}], ids=str)
def test_what_is_no_list_is_tried_again_later(body: Any) -> None:
    with pytest.raises(TryLaterError, match="no list"):
        subscriptions.read_page(body)


@pytest.mark.parametrize(
    ("changed", "ours"),
    [
        ({}, True),
        ({"resource": "/Users/VMR@example.test/Events"}, True),
        ({"resource": "users('vmr@example.test')/events"}, True),
        ({"resource": "users/vmr%40example.test/events"}, True),
        ({"resource": "users/other@example.test/events"}, False),
        ({"resource": "users/vmr@example.test/messages"}, False),
        ({"notificationUrl": HOOK + "2"}, False),
        ({"notificationUrl": "https://elsewhere.example.test/hooks/graph/main"}, False),
    ],
)
def test_ours_are_told_by_resource_and_address(changed: dict[str, str], *, ours: bool) -> None:
    told = made(**changed)
    listed = Listed(told["id"], told["resource"], told["notificationUrl"])
    assert subscriptions.is_ours(listed, "vmr@example.test", HOOK) is ours


def test_a_refused_lifetime_is_followed_by_shorter_ones() -> None:
    refused = RefusedError("x", status=400, code="InvalidRequest")
    assert subscriptions.shorter_lifetimes(refused, LIFETIMES[0]) == LIFETIMES[1:]
    assert subscriptions.shorter_lifetimes(refused, LIFETIMES[2]) == ()
    assert LIFETIMES[0] < timedelta(days=7)
    for error in (("ValidationError", 400), ("ResourceNotFound", 404), ("ExtensionError", 409)):
        assert subscriptions.shorter_lifetimes(RefusedError("x", code=error[0], status=error[1]), LIFETIMES[0]) == ()


@pytest.mark.parametrize(
    "url", [HOOK, "https://[2001:db8::1]/x", "http://127.0.0.1:8080/hooks/graph/main", "http://localhost/x"]
)
def test_an_address_exchange_can_reach_passes(url: str) -> None:
    subscriptions.check_urls(url, "", "vmr@example.test")


@pytest.mark.parametrize(
    "url",
    [
        "http://greenroom.example.test/x",
        "ftp://greenroom.example.test/x",
        "//greenroom.example.test/x",
        "greenroom.example.test",
        "https://",
        "https://user:pw@greenroom.example.test/x",
        "https://greenroom.example.test/x#y",
        "https://greenroom.example.test/\r\nX: y",
        "https://greenröom.example.test/x",
        "https://[greenroom/x",
        "https://greenroom.example.test/" + "x" * 3_000,
    ],
)
def test_an_address_exchange_could_never_reach_is_a_wrong_setting(url: str) -> None:
    for pair in ((url, ""), (HOOK, url)):
        with pytest.raises(MisconfiguredError) as caught:
            subscriptions.check_urls(*pair, "vmr@example.test")
        assert "https" in caught.value.hint
        assert url not in str(caught.value)
