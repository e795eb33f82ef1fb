"""The generated scripts do what they say: run in the shells of a simulated Exchange that nobody has prepared."""

import json
from typing import Any

import pytest

from greenroom.simulator.untouched import ADMINISTRATOR
from support.powershell.plain import Outcome
from support.powershell.running import run
from support.preparations import KINDS, VARIANTS
from support.prepared_house import MAILBOX, organisation, prepared
from support.preparing import Preparer, doing, looking, switches_of, undoing

MAY_BE_RIGHT_ALREADY = (
    "signing-in.ps1",
    "application.ps1",
)  # Windows authentication is on, an application was there before
ONE_QUICK = [kind if kind == "exchange-server" else pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS]


def _compared(state: dict[str, Any]) -> dict[str, Any]:
    """What undoing brings back: all but two things that are better left.

    An application that was there before keeps the certificate that was uploaded. And EWS is off for the organisation rather than
    not set: that would open it to every application wherever Microsoft has not switched it off yet.
    """
    spared = {"Get-MgApplication": "KeyCredentials", "Get-OrganizationConfig": "EwsEnabled"}
    return {
        look: [{k: v for k, v in one.items() if k != spared.get(look)} for one in rows] if look in spared else rows
        for look, rows in state.items()
    }


def _whole_life(kind: str, option: str) -> None:
    preparer = organisation(account_is_there=kind == "microsoft-365-service-account")
    preparation = prepared(preparer, kind, option)
    untouched = preparer.state()

    for script in doing(preparation):  # -WhatIf may end with what is not there yet, but never changes anything
        assert preparer.run(script, what_if=True).changes == []
    assert preparer.state() == untouched

    for script in doing(preparation):
        first = preparer.run(script)
        assert first.error == "", (script.name, first.error)
        assert bool(first.changes) is bool(first.asked)
        assert first.changes or script.name.endswith(MAY_BE_RIGHT_ALREADY), script.name
    ready = preparer.state()

    for script in doing(preparation):
        again = preparer.run(script)
        assert again.error == "", (script.name, again.error)
        assert (again.changes, again.asked) == ([], []), script.name
    assert preparer.state() == ready

    for script in looking(preparation):
        check = preparer.run(script)
        assert (check.error, check.warned, check.changes) == ("", [], []), script.name
    (facts,) = [json.loads(text) for text in check.files.values()]
    assert facts["kind"] == kind
    assert facts["mailbox"]["address"] == MAILBOX
    assert facts["calendar"]["AutomateProcessing"] == "AutoUpdate"

    for script in undoing(preparation):
        assert preparer.run(script, switches=switches_of(script), what_if=True).changes == []
    assert preparer.state() == ready
    for script in undoing(preparation):
        undone = preparer.run(script, switches=switches_of(script))
        assert undone.error == "", (script.name, undone.error)
        assert undone.asked != []
    assert _compared(preparer.state()) == _compared(untouched)
    for script in undoing(preparation):
        again = preparer.run(script, switches=switches_of(script))
        assert again.error == "", (script.name, again.error)
    assert _compared(preparer.state()) == _compared(untouched)


@pytest.mark.parametrize(("kind", "option"), VARIANTS)
def test_scripts_prepare_once_and_are_undone(kind: str, option: str) -> None:
    _whole_life(kind, option)


def _first_script(preparer: Preparer, kind: str, **changed: Any) -> Outcome:
    script = next(one for one in KINDS[kind].with_(mailbox=MAILBOX, **changed).scripts if "mailbox" in one.name)
    return preparer.run(script)


@pytest.mark.parametrize("kind", ONE_QUICK)
def test_a_mailbox_of_another_installation_is_left_alone(kind: str) -> None:
    preparer = organisation(account_is_there=False)
    assert _first_script(preparer, kind, environment="production").error == ""
    before = preparer.state()
    outcome = _first_script(preparer, kind, environment="test")
    assert "mark of something else" in outcome.error
    assert outcome.changes == []
    assert preparer.state() == before


@pytest.mark.parametrize("kind", ONE_QUICK)
def test_a_person_s_mailbox_is_left_alone(kind: str) -> None:
    preparer = organisation(account_is_there=False)
    before = preparer.state()
    script = KINDS[kind].with_(mailbox=ADMINISTRATOR).scripts
    outcome = preparer.run(next(one for one in script if "mailbox" in one.name))
    assert "no equipment mailbox" in outcome.error
    assert preparer.state() == before


def test_what_was_answered_no_is_not_done() -> None:
    preparer = organisation(account_is_there=False)
    before = preparer.state()
    for script in doing(prepared(preparer, "exchange-server", "basic")):
        outcome = run(script.body, preparer.shell("server"), confirm=lambda target, action: False, files=preparer.files)
        assert outcome.changes == []
    assert preparer.state() == before


def test_undoing_keeps_the_mailbox_unless_its_removal_is_asked_for() -> None:
    preparer = organisation(account_is_there=False)
    preparation = prepared(preparer, "exchange-server", "basic")
    preparer.run_all(doing(preparation))
    preparer.run_all(undoing(preparation))
    (left,) = preparer.shell("server")("Get-Mailbox", {"Identity": MAILBOX})
    assert left["CustomAttribute1"] == ""
    assert left["RecipientTypeDetails"] == "EquipmentMailbox"


def test_a_permission_over_the_whole_organisation_is_found() -> None:
    preparer = organisation(account_is_there=False)
    preparation = prepared(preparer, "microsoft-365", "certificate")
    preparer.run_all(doing(preparation))
    graph = preparer.shell("graph")
    (principal,) = graph(
        "Get-MgServicePrincipal", {"Filter": f"appId eq '{preparer.answers['Application (client) id']}'"}
    )
    (of_graph,) = graph("Get-MgServicePrincipal", {"Filter": "appId eq '00000003-0000-0000-c000-000000000000'"})
    role = next(one["Id"] for one in of_graph["AppRoles"] if one["Value"] == "Calendars.ReadWrite")
    granted = {
        "ServicePrincipalId": principal["Id"],
        "PrincipalId": principal["Id"],
        "ResourceId": of_graph["Id"],
        "AppRoleId": role,
    }
    graph("New-MgServicePrincipalAppRoleAssignment", granted)
    check = preparer.run(looking(preparation)[0])
    assert "permissions over the whole organisation" in check.error


@pytest.mark.parametrize("name", ["it's \u2018quoted\u2019 $(throw 'x') `n", '{0} "x" %;|&', "会議 \U0001f3a5 Räume"])
def test_a_hostile_name_arrives_as_it_is(name: str) -> None:
    preparer = organisation(account_is_there=False)
    assert _first_script(preparer, "exchange-server", environment="production", title=name).error == ""
    (made,) = preparer.shell("server")("Get-Mailbox", {"Identity": MAILBOX})
    assert made["DisplayName"] == name


def test_the_check_names_the_very_right_that_is_missing() -> None:
    preparer = organisation(account_is_there=False)
    preparation = prepared(preparer, "exchange-server", "own group")
    preparer.run_all(doing(preparation))
    preparer.shell("server")("Remove-ManagementRoleAssignment", {"Identity": "Greenroom test mailbox"})
    (check,) = [preparer.run(script) for script in looking(preparation)]
    assert check.warned == [
        "The service account may not act for the equipment mailbox: run the script that grants rights."
    ]
    assert "Good: the service account may act for organizers." in check.said
