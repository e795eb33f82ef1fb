import asyncio
import json
import re
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from structlog.testing import capture_logs

from greenroom.meetings.ticket import OFFLINE, Ticket
from greenroom.storage import Storage
from greenroom.web.addin_api import LARGEST
from greenroom.web.identity.contract import Refusal
from support.addin_api import BASE, BEARER, PUBLIC, REQUEST, page
from support.in_loop import serving

EXCHANGE = {"Authorization": "Exchange bob-planted-secret"}
JSON = {"Content-Type": "application/json"}
RESERVE = {"integration": 1, "request_id": REQUEST}


def problem(answer: httpx2.Response) -> tuple[int, str]:
    """The status and the code of a problem that is well-formed."""
    told = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert told["status"] == answer.status_code
    assert told["type"] == "about:blank"
    assert told["title"]
    assert re.fullmatch(r"[0-9A-Z]{4}-[0-9A-Z]{4}", told["correlation_id"])
    assert answer.headers["x-correlation-id"] == told["correlation_id"]
    return answer.status_code, told["code"]


async def test_a_reservation_is_all_that_the_page_writes() -> None:
    async with page() as asking:
        answer = await asking.reserve()
        assert answer.status_code == 201
        assert answer.headers["cache-control"] == "no-store"
        told = answer.json()
        assert set(told) == {
            "kind", "ticket", "html", "text", "location", "join_url", "alias", "numeric_alias", "expires_at",
            "claimed", "asked", "mailbox",
        }  # fmt: skip
        assert told["kind"] == "vmr"
        assert told["mailbox"] == {"address": "vmr@greenroom.example", "name": "Video room"}
        assert told["ticket"] in told["html"]
        assert told["ticket"] in told["text"]
        assert (told["claimed"], told["asked"]) == (False, True)
        assert datetime.fromisoformat(told["expires_at"]) > datetime(2026, 12, 30, tzinfo=UTC)
        ticket = asking.desk.integration.ring.verify(told["ticket"])
        assert isinstance(ticket, Ticket)
        assert told["numeric_alias"] == str(ticket.number)


async def test_the_same_request_is_answered_alike_and_says_so() -> None:
    async with page() as asking:
        first, again = await asking.reserve(), await asking.reserve()
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json() == again.json()
        other = await asking.reserve(headers=EXCHANGE)
        assert (other.status_code, other.json()["ticket"] == first.json()["ticket"]) == (201, False)


async def test_what_the_page_says_beside_is_taken_but_never_kept() -> None:
    async with page() as asking:
        client = {"kind": "OutlookWebApp", "version": "16.0", "set": "1.14", "more": [1]}
        asked = RESERVE | {
            "client": client,
            "delegate": True,
            "series": True,
            "subject": "planted-secret",
            "attendees": ["x"],
        }
        with capture_logs() as logs:
            answer = await asking.post("/reservations", asked)
        assert answer.status_code == 201
        assert "planted-secret" not in json.dumps(logs)
        async with asking.desk.storage._engine.connect() as connection:
            raw = await connection.exec_driver_sql("SELECT * FROM reservations")
            assert "planted" not in str(raw.all())


async def test_a_ticket_is_refreshed_and_released() -> None:
    async with page() as asking:
        told = (await asking.reserve()).json()
        asked = {"integration": 1, "ticket": told["ticket"]}
        asking.desk.clock.forward(days=2)
        again = await asking.post("/reservations/refresh", asked)
        assert again.status_code == 200
        assert again.json()["expires_at"] > told["expires_at"]
        for _ in range(2):
            gone = await asking.post("/reservations/release", asked)
            assert (gone.status_code, gone.content) == (204, b"")
        assert await asking.desk.held(told["ticket"]) is None


async def test_what_is_no_ticket_is_gone_and_released_without_a_word() -> None:
    async with page() as asking:
        promise = asking.desk.integration.ring.issue(5, asking.desk.clock(), OFFLINE)
        for ticket, reason in (("GRM-NOTHING", "invalid"), (promise, "other-kind")):
            asked = {"integration": 1, "ticket": ticket}
            gone = await asking.post("/reservations/refresh", asked)
            assert problem(gone) == (410, "ticket-gone")
            assert gone.json()["reason"] == reason
            (stored,) = await asking.refused(gone)
            assert (stored.kind, stored.reason) == ("ticket", reason)
            assert (await asking.post("/reservations/release", asked)).status_code == 204


async def test_a_few_are_fetched_ahead() -> None:
    async with page() as asking:
        told = (await asking.post("/reservations/ahead", {"integration": 1, "count": 5})).json()
        assert len({one["ticket"] for one in told["reservations"]}) == 2
        assert told["offline"]["kind"] == "offline"
        assert told["offline"]["expires_at"] is None
        assert told["offline"]["mailbox"]["address"] == "vmr@greenroom.example"


