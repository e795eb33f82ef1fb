"""What an administrator's check exported, compared with what has to be; and hostile files."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenroom.doctor.contract import Finding, State
from greenroom.doctor.facts import FactsError, compare_facts, parse_facts, read_facts
from greenroom.settings import Integration
from greenroom.setup.calendar_processing import Gravity, existing, needed

BOX = "rooms@example.org"


def exported(*, cloud: bool = False) -> dict[str, Any]:
    """An export in which all is as it has to be."""
    protocol: Any = "graph" if cloud else "ews"
    found: dict[str, Any] = {
        "greenroom": 1,
        "kind": "microsoft-365" if cloud else "exchange-server",
        "mailbox": {
            "address": BOX,
            "DisplayName": "Greenroom production",
            "CustomAttribute1": "Greenroom production",
            "RecipientTypeDetails": "EquipmentMailbox",
            "HiddenFromAddressListsEnabled": False,
        },
        "calendar": {one.name: needed(one, protocol=protocol) for one in existing(cloud=cloud)},
        "regional": {"Language": "en-US", "TimeZone": "UTC"},
        "cas": {"EwsEnabled": True},
        "rights": [{"role": "ApplicationImpersonation", "assignee": "svc", "scope": "Greenroom production mailbox"}],
        "endpoints": {"BasicAuthentication": True, "WindowsAuthentication": True, "OAuthAuthentication": False},
        "sending": {"RequireSenderAuthenticationEnabled": True, "ModerationEnabled": False},
    }
    if cloud:
        right = {"role": "Application Calendars.ReadWrite", "assignee": "id", "scope": "group", "InScope": True}
        found |= {"rights": [right]}
        del found["endpoints"]
    return found


def compared(data: Any, entry: Integration, environment: str | None = None) -> list[Finding]:
    return compare_facts(parse_facts(json.dumps(data).encode()), entry, environment)


def needy(data: Any, entry: Integration, environment: str | None = None) -> list[Finding]:
    return [one for one in compared(data, entry, environment) if one.state is not State.WELL]


def the_only(data: Any, entry: Integration, environment: str | None = None) -> Finding:
    (found,) = needy(data, entry, environment)
    assert found.why
    assert found.mend
    return found


def test_what_is_as_it_has_to_be_is_well(entry: Integration, graph_entry: Integration) -> None:
    assert needy(exported(), entry) == []
    assert needy(exported(), entry, "production") == []
    assert needy(exported(cloud=True), graph_entry) == []
    assert len(compared(exported(), entry)) == 7


@pytest.mark.parametrize("name", [one.name for one in existing(cloud=True) if one.gravity is not Gravity.NONE])
def test_each_wrong_setting_is_found_alone_with_the_cmdlet_that_mends_it(name: str, graph_entry: Integration) -> None:
    data = exported(cloud=True)
    right = data["calendar"][name]
    external = name == "ProcessExternalMeetingMessages"  # may be either: people of elsewhere are wanted or not
    data["calendar"][name] = "odd" if external else (not right) if isinstance(right, bool) else 17
    found = the_only(data, graph_entry)
    assert found.check == "processing"
    assert found.mend.startswith(f"Set-CalendarProcessing -Identity '{BOX}' -{name} ")
    assert "rooms@example.org" in found.mend
    breaks = next(one for one in existing(cloud=True) if one.name == name)
    idle = breaks.under_auto_accept or breaks.gravity is Gravity.UNTIDY
    assert found.state is (State.NOTE if idle else State.WRONG)


def test_what_only_auto_accept_minds_is_wrong_while_that_is_on(entry: Integration) -> None:
    data = exported()
    data["calendar"] |= {"AutomateProcessing": "AutoAccept", "DeleteComments": True}
    found = needy(data, entry)
    assert [one.state for one in found] == [State.WRONG, State.WRONG]
    assert "-DeleteComments $false" in found[1].mend


def test_over_ews_processing_may_be_off(entry: Integration, graph_entry: Integration) -> None:
    data = exported()
    data["calendar"]["AutomateProcessing"] = "None"
    assert needy(data, entry) == []
    assert needy(
        exported(cloud=True) | {"calendar": exported(cloud=True)["calendar"] | {"AutomateProcessing": "None"}},
        graph_entry,
    )


def test_a_setting_that_is_not_told_is_unknown(entry: Integration) -> None:
    data = exported()
    del data["calendar"]["AllowConflicts"]
    (found,) = needy(data, entry)
    assert (found.state, "AllowConflicts" in found.what) == (State.UNKNOWN, True)
    assert needy(exported() | {"calendar": {}}, entry)[0].state is State.UNKNOWN


def test_switched_off_ews_and_a_way_to_sign_in_that_is_off_are_wrong(entry: Integration) -> None:
    assert "Set-CASMailbox" in the_only(exported() | {"cas": {"EwsEnabled": False}}, entry).mend
    found = the_only(exported() | {"endpoints": {"BasicAuthentication": False}}, entry)
    assert (found.check, "-BasicAuthentication $true" in found.mend) == ("exchange-endpoints", True)


def test_rights_that_are_missing_or_without_a_scope_are_told(entry: Integration, graph_entry: Integration) -> None:
    assert the_only(exported() | {"rights": []}, entry).state is State.WRONG
    assert the_only(exported() | {"rights": None}, entry).state is State.WRONG
    wide = {"role": "applicationimpersonation", "assignee": "svc", "scope": None}
    assert the_only(exported() | {"rights": wide}, entry).state is State.NOTE
    outside = {"role": "Application Calendars.ReadWrite", "scope": "group", "InScope": False}
    assert the_only(exported(cloud=True) | {"rights": [outside]}, graph_entry).state is State.WRONG


@pytest.mark.parametrize(
    ("mark", "environment", "state"),
    [
        ("Greenroom test", None, None),
        ("Greenroom test", "production", State.WRONG),
        ("Greenroom production", "test", State.WRONG),
        ("Somebody else", None, State.WRONG),
        ("", None, State.NOTE),
    ],
    ids=["test", "test-in-production", "production-in-test", "strange", "none"],
)
def test_the_mark_of_another_installation_is_wrong(
    mark: str, environment: str | None, state: State | None, entry: Integration
) -> None:
    data = exported()
    data["mailbox"]["CustomAttribute1"] = mark
    found = needy(data, entry, environment)
    assert [one.state for one in found] == ([] if state is None else [state])
    assert all(one.check == "mailbox-mark" for one in found)


def test_mark_and_name_that_differ_are_mixed_up(entry: Integration) -> None:
    data = exported()
    data["mailbox"]["DisplayName"] = "Greenroom test"
    assert "mixed up" in the_only(data, entry).what


def test_another_kind_of_mailbox_moderation_and_forwarding_are_wrong(entry: Integration) -> None:
    data = exported()
    data["mailbox"]["RecipientTypeDetails"] = "UserMailbox"
    assert "-Type Equipment" in the_only(data, entry).mend
    assert "moderator" in the_only(exported() | {"sending": {"ModerationEnabled": True}}, entry).what
    forwarded = {"ForwardingSmtpAddress": "smtp:x@y", "DeliverToMailboxAndForward": False}
    assert "forwarded" in the_only(exported() | {"sending": forwarded}, entry).what
    outside = exported()
    outside["calendar"]["ProcessExternalMeetingMessages"] = True
    assert "other organisations" in the_only(outside, entry).what


def test_a_file_of_windows_powershell_is_read(tmp_path: Path) -> None:
    text = json.dumps(exported())
    for data in (text.encode("utf-8-sig"), text.encode("utf-16"), text.encode()):
        (tmp_path / "facts.json").write_bytes(data)
        assert read_facts(tmp_path / "facts.json").address == BOX


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"x" * 2_000_000, "too long"),
        (b"[1]", "not written by"),
        (b'{"a": 1}', "not written by"),
        (b'{"greenroom": 2}', "another version"),
        (b'{"greenroom": 1, "kind": "x"}', "which kind"),
        (b'{"greenroom": 1, "kind": "microsoft-365", "mailbox": []}', "which kind"),
        (b"\xff\xfe\x00", "no JSON"),
    ],
    ids=["empty", "cut", "deep", "long", "list", "other", "version", "kind", "mailbox", "utf16"],
)
def test_a_broken_file_has_its_sentence(data: bytes, words: str) -> None:
    with pytest.raises(FactsError, match=words):
        parse_facts(data)


def test_a_file_that_is_not_there_has_its_sentence(tmp_path: Path) -> None:
    with pytest.raises(FactsError, match="cannot be read"):
        read_facts(tmp_path / "none.json")


_HOSTILE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.just("\x1b[2J'; Remove-Mailbox -Identity 'x"),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["Value", "value", "role"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=50)
@given(st.data())
def test_whatever_is_in_a_file_nothing_fails_and_nothing_of_it_becomes_a_command(
    entry: Integration, data: st.DataObject
) -> None:
    facts = deepcopy(exported())
    part = data.draw(st.sampled_from(["calendar", "mailbox", "cas", "rights", "endpoints", "sending"]))
    if isinstance(facts[part], dict) and data.draw(st.booleans()):
        name = data.draw(st.sampled_from(sorted(set(facts[part]) - {"address"})))
        facts[part][name] = data.draw(_HOSTILE)
    elif part != "mailbox":
        facts[part] = data.draw(_HOSTILE)
    for one in compared(facts, entry):
        assert "Remove-Mailbox" not in one.mend
        assert (one.what + one.why + one.mend).isprintable()
