"""Nothing that people write, no PIN, password, client secret or token comes out in what the program says, however badly things go.

The real program runs at log level debug and meets planted meetings, faults, garbage, broken texts and a broken database. Whatever
takes long in it is the same over both protocols, so over Graph all but the day itself is slow.
"""

import base64
import json
import re
import sqlite3
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import httpx2
import pytest

from greenroom.meetings.ticket import KeyRing
from support import planted
from support.colleague import Colleague, in_days
from support.simulator import RunningSimulator, running_simulator
from support.spoken import OPERATIONS
from support.whole import (
    CLIENT_SECRET,
    EQUIPMENT,
    ORGANIZER,
    PASSWORD,
    Program,
    SimulatedExchange,
    Spoken,
    configure,
    eventually,
    key_of,
    serving,
    settings_in,
    settles,
    world,
)

BODY = f"<html><body><p>{planted.TEXT}</p></body></html>"
BROKEN_TEXTS = {
    "room_name.txt.j2": "{{ subject | nonsense }}",
    "accept_new_single.html.j2": "<p>{{ alias.__class__.__mro__ }} {{ join_url",
    "joining_instructions.html.j2": "{% for x in range(999999999) %}{{ ticket }}{% endfor %}",
    "decline_past_single.html.j2": "{{ unknown_variable }}",
}
ICS = f"""\
BEGIN:VCALENDAR
VERSION:2.0
METHOD:REQUEST
BEGIN:VEVENT
UID:planted@elsewhere.test
DTSTAMP:20260101T000000Z
DTSTART:{{start:%Y%m%dT%H%M%SZ}}
DURATION:PT1H
SUMMARY:{planted.SUBJECT}
DESCRIPTION:{planted.TEXT}
LOCATION:{planted.LOCATION}
ORGANIZER;CN={planted.NAME}:mailto:eve@elsewhere.test
ATTENDEE;CN={planted.NAME};RSVP=TRUE:mailto:{EQUIPMENT}
END:VEVENT
END:VCALENDAR
"""
ZONE = "DTSTART;TZID={name}:{start:%Y%m%dT%H%M%S}".replace("{name}", planted.LOCATION)
RECURRING = (
    ICS.replace("planted@", "series@")
    .replace("DTSTART:{start:%Y%m%dT%H%M%SZ}", f"{ZONE}\nRRULE:FREQ=DAILY")
    .replace(
        "BEGIN:VEVENT",
        f"BEGIN:VTIMEZONE\nTZID:{planted.LOCATION}\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0030\n"
        "TZOFFSETTO:+0030\nEND:STANDARD\nEND:VTIMEZONE\nBEGIN:VEVENT",
    )
)
LONE = ICS.replace("planted@", "lone@").replace("SUMMARY", "RECURRENCE-ID:{start:%Y%m%dT%H%M%SZ}\nSUMMARY")


slow_over_graph = pytest.mark.parametrize("protocol", ["ews", pytest.param("graph", marks=pytest.mark.slow)])


class Place:
    """Simulator and program, and what is checked of them in the end."""

    def __init__(self, folder: Path, simulator: RunningSimulator, http: httpx2.Client, greenroom: Program) -> None:
        self.folder = folder
        self.simulator = simulator
        self.exchange = SimulatedExchange(simulator.url, simulator.ews_url, simulator.login_url, simulator.tenant, http)
        self.greenroom = greenroom
        self.olga = Colleague.at(simulator.ews_url, ORGANIZER)

    @property
    def database(self) -> sqlite3.Connection:
        return sqlite3.connect(self.folder / "greenroom.db", isolation_level=None, timeout=10)

    def pins(self) -> set[str]:
        rows = self.database.execute("SELECT host_pin, guest_pin FROM rooms").fetchall()
        return {pin for row in rows for pin in row if pin}

    def secrets(self) -> set[str]:
        """What only Microsoft 365 and we know by now: access tokens, and how its notifications prove themselves."""
        states = {one.client_state for one in self.simulator.graph.subscriptions.active()}
        return {secret for secret in {*states, *self.simulator.graph.tokens._tokens} if secret}

    def looks_again(self) -> None:
        """Let two more polls happen."""

        def looks() -> int:
            return sum(self.simulator.calls(operations["look"]) for operations in OPERATIONS.values())

        before = looks()
        eventually(lambda: looks() >= before + 4)


