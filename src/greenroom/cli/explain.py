"""`greenroom explain`: a meeting's story, seen, decided, done, replied, and why; or why the add-in was refused."""

import re
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from greenroom.cli.at_platform import at_platform, at_platform_json
from greenroom.cli.exits import Exit
from greenroom.cli.options import echo_json, read_settings, stderr, stdout, with_config, with_json
from greenroom.cli.reading import alias_of, entry_json, local, name_of, plain, read, record_json, spelled
from greenroom.cli.refused import refusal_json, show_refusal
from greenroom.cli.when import how_it_stands, when
from greenroom.cli.words import next_step, sentence, standing
from greenroom.meetings.meeting import MeetingKey
from greenroom.meetings.record import JournalEntry, Record
from greenroom.settings import Settings
from greenroom.storage import Refused, StoredRoom, Work

_EXAMPLES = """\
\b
Examples:
  greenroom explain 7K2M-Q9XD                  by the correlation id of a reply, or of the Outlook add-in
  greenroom explain meet482915306              by alias, or by its digits alone
  greenroom explain https://meet.example.org/j/0123456789abcdef
  greenroom explain 040000008200E00074C5B7...  by meeting key (global object id)
"""
_CORRELATION = re.compile(r"([0-9A-Z]{4})-?([0-9A-Z]{4})")
_JOIN = re.compile(r"(?:https?://\S+/j/)?([0-9a-hjkmnp-tv-z]{16})(?:\.json)?")
_KEY = re.compile(r"([0-9A-Fa-f]{40,2000})(?:@(\d{4}-\d{2}-\d{2}))?", re.ASCII)
_MISREAD = str.maketrans("OIL", "011")


@dataclass(frozen=True, slots=True)
class Story:
    """A meeting, its timeline, its room if there is one, and the other meetings that share it."""

    record: Record
    entries: list[JournalEntry]
    room: StoredRoom | None
    sharers: list[Record]


@click.command(epilog=_EXAMPLES)
@click.argument("meeting")
@with_config
@with_json
def explain(meeting: str, config_file: Path | None, *, as_json: bool) -> None:
    """Tell the story of a meeting.

    MEETING is a correlation id, an alias, a join link or a meeting key.
    """
    settings = read_settings(config_file, as_json=as_json)
    now = datetime.now().astimezone()

    async def ask(work: Work) -> tuple[list[Story], list[Refused]]:
        stories = [await _story(work, record) for record in await _find(work, settings, meeting.strip())]
        return stories, await work.refusals.by_correlation(_correlation(meeting.strip()))

    stories, refusals = read(settings, ask, as_json=as_json)
    if as_json:
        told = [refusal_json(settings, one) for one in refusals]
        echo_json({"meetings": [_as_json(settings, story, now) for story in stories], "refusals": told})
    elif not stories and not refusals:
        stderr().print(
            "No meeting is known by this. Look it up with `greenroom meetings --search …`; "
            "if it is not there either, its invitation never reached the equipment mailbox."
        )
    else:
        for story in stories:
            _show(settings, story, now)
        for refused in refusals:
            show_refusal(settings, refused)
    sys.exit(Exit.OK if stories or refusals else Exit.PROBLEM)


async def _find(work: Work, settings: Settings, name: str) -> list[Record]:
    """Try every kind of name that this could be, the surest first."""
    if found := await _by_correlation(work, name):
        return [found]
    if match := _KEY.fullmatch(name):
        return await _by_key(work, settings, match[1], match[2])
    if (link := _JOIN.fullmatch(name)) and (several := await _by_join_id(work, link[1])):
        return several
    if len(name) < 3:  # noqa: PLR2004 - a shorter text is part of everything
        return []
    candidates = await work.meetings.search(text=name, limit=1000)
    wanted = name.lower()
    return [record for record in candidates if _is_called(settings, record, wanted)]


