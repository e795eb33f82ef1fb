"""What other people's Graph clients need for the same job, written as such programs are: list, accept one by one, list again."""

import time
from dataclasses import dataclass
from typing import Any

import job
from support.peer import peer

NAMES = {"o365": "python-o365", "msgraph": "msgraph-sdk"}
CLIENT_ID = "6d0f6d52-7c2e-4d7b-9a42-0b7f3e0b9a02"


@dataclass(frozen=True)
class PeerCost:
    """What one of them needed; `cpu_ms` is its own process's work."""

    side: str
    meetings: int
    calls: int
    calls_per_meeting: float
    operations: dict[str, int]
    throttled: int
    meetings_per_second: float
    cpu_ms_per_meeting: float


def mailbox_of(name: str) -> str:
    """Each has an equipment mailbox of its own."""
    return f"vmr-{name}@{job.DOMAIN}"


def attend(name: str, referee: job.Referee, count: int) -> PeerCost:
    """Let a client accept all that waits. Raises PeerMissingError."""
    assert referee.authority is not None
    with peer(
        name,
        root=referee.url,
        tenant=referee.tenant,
        client=CLIENT_ID,
        secret=job.PASSWORD,
        authority=referee.authority,
    ) as client:
        cpu = client.do("cpu")  # answered once everything is loaded
        wall = time.perf_counter()
        accepted = sum(client.do("attend", mailbox=mailbox_of(name), wanted=job.TICKET) for _ in range(2))
        wall, cpu = time.perf_counter() - wall, client.do("cpu") - cpu
    if accepted != count:
        raise SystemExit(f"{NAMES[name]} accepted {accepted} of {count} meetings")
    operations = referee.calls_of(CLIENT_ID)
    calls = sum(operations.values())
    return PeerCost(
        side=NAMES[name],
        meetings=count,
        calls=calls,
        calls_per_meeting=round(calls / count, 4),
        operations=operations,
        throttled=int(referee.ask("counters")["statuses"].get("429", 0)),
        meetings_per_second=round(count / wall, 1),
        cpu_ms_per_meeting=round(cpu / count * 1000, 2),
    )


def seed(name: str, count: int) -> dict[str, Any]:
    """What the simulator begins with."""
    return {
        "mailboxes": [*job.people(), job.equipment(mailbox_of(name))],
        "applications": [{"client_id": CLIENT_ID, "secret": job.PASSWORD, "scope": "everybody"}],
        "meetings": job.invitations(count, mailbox_of(name)),
    }
