"""From an Exchange that nobody has prepared to the first meeting with a room, by what Greenroom wrote and told alone.

And what is left out on that way is named by the doctor, as long as it is left out.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.from_nothing import ACCOUNT, MAILBOX, Colleague, Way
from support.powershell.cmdlets import Shell
from support.whole import eventually, simulated_exchange

pytestmark = pytest.mark.slow
KINDS = ("exchange-server", "microsoft-365")


@pytest.mark.parametrize("kind", KINDS)
def test_from_nothing_to_the_first_meeting(kind: str, tmp_path: Path) -> None:
    with simulated_exchange(tmp_path, None) as exchange:
        way = Way(kind, exchange, tmp_path)
        way.write_scripts(as_program=True)
        assert way.prepare() == []
        way.put_organizer_into_group()
        way.configure()

        checked = way.greenroom("config", "check", "--connect")
        assert checked.returncode == 0, checked.stdout

        with way.serving() as program:
            colleague = Colleague(exchange)
            event = colleague.books()
            eventually(lambda: colleague.answer_to(event) == "accepted", seconds=30)
            if kind == "exchange-server":
                eventually(lambda: f"127.0.0.1:{way.port}" in colleague.text_of(event), seconds=30)
            code, findings = way.examined()
            assert [(one["check"], one["what"]) for one in findings if one["state"] == "wrong"] == []
            assert code == 0
            assert program.stop() == 0


@dataclass(frozen=True)
class Omission:
    """Something undone, and words that the doctor has to say of it."""

    shell: Shell
    cmdlet: str
    given: dict[str, Any]
    words: str


_SCOPE = "Greenroom production scope"
OMISSIONS = {
    "exchange-server": {
        "the mailbox": Omission("server", "Remove-Mailbox", {"Identity": MAILBOX}, "ErrorNonExistentMailbox"),
        "EWS": Omission("server", "Set-CASMailbox", {"Identity": MAILBOX, "EwsEnabled": False}, "EWS is switched off"),
        "its kind of answer": Omission(
            "server",
            "Set-CalendarProcessing",
            {"Identity": MAILBOX, "AutomateProcessing": "AutoAccept"},
            "AutomateProcessing is AutoAccept",
        ),
        "the account": Omission("server", "Remove-Mailbox", {"Identity": ACCOUNT}, "refused the user name, password"),
        "the right": Omission(
            "server",
            "Remove-ManagementRoleAssignment",
            {"Identity": "Greenroom production mailbox"},
            "ErrorImpersonateUserDenied",
        ),
        "the way to sign in": Omission(
            "server", "Set-WebServicesVirtualDirectory", {"BasicAuthentication": False}, "does not offer to sign in"
        ),
    },
    "microsoft-365": {
        "the mailbox": Omission("online", "Remove-Mailbox", {"Identity": MAILBOX}, "has no calendar of the mailbox"),
        "its kind of answer": Omission(
            "online",
            "Set-CalendarProcessing",
            {"Identity": MAILBOX, "AutomateProcessing": "None"},
            "AutomateProcessing is None",
        ),
        "the right": Omission(
            "online",
            "Remove-ManagementRoleAssignment",
            {"Identity": "Greenroom production calendars"},
            "Nobody has the role Application Calendars.ReadWrite",
        ),
        "the group's member": Omission(
            "online",
            "Remove-DistributionGroupMember",
            {"Identity": _SCOPE, "Member": MAILBOX},
            "may not use the calendar",
        ),
        "what Exchange knows": Omission(
            "online", "Remove-ServicePrincipal", {}, "Exchange does not know the application"
        ),
        "the enterprise application": Omission("graph", "Remove-MgServicePrincipal", {}, "no enterprise application"),
    },
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_single_thing_that_is_missing_is_named_until_its_script_is_run(kind: str, tmp_path: Path) -> None:
    with simulated_exchange(tmp_path, None) as exchange:
        way = Way(kind, exchange, tmp_path)
        way.write_scripts()
        assert way.prepare() == []
        way.configure()
        assert way.wrong() == {}
        for what, omission in OMISSIONS[kind].items():
            shell = way.preparer.shell(omission.shell)
            shell(omission.cmdlet, {**_identity(way, omission.cmdlet), **omission.given})
            wrong = way.wrong()
            assert any(omission.words in one for one in wrong.values()), (what, wrong)
            assert way.prepare() == []
            assert way.wrong() == {}, what


def _identity(way: Way, cmdlet: str) -> dict[str, str]:
    """Ids that are only known there."""
    if cmdlet == "Set-WebServicesVirtualDirectory":
        return {"Identity": way.preparer.shell("server")("Get-WebServicesVirtualDirectory", {})[0]["Identity"]}
    client = way.preparer.answers.get("Application (client) id", "")
    if cmdlet == "Remove-ServicePrincipal":
        known = way.preparer.shell("online")("Get-ServicePrincipal", {})
        return {"Identity": next(one["ObjectId"] for one in known if one["AppId"] == client)}
    if cmdlet == "Remove-MgServicePrincipal":
        known = way.preparer.shell("graph")("Get-MgServicePrincipal", {"Filter": f"appId eq '{client}'"})
        return {"ServicePrincipalId": known[0]["Id"]}
    return {}
