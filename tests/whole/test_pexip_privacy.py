"""Nothing that people write, no PIN and no password comes out in what the program says of Pexip, at log level debug.

Greenroom never asks Pexip to delete a list.
"""

import re
from pathlib import Path

import pytest

from support import planted
from support.colleague import in_days, in_seconds
from support.pexip_at_work import (
    ADMIN,
    ADMIN_PASSWORD,
    BOTH_PINS,
    NODES,
    NODES_PASSWORD,
    TO_THE_SECOND,
    Home,
    basic,
    site,
)
from support.whole import Spoken, eventually, key_of

pytestmark = pytest.mark.slow
BODY = f"<html><body><p>{planted.TEXT}</p></body></html>"
DEBUG = 'log_level = "debug"\nlog_format = "json"'
STRIKES = (
    {"kind": "http_503", "body": planted.TEXT},
    {"kind": "http_400", "fields": {"ivr_theme": [planted.SUBJECT]}},
    {"kind": "http_400", "body": planted.TEXT},
    {"kind": "http_500", "body": f"<html>{planted.SUBJECT} {planted.NAME}</html>"},
    {"kind": "timeout_after_commit"},
    {"kind": "garbage"},
    {"kind": "cut_body"},
    {"kind": "http_429", "body": planted.TEXT},
)


def a_full_day(home: Home) -> set[str]:
    """Returns all PINs there were."""
    olga, pexip, subject = home.olga, home.pexip, planted.SUBJECT
    olga.invite(subject, in_seconds(-60), body=BODY)
    home.answered("Accept")
    (room,) = home.rooms()
    assert home.admits(room.alias, pin=room.host_pin, join=True, remote_display_name=planted.NAME)
    assert not home.admits(room.alias, pin=planted.PASSWORD)
    for guess in range(20):
        home.dial(f"meet1{900000000 + guess}", remote_alias=planted.NAME, remote_display_name=planted.NAME)
    for method, rules in (("POST", STRIKES[::2]), ("GET", STRIKES[1::2]), ("PATCH", STRIKES[:1])):
        for rule in rules:
            pexip.post("faults", **rule, method=method, resource="configuration/conference*", times=1)
    for number in range(3):
        olga.invite(f"{subject} {number}", in_days(2 + number), body=BODY)
    olga.change(subject, subject=f"{subject} anew", body=BODY)
    eventually(lambda: len(home.replies()) >= 4, seconds=240)
    pexip.mend()
    pins = {pin for room in home.rooms() for pin in (room.host_pin, room.guest_pin) if pin}
    for number in range(3):
        olga.cancel(f"{subject} {number}")
    eventually(lambda: len(home.conferences()) == 1, seconds=120)
    return pins


@pytest.mark.parametrize("protocol", ["ews", "graph"])
def test_a_full_day_with_pexip_leaves_no_private_word_in_the_log(tmp_path: Path, protocol: Spoken) -> None:
    with site(tmp_path, "both", protocol=protocol, more=TO_THE_SECOND + BOTH_PINS, service=DEBUG) as home:
        pins = a_full_day(home)
        shown = home.command("explain", home.rooms()[0].numeric)
        checked = home.command("config", "check", "--connect")
        calls = home.pexip.get("calls")
        home.greenroom.stop()
        said = home.greenroom.output() + checked.stdout + checked.stderr + shown.stderr
    assert calls["wipes"] == 0
    assert len(said) > 1000
    assert planted.found_in(said) == []
    for secret in (
        ADMIN_PASSWORD,
        NODES_PASSWORD,
        key_of(1),
        basic(ADMIN, ADMIN_PASSWORD),
        basic(NODES, NODES_PASSWORD),
    ):
        assert secret not in said
    for word in ("Zimtschnecken", "Quittenbrot", "Apfelkern", "Lauchkammer", "Kirschkern", "Sauerteig", "Hagebutten"):
        assert word.casefold() not in said.casefold()
    numbers = set(re.findall(r"(?<![\w.:-])\d{4,8}(?![\w.:-])", said))
    assert len(pins) == 8
    assert not pins & numbers
