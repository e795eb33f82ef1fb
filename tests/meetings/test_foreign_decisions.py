"""What is decided for invitations that others prepared, and for those whose room stands though nothing is remembered of them."""

from dataclasses import replace

import pytest

from greenroom.meetings.decision import decide
from greenroom.meetings.evidence import Evidence, TicketStatus
from greenroom.meetings.meeting import Response
from greenroom.meetings.policy import Foreign, Unticketed
from greenroom.meetings.reasons import AliasSource, Reason
from greenroom.meetings.record import State
from greenroom.meetings.reply import Outcome
from support.decided import POLICY, record_of
from support.observations import NOW, observation


@pytest.mark.parametrize(
    ("foreign", "outcome", "state"),
    [
        (Foreign.IGNORE, None, State.IGNORED),
        (Foreign.DECLINE, Outcome.DECLINE_INVALID_TICKET, State.DECLINED),
    ],
)
def test_policy_says_what_becomes_of_a_foreign_ticket(foreign: Foreign, outcome: Outcome | None, state: State) -> None:
    for unticketed in Unticketed:
        policy = replace(POLICY, foreign=foreign, unticketed=unticketed)
        decision = decide(observation(), None, Evidence(TicketStatus.FOREIGN), policy, NOW)
        assert (decision.reason, decision.outcome, decision.state) == (Reason.TICKET_FOREIGN, outcome, state)
        assert not decision.provide


@pytest.mark.parametrize("unticketed", list(Unticketed))
def test_where_the_other_installation_is_gone_its_ticket_is_none(unticketed: Unticketed) -> None:
    policy = replace(POLICY, foreign=Foreign.SCHEDULE, unticketed=unticketed)
    decisions = [
        decide(observation(), None, Evidence(status), policy, NOW)
        for status in (TicketStatus.FOREIGN, TicketStatus.NONE)
    ]
    assert decisions[0] == decisions[1]
    seen = observation()
    kept = decide(seen, record_of(seen), Evidence(TicketStatus.FOREIGN), replace(POLICY, foreign=Foreign.DECLINE), NOW)
    assert (kept.provide, kept.alias) == (True, AliasSource.RECORD)


def test_an_accepted_meeting_whose_room_stands_takes_its_alias_from_there_and_nobody_is_told() -> None:
    seen = replace(observation(), response=Response.ACCEPTED)
    policy = replace(POLICY, unticketed=Unticketed.IGNORE)
    decision = decide(seen, None, Evidence(TicketStatus.ROOM, aliases=("meet1@video.example",)), policy, NOW)
    assert (decision.reason, decision.alias, decision.outcome) == (Reason.RECOVERED, AliasSource.ROOM, None)
    assert decision.provide