async def test_people_see_their_own_rooms_only() -> None:
    async with page() as asking:
        mine = await asking.get("/personal-rooms?integration=1&_host_Info=Outlook")
        assert mine.json() == {"rooms": [{"id": "r1", "name": "Ada's room", "description": "the small one"}]}
        assert (await asking.get("/personal-rooms?integration=1", headers=EXCHANGE)).json() == {"rooms": []}
        told = await asking.post("/personal-rooms/instructions", {"integration": 1, "id": "r1"})
        assert (told.json()["kind"], told.json()["mailbox"]) == ("personal", None)
        other = await asking.post("/personal-rooms/instructions", {"integration": 1, "id": "r1"}, headers=EXCHANGE)
        assert problem(other) == (404, "no-such-room")


async def test_who_asks_for_too_many_is_told() -> None:
    async with page(unclaimed=1) as asking:
        assert (await asking.reserve()).status_code == 201
        refused = await asking.reserve("another-0123456789")
        assert problem(refused) == (409, "too-many-unclaimed")
        (stored,) = await asking.refused(refused)
        assert (stored.integration, stored.detail) == (1, "person " + "a" * 32)


async def test_without_a_token_nothing_is_even_read() -> None:
    async with page() as asking:
        for answer in (
            await asking.reserve(headers={}),
            await asking.post("/reservations/ahead", headers=JSON, content=b"{" * LARGEST * 2),
            await asking.get("/personal-rooms?integration=1", headers={}),
        ):
            assert problem(answer) == (401, "token-missing")
            assert "Bearer" in answer.headers["www-authenticate"]
            (stored,) = await asking.refused(answer)
            assert (stored.kind, stored.reason) == ("none", "missing")
        assert asking.check.asked == 0


async def test_why_a_token_is_refused_stands_in_the_database_and_nothing_of_the_token_anywhere() -> None:
    async with page() as asking:
        for reason in Refusal:
            asking.check.refusal = reason
            with capture_logs() as logs:
                answer = await asking.reserve(headers={"Authorization": "Bearer eyJ.planted-secret.x"})
            expected = (403, "not-allowed") if reason is Refusal.NOT_A_MEMBER else (401, "token-refused")
            assert problem(answer) == expected
            (stored,) = await asking.refused(answer)
            assert (stored.integration, stored.kind, stored.reason) == (1, "bearer", reason.value)
            assert stored.detail == "expected a, received b"
            (line,) = [one for one in logs if one["event"] == "addin.refused"]
            assert (line["reason"], line["correlation"]) == (reason.value, answer.json()["correlation_id"])
            shown = json.dumps(logs) + answer.text + str(answer.headers)
            assert "planted" not in shown + str(stored)
            assert "received b" not in shown


async def test_keys_that_cannot_be_fetched_are_no_fault_of_the_token() -> None:
    async with page() as asking:
        asking.check.unavailable = True
        answer = await asking.reserve()
        assert problem(answer) == (503, "unavailable")
        assert int(answer.headers["retry-after"]) >= 1


SENT_BY = [
    ({"Sec-Fetch-Site": "same-origin", "Origin": PUBLIC}, False),
    ({"Sec-Fetch-Site": "same-origin"}, False),
    ({"Sec-Fetch-Site": "none"}, False),
    ({"Origin": PUBLIC}, False),
    ({"Origin": f"{PUBLIC}:443"}, False),
    ({"Origin": PUBLIC.upper()}, False),
    ({"Sec-Fetch-Site": "cross-site", "Origin": PUBLIC}, True),
    ({"Sec-Fetch-Site": "same-site"}, True),
    ({"Sec-Fetch-Site": ""}, True),
    ({"Origin": "https://evil.example"}, True),
    ({"Origin": "https://meet.example.evil.example"}, True),
    ({"Origin": "http://meet.example"}, True),
    ({"Origin": f"{PUBLIC}:444"}, True),
    ({"Origin": "null"}, True),
    ({"Origin": "https://[::"}, True),
]


async def test_only_our_own_pages_may_ask() -> None:
    async with page() as asking:
        for headers, refused in SENT_BY:
            asking.check.asked = 0
            answer = await asking.reserve(headers=BEARER | headers)
            assert (problem(answer) == (403, "not-allowed")) if refused else (answer.status_code in {200, 201}), headers
            assert "access-control-allow-origin" not in answer.headers
            assert asking.check.asked == (0 if refused else 1)


