"""What a recovery does, in words: fates, and why something is left alone."""

from greenroom.cli.words import reason_sentence
from greenroom.scheduler.recovery.contract import Entry, Fate

SHORT = {
    Fate.KEEP: "keep alias",
    Fate.ADOPT: "adopt room",
    Fate.NEW: "new alias",
    Fate.ANSWER: "answer",
    Fate.MAKE: "make room",
    Fate.END: "end",
    Fate.ORPHAN: "remove room",
    Fate.LEAVE: "leave alone",
}

MEANING = {
    Fate.KEEP: "The ticket in the invitation tells the alias. Room and record are made again; nobody is mailed.",
    Fate.ADOPT: "No ticket, but the platform still has the meeting's room. It keeps that room and its alias; nobody is mailed.",
    Fate.NEW: "Neither ticket nor room is left. Another alias; an update of the organizer's meeting, or an answer, tells it.",
    Fate.ANSWER: "An invitation or a change that was not handled to its end. It is handled as the service would do it.",
    Fate.MAKE: "The platform lacks the meeting's room, or has it with another alias. It is made again; nobody is mailed.",
    Fate.END: "The meeting is not in the calendar. It is searched for once more; then its room is closed. Nobody is mailed.",
    Fate.ORPHAN: "The platform has a room with this integration's mark that belongs to no meeting. It is removed.",
    Fate.LEAVE: "Nothing is done.",
}

QUIETLY = {
    Fate.NEW: "Neither ticket nor room is left. Another alias and a room; with --no-updates nobody is told of them.",
}
"""What fates mean where nobody's meeting is written to."""

LEFT = {
    "as-it-should-be": "as it should be",
    "over": "over",
    "declined-before": "declined before",
    "own-meeting": "organized by the equipment mailbox itself",
    "foreign": "prepared by another installation or product",
    "personal": "takes place in somebody's own room",
    "unreadable": "could not be read; run this again later",
    "unanswered": "waits for an answer, which --no-updates leaves to the service",
    "waits": "is being worked on; its next try is due later",
    "set-aside": "cannot be judged; the log tells where",
}

DETAILS = {
    "missing": "it is not at the platform",
    "differs": "it is dialled by another alias there",
    "unticketed": "no ticket",
    "untold": "it has its alias and room; the organizer was not told yet",
    "pending": "its handling broke off",
    "defective": "its room could not be made before",
    "waits": "its next try is due",
    "known": "its meeting has ended",
    "unknown": "nothing is known of its meeting",
    "not-shown": "",
    "recovered": "",
}


def beside(entry: Entry) -> str:
    """Say more about one entry; empty where there is no more to say."""
    if entry.fate is Fate.LEAVE:
        return left_words(entry.detail)
    if entry.detail in DETAILS:
        return DETAILS[entry.detail]
    return reason_sentence(entry.detail).removesuffix(".")


def left_words(reason: str) -> str:
    """Say why something is left alone."""
    return LEFT.get(reason) or reason_sentence(reason).removesuffix(".")


def meaning(fate: Fate, *, updates: bool) -> str:
    """Say what a fate means."""
    return MEANING[fate] if updates else QUIETLY.get(fate, MEANING[fate])
