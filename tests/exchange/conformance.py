"""The conformance suite of the `Mailbox` contract: every adapter passes all of it.

Bind it in three lines: derive a class from `MailboxContract`, and give it the fixture `house`.
What an adapter cannot do it leaves out of `capabilities`; the tests that need it are then skipped and named.
"""

from exchange.conforming.answering import AnsweringContract
from exchange.conforming.enduring import EnduringContract, WakingContract
from exchange.conforming.following import FollowingContract
from exchange.conforming.inviting import BothFacesContract, InvitingContract
from exchange.conforming.looking import LookingContract
from exchange.conforming.recurring import LoneContract, RecurringContract
from exchange.conforming.trying import TryingContract
from exchange.conforming.walking import MarkingContract, WalkingContract


class MailboxContract(
    FollowingContract,
    LookingContract,
    AnsweringContract,
    InvitingContract,
    RecurringContract,
    LoneContract,
    WalkingContract,
    MarkingContract,
    TryingContract,
    BothFacesContract,
    WakingContract,
    EnduringContract,
):
    """What every adapter must do, with a server that keeps the calendar (`auto_update`) and one that does not (`none`)."""
