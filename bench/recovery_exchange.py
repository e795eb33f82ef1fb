"""An Exchange in a box in which an equipment mailbox has thousands of accepted meetings with genuine tickets of ours.

`python bench/recovery_exchange.py --meetings 50000 --seed 7` plants them where a recovery finds them after a disaster: straight
into the calendar, without anybody having sent them. Nine of ten are single meetings, one is a series; of the series one of seven
has an occurrence that was moved and one that was taken out. Prints one line of JSON when it listens.
"""

import argparse
import json
import os
import random
import sys
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import job
from greenroom.simulator import goid
from greenroom.simulator.app import create_simulator_app
from greenroom.simulator.clock import SimulatorClock
from greenroom.simulator.exchange import Exchange
from greenroom.simulator.model import (
    Attendee,
    Body,
    CalendarItem,
    DeletedOccurrence,
    Meeting,
    ModifiedOccurrence,
    Person,
)
from greenroom.simulator.occurrences import occurrences_within
from greenroom.simulator.recurrence import DAYS, Daily, Pattern, Recurrence, RelativeMonthly, WeekIndex, Weekly
from greenroom.simulator.seeding import seed
from greenroom.simulator.server import SimulatorServer, address_of, addresses, listening_socket, simulator_config
from greenroom.simulator.site import Site
from greenroom.simulator.store import MailboxStore
from recovery_names import CLIENT_ID, LOGIN, MAILBOX, PEER, PEER_ID

FIRST_TICKET = 100_000_000

_ZONE, _ZONE_NAME = ZoneInfo("Europe/Berlin"), "W. Europe Standard Time"
_NTH: tuple[WeekIndex, ...] = ("First", "Second", "Third", "Fourth", "Last")
_DAYS_AHEAD = 180
_QUARTER = timedelta(minutes=15)
_SERIES_SHARE, _BROKEN_SHARE, _ENDLESS_SHARE = 0.1, 1 / 7, 0.3


def world() -> dict[str, object]:
    """Who is there: twenty people, the equipment mailbox, and an account and an application each for us and the peer."""
    accounts = [{"login": login, "password": job.PASSWORD, "impersonate": "everybody"} for login in (LOGIN, PEER)]
    applications = [{"client_id": one, "secret": job.PASSWORD, "scope": "everybody"} for one in (CLIENT_ID, PEER_ID)]
    mailboxes = [*job.people(), job.equipment(MAILBOX)]
    return {"mailboxes": mailboxes, "accounts": accounts, "applications": applications}


def plant(exchange: Exchange, count: int, chance: random.Random) -> int:
    """Put so many accepted meetings into the calendar; returns how many are series with exceptions."""
    site, store = exchange.site, exchange.site.store(MAILBOX)
    signs, now = job.ring(), exchange.clock()
    today = now.astimezone(_ZONE).date()
    broken = 0
    for number in range(count):
        ticket = signs.issue(FIRST_TICKET + number, now - timedelta(days=chance.randint(1, 60)))
        is_series = chance.random() < _SERIES_SHARE
        back = chance.randint(0, 90) if is_series else -1
        day = today - timedelta(days=back) if back > 0 else today + timedelta(days=chance.randint(1, _DAYS_AHEAD))
        start = datetime.combine(day, time(7), _ZONE) + _QUARTER * chance.randint(0, 48)
        item = _accepted(site, store, number, start.astimezone(UTC), chance)
        item.body = Body(job.text_with(ticket), "HTML")
        if is_series:
            _recur(item.meeting, start, chance)
            if chance.random() < _BROKEN_SHARE:
                _break(item.meeting)
                broken += 1
        store.add(item)
    return broken


def _accepted(site: Site, store: MailboxStore, number: int, start: datetime, chance: random.Random) -> CalendarItem:
    organizer, other = (Person(one, one.partition("@")[0].title()) for one in chance.sample(job.PEOPLE, 2))
    sent = site.now() - timedelta(days=chance.randint(1, 30), seconds=chance.randint(0, 80_000))
    clean = goid.new_goid(sent, chance.randbytes(16))
    meeting = Meeting(
        uid=goid.uid_of(clean),
        goid=clean,
        clean_goid=clean,
        start=start,
        end=start + job.HOUR,
        organizer=organizer,
        start_zone=_ZONE_NAME,
        end_zone=_ZONE_NAME,
        location="https://meet.example/",
        attendees=(Attendee(other), Attendee(store.owner.person, "resource")),
        stamp=sent,
    )
    fields = site.base_fields(store, "calendar")
    answered = sent + timedelta(seconds=chance.randint(5, 40))
    return CalendarItem(
        **{**fields, "created": sent, "received": sent, "sent": sent, "modified": answered},
        item_class="IPM.Appointment",
        subject=f"Meeting {number}",
        author=organizer,
        sender=organizer,
        meeting=meeting,
        my_response="Accept",
        reply_time=answered,
        request_was_sent=True,
    )


def _recur(meeting: Meeting, start: datetime, chance: random.Random) -> None:
    """Make a series of it, begun with this start, that is not over yet."""
    day = DAYS[start.weekday()]
    nth = _NTH[(start.day - 1) // 7]
    patterns: tuple[Pattern, ...] = (Weekly(1, (day,)), Weekly(2, (day,)), Daily(1), RelativeMonthly(1, day, nth))
    until = None if chance.random() < _ENDLESS_SHARE else start.date() + timedelta(days=chance.randint(150, 400))
    meeting.recurrence = Recurrence(chance.choice(patterns), start.date(), until=until)


def _break(meeting: Meeting) -> None:
    """Move the second occurrence by an hour and take the third one out."""
    occurrences = occurrences_within(meeting, meeting.start, meeting.start + timedelta(days=120))
    second, third = (one.original_start for one in occurrences[1:3])
    meeting.modified = (ModifiedOccurrence(second, second + job.HOUR, second + 2 * job.HOUR),)
    meeting.deleted = (DeletedOccurrence(third),)


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description="Exchange in a box with a calendar that is to be recovered")
    parser.add_argument("--meetings", type=int, required=True)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--tls-cert", metavar="FILE")
    parser.add_argument("--tls-key", metavar="FILE")
    arguments = parser.parse_args()
    exchange = Exchange(SimulatorClock())
    seed(exchange, world())
    broken = plant(exchange, arguments.meetings, random.Random(arguments.seed))
    app = create_simulator_app(exchange)
    sock = listening_socket("127.0.0.1", 0)
    url = address_of(sock, tls=bool(arguments.tls_cert))

    def tell() -> None:
        told = {**addresses(url, app), "pid": os.getpid(), "broken": broken}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()

    config = simulator_config(app, certificate=arguments.tls_cert, key=arguments.tls_key)
    SimulatorServer(config, close=app.close, started=tell).run([sock])


if __name__ == "__main__":
    main()
