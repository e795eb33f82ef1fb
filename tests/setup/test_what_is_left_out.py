"""Whatever is not as the scripts set it is found by the doctor in the file of the check, and what the doctor says mends it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from greenroom.doctor.contract import Finding, State
from greenroom.doctor.facts import compare_facts, parse_facts
from greenroom.settings import Integration, load_settings
from greenroom.setup.calendar_processing import Gravity, Setting, existing, needed
from greenroom.setup.contract import Preparation, Script
from support.house import KEY
from support.powershell.cmdlets import misused
from support.preparations import shell_of
from support.prepared_house import MAILBOX, organisation, prepared
from support.preparing import Preparer, doing, looking

KINDS = {"exchange-server": "basic", "microsoft-365": "client-secret"}


class House:
    """A prepared organisation, and what its check and the doctor say."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.preparer: Preparer = organisation(account_is_there=False)
        self.preparation: Preparation = prepared(self.preparer, kind, KINDS[kind])
        self.preparer.run_all(doing(self.preparation))
        self.check: Script = looking(self.preparation)[-1]
        self.entry = _entry(folder, self.preparation)

    def does(self, cmdlet: str, **given: Any) -> None:
        self.preparer.shell(shell_of(self.check))(cmdlet, given)

    def needy(self) -> list[Finding]:
        outcome = self.preparer.run(self.check)
        assert outcome.error == ""
        (facts,) = outcome.files.values()
        findings = compare_facts(parse_facts(facts.encode("utf-8-sig")), self.entry, "test")
        return [one for one in findings if one.state is not State.WELL]

    def mends(self, command: str) -> None:
        shell = shell_of(self.check)
        # The grammar takes the digit behind a parameter for a redirection, PowerShell does not.
        readable = re.sub(r"(.*) -(CustomAttribute1) ('[^']*')", r"$more = @{ \2 = \3 }\n\1 @more", command)
        assert "|" in command or misused(readable, shell) == []
        outcome = self.preparer.run_text(readable, shell)
        assert outcome.error == ""


def _entry(folder: Path, preparation: Preparation) -> Integration:
    secrets = folder / "secrets"
    secrets.mkdir()
    for name in ("exchange-password", "client-secret"):
        (secrets / name).write_text("Correct-Horse-9")
    (secrets / "ticket-keys").write_text(f"0:{KEY}\n")
    file = folder / "greenroom.toml"
    file.write_text(preparation.settings, encoding="utf-8")
    return load_settings(file, {}).integration[0]


def _wrong_value(setting: Setting, need: Any) -> Any:
    if setting.default != need:
        return setting.default
    return not need if isinstance(need, bool) else None


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_setting_that_is_left_at_its_default_is_named_and_mended(kind: str, tmp_path: Path) -> None:
    house = House(kind, tmp_path)
    assert house.needy() == []
    tried = 0
    for setting in existing(cloud=kind != "exchange-server"):
        need = needed(setting, protocol=house.entry.exchange.protocol)
        wrong = _wrong_value(setting, need)
        by_choice = setting.wanted_for_external != "same"  # either value may be what somebody wants
        if setting.gravity is Gravity.NONE or wrong is None or by_choice:
            continue
        tried += 1
        house.does("Set-CalendarProcessing", Identity=MAILBOX, **{setting.name: wrong})
        named = [one for one in house.needy() if setting.name in one.what]
        assert len(named) == 1, (setting.name, wrong)
        (found,) = named
        assert found.why, setting.name
        house.mends(found.mend)
        assert house.needy() == [], setting.name
    assert tried > 15


OTHERS: dict[str, tuple[str, dict[str, Any]]] = {
    "mailbox-mark": ("Set-Mailbox", {"Identity": MAILBOX, "CustomAttribute1": ""}),
    "mailbox-sending": ("Set-Mailbox", {"Identity": MAILBOX, "ModerationEnabled": True}),
    "mailbox-ews": ("Set-CASMailbox", {"Identity": MAILBOX, "EwsEnabled": False}),
    "exchange-endpoints": ("Set-WebServicesVirtualDirectory", {"BasicAuthentication": False}),
}


@pytest.mark.parametrize("check", OTHERS)
def test_other_settings_are_named_and_mended(check: str, tmp_path: Path) -> None:
    house = House("exchange-server", tmp_path)
    cmdlet, given = OTHERS[check]
    if check == "exchange-endpoints":
        (directory,) = house.preparer.shell("server")("Get-WebServicesVirtualDirectory", {"ADPropertiesOnly": True})
        given = {**given, "Identity": directory["Identity"]}
    house.does(cmdlet, **given)
    (found,) = house.needy()
    assert found.check == check
    house.mends(found.mend)
    assert house.needy() == []


def test_a_right_that_is_missing_is_named(tmp_path: Path) -> None:
    house = House("exchange-server", tmp_path)
    house.does("Remove-ManagementRoleAssignment", Identity="Greenroom test mailbox", Confirm=False)
    house.does("Remove-ManagementRoleAssignment", Identity="Greenroom test organizers", Confirm=False)
    (found,) = house.needy()
    assert "ApplicationImpersonation" in found.what
    house.preparer.run_all(doing(house.preparation))
    assert house.needy() == []


def test_facts_are_json_of_one_depth(tmp_path: Path) -> None:
    house = House("microsoft-365", tmp_path)
    (text,) = house.preparer.run(house.check).files.values()
    assert set(json.loads(text)) >= {"greenroom", "kind", "mailbox", "calendar", "regional", "cas", "rights", "sending"}
