"""The published schema of Microsoft Graph as a referee: every request we send, every answer and notification must fit it."""

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # the package has no stubs

from support.shared import shared_path

_EVENT_REQUESTS: Final = frozenset({"CreateEvent", "UpdateEvent"})
_SUBSCRIPTION_REQUESTS: Final = frozenset({"CreateSubscription", "RenewSubscription"})
_ACTIONS: Final[Mapping[str, frozenset[str]]] = {
    "AcceptEvent": frozenset({"comment", "sendresponse"}),
    "DeclineEvent": frozenset({"comment", "sendresponse", "proposednewtime"}),
    "TentativelyAcceptEvent": frozenset({"comment", "sendresponse", "proposednewtime"}),
    "CancelEvent": frozenset({"comment"}),
}
_EVENT_REPLIES: Final = frozenset({"GetEvent", "CreateEvent", "UpdateEvent"})
_EVENT_LISTS: Final = frozenset({"ListEvents", "ListInstances", "ListCalendarView", "DeltaCalendarView"})
_SUBSCRIPTION_REPLIES: Final = frozenset({"CreateSubscription", "GetSubscription", "RenewSubscription"})
_CALENDARS: Final = frozenset({"GetCalendar", "UpdateCalendar"})
_FIRST_ERROR: Final = 400
_FITTING: Final[set[str]] = set()  # what was found to fit: lists tell the same events again and again
_MOST_REMEMBERED: Final = 5_000
_SUBSCRIPTION_FIELDS: Final = ("id", "resource", "changeType", "notificationUrl", "expirationDateTime")
_NOTIFICATION_FIELDS: Final = ("subscriptionId", "subscriptionExpirationDateTime", "tenantId")


