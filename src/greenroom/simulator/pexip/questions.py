"""The other questions nodes ask a policy server, and whether the answers are good ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from greenroom.simulator.pexip.caller import NODE, Caller
from greenroom.simulator.pexip.policy import Asked, PolicyProfile, ask_policy
from greenroom.simulator.pexip.policy_rules import (
    directory_problems,
    location_problems,
    participant_problems,
    registration_problems,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx2

KINDS: Final = ("participant", "location", "avatar", "directory", "registration")
_MISSING: Final = 404
_SIZE: Final = {"width": "100", "height": "100"}


async def ask(
    profile: PolicyProfile,
    transport: httpx2.AsyncBaseTransport | None,
    names: Mapping[str, set[str]],
    kind: str,
    params: Mapping[str, Any],
) -> dict[str, Any]:
    """Ask one of `KINDS`, whether or not the profile says that nodes do.

    ``params`` are fields of a `Caller` (``alias`` among them; what a directory is asked for is ``q``), other names are sent as
    they are. Returns a report: ``status``, ``millis``, ``valid`` (nothing is wrong with the answer), ``used`` (it changes
    something; an empty result or an honest 404 leaves it to the platform), ``action``, ``problems``. Raises ValueError for a
    kind there is not.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}")
    known = Caller.__slots__
    caller = Caller(**{"alias": "", **{name: value for name, value in params.items() if name in known}})
    extra = {name: str(value) for name, value in params.items() if name not in known}
    path, about = _question(kind, caller)
    asked = await ask_policy(profile, path, about | extra, transport, image=kind == "avatar")
    answer = asked.answer or {}
    result = answer.get("result")
    honest = asked.status == _MISSING and kind in ("avatar", "registration")
    problems = [] if honest else asked.problems or _problems(kind, asked, result, names, about | extra)
    return {
        "status": asked.status,
        "millis": asked.millis,
        "valid": not problems,
        "used": not problems and not honest and (kind == "avatar" or bool(result) or answer.get("action") == "reject"),
        "action": answer.get("action"),
        "problems": problems,
    }


def _question(kind: str, caller: Caller) -> tuple[str, dict[str, str]]:
    where = {"location": caller.location, **NODE}
    if kind == "participant":
        more = {"participant_type": "standard", "participant_uuid": caller.id, "call_uuid": caller.id}
        return "/policy/v1/participant/properties", caller.about() | more | {"preauthenticated_role": "guest"}
    if kind == "location":
        return "/policy/v1/participant/location", caller.about() | {"proxy_node_address": "", "proxy_node_location": ""}
    if kind == "avatar":
        path = f"/policy/v1/participant/avatar/{quote(caller.remote_alias, safe='')}"
        return path, caller.about() | _SIZE | {"role": "guest"}
    if kind == "directory":
        return "/policy/v1/registrations", where | {"q": "a", "registration_alias": caller.remote_alias, "limit": "10"}
    path = f"/policy/v1/registrations/{quote(caller.remote_alias, safe='')}"
    about = {"protocol": caller.protocol, "remote_address": caller.remote_address, "auth_type": "credentials"}
    return path, where | about


def _problems(
    kind: str, asked: Asked, result: Any, names: Mapping[str, set[str]], about: Mapping[str, str]
) -> list[str]:
    if kind == "avatar":
        return _picture_problems(asked, int(about["width"]), int(about["height"]))
    if kind == "directory":
        return directory_problems(result)
    if kind == "registration":
        return registration_problems(result)
    action = (asked.answer or {}).get("action")
    if kind == "participant":
        known = action in (None, "continue", "reject")
        return (
            participant_problems({} if result is None else result)
            if known
            else ["action has a value that does not exist"]
        )
    return location_problems(result, names["system_location"]) if result else []


def _picture_problems(asked: Asked, width: int, height: int) -> list[str]:
    if asked.content_type != "image/jpeg":
        return ["the answer is not image/jpeg"]
    found = _dimensions(asked.body)
    return [] if found == (width, height) else ["the picture has not the size that was asked for"]


def _dimensions(jpeg: bytes) -> tuple[int, int] | None:
    """Width and height from the frame header of a JPEG (ITU T.81, B.2.2)."""
    if not jpeg.startswith(b"\xff\xd8"):
        return None
    at = 2
    while at + 9 <= len(jpeg) and jpeg[at] == 0xFF:  # noqa: PLR2004 - every marker begins so
        marker, length = jpeg[at + 1], int.from_bytes(jpeg[at + 2 : at + 4])
        if 0xC0 <= marker <= 0xC2:  # noqa: PLR2004 - the frame headers cameras and programs write
            return int.from_bytes(jpeg[at + 7 : at + 9]), int.from_bytes(jpeg[at + 5 : at + 7])
        at += 2 + length
    return None
