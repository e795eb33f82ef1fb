"""What can happen to a platform behind Greenroom's back: it is emptied, or rooms stand there that no meeting has."""

import re
import secrets
from collections.abc import Collection
from typing import Any

import httpx2

from support.disasters import PEXIP_DOMAIN, Place
from support.pexip_at_work import ADMIN, ADMIN_PASSWORD
from support.whole import settings_in

_OURS = re.compile(r"greenroom-1-[0-9a-f]{32}")
_FIRST = 900_000_001
"""Alias numbers of orphans: none that Greenroom drew for a test, as likely as not."""


def empty(place: Place) -> int:
    """Remove every room of ours from the platform; the database elsewhere stays as it is. Returns how many there were."""
    if place.pexip is None:
        (count,) = place.sql("SELECT count(*) FROM rooms")[0]
        place.sql("DELETE FROM rooms")
        return int(count)
    there = place.pexip.conferences()
    remove(place, {one["name"] for one in there})
    assert place.pexip.conferences() == []
    return len(there)


def orphans(place: Place, count: int) -> set[str]:
    """Let rooms of meetings that nobody knows stand at the platform, with our mark; returns their marks."""
    marks = [secrets.token_hex(16) for _ in range(count)]
    for at, mark in enumerate(marks):
        number = _FIRST + at
        if place.pexip is None:
            _copied_row(place, mark, number)
        else:
            conference(place, f"Orphan {at}", f"orphan-{at}", number, f"greenroom-1-{mark}")
    return set(marks)


def conference(place: Place, name: str, word: str, number: int, tag: str = "") -> None:
    """Put a conference on Pexip by hand."""
    assert place.pexip is not None
    aliases = [{"alias": f"{word}@{PEXIP_DOMAIN}"}, {"alias": str(number)}]
    more = {"tag": tag} if tag else {}
    place.pexip.post("seed", conference=[{"name": name, "service_type": "conference", "aliases": aliases, **more}])


def remove(place: Place, names: Collection[str]) -> None:
    """Let an administrator of Pexip delete conferences."""
    assert place.pexip is not None
    with httpx2.Client(auth=(ADMIN, ADMIN_PASSWORD), trust_env=False, verify=False, timeout=30) as http:
        for one in place.pexip.get("state")["conference"]:
            if one["name"] in names:
                http.delete(f"{place.pexip.url}{one['resource_uri']}").raise_for_status()


def all_names(place: Place) -> set[str]:
    """The names of all conferences on Pexip, whosever they are."""
    assert place.pexip is not None
    return {one["name"] for one in place.pexip.get("state")["conference"]}


def standing(place: Place) -> set[str]:
    """The marks of all rooms of ours at the platform that let people in."""
    if place.pexip is None:
        return {mark for (mark,) in place.sql("SELECT mark FROM rooms WHERE retired_at IS NULL")}
    tags = [one["tag"] for one in place.pexip.conferences()]
    return {tag.removeprefix("greenroom-1-") for tag in tags if _OURS.fullmatch(tag)}


def join_ids(place: Place) -> dict[str, str]:
    """What join links end with, by mark."""
    return {mark: room.join_id for mark, room in place.rooms().items()}


def _copied_row(place: Place, mark: str, number: int) -> None:
    """A room of the embedded platform is a row: like another one, under a name of its own."""
    (entry,) = settings_in(place.folder).integration
    changed: dict[str, Any] = {
        "mark": mark,
        "alias_number": number,
        "alias": f"{entry.alias.prefix}{number}",
        "alias_numeric": str(number),
        "join_id": mark[:16],
    }
    columns = [name for _, name, *_ in place.sql("PRAGMA table_info(rooms)")]
    taken = ", ".join("?" if name in changed else name for name in columns)
    values = [changed[name] for name in columns if name in changed]
    place.sql(f"INSERT INTO rooms ({', '.join(columns)}) SELECT {taken} FROM rooms LIMIT 1", *values)
