"""A calendar that only lists: by time of change, in pages, some changes late to be seen. Stands in for the transport."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from greenroom.exchange.graph.call import Answer, Call
from greenroom.exchange.graph.transport import GraphTransport

MAILBOX = "vmr@example.test"
NEXT = "https://graph.example.test/v1.0/next?"
BEGIN = datetime(2031, 1, 1, tzinfo=UTC)


def text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"


def event(ident: str, changed: datetime, version: str = "v1", **more: Any) -> dict[str, Any]:
    """A light event as a list shows it; what is None is left out."""
    shown = {
        "@odata.etag": f'W/"{version}"',
        "id": ident,
        "changeKey": version,
        "lastModifiedDateTime": text(changed),
        "iCalUId": f"{ident}@example.test",
        "type": "singleInstance",
        "subject": "Planning",
        "start": {"dateTime": "2031-05-06T09:00:00.0000000", "timeZone": "UTC"},
        "end": {"dateTime": "2031-05-06T10:00:00.0000000", "timeZone": "UTC"},
        "isAllDay": False,
        "isCancelled": False,
        "sensitivity": "normal",
        "responseStatus": {"response": "notResponded", "time": "0001-01-01T00:00:00Z"},
    } | more
    return {name: value for name, value in shown.items() if value is not None}


@dataclass
class Version:
    ident: str
    key: str
    changed: datetime
    visible: datetime


@dataclass
class Listing:
    """The server. `skew` is how far its clock is ahead of ours, `page` how many rows it shows at most."""

    skew: timedelta = timedelta()
    page: int = 1000
    ordered: bool = True
    now: datetime = BEGIN
    versions: list[Version] = field(default_factory=list)
    asked: list[Call] = field(default_factory=list)
    followed: int = 0
    spoil: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    between: Callable[[], object] | None = None  # what happens once, when the next page was shown

    def clock(self) -> datetime:
        """Our own clock."""
        return self.now

    def transport(self) -> GraphTransport:
        return cast("GraphTransport", self)

    def change(self, ident: str, *, late: timedelta = timedelta(), ago: timedelta = timedelta()) -> Version:
        """Change an item now; the change can be seen a little later."""
        server = self.now + self.skew
        made = Version(ident, f"k{len(self.versions)}", server - ago, server - ago + late)
        self.versions.append(made)
        return made

    def rows(self) -> list[Version]:
        """The items as they can be seen now: of each its newest visible version, by time of change."""
        server = self.now + self.skew
        newest = {v.ident: v for v in self.versions if v.visible <= server}
        return sorted(newest.values(), key=lambda v: (v.changed, v.ident), reverse=not self.ordered)

    async def call(self, call: Call) -> Answer:
        self.asked.append(call)
        await asyncio.sleep(0)
        since = datetime.fromisoformat(call.query["$filter"].rpartition(" ")[2])
        return self._page(since, int(call.query["$top"]), 0)

    async def follow(self, link: str, like: Call) -> Answer:
        assert link.startswith(NEXT)
        self.followed += 1
        since, top, skip = link.removeprefix(NEXT).split("|")
        return self._page(datetime.fromisoformat(since), int(top), int(skip))

    def _page(self, since: datetime, top: int, skip: int) -> Answer:
        rows = [v for v in self.rows() if v.changed >= since]
        size = min(top, self.page)
        shown = [event(v.ident, v.changed, v.key) for v in rows[skip : skip + size]]
        body: dict[str, Any] = {"value": [self.spoil(one) if self.spoil else one for one in shown]}
        if skip + size < len(rows):
            body["@odata.nextLink"] = f"{NEXT}{since.isoformat()}|{top}|{skip + size}"
        if self.between is not None:
            happens, self.between = self.between, None
            happens()
        return Answer(200, body)
