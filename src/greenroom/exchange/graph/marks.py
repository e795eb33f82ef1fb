"""Marks: short texts that Greenrooms leave on the calendar folder, where other programs that attend the mailbox find them.

Source: Graph v1.0, "Get calendar", "Update calendar", "Create singleValueLegacyExtendedProperty" (a calendar takes named
properties with Calendars.ReadWrite). There is no request that takes a property of a calendar away: an empty text stands for none.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from greenroom.exchange.contract import MARKS
from greenroom.exchange.errors import TryLaterError
from greenroom.exchange.graph.call import Call, RefusedError, path
from greenroom.exchange.graph.events import ExtendedProperty
from greenroom.exchange.graph.refused import for_mailbox
from greenroom.exchange.graph.shapes import properties
from greenroom.exchange.graph.transport import GraphTransport

_PUBLIC_STRINGS = "00020329-0000-0000-C000-000000000046"
_MOST = 50


def name_of(mark: str) -> str:
    """Return how Graph calls the property of a mark (MS-OXPROPS, PS_PUBLIC_STRINGS)."""
    return f"String {{{_PUBLIC_STRINGS}}} Name Greenroom-{mark}"


class Marks:
    """The marks on the calendar folder of one mailbox."""

    def __init__(self, transport: GraphTransport, mailbox: str) -> None:
        self._transport = transport
        self._mailbox = mailbox
        self._folder = path("users", mailbox, "calendar")

    async def read(self) -> dict[str, str]:
        """Return the texts by the name of their mark."""
        query = {"$select": "id", "$expand": properties(*(name_of(mark) for mark in MARKS))}
        answer = await self._asked(Call("GetCalendar", "GET", self._folder, self._mailbox, query))
        return dict(_told(answer, self._mailbox))

    async def write(self, mark: str, text: str | None) -> None:
        """Leave a text, or take it away (None)."""
        body = {"singleValueExtendedProperties": [{"id": name_of(mark), "value": text or ""}]}
        await self._asked(Call("UpdateCalendar", "PATCH", self._folder, self._mailbox, body=body, writes=True))

    async def _asked(self, call: Call) -> Any:
        try:
            return (await self._transport.call(call)).body
        except RefusedError as error:
            if error.elsewhere or error.gone:
                raise for_mailbox(error, self._mailbox) from error
            sentence = f"Graph refused to read or change the calendar folder itself ({error.code})"
            raise TryLaterError(sentence, code=error.code, mailbox=self._mailbox) from error


def _told(body: Any, mailbox: str) -> Mapping[str, str]:
    if not isinstance(body, dict):
        raise TryLaterError("Graph's answer is not a calendar", code="garbled-answer", mailbox=mailbox)
    told = body.get("singleValueExtendedProperties")
    known = {name_of(mark).casefold(): mark for mark in MARKS}
    found: dict[str, str] = {}
    for one in told[:_MOST] if isinstance(told, list) else ():
        try:
            prop = ExtendedProperty.model_validate(one)
        except ValidationError:
            continue  # whatever that is, it is no mark
        mark = known.get(" ".join(prop.id.split()).casefold())
        if mark is not None and prop.value:
            found[mark] = prop.value
    return found
