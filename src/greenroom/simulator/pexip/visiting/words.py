"""What became of a call, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Sign = Literal["in", "ask", "out"]

_WHY = {
    "PIN required": ("ask", "PIN asked", "Dial again with a PIN."),
    "wrong PIN": ("ask", "Wrong PIN", "Dial again with another one."),
    "authentication required": ("ask", "Sign-in asked", "This room wants its people to sign in."),
    "full": ("out", "Full", "No more people fit in."),
    "redirected": ("out", "Redirected", "The policy server sent the call elsewhere."),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """`word` says it in one or two words, `who` who decided it, `advice` what it means for the caller."""

    sign: Sign
    word: str
    who: str
    advice: str


def outcome(report: Mapping[str, Any], *, coming: bool = False) -> Outcome:
    """Tell a report of `Node.dial`; `coming` says that the Management Node has the alias, whatever the nodes know."""
    who = _who(report)
    reason = report["reason"]
    if reason == "ok":
        if report["service_type"] == "media_playback":
            return Outcome("out", "Film", who, "The caller sees a film instead of a room.")
        waiting = "A guest waits for the first host." if report["waiting"] else ""
        return Outcome("in", f"Admitted as {report['role']}", who, waiting)
    if reason == "rejected":
        return Outcome("out", "Rejected", who, "The room is closed now.")
    if reason in _WHY:
        sign, word, advice = _WHY[reason]
        return Outcome("ask" if sign == "ask" else "out", word, who, advice)
    unknown = "The nodes hear of it within a minute." if coming else "Nobody knows this alias."
    return Outcome("out", "Not found", who, unknown)


def _who(report: Mapping[str, Any]) -> str:
    policy = report["policy"]
    if report["by"] == "policy":
        return f"by policy, in {policy['millis']:.0f} ms"
    if not policy["asked"]:
        silent = "nobody is asked for policy"
    elif policy["valid"]:
        silent = "policy left it to the node"
    else:
        silent = "policy gave no answer"
    return f"by the node's database: {silent}"
