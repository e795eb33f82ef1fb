"""Nodes of the simulated platform ask a policy server, and take its answers by Pexip's rules."""

import asyncio
import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from greenroom.simulator.clock import SimulatorClock
from greenroom.simulator.pexip import Pexip, PolicyProfile
from support.pexip_calls import ScriptedPolicy, success
from support.served import served

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
ROOM = {"service_type": "conference", "name": "By policy", "service_tag": "greenroom-1-x"}


def platform(policy: ScriptedPolicy, **profile: Any) -> Pexip:
    asked = PolicyProfile("https://policy.example/base/", "node", "secret", **profile)
    pexip = Pexip(SimulatorClock(NOW, frozen=True), policy=asked, transport=policy)
    pexip.seed(
        {
            "conference": [{"name": "Database", "aliases": [{"alias": "known"}]}],
            "ivr_theme": [{"name": "Blue"}],
            "media_library_playlist": [{"name": "Too early"}],
            "system_location": [{"name": "London"}],
        }
    )
    return pexip


async def test_the_question_is_asked_as_nodes_ask_it() -> None:
    policy = ScriptedPolicy(success())
    await platform(policy).dial(
        "known@x.example", protocol="sip", remote_alias="ada@x.example", remote_address="192.0.2.7"
    )
    asked = policy.asked[-1]
    assert asked.url.path == "/base/policy/v1/service/configuration"
    assert asked.headers["Authorization"] == f"Basic {base64.b64encode(b'node:secret').decode()}"
    told = policy.last
    assert (told["local_alias"], told["remote_alias"]) == ("sip:known@x.example", "sip:ada@x.example")
    assert (told["protocol"], told["trigger"], told["call_direction"]) == ("sip", "invite", "dial_in")
    assert (told["registered"], told["remote_address"], told["location"]) == ("False", "192.0.2.7", "London")
    assert {"node_ip", "version_id", "pseudo_version_id", "bandwidth", "vendor"} <= set(told)


async def test_a_valid_service_is_used_whatever_the_action() -> None:
    for action in ("continue", "reject"):
        report = await platform(ScriptedPolicy(success(ROOM, action))).dial("known")
        assert (report["admitted"], report["by"], report["name"]) == (True, "policy", "By policy")
        assert (report["service_tag"], report["service_type"]) == ("greenroom-1-x", "conference")
        assert (report["policy"]["status"], report["policy"]["valid"], report["policy"]["problems"]) == (200, True, [])


async def test_the_question_travels_by_http() -> None:
    async def answer(request: Request) -> JSONResponse:
        known = request.headers["Authorization"] == f"Basic {base64.b64encode(b'node:secret').decode()}"
        return JSONResponse(success(ROOM) if known else {}, 200 if known else 401)

    app = Starlette(routes=[Route("/greenroom/policy/v1/service/configuration", answer)])
    with served(app) as url:
        report = await Pexip(policy=PolicyProfile(f"{url}/greenroom", "node", "secret")).dial("any")
        assert (report["admitted"], report["name"]) == (True, "By policy")
        report = await Pexip(policy=PolicyProfile(f"{url}/greenroom", "node", "wrong")).dial("any")
        assert (report["admitted"], report["policy"]["status"]) == (False, 401)


async def test_reject_without_a_service_keeps_people_out_even_of_the_database() -> None:
    report = await platform(ScriptedPolicy({"status": "success", "action": "reject"})).dial("known")
    assert (report["admitted"], report["by"], report["reason"]) == (False, "policy", "rejected")


async def test_redirect_names_another_alias() -> None:
    report = await platform(ScriptedPolicy(success({"new_alias": "sip:b@x"}, "redirect"))).dial("known", protocol="sip")
    assert (report["reason"], report["redirect"]) == ("redirected", "sip:b@x")


async def test_continue_without_a_service_leaves_it_to_the_database() -> None:
    pexip = platform(ScriptedPolicy(success()))
    report = await pexip.dial("known")
    assert (report["by"], report["name"], report["policy"]["valid"]) == ("database", "Database", True)
    assert (await pexip.dial("unknown"))["reason"] == "not found"


