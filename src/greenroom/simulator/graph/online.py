"""Teams meetings, as far as an event shows them: a delimited blob in the body with the link to join.

The blob is all there is. Whoever takes it out of the body (the docs of event-update warn of it) has a meeting that is no
online meeting any more, in every mailbox that gets the update.
"""

from __future__ import annotations

import html
import re
from typing import Any, Final

from greenroom.simulator.ews.bodies import text_to_html
from greenroom.simulator.model import Body

_RULE: Final = "_" * 80
_LINK: Final = re.compile(r"https://teams\.microsoft\.com/l/meetup-join/[^\s\"'<>]+")
PROVIDERS: Final = {"teamsforbusiness": "teamsForBusiness", "unknown": "unknown"}


def join_url(body: Body) -> str | None:
    """The address of the Teams meeting whose blob is in this body."""
    match = _LINK.search(body.content)
    if match is None or not 0 <= body.content.find(_RULE) < match.start() < body.content.rfind(_RULE):
        return None
    return html.unescape(match[0])


def info(body: Body) -> dict[str, Any] | None:
    """The onlineMeetingInfo of an event."""
    url = join_url(body)
    return None if url is None else {"joinUrl": url}


def add(body: Body, code: str) -> Body:
    """The body with the blob of a new Teams meeting; `code` makes its address unique."""
    thread = f"https://teams.microsoft.com/l/meetup-join/19%3ameeting_{code}%40thread.v2/0"
    blob = (
        f'<br><div style="width:100%"><span style="white-space:nowrap">{_RULE}</span></div>'
        '<div class="me-email-text" lang="en-US"><div><span>Microsoft Teams meeting</span></div>'
        f'<div><a class="me-email-headline" href="{thread}" target="_blank">Click here to join the meeting</a></div>'
        f'</div><div style="width:100%"><span style="white-space:nowrap">{_RULE}</span></div>'
    )
    content = body.content if body.type == "HTML" else text_to_html(body.content) if body.content else ""
    end = content.lower().rfind("</body>")
    content = content + blob if end < 0 else content[:end] + blob + content[end:]
    return Body(content, "HTML")
