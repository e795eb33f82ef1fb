"""What becomes of meetings in an import, in sentences."""

from collections.abc import Iterable

from greenroom.scheduler.takeover import Entry, Fate

SHORT = {
    Fate.TAKE: "take over",
    Fate.TAKEN: "taken over",
    Fate.OURS: "Greenroom's already",
    Fate.OVER: "over",
    Fate.ABSENT: "not in the calendar",
    Fate.DELETED: "alias deleted",
    Fate.UNKNOWN: "alias unknown",
    Fate.FOREIGN: "somebody else's",
    Fate.CONFLICT: "conflict",
    Fate.COPY: "copy",
    Fate.OFFLINE: "no alias yet",
    Fate.PLAIN: "no alias",
    Fate.DECLINED: "declined",
    Fate.UNREADABLE: "unreadable",
}

_NEW = "`greenroom serve` gives it a new alias, where meetings.unticketed lets it."

MEANING = {
    Fate.TAKE: "With --yes it keeps its alias, and nobody who was answered before is mailed.",
    Fate.TAKEN: "It keeps its alias; nobody who was answered before is mailed.",
    Fate.OURS: "It has a ticket or an alias of Greenroom's; nothing is to be done.",
    Fate.OVER: "It has ended; nothing is to be done.",
    Fate.ABSENT: "Pexip keeps a room for a meeting that is not in the mailbox's calendar (any more). It is left as it is.",
    Fate.DELETED: f"The alias or its room was deleted in Pexip. {_NEW}",
    Fate.UNKNOWN: f"The invitation's token names no alias of this Pexip. {_NEW}",
    Fate.FOREIGN: f"The alias is another connector's, or leads to a permanent room. {_NEW}",
    Fate.CONFLICT: "The alias cannot be taken over before somebody looks at it; see what is written beside it.",
    Fate.COPY: f"The invitation is a copy of another meeting's, whose alias that is. {_NEW}",
    Fate.OFFLINE: f"It was sent while Pexip could not give out an alias (TOK). {_NEW}",
    Fate.PLAIN: f"Pexip's scheduler does not know it. {_NEW}",
    Fate.DECLINED: "The mailbox declined it; it is left as it is.",
    Fate.UNREADABLE: "It could not be read; run the import again later.",
}

DETAILS = {
    "other-connector": "the alias belongs to another connector",
    "permanent-room": "the alias leads to a room that was not made for a meeting",
    "two-rooms": "alias and numeric alias do not lead to one room: correct that in Pexip",
    "foreign-tag": "the room carries a tag that is not ours: clear it in Pexip",
    "held-here": "another meeting or room of Greenroom's has this alias",
    "held-there": "the room carries the mark of another meeting of Greenroom's",
}


def beside(entry: Entry) -> str:
    """Say more about one entry; empty where there is no more to say."""
    if entry.fate is Fate.TAKEN:
        return "its mark in Pexip is missing: it is set with --yes" if entry.unmarked else ""
    if entry.fate is Fate.TAKE and entry.room is None:
        return "its room is still to be made"
    return DETAILS.get(entry.detail, "")


def domains_warning(domains: Iterable[str]) -> str:
    """Say that aliases are dialled by domains that are not configured."""
    named = ", ".join(sorted(domains))
    return f"Aliases end in {named}: add that to integration.pexip.domains, or policy requests for it are not answered."


def connector_warning(name: str, mailbox: str) -> str:
    """Say that two would answer, and what to do."""
    return (
        f"Pexip's connector {name!r} watches {mailbox} too: both would answer every invitation, and Pexip would go on deleting "
        "rooms. Before `greenroom serve` attends this mailbox, take the connector's rights on it away in Exchange (its "
        "account or application), or give the connector another mailbox in Pexip. Do not delete the connector before the "
        "meetings are taken over: its aliases may go with it."
    )