async def test_media_playback_needs_a_playlist_that_exists() -> None:
    film = {
        **ROOM,
        "service_type": "media_playback",
        "media_playlist_name": "Too early",
        "on_completion": {"disconnect": True},
    }
    report = await platform(ScriptedPolicy(success(film))).dial("known")
    assert (report["admitted"], report["service_type"]) == (True, "media_playback")
    report = await platform(ScriptedPolicy(success({**film, "media_playlist_name": "Other"}))).dial("known")
    assert (report["by"], report["policy"]["valid"]) == ("database", False)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "x" * 251},
        {"service_type": "meeting"},
        {"service_tag": 1},
        {"allow_guests": True},
        {"allow_guests": "true", "pin": "1234"},
        {"pin": ""},
        {"pin": "123"},
        {"pin": "1234", "guest_pin": "5678"},
        {"pin": "1234", "guest_pin": "1234", "allow_guests": True},
        {"pin": "1234", "guest_pin": "56789", "allow_guests": True},
        {"pin": "1234#", "guest_pin": "56789", "allow_guests": True},
        {"view": "adaptive"},
        {"host_view": "one_main_zero_pips"},
        {"ivr_theme_name": "Red"},
        {"host_identity_provider_group": "Nobody"},
        {"non_idp_participants": "allow"},
        {"max_callrate_in": 8192},
        {"participant_limit": "5"},
        {"crypto_mode": "best"},
        {"descripton": "x"},
    ],
    ids=lambda wrong: "-".join(f"{name}={value}"[:24] for name, value in wrong.items()),
)
async def test_one_bad_field_voids_the_answer_and_the_database_decides(wrong: dict[str, Any]) -> None:
    report = await platform(ScriptedPolicy(success({**ROOM, **wrong}))).dial("known")
    assert (report["by"], report["name"], report["policy"]["valid"]) == ("database", "Database", False)
    assert report["policy"]["problems"]


@pytest.mark.parametrize("missing", sorted(ROOM))
async def test_what_a_service_needs_has_to_be_there(missing: str) -> None:
    result = {name: value for name, value in ROOM.items() if name != missing}
    assert not (await platform(ScriptedPolicy(success(result))).dial("known"))["policy"]["valid"]


async def test_a_full_service_is_valid() -> None:
    full = {
        **ROOM,
        "pin": "1234#",
        "guest_pin": "56789#",
        "allow_guests": True,
        "view": "five_mains_seven_pips",
        "ivr_theme_name": "Blue",
        "max_callrate_in": 128_000,
        "crypto_mode": None,
        "non_idp_participants": "disallow_all",
        "primary_owner_email_address": "ada@x.example",
        "locked": False,
        "local_alias": "known",
    }
    report = await platform(ScriptedPolicy(success(full))).dial("known", pin="56789#")
    assert (report["policy"]["problems"], report["role"]) == ([], "guest")


@pytest.mark.parametrize(
    "policy",
    [
        ScriptedPolicy(success(ROOM), status=500),
        ScriptedPolicy(success(ROOM), status=302, headers={"Location": "https://elsewhere.example/"}),
        ScriptedPolicy(success(ROOM), headers={"Content-Type": "text/html"}),
        ScriptedPolicy(b"{"),
        ScriptedPolicy([1]),
        ScriptedPolicy({"status": "fail", "action": "reject"}),
        ScriptedPolicy({"action": "reject", "result": ROOM}),
        ScriptedPolicy({"status": "success", "action": "allow"}),
        ScriptedPolicy({"status": "success", "action": "redirect", "result": {}}),
        ScriptedPolicy({"status": "success", "result": []}),
        ScriptedPolicy({"status": "success", "action": "reject", "x": "y" * 70_000}),
    ],
    ids=["500", "302", "html", "no json", "list", "fail", "no status", "action", "redirect", "result", "too long"],
)
async def test_an_answer_that_is_none_leaves_it_to_the_database(policy: ScriptedPolicy) -> None:
    report = await platform(policy).dial("known")
    if isinstance(policy.reply, dict) and policy.reply.get("result") == []:
        assert report["policy"]["problems"] == ["result is not an object"]
    assert (report["by"], report["policy"]["valid"], len(policy.asked)) == ("database", False, 1)


