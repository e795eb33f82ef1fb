"""What the scripts take away, hand over and correct is their own: never what others made, and never less than they say."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from greenroom.setup.powershell import UnsafeValueError
from greenroom.simulator.untouched import ADMINISTRATOR
from support.powershell.cmdlets import Shell
from support.powershell.running import Cmdlets
from support.preparations import KINDS
from support.prepared_house import ACCOUNT, DOMAIN, MAILBOX, organisation, prepared
from support.preparing import Preparer, doing, looking, switches_of, undoing

OTHER = f"projector@{DOMAIN}"
ROLE = "ApplicationImpersonation"


def server(**changed: Any) -> Any:
    return KINDS["exchange-server"].with_(
        **{"mailbox": MAILBOX, "account": ACCOUNT, "delegate": ADMINISTRATOR, "group": "", "title": "", **changed}
    )


def ask(preparer: Preparer, cmdlet: str, shell: Shell = "server", **given: Any) -> list[Mapping[str, Any]]:
    return list(preparer.shell(shell)(cmdlet, given))


def there(preparer: Preparer) -> set[str]:
    return {one["PrimarySmtpAddress"] for one in ask(preparer, "Get-Mailbox")}


def undo(preparer: Preparer, preparation: Any) -> list[str]:
    said = []
    for script in undoing(preparation):
        outcome = preparer.run(script, switches=switches_of(script))
        assert outcome.error == "", outcome.error
        said += outcome.said
    return said


def rights_of(preparer: Preparer, account: str) -> dict[str, str]:
    found = ask(preparer, "Get-ManagementRoleAssignment", Role=ROLE, RoleAssignee=account)
    return {one["Name"]: one["CustomRecipientWriteScope"] for one in found}


def script_of(preparation: Any, word: str) -> Any:
    return next(one for one in preparation.scripts if word in one.name)


class TestUndoing:
    def test_an_equipment_mailbox_named_as_the_account_stays(self) -> None:
        preparer = organisation(account_is_there=False)
        preparer.run_all(doing(server(name="second", mailbox=OTHER))[:1])
        mistaken = server(account=OTHER)
        preparer.run_all(doing(mistaken)[:2])
        undo(preparer, mistaken)
        assert OTHER in there(preparer)
        assert MAILBOX not in there(preparer)

    def test_the_account_that_another_integration_made_stays(self) -> None:
        preparer = organisation(account_is_there=False)
        preparer.run_all(doing(server()))
        second = server(name="second", mailbox=OTHER)
        preparer.run_all(doing(second))
        undo(preparer, second)
        assert {MAILBOX, ACCOUNT} < there(preparer)
        assert len(rights_of(preparer, ACCOUNT)) == 1

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_mailbox_without_the_mark_stays(self, kind: str) -> None:
        preparer = organisation(account_is_there=kind == "microsoft-365-service-account")
        shell: Shell = "server" if kind == "exchange-server" else "online"
        ask(preparer, "New-Mailbox", shell, Equipment=True, Name="Projector", PrimarySmtpAddress=MAILBOX)
        said = undo(preparer, prepared(preparer, kind, next(iter(KINDS[kind].options))))
        assert MAILBOX in there(preparer)
        assert any("does not carry the mark" in one for one in said)

    def test_another_administrator_may_remove_the_group(self) -> None:
        body = script_of(server(group="Greenroom test organizers"), "undo").body
        (line,) = [one for one in body.splitlines() if "Remove-DistributionGroup" in one]
        assert "-BypassSecurityGroupManagerCheck" in line


class TestRights:
    def test_another_account_takes_over(self) -> None:
        preparer, successor = organisation(account_is_there=False), f"successor@{DOMAIN}"
        preparer.run_all(doing(server(group="Organizers")))
        before = rights_of(preparer, ACCOUNT)
        preparer.run_all(doing(server(group="Organizers", account=successor)))
        assert rights_of(preparer, successor) == before
        assert rights_of(preparer, ACCOUNT) == {}

    def test_a_right_without_its_scope_is_corrected(self) -> None:
        preparer = organisation(account_is_there=False)
        preparer.run_all(doing(server()))
        ((name, scope),) = rights_of(preparer, ACCOUNT).items()
        ask(preparer, "Set-ManagementRoleAssignment", Identity=name, RecipientRelativeWriteScope="Organization")
        assert rights_of(preparer, ACCOUNT) == {name: None}
        preparer.run_all([script_of(server(), "rights")])
        assert rights_of(preparer, ACCOUNT) == {name: scope}

    def test_organizers_who_are_no_longer_asked_for_are_let_go(self) -> None:
        preparer = organisation(account_is_there=False)
        preparer.run_all(doing(server(group="Organizers")))
        assert len(rights_of(preparer, ACCOUNT)) == 2
        preparer.run_all([script_of(server(), "rights")])
        assert len(rights_of(preparer, ACCOUNT)) == 1
        assert len(ask(preparer, "Get-ManagementScope")) == 1

    def test_an_application_that_was_registered_anew_takes_over(self) -> None:
        preparer = organisation(account_is_there=False)
        first = prepared(preparer, "microsoft-365", "smallest")
        preparer.run_all(doing(first))
        preparer.run_all([script_of(first, "undo-application")])
        preparer.run_all(doing(first))
        for check in looking(first):
            outcome = preparer.run(check)
            assert (outcome.error, outcome.warned) == ("", []), check.name

    def test_a_group_by_a_pattern_is_refused(self) -> None:
        with pytest.raises(UnsafeValueError, match="asterisk"):
            server(group="Organ*")

    def test_a_name_that_two_groups_have_is_refused(self) -> None:
        preparer = organisation(account_is_there=False)
        preparation = server(group="Organizers")
        preparer.run_all(doing(preparation)[:2])
        _answering(preparer, "Get-DistributionGroup", lambda found: [*found, *found])
        outcome = preparer.run(script_of(preparation, "rights"))
        assert "More than one group" in outcome.error
        assert len(rights_of(preparer, ACCOUNT)) == 1  # that over the mailbox

    @pytest.mark.parametrize(
        "kind",
        [
            "exchange-server",
            pytest.param("microsoft-365", marks=pytest.mark.slow),
            pytest.param("microsoft-365-service-account", marks=pytest.mark.slow),
        ],
    )
    def test_a_lesser_right_over_the_mailbox_does_not_count(self, kind: str) -> None:
        preparer = organisation(account_is_there=kind == "microsoft-365-service-account")
        preparation = prepared(preparer, kind, next(iter(KINDS[kind].options)))
        lesser = {"User": "SIM\\somebody", "AccessRights": ["ReadPermission"], "IsInherited": False, "Deny": False}
        _answering(preparer, "Get-MailboxPermission", lambda found: [lesser, *found])
        preparer.run_all(doing(preparation))
        plain = preparer.shell("server")
        shown = plain("Get-MailboxPermission", {"Identity": MAILBOX, "User": ADMINISTRATOR})
        assert any("FullAccess" in one["AccessRights"] for one in shown)

    def test_consent_to_something_else_is_none_to_ews(self) -> None:
        preparer = organisation(account_is_there=True)
        preparation = prepared(preparer, "microsoft-365-service-account", "smallest")
        _answering(
            preparer,
            "Get-MgServicePrincipalOauth2PermissionGrant",
            lambda found: [{**one, "ResourceId": "of Graph"} for one in found],
        )
        for _ in range(2):
            preparer.run_all(doing(preparation)[:2])
            outcome = preparer.run(script_of(preparation, "account"))
        assert any("Consent" in str(one) for one in outcome.asked)


def test_a_way_to_sign_in_that_is_on_is_found_to_be_on() -> None:
    """IIS keeps the ways: in Active Directory alone all seem to be off."""
    preparer = organisation(account_is_there=False)
    preparer.run_all(doing(server(auth="basic")))
    assert preparer.run(script_of(server(auth="basic"), "signing-in")).changes == []
    (facts,) = preparer.run(looking(server())[-1]).files.values()
    assert json.loads(facts)["endpoints"]["BasicAuthentication"] is True


def _answering(preparer: Preparer, cmdlet: str, change: Any) -> None:
    """Let a cmdlet find something else."""
    plain = preparer.shell

    def shell(name: Shell) -> Cmdlets:
        run = plain(name)
        return lambda asked, given: change(run(asked, given)) if asked == cmdlet else run(asked, given)

    preparer.shell = shell
