"""One integration at work: its mailbox, platform, policy and texts, as the scheduler needs them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog

from greenroom.exchange.contract import Mailbox, OrganizerCalendars
from greenroom.meetings.alias import AliasPlan
from greenroom.meetings.dialling import QR_NAME, WaysToJoin, join_page
from greenroom.meetings.policy import Policy
from greenroom.meetings.templates import TemplateError, Texts
from greenroom.meetings.ticket import KeyRing
from greenroom.platforms.contract import Platform

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class JoinLinks:
    """Where people go: `base` is the public address of the join pages, `ways` how the rooms are entered (see `meetings.dialling`).

    The main link of an invitation is the join page: it knows when the room is open, and stays the same when the platform changes.
    """

    base: str
    ways: WaysToJoin = field(default_factory=WaysToJoin)

    def page(self, join_id: str) -> str:
        """Return the stable join link of a room."""
        return join_page(self.base, join_id)

    def picture(self, join_id: str) -> str | None:
        """Return the address of the picture that holds the join link as a QR code; None where none is wanted."""
        return f"{self.page(join_id)}/{QR_NAME}" if self.ways.qr else None


@dataclass(frozen=True, slots=True)
class Manner:
    """How far a pass goes.

    `updates` False: organizers' meetings are not written to, and nobody is mailed who was answered before; what asks for an answer
    is left to the next pass. `untold`: who was left in the dark by that is told now, and not only with the next change.
    `afresh`: the platform is told of every room again, though it was told the same before.
    """

    updates: bool = True
    untold: bool = False
    afresh: bool = False


USUAL = Manner()


@dataclass(frozen=True, slots=True)
class Integration:
    """Everything one equipment mailbox is attended with. `number` is the one in its tickets.

    `elsewhere` is the other Exchange of a hybrid organisation, where organizers may be whom `mailbox` does not know.
    """

    number: int
    name: str
    mailbox: Mailbox
    platform: Platform
    policy: Policy
    aliases: AliasPlan
    ring: KeyRing = field(repr=False)
    texts: Texts
    links: JoinLinks
    packaged: Texts = field(default_factory=Texts, repr=False)
    elsewhere: OrganizerCalendars | None = None
    manner: Manner = USUAL

    def say(self, name: str, variables: Mapping[str, object]) -> str:
        """Render a text; one of the administrator's that cannot be rendered is replaced by the packaged one, and logged.

        A meeting must not go without its room because a sentence is wrong. Raises TemplateError only if both fail.
        """
        try:
            return self.texts.render(name, variables)
        except TemplateError as error:
            log.error(  # noqa: TRY400 (file and line say more than a traceback)
                "text cannot be rendered",
                integration=self.name,
                file=error.file,
                line=error.line,
                problem=error.problem,
            )
            return self.packaged.render(name, variables)
