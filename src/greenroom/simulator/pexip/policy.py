"""A node's questions to the external policy server: how they are asked, and what may come back.

``odallokken/pexip-skills`` (``pexip-external-policy``): GET with parameters in the address, HTTP Basic, 5 seconds that cannot be
changed, no redirects, JSON. How much of an answer a real node reads is not published; ours reads 64 KiB.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

import httpx2

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT: Final = 5.0
MAX_ANSWER: Final = 64 * 1024
_OK: Final = 200


@dataclass(slots=True)
class PolicyProfile:
    """Whom nodes ask, and what about; names are those of the resource ``policy_server``.

    ``verify``: how its certificate is checked (None: by the authorities of this machine). ``failures_kept``: seconds for which
    an alias is not asked about again after a failed answer (field reports say minutes). Not ``reachable``: the line is cut.
    """

    url: str | None = None
    username: str = ""
    password: str = field(default="", repr=False)
    enable_service_lookup: bool = True
    enable_participant_lookup: bool = False
    enable_media_location_lookup: bool = False
    enable_avatar_lookup: bool = False
    enable_directory_lookup: bool = False
    enable_registration_lookup: bool = False
    timeout: float = TIMEOUT
    failures_kept: float = 0.0
    verify: ssl.SSLContext | None = None
    reachable: bool = True


@dataclass(slots=True)
class Asked:
    """What came of one question. `answer` is an object when the answer was one with HTTP 200."""

    path: str
    status: int | None = None
    millis: float = 0.0
    answer: dict[str, Any] | None = None
    body: bytes = b""
    content_type: str = ""
    problems: list[str] = field(default_factory=list)


async def ask_policy(
    profile: PolicyProfile,
    path: str,
    params: Mapping[str, str],
    transport: httpx2.AsyncBaseTransport | None,
    *,
    image: bool = False,
) -> Asked:
    """Ask once. Never raises: what went wrong is in `problems`."""
    asked = Asked(path)
    if profile.url is None:
        asked.problems.append("no policy server is configured")
        return asked
    if not profile.reachable:
        asked.problems.append("cannot be reached: the line is cut")
        return asked
    url = f"{profile.url.rstrip('/')}{path}?{urlencode(params, quote_via=quote)}"
    auth = httpx2.BasicAuth(profile.username, profile.password) if profile.username or profile.password else None
    begun = time.perf_counter()
    try:
        await _fetch(asked, profile, url, auth, transport)
    except TimeoutError:
        asked.problems.append("no answer in time")
    except (httpx2.HTTPError, OSError) as error:
        asked.problems.append(f"cannot be reached: {type(error).__name__}")
    asked.millis = round((time.perf_counter() - begun) * 1000, 3)
    if asked.status is not None and not asked.problems:
        _judge(asked, image=image)
    return asked


@lru_cache(maxsize=1)
def _everybody() -> ssl.SSLContext:
    return ssl.create_default_context()  # reading all authorities takes longer than a question


async def _fetch(
    asked: Asked,
    profile: PolicyProfile,
    url: str,
    auth: httpx2.BasicAuth | None,
    transport: httpx2.AsyncBaseTransport | None,
) -> None:
    options: dict[str, Any] = {"transport": transport}
    if transport is None:
        secure = url.startswith("https:")
        options = {"verify": (profile.verify or _everybody()) if secure else False}
    async with (
        asyncio.timeout(profile.timeout),
        httpx2.AsyncClient(trust_env=False, follow_redirects=False, timeout=None, **options) as client,
        client.stream("GET", url, auth=auth, headers={"Accept": "application/json, image/jpeg"}) as reply,
    ):
        asked.status = reply.status_code
        asked.content_type = reply.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        async for part in reply.aiter_bytes():
            asked.body += part
            if len(asked.body) > MAX_ANSWER:
                asked.problems.append("the answer is too long")
                return


def _judge(asked: Asked, *, image: bool) -> None:
    if asked.status != _OK:
        asked.problems.append(f"HTTP {asked.status}")
        return
    if image:
        return
    if asked.content_type != "application/json":
        asked.problems.append("the answer is not application/json")
    try:
        answer = json.loads(asked.body)
    except ValueError:
        asked.problems.append("the answer is not JSON")
        return
    if not isinstance(answer, dict):
        asked.problems.append("the answer is not an object")
    elif answer.get("status") != "success":
        asked.problems.append("status is not success")
    else:
        asked.answer = answer
