"""Content lines of iCalendar (RFC 5545 3.1): name, parameters and value, within components."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

MAX_TEXT = 1024 * 1024
_MOST_LINES = 50_000
_DEEPEST = 8
_LONGEST_LINE = 74
_NAME = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
_PARAMETER = re.compile(r';([A-Za-z0-9-]{1,64})=("[^"]*"|[^";:,]*)((?:,(?:"[^"]*"|[^";:,]*))*)', re.ASCII)
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Property:
    """One line: names are in upper case; of several values of a parameter the first counts."""

    name: str
    value: str
    parameters: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Component:
    """What stands between BEGIN and END; `text` is all of it, unfolded."""

    name: str
    properties: list[Property]
    components: "list[Component]"
    text: str

    def all(self, name: str) -> list[Property]:
        """Return the properties with this name, which is in upper case."""
        return [one for one in self.properties if one.name == name]

    def one(self, name: str) -> Property | None:
        """Return the first property with this name."""
        return next((one for one in self.properties if one.name == name), None)


def read(text: str) -> Component:
    """Return all that there is, as the components of one without a name. Raises ValueError for what is no iCalendar.

    Lines that are none are passed over: real calendars have them.
    """
    if len(text) > MAX_TEXT:
        raise ValueError("a calendar is not that long")
    lines = [line for line in re.split(r"\r?\n", re.sub(r"\r?\n[ \t]", "", text)) if line.strip()]
    if len(lines) > _MOST_LINES:
        raise ValueError("a calendar is not that long")
    root = Component("", [], [], "")
    open_: list[tuple[Component, int]] = [(root, 0)]
    for at, line in enumerate(lines):
        found = _property(line)
        if found is None:
            continue
        inner, began = open_[-1]
        if found.name == "BEGIN":
            if len(open_) > _DEEPEST:
                raise ValueError("a calendar is not that deep")
            open_.append((Component(found.value.strip().upper(), [], [], ""), at))
        elif found.name == "END":
            if len(open_) == 1 or inner.name != found.value.strip().upper():
                raise ValueError("a component of a calendar ends that has not begun")
            open_.pop()
            whole = "\r\n".join(lines[began : at + 1])
            open_[-1][0].components.append(Component(inner.name, inner.properties, inner.components, whole))
        else:
            inner.properties.append(found)
    if len(open_) > 1:
        raise ValueError("a component of a calendar has no end")
    return root


def _property(line: str) -> Property | None:
    name = _NAME.match(line)
    if name is None:
        return None
    parameters: dict[str, str] = {}
    at = name.end()
    while (found := _PARAMETER.match(line, at)) is not None:
        parameters.setdefault(found[1].upper(), found[2].strip('"'))
        at = found.end()
    return Property(name[0].upper(), line[at + 1 :], parameters) if line[at : at + 1] == ":" else None


def write(lines: Iterable[str]) -> str:
    """Return lines folded at 75 octets, each ended by CRLF."""
    return "".join(f"{part}\r\n" for line in lines for part in _folded(_CONTROLS.sub("", line)))


def parameter(text: str) -> str:
    """Return text as the value of a parameter: quoted where it must be; what a quoted one cannot hold is left out."""
    text = _CONTROLS.sub("", text).replace('"', "")
    return f'"{text}"' if set(text) & set(":;,") else text


def _folded(line: str) -> Iterator[str]:
    raw = line.encode("utf-8", "replace")
    prefix = ""
    while len(raw) > _LONGEST_LINE:
        at = _LONGEST_LINE
        while raw[at] & 0xC0 == 0x80:  # noqa: PLR2004 (in the middle of a UTF-8 character)
            at -= 1
        yield prefix + raw[:at].decode()
        raw, prefix = raw[at:], " "
    yield prefix + raw.decode()