async def _by_correlation(work: Work, name: str) -> Record | None:
    wanted = _correlation(name)
    return await work.meetings.by_correlation(wanted) if wanted else None


def _correlation(name: str) -> str:
    """Spell a correlation id as it is stored; empty if this cannot be one."""
    match = _CORRELATION.fullmatch(name.upper().translate(_MISREAD))
    return f"{match[1]}-{match[2]}" if match else ""


async def _by_key(work: Work, settings: Settings, digits: str, day: str | None) -> list[Record]:
    """Return what has this key; of a whole series also its occurrences that are meetings of their own."""
    key = MeetingKey.of_global_object_id(bytes.fromhex(digits[: len(digits) & ~1]))
    found: list[Record] = []
    for integration in settings.integration:
        found += await work.meetings.kin(integration.number, [key])
    wanted = [record for record in found if day is None or record.key.value == f"{key.value}@{day}"]
    return sorted(wanted, key=lambda record: (record.integration, record.key))


async def _by_join_id(work: Work, join_id: str) -> list[Record]:
    room = await work.rooms.by_join_id(join_id)
    return [] if room is None else await work.meetings.of_rooms(room.integration, [room.mark])


def _is_called(settings: Settings, record: Record, wanted: str) -> bool:
    alias = spelled(settings, record)
    if alias is None:
        return False
    name = alias.name.lower()
    return wanted in {name, name.partition("@")[0], str(alias.number), alias.numeric, f"sip:{name}"}


async def _story(work: Work, record: Record) -> Story:
    room = await work.rooms.by_mark(record.integration, record.mark)
    entries = await work.journal.of_meeting(record.integration, record.key)
    sharers = await work.meetings.of_rooms(record.integration, [record.mark])
    return Story(record, entries, room, [one for one in sharers if one.key != record.key])


def _link(settings: Settings, story: Story) -> str:
    return "" if story.room is None else f"{settings.service.public_url}/j/{story.room.spec.join_id}"


def _as_json(settings: Settings, story: Story, now: datetime) -> dict[str, object]:
    return {
        **record_json(settings, story.record, now),
        "join_url": _link(settings, story) or None,
        "at_platform": at_platform_json(settings, story.room),
        "shares_room_with": [one.correlation_id for one in story.sharers],
        "standing": standing(story.record),
        "next_step": next_step(story.record.reason) or None,
        "timeline": [entry_json(entry, sentence(entry)) for entry in story.entries],
    }


def _show(settings: Settings, story: Story, now: datetime) -> None:
    record, out = story.record, stdout()
    facts = Table(box=None, show_header=False, pad_edge=False)
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    rows = {
        **when(settings, record, now),
        "organizer": record.organizer,
        "mailbox": name_of(settings, record.integration),
        "alias": alias_of(settings, record),
        "join link": _link(settings, story),
        "room": "" if story.room is None else how_it_stands(story.room, now),
        "at Pexip": at_platform(settings, story.room),
        "shared with": ", ".join(one.correlation_id for one in story.sharers),
        "correlation": record.correlation_id,
        "try again": "" if record.retry_at is None else f"{local(record.retry_at)}, after {record.attempts} attempts",
    }
    for name, value in rows.items():
        if value:
            facts.add_row(name, Text(plain(value)))
    out.print(Text(plain(record.title) or record.key.digest, style="bold"))
    out.print(facts)
    out.print()
    out.print(Text(standing(record)))
    if step := next_step(record.reason):
        out.print(Text.assemble(("next: ", "dim"), step))
    out.print()
    timeline = Table(box=None, show_header=False, pad_edge=False)
    timeline.add_column(style="dim", no_wrap=True)
    timeline.add_column(style="cyan", no_wrap=True)
    timeline.add_column(overflow="fold")
    for entry in story.entries:
        timeline.add_row(f"{entry.at.astimezone():%Y-%m-%d %H:%M:%S}", Text(entry.step), Text(plain(sentence(entry))))
    out.print(timeline)
