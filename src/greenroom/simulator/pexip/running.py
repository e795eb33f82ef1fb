"""Conferences that are running, and who is in them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime


@dataclass(slots=True)
class Participant:
    """Somebody in a conference; `role` is "chair" or "guest", as the status API says it."""

    id: str
    conference: str
    role: str
    alias: str
    remote_alias: str
    protocol: str
    remote_address: str
    since: datetime
    display_name: str = ""


@dataclass(slots=True)
class Conference:
    """A running instance of a service."""

    id: str
    name: str
    service_type: str
    tag: str
    since: datetime
    participants: dict[str, Participant] = field(default_factory=dict)
    until: datetime | None = None
    joined: int = 0

    @property
    def started(self) -> bool:
        """Whether a Host is, or was, present."""
        return any(one.role == "chair" for one in self.participants.values())


class Running:
    """What runs now, by the names of services, and what ran (`over`)."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.conferences: dict[str, Conference] = {}
        self.over: list[Conference] = []

    def join(
        self,
        service: Mapping[str, Any],
        *,
        role: str,
        alias: str,
        remote_alias: str,
        protocol: str,
        remote_address: str,
    ) -> Participant:
        """Let somebody in; the first one makes the conference run."""
        now = self.clock()
        name = str(service["name"])
        conference = self.conferences.get(name)
        if conference is None:
            tag = str(service.get("service_tag") or "")
            conference = Conference(str(uuid.uuid4()), name, str(service["service_type"]), tag, now)
            self.conferences[name] = conference
        participant = Participant(
            str(uuid.uuid4()), name, role, alias, remote_alias, protocol, remote_address, now, remote_alias
        )
        conference.participants[participant.id] = participant
        conference.joined += 1
        return participant

    def whereabouts(self, participant: str) -> tuple[Conference, Participant] | None:
        """Where somebody is; None if there is nobody of that id, or not any more."""
        for conference in self.conferences.values():
            if participant in conference.participants:
                return conference, conference.participants[participant]
        return None

    def leave(self, participant: str) -> bool:
        """Somebody hangs up, or is thrown out; False if there is nobody of that id."""
        for conference in list(self.conferences.values()):
            if conference.participants.pop(participant, None) is not None:
                if not conference.participants:
                    self._end(conference)
                return True
        return False

    def disconnect(self, conference: str) -> bool:
        """End a conference for everybody; False if none of that id runs."""
        found = next((one for one in self.conferences.values() if one.id == conference), None)
        if found is None:
            return False
        found.participants.clear()
        self._end(found)
        return True

    def _end(self, conference: Conference) -> None:
        conference.until = self.clock()
        del self.conferences[conference.name]
        self.over.append(conference)

    def status_conferences(self) -> list[dict[str, Any]]:
        """As rows of status/conference."""
        return [
            {
                "id": one.id,
                "name": one.name,
                "service_type": one.service_type,
                "start_time": one.since,
                "is_started": one.started,
                "is_locked": False,
                "guests_muted": False,
                "direct_media_available": False,
                "tag": one.tag,
            }
            for one in self.conferences.values()
        ]

    def status_participants(self) -> list[dict[str, Any]]:
        """As rows of status/participant."""
        return [
            {
                "id": one.id,
                "conference": conference.name,
                "service_tag": conference.tag,
                "service_type": conference.service_type,
                "call_direction": "in",
                "call_uuid": one.id,
                "connect_time": one.since,
                "destination_alias": one.alias,
                "source_alias": one.remote_alias,
                "participant_alias": one.remote_alias,
                "display_name": one.display_name,
                "protocol": one.protocol,
                "remote_address": one.remote_address,
                "role": one.role,
                "has_media": one.protocol != "api",
                "is_disconnect_supported": True,
            }
            for conference in self.conferences.values()
            for one in conference.participants.values()
        ]

    def history(self) -> list[dict[str, Any]]:
        """As rows of history/conference."""
        return [
            {
                "id": one.id,
                "name": one.name,
                "service_type": one.service_type,
                "start_time": one.since,
                "end_time": one.until,
                "duration": int((one.until - one.since).total_seconds()) if one.until else 0,
                "participant_count": one.joined,
                "tag": one.tag,
            }
            for one in self.over
        ]
