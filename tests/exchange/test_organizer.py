"""Changing the organizer's own meeting where servers are difficult."""

from dataclasses import replace

import httpx2
import pytest

from exchange.scripted import Asked, Server, answer, bad, fault, ok
from greenroom.exchange.contract import Invitation, UpdateResult
from greenroom.exchange.errors import MisconfiguredError, OutcomeUnknownError, SignInError, TryLaterError
from greenroom.exchange.ews.items import LONGEST_BODY
from greenroom.meetings.meeting import MeetingKey

KEY = MeetingKey.of_uid("x")
OLGA = "olga@example.test"
Edits = list[httpx2.Response | Exception]


def own(body: str = "old", more: str = "<t:IsOrganizer>true</t:IsOrganizer>", ident: str = "i") -> str:
    return f'<t:CalendarItem><t:ItemId Id="{ident}" ChangeKey="v"/><t:Body BodyType="HTML">{body}</t:Body>{more}</t:CalendarItem>'


def organizer(updates: Edits, bodies: list[str] | None = None, items: tuple[str, ...] | None = None) -> Server:
    """A server whose meeting has these bodies one after the other, and answers updates so."""
    told = iter(updates)
    shown = iter(bodies or [])
    last = "old"

    def script(asked: Asked) -> httpx2.Response | Exception:
        nonlocal last
        if asked.operation == "FindItem":
            ids = "".join(f'<t:CalendarItem><t:ItemId Id="{n}"/></t:CalendarItem>' for n in range(len(items or ("",))))
            root = f'<m:RootFolder IncludesLastItemInRange="true"><t:Items>{ids}</t:Items></m:RootFolder>'
            return answer("FindItem", ok(root))
        if asked.operation == "GetItem":
            last = next(shown, last)
            return answer("GetItem", *(ok(f"<m:Items>{item}</m:Items>") for item in items or (own(last),)))
        return next(told)

    return Server(script)


WRITTEN = answer("UpdateItem", ok("<m:Items/>"))


def once(invitation: Invitation) -> Invitation | None:
    return None if "new" in invitation.body_html else replace(invitation, body_html=invitation.body_html + "new")


async def update(server: Server) -> UpdateResult:
    return await server.mailbox().update_invitation(OLGA, KEY, once)


@pytest.mark.parametrize("code", ["ErrorIrresolvableConflict", "ErrorStaleObject", "ErrorItemNotFound"])
async def test_a_conflict_is_met_with_a_new_look(code: str) -> None:
    server = organizer([answer("UpdateItem", bad(code)), WRITTEN], ["old", "changed"])
    assert await update(server) is UpdateResult.WRITTEN
    bodies = [a.body.findtext(".//{*}Updates//{*}Body") for a in server.asked if a.operation == "UpdateItem"]
    assert bodies == ["oldnew", "changednew"]


async def test_after_three_conflicts_it_is_left_for_later() -> None:
    server = organizer([answer("UpdateItem", bad("ErrorIrresolvableConflict"))] * 3)
    with pytest.raises(TryLaterError):
        await update(server)
    assert server.count("UpdateItem") == 3


async def test_a_lost_answer_that_was_written_is_not_written_twice() -> None:
    server = organizer([httpx2.ReadTimeout("x")], ["old", "oldnew"])
    assert await update(server) is UpdateResult.WRITTEN
    assert server.count("UpdateItem") == 1


async def test_a_lost_answer_that_was_not_written_is_written_again() -> None:
    server = organizer([httpx2.ReadError("x"), WRITTEN])
    assert await update(server) is UpdateResult.WRITTEN
    assert server.count("UpdateItem") == 2


async def test_if_looking_fails_the_outcome_stays_unknown() -> None:
    server = organizer([httpx2.ReadTimeout("x")])
    before = server.script

    def script(asked: Asked) -> httpx2.Response | Exception:
        lost = asked.operation != "UpdateItem" and server.count("UpdateItem")
        return httpx2.ConnectError("x") if lost else before(asked)

    server.script = script
    with pytest.raises(OutcomeUnknownError):
        await update(server)


@pytest.mark.parametrize(
    "code",
    [
        "ErrorImpersonateUserDenied",
        "ErrorAccessDenied",
        "ErrorNonExistentMailbox",
        "ErrorCannotFindUser",
        "ErrorCrossSiteRequest",
    ],
)
async def test_organizers_we_cannot_act_for_are_refused(code: str) -> None:
    assert await update(Server(lambda _: fault(code))) in (UpdateResult.REFUSED, UpdateResult.ELSEWHERE)
    assert await update(Server(lambda _: answer("FindItem", bad(code)))) in (
        UpdateResult.REFUSED,
        UpdateResult.ELSEWHERE,
    )


async def test_an_organizers_server_that_refuses_a_property_is_no_reason_to_wait() -> None:
    assert await update(Server(lambda _: fault("ErrorInvalidPropertyRequest"))) is UpdateResult.REFUSED


async def test_a_refused_sign_in_or_a_wrong_address_is_not_hidden() -> None:
    with pytest.raises(SignInError):
        await update(Server(lambda _: httpx2.Response(401)))
    with pytest.raises(MisconfiguredError):
        await update(Server(lambda _: httpx2.Response(404)))


async def test_an_update_exchange_cannot_make_is_refused() -> None:
    assert await update(organizer([answer("UpdateItem", bad("ErrorPropertyUpdate"))])) is UpdateResult.REFUSED


async def test_a_body_too_long_to_be_written_back_whole_is_left_alone() -> None:
    server = organizer([], ["x" * (LONGEST_BODY + 1)])
    assert await update(server) is UpdateResult.REFUSED
    assert server.count("UpdateItem") == 0


@pytest.mark.parametrize(
    "more",
    [
        "",
        "<t:IsOrganizer>false</t:IsOrganizer>",
        "<t:IsOrganizer>true</t:IsOrganizer><t:IsCancelled>true</t:IsCancelled>",
    ],
)
async def test_foreign_and_cancelled_meetings_are_not_touched(more: str) -> None:
    assert await update(organizer([], items=(own(more=more),))) is UpdateResult.NOT_FOUND


async def test_of_several_items_the_series_is_changed() -> None:
    series = own(
        ident="s", more="<t:IsOrganizer>true</t:IsOrganizer><t:CalendarItemType>RecurringMaster</t:CalendarItemType>"
    )
    server = organizer([WRITTEN], items=(own(ident="a"), series))
    assert await update(server) is UpdateResult.WRITTEN
    assert server.asked[-1].ids() == ["s"]


async def test_an_update_may_be_silent_and_never_overwrites() -> None:
    for notify, wanted in ((True, "SendToAllAndSaveCopy"), (False, "SendToNone")):
        server = organizer([WRITTEN])
        assert await server.mailbox().update_invitation(OLGA, KEY, once, notify=notify) is UpdateResult.WRITTEN
        request = server.asked[-1].body.find(".//{*}UpdateItem")
        assert request is not None
        assert request.get("SendMeetingInvitationsOrCancellations") == wanted
        assert request.get("ConflictResolution") == "NeverOverwrite"
        change = request.find(".//{*}ItemId")
        assert change is not None
        assert change.get("ChangeKey") == "v"


@pytest.mark.parametrize("nobody", ["", "olga", "/o=org/cn=olga"])
async def test_nobody_is_impersonated_without_an_address(nobody: str) -> None:
    server = organizer([])
    assert await server.mailbox().update_invitation(nobody, KEY, once) is UpdateResult.REFUSED
    assert server.count() == 0