BODIES = [
    (b"", 400),
    (b"{", 400),
    (b"\xff\xfe{}", 400),
    (b'{"a":"\\ud800"}', 400),
    (b"[" * 10_000, 400),
    (b"null", 422),
    (b"[]", 422),
    (b"{}", 422),
    (b'{"integration":"1","request_id":"request-0123456789"}', 422),
    (b'{"integration":true,"request_id":"request-0123456789"}', 422),
    (b'{"integration":-1,"request_id":"request-0123456789"}', 422),
    (b'{"integration":1e999,"request_id":"request-0123456789"}', 422),
    (b'{"integration":1.5,"request_id":"request-0123456789"}', 422),
    (b'{"integration":1e300,"request_id":"request-0123456789"}', 422),
    (b'{"integration":1,"request_id":"short"}', 422),
    (b'{"integration":1,"request_id":"planted-secret planted"}', 422),
    (b'{"integration":1,"request_id":"request-0123456789\\n"}', 422),
    (b'{"integration":1,"request_id":"request-0123456789","delegate":"yes"}', 422),
    (b'{"integration":7,"request_id":"request-0123456789"}', 404),
    (b'{"integration":1,"request_id":"' + b"x" * LARGEST + b'"}', 413),
]


async def test_what_is_not_as_described_is_refused_without_an_echo() -> None:
    async with page() as asking:
        for body, status in BODIES:
            answer = await asking.post("/reservations", headers=BEARER | JSON, content=body)
            assert problem(answer) == (status, "no-such-integration" if status == 404 else "invalid-request"), body[:80]
            assert "planted" not in answer.text


async def test_only_json_is_read() -> None:
    async with page() as asking:
        content = json.dumps(RESERVE).encode()
        for more in ("text/plain", "application/x-www-form-urlencoded", "text/json"):
            answer = await asking.post("/reservations", headers=BEARER | {"Content-Type": more}, content=content)
            assert problem(answer) == (415, "invalid-request")
        for headers in (BEARER, BEARER | JSON | {"Content-Encoding": "gzip"}):
            answer = await asking.post("/reservations", headers=headers, content=content)
            assert problem(answer) == (415, "invalid-request")
        with_charset = BEARER | {"Content-Type": "Application/JSON; charset=utf-8"}
        assert (await asking.post("/reservations", headers=with_charset, content=content)).status_code == 201


async def test_a_question_without_one_number_is_refused() -> None:
    async with page() as asking:
        for query in ("", "?integration=", "?integration=x", "?integration=1&integration=1", "?integration=70000"):
            assert problem(await asking.get(f"/personal-rooms{query}")) == (422, "invalid-request")


async def test_another_method_is_told_which_one() -> None:
    async with page() as asking:
        for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"):
            answer = await asking.client.request(method, f"{BASE}/reservations", headers=BEARER)
            assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
            document = await asking.client.request(method, f"{BASE}/openapi.json")
            assert document.status_code == (200 if method in {"GET", "HEAD"} else 405)


async def test_two_authorizations_are_one_too_many() -> None:
    async with page() as asking:
        both = [("Authorization", BEARER["Authorization"]), ("Authorization", "Bearer x"), *JSON.items()]
        answer = await asking.client.post(f"{BASE}/reservations", headers=both, json=RESERVE)
        assert problem(answer) == (401, "token-refused")
        assert asking.check.asked == 0


async def test_a_fault_of_ours_is_told_without_its_text() -> None:
    async with page() as asking:
        asking.personal.broken = True
        with capture_logs() as logs:
            answer = await asking.get("/personal-rooms?integration=1")
        assert problem(answer) == (500, "unavailable")
        (line,) = [one for one in logs if one["event"] == "addin.failed"]
        assert (line["error"], line["where"].partition(":")[0]) == ("ValueError", "addin_api.py")
        assert "planted" not in json.dumps(logs) + answer.text


async def test_a_database_that_is_down_is_told_with_a_time_to_come_back(tmp_path: Any) -> None:
    storage = Storage.open(f"sqlite:///{tmp_path}/missing.db")
    async with page(storage) as asking:
        answer = await asking.reserve()
        assert problem(answer) == (503, "unavailable")
        assert int(answer.headers["retry-after"]) >= 1
    await storage.close()


async def test_the_headers_let_nothing_be_kept_or_framed() -> None:
    async with page() as asking:
        for answer in (await asking.reserve(), await asking.reserve(headers={}), await asking.get("/openapi.json")):
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
            assert "set-cookie" not in answer.headers


@pytest.mark.slow
async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    async with page() as asking, serving(asking.app) as url:
        host, _, port = url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            f"POST {BASE}/reservations HTTP/1.1\r\nHost: {host}\r\nAuthorization: {BEARER['Authorization']}\r\n"
            "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{".encode()
        )
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
        writer.close()
    assert head.startswith(b"HTTP/1.1 408")
