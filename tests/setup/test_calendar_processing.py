"""The table of calendar processing: what the reference says, and what an export of it is compared with."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from greenroom.setup.calendar_processing import BY_NAME, SETTINGS, Gravity, Setting, agrees, existing, needed, plain
from support.shared import shared_path


def rows() -> Iterator[tuple[list[str], str, str]]:
    """Yield names, default and need of every row of the reference's table, as it is written there."""
    text = (shared_path("reference") / "exchange.md").read_text(encoding="utf-8")
    part = text.partition("\n## 4. Equipment mailbox settings")[2].partition("\n## 5.")[0]
    for line in part.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        names = re.findall(r"`([A-Z][A-Za-z]+)`", cells[0])
        if line.startswith("| `") and names:
            yield names, cells[1], cells[2].replace("*", "")


def test_every_setting_of_the_reference_is_in_the_table() -> None:
    assert {name for names, _default, _need in rows() for name in names} == set(BY_NAME)


def test_defaults_and_needs_are_those_of_the_reference() -> None:
    words = {"true": True, "false": False, "none": None}
    for names, default, need in rows():
        for column, said in (("default", default), ("need", need)):
            if said.startswith(("any", "irrelevant", "defaults")):
                continue
            values = re.findall(r"\$(true|false)\b|\b(none|AutoAccept|AutoUpdate|Standard)\b|(\d+)", said)
            plainly = [words[a] if a else words.get(b, b) if b else int(c) for a, b, c in values]
            plainly = plainly if len(names) > 1 and len(plainly) > 1 else plainly[:1] * len(names)
            for name, value in zip(names, plainly, strict=True):
                assert getattr(BY_NAME[name], column) == value, f"{name}: {column} is {said}"


def test_over_ews_old_messages_are_kept() -> None:
    setting = BY_NAME["RemoveOldMeetingMessages"]
    assert needed(setting, protocol="graph") is True
    assert needed(setting, protocol="ews") is False


def test_people_of_other_organisations_are_let_in_only_if_they_are_wanted() -> None:
    setting = BY_NAME["ProcessExternalMeetingMessages"]
    assert needed(setting, protocol="graph") is False
    assert needed(setting, protocol="graph", external=True) is True


def test_exchange_server_has_no_settings_of_the_cloud() -> None:
    assert {one.name for one in existing(cloud=True)} - {one.name for one in existing(cloud=False)} == {
        "RemoveCanceledMeetings",
        "BookingType",
    }


@pytest.mark.parametrize("setting", SETTINGS, ids=[one.name for one in SETTINGS])
def test_every_reason_is_a_sentence(setting: Setting) -> None:
    assert setting.why[0].isupper() or setting.why[0].isdigit()
    assert setting.why.endswith(".")


@pytest.mark.parametrize(
    ("name", "exported", "right"),
    [
        ("AutomateProcessing", "AutoUpdate", True),
        ("AutomateProcessing", "autoupdate", True),
        ("AutomateProcessing", "AutoAccept", False),
        ("AutomateProcessing", 1, True),
        ("AutomateProcessing", 2, False),
        ("AutomateProcessing", True, False),
        ("AutomateProcessing", {"value": 1, "Value": "AutoUpdate"}, True),
        ("AutomateProcessing", {}, False),
        ("DeleteComments", False, True),
        ("DeleteComments", 0, False),
        ("DeleteComments", "False", False),
        ("BookingWindowInDays", 1080, True),
        ("ResourceDelegates", [], True),
        ("ResourceDelegates", None, True),
        ("ResourceDelegates", {}, True),
        ("ResourceDelegates", ["Anna"], False),
    ],
)
def test_what_powershell_exports_is_understood(name: str, exported: Any, right: bool) -> None:
    setting = BY_NAME[name]
    assert agrees(setting, exported, needed(setting, protocol="graph")) is right


def test_a_value_of_a_remote_session_is_taken_out_of_what_is_around_it() -> None:
    assert plain({"value": 32, "Value": "EquipmentMailbox"}) == "EquipmentMailbox"


def test_what_does_not_matter_does_not_count() -> None:
    assert {one.name for one in SETTINGS if one.gravity is Gravity.NONE} == {
        "ConflictPercentageAllowed",
        "MaximumConflictInstances",
        "OrganizerInfo",
        "EnableResponseDetails",
    }