@pytest.fixture
def place(tmp_path: Path, request: pytest.FixtureRequest, protocol: Spoken) -> Iterator[Place]:
    service = 'log_level = "debug"\nlog_format = "json"'
    more = '[integration.meetings]\npin = "host-and-guest"\n[integration.texts]\nfolder = "texts"\n'
    texts = tmp_path / "texts"
    texts.mkdir()
    for name, text in getattr(request, "param", {}).items():
        (texts / name).write_text(text, encoding="utf-8")
    with (
        running_simulator(world()) as simulator,
        httpx2.Client(timeout=30, trust_env=False) as http,
        serving(tmp_path, simulator, protocol=protocol, service=service, more=more) as greenroom,
    ):
        place = Place(tmp_path, simulator, http, greenroom)
        if protocol == "graph":
            eventually(simulator.graph.subscriptions.active)
        yield place


def says_nothing(place: Place, pins: set[str] | None = None) -> None:
    """Neither planted words nor PINs nor secrets; times and longer numbers are not taken for PINs."""
    pins, secrets = pins or place.pins(), place.secrets()
    place.greenroom.stop()
    said = place.greenroom.output()
    assert not [secret for secret in secrets if secret in said]
    assert len(said) > 1000
    assert planted.found_in(said) == []
    assert key_of(1) not in said
    numbers = set(re.findall(r"(?<![\w.:-])\d{4,8}(?![\w.:-])", said))
    assert pins
    assert not pins & numbers
    hidden = (PASSWORD.partition("-")[0], CLIENT_SECRET.partition("~")[0])
    for word in ("Zimtschnecken", "Quittenbrot", "Apfelkern", "Lauchkammer", *hidden):
        assert word.casefold() not in said.casefold()


def forged() -> str:
    ring = KeyRing("GRM", 1, {0: base64.b64decode(key_of(1))})
    ticket = ring.issue(77, datetime.now(UTC))
    ticket = ticket[:-1] + ("A" if ticket[-1] != "A" else "B")
    return f"<html><body><p>{planted.TEXT}</p><p>Meeting reference: {ticket}</p></body></html>"


def a_full_day(place: Place) -> None:
    """All kinds of meetings, accepted and declined, changed and cancelled, a stranger's series and lone occurrence among them."""
    olga, subject = place.olga, planted.SUBJECT
    olga.invite(subject, in_days(2), body=BODY)
    olga.invite(f"{subject} in private", in_days(3), body=BODY, sensitivity="Private")
    olga.invite(f"{subject} long ago", in_days(-2), body=BODY)
    olga.invite(f"{subject} forged", in_days(4), body=forged())
    olga.invite((subject * 20)[:255], in_days(5), body=BODY * 50)
    start = datetime.now(UTC) + timedelta(days=6)
    for ics in (ICS, RECURRING, LONE):
        place.exchange.post("deliver", mailbox=EQUIPMENT, ics=ics.format(start=start).replace("\n", "\r\n"))
    strangers = "SELECT count(*) FROM meetings WHERE organizer = 'eve@elsewhere.test'"
    eventually(lambda: place.database.execute(strangers).fetchone() == (3,), seconds=40)
    eventually(lambda: len(olga.kinds()) >= 5, seconds=40)
    olga.move(subject, in_days(7))
    eventually(lambda: len(olga.kinds()) >= 6, seconds=40)
    (page,) = set(re.findall(r"http://127\.0\.0\.1:\d+/j/[\w-]+", str(olga.own(subject).body)))
    assert httpx2.get(page, trust_env=False).is_success
    httpx2.get(f"{page}{planted.TEXT}", trust_env=False)
    olga.cancel(subject)
    place.looks_again()


