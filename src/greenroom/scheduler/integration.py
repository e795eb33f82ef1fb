"""One integration at work: its mailbox, platform, policy and texts, as the scheduler needs them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from greenroom.exchange.contract import Mailbox
from greenroom.meetings.alias import AliasPlan
from greenroom.meetings.policy import Policy
from greenroom.meetings.templates import Texts
from greenroom.meetings.ticket import KeyRing
from greenroom.platforms.contract import Platform


@dataclass(frozen=True, slots=True)
class JoinLinks:
    """Where people go: `base` is the public address of the join pages; `meeting_url` is a pattern or None.

    `meeting_url` may use {alias}, {numeric_alias} and {join_id}, e.g. "https://jitsi.example.org/{alias}".
    """

    base: str
    meeting_url: str | None = None
    phone: str | None = None

    def page(self, join_id: str) -> str:
        """Return the stable join link of a room."""
        return f"{self.base.rstrip('/')}/j/{join_id}"

    def meeting(self, variables: Mapping[str, str]) -> str | None:
        """Return the link into the platform's own client, where it has one."""
        return None if self.meeting_url is None else self.meeting_url.format_map(dict(variables))


@dataclass(frozen=True, slots=True)
class Integration:
    """Everything one equipment mailbox is attended with. `number` is the one in its tickets."""

    number: int
    name: str
    mailbox: Mailbox
    platform: Platform
    policy: Policy
    aliases: AliasPlan
    ring: KeyRing = field(repr=False)
    texts: Texts
    links: JoinLinks