async def test_a_policy_server_that_is_slow_or_away_is_not_waited_for() -> None:
    class Slow(ScriptedPolicy):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            await asyncio.sleep(5)
            return await super().handle_async_request(request)

    report = await platform(Slow(success(ROOM)), timeout=0.05).dial("known")
    assert (report["by"], report["policy"]["problems"]) == ("database", ["no answer in time"])

    def away(_request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused")

    report = await platform(ScriptedPolicy(answer=away)).dial("known")
    assert (report["by"], report["policy"]["status"], report["policy"]["asked"]) == ("database", None, True)
    assert PolicyProfile().timeout == 5


async def test_a_failed_answer_may_be_kept_for_a_while() -> None:
    policy = ScriptedPolicy(status=500)
    pexip = platform(policy, failures_kept=180)
    assert not (await pexip.dial("known"))["policy"]["kept"]
    policy.status, policy.reply = 200, success(ROOM)
    report = await pexip.dial("KNOWN")
    assert (report["by"], report["policy"]["kept"], len(policy.asked)) == ("database", True, 1)
    pexip.clock.advance(timedelta(seconds=180))  # type: ignore[attr-defined]  # the simulator's own clock
    assert (await pexip.dial("known"))["by"] == "policy"


async def test_participants_can_be_judged_after_the_service() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        if "participant" in request.url.path:
            role = "guest" if request.url.params["service_name"] == "By policy" else None
            return httpx2.Response(200, json=success({"preauthenticated_role": role}))
        return httpx2.Response(200, json=success(ROOM))

    report = await platform(ScriptedPolicy(answer=answer), enable_participant_lookup=True).dial("known")
    assert (report["role"], report["participant_policy"]["valid"]) == ("guest", True)


@pytest.mark.parametrize(
    ("kind", "reply", "status", "valid", "used"),
    [
        ("participant", success(), 200, True, False),
        ("participant", success({"preauthenticated_role": "chair"}), 200, True, True),
        ("participant", success({"role": "chair"}), 200, False, False),
        ("location", {"status": "success", "result": {}}, 200, True, False),
        ("location", {"status": "success", "result": {"location": "London"}}, 200, True, True),
        ("location", {"status": "success", "result": {"location": "Paris"}}, 200, False, False),
        ("location", None, 404, False, False),
        ("avatar", None, 404, True, False),
        ("avatar", {"no": "picture"}, 200, False, False),
        ("directory", {"status": "success", "result": []}, 200, True, False),
        ("directory", {"status": "success", "result": {}}, 200, False, False),
        (
            "directory",
            {"status": "success", "result": [{"alias": "a", "description": "", "username": ""}]},
            200,
            True,
            True,
        ),
        ("registration", success(), 200, True, False),
        ("registration", success({}, "reject"), 200, True, True),
        ("registration", None, 404, True, False),
        ("registration", None, 500, False, False),
    ],
)
async def test_the_other_questions_are_judged_too(kind: str, reply: Any, status: int, valid: bool, used: bool) -> None:
    policy = ScriptedPolicy(reply, status)
    report = await platform(policy).ask(kind, remote_alias="ada@x.example", alias="known")
    assert (report["valid"], report["used"]) == (valid, used), report["problems"]
    paths = {
        "participant": "/base/policy/v1/participant/properties",
        "location": "/base/policy/v1/participant/location",
        "avatar": "/base/policy/v1/participant/avatar/ada@x.example",
        "directory": "/base/policy/v1/registrations",
        "registration": "/base/policy/v1/registrations/ada@x.example",
    }
    assert policy.asked[-1].url.path == paths[kind]


def jpeg(width: int, height: int) -> bytes:
    frame = b"\xff\xc0\x00\x0b\x08" + height.to_bytes(2) + width.to_bytes(2) + b"\x01\x01\x11\x00"
    return b"\xff\xd8\xff\xe0\x00\x04\x00\x00" + frame + b"\xff\xd9"


async def test_a_picture_has_to_have_the_size_that_was_asked_for() -> None:
    policy = ScriptedPolicy(jpeg(40, 40), headers={"Content-Type": "image/jpeg"})
    pexip = platform(policy)
    assert (await pexip.ask("avatar", width=40, height=40))["used"]
    assert not (await pexip.ask("avatar", width=40, height=41))["valid"]