@lru_cache(maxsize=1)
def _schema() -> dict[str, Any]:
    """Read the schema; skips the test where it is missing."""
    text = (shared_path("schemas/graph") / "outlook.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


@lru_cache(maxsize=50)
def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator({**_schema(), "$ref": f"#/$defs/{name}"})


def misfits(name: str, value: Any) -> list[str]:
    """What is wrong with a value of a type of Graph ("event", "subscription"), by place; the values themselves are left out."""
    text = f"{name} {json.dumps(value, sort_keys=True)}"
    if text in _FITTING:
        return []
    wrong = [
        f"{name}{''.join(f'/{part}' for part in error.absolute_path)}: {error.validator} {_expected(error)}"
        for error in _validator(name).iter_errors(value)
    ]
    if not isinstance(value, dict):
        wrong.append(f"{name}: not an object")
    if not wrong and len(_FITTING) < _MOST_REMEMBERED:
        _FITTING.add(text)
    return wrong


def _expected(error: Any) -> str:
    if error.validator == "additionalProperties":
        known = set(error.schema.get("properties", ()))
        return f"has {', '.join(sorted(set(error.instance) - known))}"
    return str(error.validator_value)[:120]


def _unknown_in(name: str, value: Any) -> list[str]:
    """Properties an open type does not name: open extensions are not ours."""
    known = _schema()["$defs"][name]["properties"]
    given = value if isinstance(value, dict) else {}
    return [f"{name}: unknown property {one}" for one in given if one not in known and "@" not in one]


def request_complaint(operation: str, body: Any) -> str | None:
    """What is wrong with the body of a request, or None."""
    wrong: list[str] = []
    if operation in _EVENT_REQUESTS:
        wrong = misfits("event", body) + _unknown_in("event", body)
    elif operation in _SUBSCRIPTION_REQUESTS:
        wrong = misfits("subscription", body)
    elif operation == "UpdateCalendar":
        wrong = misfits("calendar", body)
    elif operation in _ACTIONS:
        wrong = _action_misfits(operation, body)
    elif operation == "TranslateIds":
        wrong = _shape(body, {"inputIds": list, "sourceIdType": str, "targetIdType": str})
    elif operation == "Batch":
        wrong = _batch_misfits(body)
    elif body is not None:
        wrong = [f"{operation} takes no body"]
    return "; ".join(wrong) or None


def _action_misfits(operation: str, body: Any) -> list[str]:
    """Parameters of an action; Graph does not mind their case."""
    if body is None:
        return []
    if not isinstance(body, dict):
        return [f"{operation}: not an object"]
    allowed = _ACTIONS[operation]
    wrong = [f"{operation}: unknown parameter {name}" for name in body if name.lower() not in allowed]
    for name, value in body.items():
        kinds = {"comment": (str, type(None)), "sendresponse": (bool, type(None))}.get(name.lower())
        if kinds is not None and not isinstance(value, kinds):
            wrong.append(f"{operation}: {name} has the wrong type")
        if name.lower() == "proposednewtime" and value is not None:
            wrong += misfits("timeSlot", value)
    return wrong


def _batch_misfits(body: Any) -> list[str]:
    wrong = _shape(body, {"requests": list})
    if wrong:
        return wrong
    for one in body["requests"]:
        wrong += _shape(one, {"id": str, "method": str, "url": str})
        extra = set(one) - {"id", "method", "url", "headers", "body", "dependsOn"} if isinstance(one, dict) else set()
        wrong += [f"request of a batch: unknown property {name}" for name in sorted(extra)]
    return wrong


def _shape(value: Any, fields: Mapping[str, type]) -> list[str]:
    if not isinstance(value, dict):
        return ["not an object"]
    return [
        f"{name} is missing or has the wrong type"
        for name, kind in fields.items()
        if not isinstance(value.get(name), kind)
    ]


def reply_complaint(operation: str, status: int, body: Any) -> str | None:
    """What is wrong with an answer, or None."""
    wrong: list[str] = []
    if status >= _FIRST_ERROR:
        wrong = _error_misfits(body)
    elif operation in _EVENT_REPLIES:
        wrong = _event_misfits(body)
    elif operation in _EVENT_LISTS:
        wrong = _list_misfits("event", body, _event_misfits)
    elif operation in _SUBSCRIPTION_REPLIES:
        wrong = misfits("subscription", body) + _missing("subscription", body, _SUBSCRIPTION_FIELDS)
    elif operation == "ListSubscriptions":
        wrong = _list_misfits("subscription", body)
    elif operation in _CALENDARS:
        wrong = misfits("calendar", body)
    elif operation == "ListCalendars":
        wrong = _list_misfits("calendar", body)
    return "; ".join(wrong) or None


def _missing(name: str, value: Any, fields: tuple[str, ...]) -> list[str]:
    given = value if isinstance(value, dict) else {}
    return [f"{name}: {field} is missing" for field in fields if given.get(field) is None]


def _event_misfits(value: Any) -> list[str]:
    """What is wrong with an answered event. The type is open (to extensions, of which we have none) and demands nothing."""
    if isinstance(value, dict) and "@removed" in value:
        return _missing("event", value, ("id",))
    return misfits("event", value) + _unknown_in("event", value) + _missing("event", value, ("id",))


def _list_misfits(name: str, body: Any, judge: Callable[[Any], list[str]] | None = None) -> list[str]:
    wrong = _shape(body, {"value": list})
    if wrong:
        return wrong
    wrong = [f"unknown property {one}" for one in body if one != "value" and not one.startswith("@odata.")]
    one_by_one = judge or (lambda one: misfits(name, one))
    return wrong + [complaint for one in body["value"] for complaint in one_by_one(one)]


def _error_misfits(body: Any) -> list[str]:
    wrong = _shape(body, {"error": dict})
    return wrong or _shape(body["error"], {"code": str, "message": str, "innerError": dict})


def notification_complaint(body: Any) -> str | None:
    """What is wrong with a posted collection of notifications, or None."""
    wrong = misfits("changeNotificationCollection", body)
    for one in body.get("value", []) if isinstance(body, dict) else []:
        wrong += _missing("changeNotification", one, _NOTIFICATION_FIELDS)
        if isinstance(one, dict) and "lifecycleEvent" not in one:
            wrong += _missing("changeNotification", one, ("changeType", "resource", "resourceData"))
    return "; ".join(wrong) or None


class _Judge:
    """Judges for a simulator: what is wrong is refused where it is a request, and recorded in any case."""

    def __init__(self, invalid: list[str], *, check_requests: bool) -> None:
        self._invalid = invalid
        self._check_requests = check_requests

    def request(self, operation: str, body: Any) -> str | None:
        complaint = request_complaint(operation, body) if self._check_requests else None
        self._record(f"request {operation}", complaint)
        return complaint

    def reply(self, operation: str, status: int, body: Any) -> None:
        self._record(f"reply {operation} {status}", reply_complaint(operation, status, body))

    def notification(self, body: Any) -> None:
        self._record("notification", notification_complaint(body))

    def _record(self, what: str, complaint: str | None) -> None:
        if complaint is not None:
            self._invalid.append(f"{what}: {complaint}")


def graph_judge(invalid: list[str], *, check_requests: bool = True) -> _Judge | None:
    """A referee that writes down what does not fit; None where the schema is not at hand."""
    try:
        _schema()
    except pytest.skip.Exception:
        return None
    return _Judge(invalid, check_requests=check_requests)
