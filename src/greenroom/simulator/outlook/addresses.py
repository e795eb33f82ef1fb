"""Attendees as people type them: addresses, "Name <address>", or names that the directory knows."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from greenroom.simulator import Exchange
from greenroom.simulator.model import Person

MAX_PEOPLE = 200
_PART = re.compile(r'(?:"[^"]*"|<[^<>]*>|[^;,\r\n"<])+')
_NAMED = re.compile(r'(?:"([^"]*)"|([^"<>]*))\s*<\s*([^<>\s]+)\s*>')
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9][A-Za-z0-9-]{0,62}\.)*[A-Za-z0-9-]{1,63}")


@dataclass(frozen=True, slots=True)
class People:
    """Who was meant, and a sentence for each part that means nobody."""

    found: tuple[Person, ...]
    errors: tuple[str, ...]


def read_people(exchange: Exchange, text: str) -> People:
    """Read a list separated by semicolons, commas or line ends; doubles are dropped."""
    parts = [part.strip() for part in _PART.findall(text) if part.strip()]
    if len(parts) > MAX_PEOPLE:
        return People((), (f"At most {MAX_PEOPLE} people can be invited at once.",))
    ours = {one.address.rpartition("@")[2] for one in exchange.mailboxes()}
    found: dict[str, Person] = {}
    errors: list[str] = []
    for part in parts:
        person = _read_one(exchange, part, ours)
        if isinstance(person, Person):
            found.setdefault(person.address.lower(), person)
        else:
            errors.append(person)
    return People(tuple(found.values()), tuple(errors))


def _read_one(exchange: Exchange, part: str, ours: set[str]) -> Person | str:
    named = _NAMED.fullmatch(part)
    name, address = ((named[1] or named[2] or "").strip(), named[3]) if named else ("", part)
    known = exchange.find_mailbox(address)
    if known is not None:
        return Person(known.address, known.name)
    if _ADDRESS.fullmatch(address) and ".." not in address:
        if address.rpartition("@")[2].lower() in ours:
            return f"Nobody here has the address {_short(address)}."
        return Person(address, name)
    if "@" in part:
        return f"\u201c{_short(part)}\u201d is not a mail address."
    return _from_directory(exchange, part)


def _from_directory(exchange: Exchange, part: str) -> Person | str:
    matches = exchange.resolve_names(part)
    if len(matches) == 1:
        return Person(matches[0].address, matches[0].name)
    if matches:
        return f"\u201c{_short(part)}\u201d could be {_names(one.name for one in matches[:4])}: type more of the name."
    return f"Nobody in the directory is called \u201c{_short(part)}\u201d. Type a mail address."


def _names(names: Iterable[str]) -> str:
    return " or ".join(names)


def _short(text: str) -> str:
    limit = 60
    return text if len(text) <= limit else text[:limit] + "\u2026"


def written(people: Iterable[Person]) -> str:
    """The way back: what the input field shows."""
    return "; ".join(one.address for one in people)
