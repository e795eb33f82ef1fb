"""What a person sees of a meeting with the add-in: the form, which becomes an invitation, and the pane beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from playwright.async_api import Frame
from playwright.async_api import TimeoutError as LateError

from greenroom.simulator.model import Attendee, Body, MeetingDraft
from greenroom.simulator.model import Person as Mailbox
from support import planted
from support.outlooks import Item, OutlookWindow
from support.whole import ATTENDEE

ATTENDEES: Final = [{"name": "Anton Attendee", "address": ATTENDEE}]
TEXT: Final = (
    f'<html><head><style>p.x {{ color: red }}</style></head>\r\n<body lang="DE">\r\n<p class="x">{planted.TEXT},&nbsp;'
    '<b style="font-family:\'Segoe UI\'">it\'s Ann&#39;s</b><br>\n<img alt="a > b" src="cid:1"></p>\r\n</body></html>'
)


def draft_of(item: Item) -> MeetingDraft:
    """A meeting as its form says it."""
    kind, content = item["body"]["type"], item["body"]["content"]
    people = [Attendee(_mailbox(one)) for one in item["required"]]
    people += [Attendee(_mailbox(one), "optional") for one in item.get("optional", ())]
    people += [Attendee(_mailbox(one), "resource") for one in item.get("rooms", ())]
    return {
        "subject": item["subject"],
        "body": Body(content, "HTML" if kind == "html" else "Text"),
        "location": "; ".join(
            [*(one["name"] for one in item.get("rooms", ())), *([item["location"]] if item["location"] else [])]
        ),
        "start": datetime.fromisoformat(item["start"]),
        "end": datetime.fromisoformat(item["end"]),
        "attendees": tuple(people),
    }


def said_by(call: Mapping[str, Any]) -> str:
    """The text that a call of `body.setAsync` brought to Outlook."""
    return str(call["data"]["data"])


def _mailbox(one: Mapping[str, str]) -> Mailbox:
    return Mailbox(one["address"], one["name"])


def meeting(**fields: object) -> Item:
    """A meeting of tomorrow, with a guest and a text; `fields` differ."""
    start = (datetime.now(UTC) + timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    return {
        "subject": planted.SUBJECT,
        "body": {"type": "html", "content": TEXT},
        "location": planted.LOCATION,
        "required": ATTENDEES,
        "start": start.isoformat(),
        "end": (start + timedelta(hours=1)).isoformat(),
        **fields,
    }


@dataclass(frozen=True, slots=True)
class Pane:
    """The pane of an Outlook, as the person uses it."""

    frame: Frame

    @classmethod
    async def of(cls, window: OutlookWindow) -> "Pane":
        """Open it."""
        return cls(await window.open_pane())

    async def shows(self, view: str) -> str:
        """Wait for a view (see the `words` of pane.js), and return what it says."""
        card = self.frame.locator(f'main > [data-view="{view}"]')
        try:
            await card.wait_for(timeout=20_000)
        except LateError as error:
            there = await self.frame.locator("main").inner_text()
            raise AssertionError(f"{view} does not come: {there}") from error
        return await card.inner_text()

    async def press(self, label: str) -> None:
        """Press a button."""
        await self.frame.get_by_role("button", name=label, exact=True).click()

    async def does(self, label: str, view: str) -> str:
        """Press a button and wait for what comes of it."""
        await self.press(label)
        return await self.shows(view)
