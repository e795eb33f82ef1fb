"""Ways to sign in, EWS switched on and off, message rates, and the untouched organisation from nothing to a meeting."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from greenroom.simulator.clock import SimulatorClock
from greenroom.simulator.demo_world import PASSWORD
from greenroom.simulator.model import Attendee, MeetingDraft, Person
from support.administrator import ADA, BEN, SECRET, SERVICE, VMR, Administrator, at_work
from support.box import HOUR, START
from support.doors import Doors, doors_of
from support.ews_raw import answer, sync

DIRECTORY = "EX01\\EWS (Default Web Site)"


@pytest.fixture
def admin() -> Administrator:
    return at_work()


@pytest.fixture
async def doors(admin: Administrator) -> AsyncIterator[Doors]:
    async with doors_of(admin.exchange) as opened:
        yield opened


def permits(admin: Administrator, **methods: bool) -> None:
    admin.does("Set-WebServicesVirtualDirectory", DIRECTORY, **methods)


async def test_untouched_windows_authentication_is_all_that_is_offered(admin: Administrator, doors: Doors) -> None:
    reply = await doors.ews(ADA, PASSWORD)
    assert (reply.status, reply.headers.get_list("WWW-Authenticate")) == (401, ["Negotiate", "NTLM"])
    assert (await doors.ews(ADA)).codes == ["NoError"]
    permits(admin, BasicAuthentication=True)
    assert (await doors.ews(ADA, PASSWORD)).codes == ["NoError"]
    permits(admin, WindowsAuthentication=False)
    reply = await doors.ews(ADA)
    assert (reply.status, reply.headers.get_list("WWW-Authenticate")) == (401, ['Basic realm="greenroom-simulator"'])
    told = admin.gets("Get-WebServicesVirtualDirectory")
    assert (told["BasicAuthentication"], told["WindowsAuthentication"]) == (True, False)
    assert admin.refused("Set-WebServicesVirtualDirectory", "EX02\\EWS (Default Web Site)", BasicAuthentication=True)


async def test_tokens_are_offered_with_modern_authentication_and_refused_when_switched_off(
    admin: Administrator, doors: Doors
) -> None:
    admin.exchange.add_token("t", ADA)
    admin.does("Set-OrganizationConfig", OAuth2ClientProfileEnabled=True)
    nobody = await doors.http.post("http://127.0.0.1/EWS/Exchange.asmx", content=b"")
    assert nobody.headers.get_list("WWW-Authenticate")[-1].startswith("Bearer")
    bearer = {"Authorization": "Bearer t"}
    assert (await doors.ews("", "", **bearer)).status == 200
    permits(admin, OAuthAuthentication=False)
    assert (await doors.ews("", "", **bearer)).status == 401


async def test_ews_switched_off_is_forbidden(admin: Administrator, doors: Doors) -> None:
    permits(admin, BasicAuthentication=True)
    admin.does("Set-CASMailbox", ADA, EwsEnabled=False)
    assert (await doors.ews(ADA, PASSWORD)).status == 403
    assert (await doors.ews(BEN, PASSWORD)).codes == ["NoError"]
    admin.does("Set-CASMailbox", ADA, EwsEnabled=True)
    assert (await doors.ews(ADA, PASSWORD)).codes == ["NoError"]
    admin.does("Set-OrganizationConfig", EwsEnabled=False)
    assert (await doors.ews(BEN, PASSWORD)).status == 403
    admin.does("Set-OrganizationConfig", EwsEnabled=None)
    assert (await doors.ews(BEN, PASSWORD)).codes == ["NoError"]


async def test_ews_of_whom_is_spoken_for_counts(admin: Administrator, doors: Doors) -> None:
    permits(admin, BasicAuthentication=True)
    admin.makes_mailbox()
    admin.makes_service()
    admin.does("New-ManagementRoleAssignment", Role="ApplicationImpersonation", User=SERVICE)
    admin.does("Set-CASMailbox", VMR, EwsEnabled=False)
    assert await doors.opens(SERVICE, SECRET, VMR) == "403"
    assert await doors.opens(SERVICE, SECRET, ADA) == "NoError"


async def test_programs_are_let_in_by_their_user_agents(admin: Administrator, doors: Doors) -> None:
    async def status(agent: str) -> int:
        return (await doors.ews(ADA, **{"User-Agent": agent})).status

    rules: dict[str, Any] = {"EwsApplicationAccessPolicy": "EnforceAllowList", "EwsAllowList": ["greenroom/*"]}
    admin.does("Set-OrganizationConfig", **rules)
    assert [await status(agent) for agent in ("Greenroom/1.0", "other/1")] == [200, 403]
    rules = {"EwsApplicationAccessPolicy": "EnforceBlockList", "EwsBlockList": ["greenroom/*"]}
    admin.does("Set-OrganizationConfig", **rules)
    assert [await status(agent) for agent in ("Greenroom/1.0", "other/1")] == [403, 200]
    admin.does("Set-OrganizationConfig", EwsApplicationAccessPolicy=None)
    assert await status("Greenroom/1.0") == 200


async def test_messages_over_the_rate_wait_in_the_outbox(admin: Administrator, doors: Doors) -> None:
    admin.makes_mailbox(AutomateProcessing="AutoUpdate")
    admin.exchange.site.organisation.message_rate = 2
    assert admin.gets("Get-ThrottlingPolicy")["MessageRateLimit"] == 2
    clock = admin.exchange.clock
    assert isinstance(clock, SimulatorClock)
    for hour in range(5):
        draft: MeetingDraft = {"start": START + hour * HOUR, "end": START + (hour + 1) * HOUR}
        draft["attendees"] = (Attendee(Person(VMR), "resource"),)
        admin.exchange.create_meeting(ADA, draft, "SendToAllAndSaveCopy")
    arrived = []
    for _ in range(4):
        await doors.ews(BEN)
        arrived.append(len(admin.exchange.items(VMR, "calendar")))
        clock.advance(timedelta(seconds=61))
    assert arrived == [2, 4, 5, 5]


async def test_from_nothing_to_an_answered_meeting(admin: Administrator, doors: Doors) -> None:
    assert not any(one.kind == "equipment" for one in admin.exchange.mailboxes())
    admin.makes_mailbox()
    admin.does("Set-CalendarProcessing", VMR, AutomateProcessing="AutoUpdate", RemovePrivateProperty=False)
    admin.makes_service()
    admin.does("New-ManagementScope", Name="s", RecipientRestrictionFilter=f"EmailAddresses -eq '{VMR}'")
    admin.does(
        "New-ManagementRoleAssignment", Role="ApplicationImpersonation", User=SERVICE, CustomRecipientWriteScope="s"
    )
    permits(admin, BasicAuthentication=True)
    draft: MeetingDraft = {"start": START + HOUR, "end": START + 2 * HOUR, "attendees": (Attendee(Person(VMR)),)}
    item = admin.exchange.create_meeting(ADA, draft, "SendToAllAndSaveCopy")
    seen = await doors.ews(SERVICE, SECRET, operation=sync("calendar"), acting=VMR)
    ((entry, _key),) = seen.ids("CalendarItem")
    said = await doors.ews(SERVICE, SECRET, operation=answer("AcceptItem", entry), acting=VMR)
    assert said.codes == ["NoError"]
    assert item.meeting.attendees[0].response == "Accept"
    assert await doors.opens(SERVICE, SECRET, ADA) == "ErrorImpersonateUserDenied"


async def test_an_account_whose_sign_in_is_blocked_is_nobody(admin: Administrator, doors: Doors) -> None:
    permits(admin, BasicAuthentication=True)
    user = admin.gets("Get-MgUser", Filter=f"mail eq '{ADA}'", Property=["Id", "AccountEnabled"])
    assert user["AccountEnabled"] is True
    admin.does("Update-MgUser", UserId=user["Id"], AccountEnabled=False)
    assert (await doors.ews(ADA, PASSWORD)).status == 401
    admin.does("Update-MgUser", UserId=user["Id"], AccountEnabled=True)
    assert (await doors.ews(ADA, PASSWORD)).status == 200


@pytest.mark.slow
def test_the_untouched_organisation_is_a_process_of_its_own() -> None:
    command = [sys.executable, "-m", "greenroom.simulator", "--untouched"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["url"].startswith("http://127.0.0.1:")
        process.terminate()
