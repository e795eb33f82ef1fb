"""iCalendar as text: components, properties, parameters (RFC 5545 part 3.1), read with much patience.

Patience means: any line ends, tabs or blanks as folds, continuation lines that forgot their blank, folds inside a character,
byte order marks, Latin-1 where UTF-8 should be, unclosed quotes, colons inside unquoted names, quoted-printable of vCalendar 1.0.
It ends at the limits below, which raise BadInvitation.
"""

import quopri
import re
from dataclasses import dataclass, field

from greenroom.simulator.errors import BadInvitation

MAX_BYTES = 4 * 1024 * 1024
MAX_LINES = 60_000
MAX_DEPTH = 8
MAX_PARAMS = 64
_NAME = re.compile(rb"[A-Za-z][A-Za-z0-9_.-]{0,99}(?=[;:])")
# Zone names like "(UTC+01:00) Berlin" bring colons that not every program quotes.
_DATED = re.compile(
    r"(?:DTSTART|DTEND|RECURRENCE-ID|EXDATE);TZID=[^\"].*:(?P<value>\d{8}(?:T\d{4,6}Z?)?(?:,\d{8}(?:T\d{4,6}Z?)?)*)",
    re.IGNORECASE,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_CARET = re.compile(r"\^([n'^])")
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Property:
    """One property: upper-case name, parameters by upper-case name (their values in order), raw value, its line."""

    name: str
    value: str
    params: dict[str, tuple[str, ...]]
    line: int

    def param(self, name: str) -> str | None:
        """The first value of a parameter."""
        values = self.params.get(name)
        return values[0] if values else None

    @property
    def text(self) -> str:
        """The value with its escapes undone (RFC 5545 3.3.11)."""
        return _ESCAPE.sub(lambda match: "\n" if match[1] in "nN" else match[1], self.value)


@dataclass(slots=True)
class Component:
    """BEGIN to END: its properties and components."""

    name: str
    line: int
    properties: list[Property] = field(default_factory=list)
    children: list["Component"] = field(default_factory=list)
    source: list[str] = field(default_factory=list)  # its own lines, unfolded, for components kept as they came

    def first(self, name: str) -> Property | None:
        return next((one for one in self.properties if one.name == name), None)

    def all(self, name: str) -> list[Property]:
        return [one for one in self.properties if one.name == name]

    def inside(self, name: str) -> list["Component"]:
        return [one for one in self.children if one.name == name]


def clean(text: str) -> str:
    """Without control characters that no XML and no mail may carry; line ends as one newline."""
    return _ILLEGAL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def parse(data: bytes) -> Component:
    """The VCALENDAR of a file. Raises BadInvitation when there is none, it is cut off, or it is too large."""
    if len(data) > MAX_BYTES:
        raise BadInvitation(f"the file is larger than {MAX_BYTES} bytes")
    builder = _Builder()
    for number, raw in _unfold(_plain_bytes(data)):
        builder.take(number, raw)
        if builder.calendar is not None and builder.calendar.inside("VEVENT"):
            break
    return builder.finish()


@dataclass(slots=True)
class _Builder:
    """Puts logical lines together to components; `calendar` is the last VCALENDAR that was closed."""

    stack: list[Component] = field(default_factory=list)
    calendar: Component | None = None

    def take(self, number: int, raw: bytes) -> None:
        if raw[:6].upper() == b"BEGIN:":
            self._begin(number, raw)
        elif not self.stack:
            return  # whatever stands around the calendar
        elif raw[:4].upper() == b"END:":
            _keep_source(self.stack, raw)
            closed = _close(self.stack, _decode(raw[4:]).strip().upper())
            if not self.stack and closed is not None:
                self.calendar = closed
        else:
            _keep_source(self.stack, raw)
            self.stack[-1].properties.append(_property(raw, number))

    def _begin(self, number: int, raw: bytes) -> None:
        component = Component(_decode(raw[6:]).strip().upper(), number)
        if not self.stack and component.name != "VCALENDAR":
            return
        if len(self.stack) >= MAX_DEPTH:
            raise BadInvitation(f"components are nested deeper than {MAX_DEPTH}", number)
        if self.stack:
            self.stack[-1].children.append(component)
        self.stack.append(component)
        _keep_source(self.stack, raw)

    def finish(self) -> Component:
        if len(self.stack) == 1:  # only END:VCALENDAR is missing
            return self.stack[0]
        if self.stack:
            raise BadInvitation(f"the file ends inside {_short(self.stack[-1].name)}", self.stack[-1].line)
        if self.calendar is None:
            raise BadInvitation("this is no iCalendar file: there is no BEGIN:VCALENDAR", 1)
        return self.calendar


def _short(name: str) -> str:
    return name if re.fullmatch(r"[A-Z-]{1,30}", name) else "a component"


def _keep_source(stack: list[Component], raw: bytes) -> None:
    for component in stack[1:]:
        if component.name == "VTIMEZONE":
            component.source.append(clean(_decode(raw)))


def _close(stack: list[Component], name: str) -> Component | None:
    """Close the innermost component of this name with all that are open inside it; a stray END closes nothing."""
    if all(component.name != name for component in stack):
        return None
    while True:
        component = stack.pop()
        if component.name == name:
            return component


def _plain_bytes(data: bytes) -> bytes:
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if data.startswith(mark):
            return data[2:].decode(encoding, errors="replace").encode(errors="replace")
    return data.removeprefix(b"\xef\xbb\xbf").replace(b"\x00", b"")


def _unfold(data: bytes) -> list[tuple[int, bytes]]:
    """Logical lines with the number of their first physical line."""
    physical = data.replace(b"\r\r\n", b"\n").replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    if len(physical) > MAX_LINES:
        raise BadInvitation(f"the file has more than {MAX_LINES} lines")
    found: list[tuple[int, list[bytes]]] = []
    for number, line in enumerate(physical, start=1):
        if line[:1] in {b" ", b"\t"} and found:
            found[-1][1].append(line[1:])
        elif _begins_property(line):
            found.append((number, [line]))
        elif line.strip() and found:
            # A line that forgot its fold, as programs write that put raw line ends into texts.
            found[-1][1].append(b"\n" + line)
    return [(number, b"".join(parts)) for number, parts in found]


def _begins_property(line: bytes) -> bool:
    match = _NAME.match(line)
    if match is None:
        return False
    name = match[0]
    # "https://..." and "Note: ..." inside a text that was broken without a fold are no properties.
    return name.isupper() or (name.upper().decode() in _KNOWN and not line[match.end() :].startswith(b"://"))


_KNOWN = frozenset(
    {
        "BEGIN",
        "END",
        "METHOD",
        "VERSION",
        "PRODID",
        "CALSCALE",
        "UID",
        "DTSTAMP",
        "DTSTART",
        "DTEND",
        "DURATION",
        "SUMMARY",
        "DESCRIPTION",
        "LOCATION",
        "ORGANIZER",
        "ATTENDEE",
        "SEQUENCE",
        "STATUS",
        "CLASS",
        "TRANSP",
        "PRIORITY",
        "RRULE",
        "RDATE",
        "EXDATE",
        "EXRULE",
        "RECURRENCE-ID",
        "CREATED",
        "LAST-MODIFIED",
        "COMMENT",
        "TZID",
        "TZOFFSETFROM",
        "TZOFFSETTO",
        "TZNAME",
        "URL",
        "CATEGORIES",
        "REQUEST-STATUS",
        "ACTION",
        "TRIGGER",
        "ATTACH",
    }
)


def _decode(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def _property(raw: bytes, number: int) -> Property:
    text = _decode(raw)
    head, params, value = _split(text)
    name = head.upper().rpartition(".")[2]  # "item1.DTSTART" of some address-book-like writers
    if "QUOTED-PRINTABLE" in {one.upper() for one in params.get("ENCODING", ())}:
        value = _decode(quopri.decodestring(value.encode(errors="replace")))
    return Property(name, clean(value), params, number)


def _split(text: str) -> tuple[str, dict[str, tuple[str, ...]], str]:
    """Name, parameters, value. A quote that never closes is left out, and what ends like a date is the value of a date."""
    dated = _DATED.fullmatch(text)
    end = dated.start("value") - 1 if dated is not None else _value_begins(text, quotes=True)
    head = text[:end]
    if end is None:
        end = _value_begins(text, quotes=False)
        head = text[:end].replace('"', "")
    if end is None:
        return text, {}, ""
    parts = _cut(head, ";")
    params: dict[str, tuple[str, ...]] = {}
    for part in parts[1 : MAX_PARAMS + 1]:
        name, _, value = part.partition("=")
        params[name.strip().upper()] = tuple(_param_value(one) for one in _cut(value, ","))
    return parts[0].strip(), params, text[end + 1 :]


def _value_begins(text: str, *, quotes: bool) -> int | None:
    inside = False
    for index, letter in enumerate(text):
        if letter == '"' and quotes:
            inside = not inside
        elif letter == ":" and not inside:
            return index
    return None


def _cut(text: str, separator: str) -> list[str]:
    if '"' not in text:
        return text.split(separator)
    parts, start, inside = [], 0, False
    for index, letter in enumerate(text):
        if letter == '"':
            inside = not inside
        elif letter == separator and not inside:
            parts.append(text[start:index])
            start = index + 1
    return [*parts, text[start:]]


def _param_value(text: str) -> str:
    text = text.strip().strip('"')
    return clean(_CARET.sub(lambda match: {"n": "\n", "'": '"', "^": "^"}[match[1]], text))
