"""Online meetings of others in an invitation: their block must stay byte for byte, or the meeting is none any more.

Source: Graph v1.0, "Update event" (removing the meeting blob from the body disables the online meeting). Teams puts its block
between two lines of underscores; where one is missing the block is what lies between its first and its last mark.
"""

import re
from typing import Final

_MARK: Final = re.compile(
    r"teams\.(?:microsoft|live)\.(?:com|us)|gov\.teams\.microsoft|dod\.teams\.microsoft|aka\.ms/jointeamsmeeting|"
    r"meetup-join|meetingoptions|me-email-(?:text|headline)|skypeteams",
    re.IGNORECASE,
)
_RULE: Final = re.compile(r"_{20,}")
_FARTHEST: Final = 64 * 1024


def keeps_online_meeting(old: str, new: str) -> bool:
    """Whether the block of an online meeting in the old body, if there is one, stands in the new body unchanged, once as before."""
    block = online_block(old)
    return not block or new.count(block) == old.count(block)


def online_block(body: str) -> str:
    """Return the block of an online meeting; empty where there is none."""
    marks = list(_MARK.finditer(body))
    if not marks:
        return ""
    first, last = marks[0].start(), marks[-1].end()
    before = list(_RULE.finditer(body, max(0, first - _FARTHEST), first))
    after = _RULE.search(body, last, last + _FARTHEST)
    start = before[-1].start() if before else max(body.rfind("<", 0, first), 0)
    end = after.end() if after else body.find(">", last) + 1 or len(body)
    return body[start:end]