@slow_over_graph
def test_a_full_day_leaves_no_private_word_in_the_log(place: Place, protocol: Spoken) -> None:
    a_full_day(place)
    if protocol == "graph":
        strangers_post(place)
    says_nothing(place)
    assert ("graph.notifications.refused" in place.greenroom.output()) is (protocol == "graph")


def strangers_post(place: Place) -> None:
    """Let others than Microsoft 365 send what they like to where notifications come in."""
    (held,) = place.simulator.graph.subscriptions.active()
    notice = {"subscriptionId": held.id, "tenantId": place.simulator.tenant, "clientState": planted.TEXT}
    bodies = [planted.TEXT, json.dumps({"value": [notice]}), json.dumps({planted.NAME: [planted.SUBJECT]})]
    for url in (held.notification_url, f"{held.lifecycle_url}", f"{held.notification_url}/{quote(planted.NAME)}"):
        for body in bodies:
            for kind in ("application/json", "text/plain"):
                answer = place.exchange.http.post(
                    url, content=body, headers={"Content-Type": kind, "X-Word": planted.PASSWORD}
                )
                assert 400 <= answer.status_code < 500


@slow_over_graph
@pytest.mark.slow
@pytest.mark.parametrize("place", [BROKEN_TEXTS], indirect=True, ids=["broken-texts"])
def test_broken_texts_tell_file_and_line_and_no_private_word(place: Place) -> None:
    a_full_day(place)
    says_nothing(place)
    assert "joining_instructions.html.j2" in place.greenroom.output()


@slow_over_graph
def test_faults_and_garbage_leave_no_private_word_in_the_log(place: Place, protocol: Spoken) -> None:
    olga = place.olga
    kinds = ["garbage_reply", "truncated_reply", "timeout_after_commit", "server_busy", "access_denied"]
    for work, operation in OPERATIONS[protocol].items():
        if (work, protocol) == ("look", "ews"):
            continue
        for kind in kinds if protocol == "ews" else [*kinds, "unauthorized"]:
            place.exchange.post("faults", kind=kind, operation=operation, mailbox=EQUIPMENT, times=2, back_off_ms=100)
    for number in range(4):
        olga.invite(f"{planted.SUBJECT} {number}", in_days(2 + number), body=BODY)
    settles(lambda: len(place.exchange.get("counters")["faults"]), still=3, seconds=60)
    place.exchange.http.delete(f"{place.exchange.url}/control/faults").raise_for_status()
    olga.invite(planted.SUBJECT, in_days(9), body=BODY)
    eventually(lambda: bool(olga.kinds()), seconds=60 if protocol == "ews" else 180)
    says_nothing(place)


@slow_over_graph
def test_a_database_that_breaks_under_it_shows_no_private_word(place: Place) -> None:
    olga = place.olga
    olga.invite(planted.SUBJECT, in_days(2), body=BODY)
    eventually(lambda: bool(olga.kinds()), seconds=40)
    pins = place.pins()  # they cannot be read any more when the tables are gone
    for table in ("rooms", "journal", "meetings"):
        place.database.execute(f"ALTER TABLE {table} RENAME TO gone_{table}")
        olga.invite(f"{planted.SUBJECT} without {table}", in_days(3), body=BODY)
        place.looks_again()
    says_nothing(place, pins)
    assert "Storage" in place.greenroom.output()


@slow_over_graph
def test_the_configuration_keeps_its_secrets_when_it_is_shown(tmp_path: Path, protocol: Spoken) -> None:
    root = "http://127.0.0.1"
    simulator = SimulatedExchange(root, f"{root}/EWS/Exchange.asmx", root, str(uuid.uuid4()), httpx2.Client())
    configure(tmp_path, simulator, protocol=protocol)
    settings = settings_in(tmp_path)
    for text in (repr(settings), str(settings), repr(settings.integration[0])):
        assert PASSWORD not in text
        assert CLIENT_SECRET not in text
        assert key_of(1) not in text
