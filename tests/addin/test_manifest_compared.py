"""What can be said of two manifests."""

from greenroom.addin.manifest import Finding, SendMode, check_environments, check_successor, write_manifest
from support.manifests import HOST, SINGLE_SIGN_ON, VERSION, described, edited, full

NEXT = "1.2026.1123.6"


def told(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(one.severity.value, one.code) for one in findings]


def test_the_same_one_again_is_right() -> None:
    assert check_successor(full(), full()) == []
    spaced = full().replace(b"\n", b"\n\n")
    assert check_successor(spaced, full()) == []


def test_another_version_of_the_same_is_right() -> None:
    known = described()
    assert check_successor(write_manifest(known, NEXT), write_manifest(known, VERSION)) == []


def test_a_change_without_a_higher_version_is_refused() -> None:
    changed = edited(full(), ("Gives this meeting", "Lends this meeting"), count=2)
    (finding,) = check_successor(changed, full())
    assert told([finding]) == [("error", "version-not-risen")]
    assert finding.path == "OfficeApp/Version"
    assert check_successor(edited(changed, (VERSION, NEXT), count=9), full()) == []


def test_a_lower_version_is_refused() -> None:
    known = described()
    findings = check_successor(write_manifest(known, VERSION), write_manifest(known, NEXT))
    assert told(findings) == [("error", "version-not-risen")]


def test_another_id_takes_no_place() -> None:
    findings = check_successor(full(id="00000000-0000-0000-0000-000000000001"), full())
    assert ("error", "id-changed") in told(findings)


def test_what_has_to_be_approved_again_is_told() -> None:
    before = write_manifest(described(), VERSION)
    for changed in (
        described(permission="ReadWriteMailbox"),
        described(send_mode=SendMode.ASK),
        described(single_sign_on=SINGLE_SIGN_ON),
    ):
        assert told(check_successor(write_manifest(changed, NEXT), before)) == [("warning", "consent")]
    assert check_successor(before.replace(VERSION.encode(), NEXT.encode()), before) == []


def test_another_address_of_the_pane_is_told() -> None:
    before, after = (write_manifest(described(integration=n), v) for n, v in ((1, VERSION), (2, NEXT)))
    assert told(check_successor(after, before)) == [("warning", "audience")]


def test_nothing_can_be_said_of_what_is_no_manifest() -> None:
    assert told(check_successor(full(), b"nothing")) == [("error", "previous")]
    assert check_successor(b"nothing", full()) == []  # which is told when it is checked itself


def test_environments_with_one_id_replace_each_other() -> None:
    live, test = full(), full(public_url="https://test.example.org")
    assert told(check_environments({"live": live, "test": test})["test"]) == [("error", "same-id")]
    assert check_environments({"live": live, "test": test})["live"] == []
    own = full(public_url="https://test.example.org", id="00000000-0000-0000-0000-000000000001")
    assert not any(check_environments({"live": live, "test": own}).values())


def test_two_add_ins_of_one_host_need_ids_of_their_own() -> None:
    assert told(check_environments({"one": full(), "two": full(integration=2)})["two"]) == [("error", "same-id")]


def test_the_profiles_of_one_add_in_are_no_environments() -> None:
    both = {"online": full(), "onprem": full(single_sign_on=None, mobile=False), "broken": b"x"}
    assert not any(check_environments(both).values())
    assert HOST.encode() in both["onprem"]
