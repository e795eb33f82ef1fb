"""The desk: from a question to its answer, by what is in memory."""

from datetime import datetime
from typing import Final

import structlog

from greenroom.platforms.pexip.policy.addresses import Dialled, read
from greenroom.platforms.pexip.policy.answers import DEFAULTS, PASSED_ON, REJECTED, other_answer
from greenroom.platforms.pexip.policy.directory import Directory
from greenroom.platforms.pexip.policy.follower import Follower
from greenroom.platforms.pexip.policy.room import Door, Room
from greenroom.platforms.policy import PolicyAnswer, PolicyRequest, PolicyVerdict

_log = structlog.get_logger(__name__)
CONFIGURATION: Final = "service/configuration"
_UNAVAILABLE: Final = 503
_LONGEST_CALLER = 250
_LONGEST_ADDRESS = 64
_FOREIGN: Final = PolicyAnswer(PolicyVerdict.FOREIGN, PASSED_ON)


class Desk:
    """Answers Conferencing Nodes. Keeps the contract of `PolicyDesk`."""

    def __init__(self, directory: Directory, follower: Follower) -> None:
        self._directory = directory
        self._follower = follower

    async def answer(self, request: PolicyRequest, now: datetime) -> PolicyAnswer:
        """Answer one question at an instant."""
        if request.service != CONFIGURATION:
            return _elsewhere(request, PolicyVerdict.ELSE)
        dialled = read(request.parameters.get("local_alias", ""))
        room = self._meant(request, dialled)
        # While not everything is known, a tombstone may hide the room that has its alias now.
        is_living = room is not None and room.retired_at is None
        if not is_living and dialled is not None and not self._follower.is_loaded:
            if not await self._looked_up(request, dialled):
                return self._unavailable(request, dialled)
            room = self._meant(request, dialled)
        if room is not None:
            return self._at_the_door(request, room, now)
        return _FOREIGN if dialled is None else self._unknown(request, dialled)

    def refusal(self, request: PolicyRequest) -> PolicyAnswer:
        """Turn somebody away who has guessed too often: from every room of ours, and from what looks like one."""
        if request.service != CONFIGURATION:
            return _elsewhere(request, PolicyVerdict.FOREIGN)
        dialled = read(request.parameters.get("local_alias", ""))
        room = self._meant(request, dialled)
        if room is not None:
            integration: int | None = room.integration
        elif dialled is None:
            return _FOREIGN
        else:
            integration = self._directory.looks_like_ours(dialled, request.integrations)
        if integration is None:
            return _FOREIGN
        caller, address = _caller(request)
        return PolicyAnswer(PolicyVerdict.UNKNOWN, REJECTED, 200, integration, "", caller, address)

    def _meant(self, request: PolicyRequest, dialled: Dialled | None) -> Room | None:
        """Return the room a question is about. A call that goes out of a conference names it by its mark."""
        if request.parameters.get("call_direction") == "dial_out":
            tag = request.parameters.get("service_tag", "")
            room = self._directory.by_tag(tag, request.integrations) if tag else None
            if room is not None:
                return room
        return None if dialled is None else self._directory.find(dialled, request.integrations)

    def _at_the_door(self, request: PolicyRequest, room: Room, now: datetime) -> PolicyAnswer:
        door = self._directory.door(room, now)
        verdict = PolicyVerdict.ROOM if door is Door.OPEN else PolicyVerdict.CLOSED
        text = self._directory.answer(room, door, now)
        caller, address = _caller(request)
        return PolicyAnswer(verdict, text, 200, room.integration, room.mark, caller, address)

    def _unknown(self, request: PolicyRequest, dialled: Dialled) -> PolicyAnswer:
        """Pass on what is nothing of ours: the platform may have it itself. Where somebody dials, a likeness counts as a guess."""
        integration = self._directory.looks_like_ours(dialled, request.integrations) if _dials(request) else None
        if integration is None:
            return _FOREIGN
        caller, address = _caller(request)
        return PolicyAnswer(PolicyVerdict.UNKNOWN, PASSED_ON, 200, integration, "", caller, address)

    def _unavailable(self, request: PolicyRequest, dialled: Dialled) -> PolicyAnswer:
        if not self._directory.may_be_ours(dialled, request.integrations):
            return _FOREIGN  # the platform does the same, and need not complain of us
        return PolicyAnswer(PolicyVerdict.UNAVAILABLE, DEFAULTS, _UNAVAILABLE)

    async def _looked_up(self, request: PolicyRequest, dialled: Dialled) -> bool:
        """Ask the database itself while not everything is in memory yet."""
        try:
            await self._follower.look_up(self._directory.spellings(dialled, request.integrations))
        except Exception as error:  # noqa: BLE001  whatever a database raises: the platform falls back to what it has
            _log.warning("policy.not_loaded_yet", error=type(error).__name__)
            return False
        return True


def _dials(request: PolicyRequest) -> bool:
    """Whether somebody calls: not when a device only asks around (LRQ, OPTIONS, SUBSCRIBE), or a conference calls somebody."""
    asked = request.parameters
    return asked.get("call_direction", "dial_in") == "dial_in" and asked.get("trigger") != "web_avatar_fetch"


def _elsewhere(request: PolicyRequest, verdict: PolicyVerdict) -> PolicyAnswer:
    status, body = other_answer(request.service)
    return PolicyAnswer(verdict, body, status)


def _caller(request: PolicyRequest) -> tuple[str, str]:
    """Return who dials and from where, as the node says: hostile texts, only cut to a length."""
    asked = request.parameters
    named = asked.get("remote_alias", "")[:_LONGEST_CALLER]
    caller = read(named)
    return named if caller is None else caller.text, asked.get("remote_address", "")[:_LONGEST_ADDRESS]
