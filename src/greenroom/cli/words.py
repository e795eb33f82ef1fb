"""What the journal's codes mean, in sentences: seen, decided, done, replied, and why."""

from greenroom.meetings.record import JournalEntry, Record, State

_REASONS = {
    "new": "The invitation carries a ticket, and its room was made.",
    "edited": "The organizer changed the meeting.",
    "answer-was-reset": "Nothing we care about changed, but the calendar lost our answer, so it is given again.",
    "unchanged": "Nothing changed that a room or a reply depends on.",
    "recovered": "The meeting was accepted before; its room was made again and nobody was mailed.",
    "imported": "The meeting was taken over, with its alias, from the system that scheduled it before.",
    "copy": "The ticket belongs to another meeting: this is a copy, and it gets a room of its own.",
    "offline": "The button was pressed while nobody answered: the meeting gets the room that its text promises.",
    "split": "The series goes on from another one, of which its organizer changed this and the following occurrences.",
    "kin": "The same series has a room already, and this meeting shares it.",
    "awaited": "The other half of a series that is being cut in two may be under way; it is waited for a little.",
    "occurrence-edited": "The organizer changed an occurrence of the series.",
    "occurrences-changed": "Occurrences of the series were changed or cancelled; the room follows.",
    "review": "The series has no end and was due for its review.",
    "merged": "The equipment mailbox was invited to the whole series, of which this occurrence became a part.",
    "held": "The occurrence that is running keeps its room until its window closes.",
    "unticketed": "The invitation carries no ticket, and policy gives it a room all the same.",
    "cancelled": "The organizer cancelled the meeting.",
    "removed": "The equipment mailbox is no longer invited, or its item was deleted.",
    "over": "The meeting is over.",
    "long-over": "The meeting was over long before it was seen; nobody waits for an answer.",
    "past": "The meeting had ended before it was seen.",
    "own-meeting": "The equipment mailbox is the organizer itself; there is nobody to answer.",
    "personal-room": "The meeting takes place in somebody's own room, and needs none of ours.",
    "informational-copy": "This is only a copy for information, not an invitation.",
    "not-welcome": "The organizer is not on the allow lists, or is on a deny list.",
    "ticket-missing": "The invitation carries no ticket, and policy asks for one.",
    "ticket-forged": "The ticket is damaged or was not issued by this installation.",
    "ticket-foreign": "The invitation was prepared by another integration, by another installation of Greenroom, or by "
    "Pexip's own scheduler.",
    "alias-deleted": "The alias that the ticket stands for was deleted.",
    "alias-conflict": "The alias is taken by another room on the platform.",
    "room-refused": "The platform refused the room for good.",
    "no-free-alias": "No free alias was found: the alias plan has too few digits.",
    "unreadable": "Exchange could not give the meeting to us so far; it is asked for again.",
    "set-aside": "Something about the meeting could not be dealt with; it is tried again, and the log says where.",
}

_NEXT_STEPS = {
    "not-welcome": "Add the organizer or their domain to meetings.allow_organizers or meetings.allow_domains.",
    "ticket-missing": 'Book with the Outlook button, or set meetings.unticketed = "schedule".',
    "ticket-forged": "Make a new meeting with the Outlook button, and keep old ticket keys in the configuration.",
    "ticket-foreign": "See who prepared the invitation, and invite that one's mailbox only. If nobody answers there any more, set "
    'meetings.foreign = "schedule". Keep old ticket keys in the configuration.',
    "alias-deleted": "Make a new meeting.",
    "alias-conflict": "Make a new meeting; free the alias on the platform if this repeats.",
    "room-refused": "See below what was refused, mend that on the platform, then let the organizer send the invitation again.",
    "no-free-alias": "Raise alias.digits of the integration.",
    "past": "Let the organizer move the meeting into the future.",
    "informational-copy": "Invite the equipment mailbox itself.",
}

_OUTCOMES = {
    "accept_new_single": "accepted the meeting",
    "accept_new_series": "accepted the series",
    "accept_edited_single": "accepted the changed meeting",
    "accept_edited_series": "accepted the changed series",
    "accept_edited_occurrence": "accepted the changed occurrence",
    "accept_still_needed": "asked whether the series without end is still needed",
    "decline_invalid_ticket": "declined, because there is no valid ticket or the organizer may not book",
    "decline_alias_deleted": "declined, because the alias was deleted",
    "decline_alias_conflict": "declined, because the alias is in use",
    "decline_past_single": "declined, because the meeting is in the past",
    "decline_past_series": "declined, because the whole series is in the past",
    "decline_error": "declined, because something failed; the correlation id was sent along",
}

_UNSENT = {
    "outcome-unknown": "The reply went out, but no answer came back; the calendar is looked at before it is repeated",
    "item-gone": "The reply could not be sent: the item was changed or moved meanwhile; it is looked at again",
    "item-broken": "The reply could not be sent: Exchange cannot handle this item",
    "postponed": "The reply could not be sent yet and is tried again",
    "room_late": "The organizer was told by a tentative answer that the room is late and the start is near",
    "late-untold": "The organizer could not be told that the room is late",
    "waits": "The reply waits in line: Exchange lets the mailbox send only so many messages a minute",
}

_SEEN = {
    "single": "Seen in the calendar: a single meeting",
    "series": "Seen in the calendar: a series",
    "occurrence": "Seen in the calendar: one occurrence of a series",
    "removed": "Gone from the calendar: the room was closed",
    "declined": "Gone from the calendar after our decline, as it should be",
    "merged": "Part of its whole series now, to which the equipment mailbox was invited",
    "unreadable": "Exchange could not give the meeting to us; it is asked for again later",
}

_TICKETS = {
    "ticket none": "without a ticket",
    "ticket valid": "with a valid ticket",
    "ticket kin": "with the ticket of a meeting whose room it shares",
    "ticket copied": "with the ticket of another meeting",
    "ticket offline": "with the promise of a room",
    "ticket personal": "with the text of a personal room",
    "ticket deleted": "with the ticket of a deleted alias",
    "ticket forged": "with a ticket that is not genuine",
    "ticket foreign": "with the ticket of another integration, installation or product",
    "ticket room": "without a ticket, but with a room on the platform that carries its mark",
}

_ROOM = {
    "created": "The room was made",
    "changed": "The room was changed",
    "retired": "The room was closed",
    "unavailable": "The platform cannot be reached or is busy; it is tried again",
    "needs-setup": "The platform waits for an administrator, and the meeting for the platform: it is tried again, and "
    "`greenroom config check --connect` says what to do",
    "alias-held": "The alias that was taken over leads to a room without our mark; it is tried again, and "
    "`greenroom import pexip` sets the mark",
}

_INSTRUCTIONS = {
    "written": "Joining instructions were written into the organizer's meeting, and the attendees were told",
    "present": "Joining instructions are in the meeting already",
    "refused": "The organizer's meeting may not be changed; the reply carries the joining instructions",
    "elsewhere": "The organizer's mailbox is on no Exchange that we know; the reply carries the joining instructions",
    "not-found": "The organizer's calendar has no such meeting; the reply carries the joining instructions",
    "postponed": "The organizer's meeting could not be changed yet; it is tried again",
    "given-up": "The organizer's meeting could not be changed for long; the reply carries the joining instructions",
    "left": "The organizer's meeting was left as it is, as was asked for",
}

_MENDED = {
    "unknown-meeting": "The calendar and what is remembered were found to differ, and the meeting was looked at again",
    "vanished-meeting": "The meeting was found to be missing in the calendar, and was searched for",
    "room-missing": "Its room was found to be missing at the platform, and was made again",
    "room-differs": "Its room was found to be another at the platform than it should be, and was set right",
    "orphan-room": "A room was found at the platform that the meeting does not use any more, and was closed",
}

_SWEPT = {
    "changed": "It was looked at again by `greenroom sweep`, and something was done",
    "answered": "It was looked at again by `greenroom sweep`, and its organizer was answered",
    "failed": "It was looked at again by `greenroom sweep`, which could not bring it to its end; it is tried again",
}

_RECOVERED = {
    "keep-alias": "`greenroom recover` brought it back with the alias that it had; nobody was told",
    "adopt-room": "`greenroom recover` gave it the room that the platform still had; nobody was told",
    "new-alias": "`greenroom recover` gave it another alias, as neither ticket nor room was left",
    "answer": "`greenroom recover` handled it as the service would have done",
    "make-room": "`greenroom recover` had its room made again at the platform",
    "end": "`greenroom recover` ended it, as it is not in the calendar",
}

_STATES = {
    State.PENDING: "is being worked on",
    State.SCHEDULED: "has its room",
    State.DEFECTIVE: "has no room yet: it is tried again",
    State.DECLINED: "was declined",
    State.IGNORED: "was left alone",
    State.ENDED: "has ended",
}


def sentence(entry: JournalEntry) -> str:
    """Say one line of a timeline. Codes that are not known are shown as they are."""
    tell = {
        "seen": _seen,
        "decided": _decided,
        "room": _room,
        "instructions": _instructions,
        "replied": _replied,
        "closed": _closed,
        "mended": _mended,
        "swept": _swept,
        "recovered": _recovered,
    }.get(entry.step)
    return _stop(tell(entry) if tell is not None else f"{entry.step}: {entry.code}{_behind(entry.detail)}")


def reason_sentence(reason: str) -> str:
    """Say why a meeting stands where it stands (`Record.reason`); empty for none."""
    return _REASONS.get(reason, f"Reason: {reason}." if reason else "")


def next_step(reason: str) -> str:
    """Say what an administrator or organizer can do about it; empty where there is nothing to do."""
    return _NEXT_STEPS.get(reason, "")


def state_words(state: State) -> str:
    """Say where a meeting stands, after "The meeting …"."""
    return _STATES[state]


def standing(record: Record) -> str:
    """Say where a meeting stands and why."""
    return f"The meeting {state_words(record.state)}. {reason_sentence(record.reason)}".strip()


def _seen(entry: JournalEntry) -> str:
    if entry.code == "answered":
        return f"Somebody else had answered it before we saw it ({entry.detail}): see `greenroom doctor`"
    if entry.code == "message":
        return "Exchange had not written it into the calendar: its message was read"
    what = _SEEN.get(entry.code, f"Seen: {entry.code}")
    ticket = _TICKETS.get(entry.detail, entry.detail)
    return f"{what}, {ticket}" if ticket else what


def _decided(entry: JournalEntry) -> str:
    if entry.code == "asked-for":
        return f"Its room was asked for in Outlook by the person {entry.detail}, who need not be the organizer"
    why = reason_sentence(entry.code)
    if entry.detail == "silence":
        return f"{why} Nothing is to be said."
    if entry.detail:
        return f"{why} To be said: {_OUTCOMES.get(entry.detail, entry.detail)}."
    return why


def _room(entry: JournalEntry) -> str:
    if entry.code in _REASONS:
        return f"No room: {_lower(_REASONS[entry.code]).removesuffix('.')}{_behind(entry.detail)}"
    what = _ROOM.get(entry.code, f"Room: {entry.code}")
    return f"{what}: {_lower(_REASONS[entry.detail])}" if entry.detail in _REASONS else what + _behind(entry.detail)


def _instructions(entry: JournalEntry) -> str:
    return _INSTRUCTIONS.get(entry.code, f"Joining instructions: {entry.code}") + _behind(entry.detail)


def _replied(entry: JournalEntry) -> str:
    if entry.code in _OUTCOMES and entry.detail == "marked":
        return f"Marked in the calendar, without a mail: {_OUTCOMES[entry.code]}"
    if entry.code in _OUTCOMES:
        return f"Replied to the organizer: {_OUTCOMES[entry.code]}"
    return _UNSENT.get(entry.code, f"Reply: {entry.code}") + _behind(entry.detail)


def _closed(entry: JournalEntry) -> str:
    return f"The room was closed: {_lower(reason_sentence(entry.code))}"


def _mended(entry: JournalEntry) -> str:
    return _MENDED.get(entry.code, f"Mended: {entry.code}")


def _swept(entry: JournalEntry) -> str:
    return _SWEPT.get(entry.code, f"Looked at again: {entry.code}")


def _recovered(entry: JournalEntry) -> str:
    return _RECOVERED.get(entry.code, f"Recovered: {entry.code}")


def _behind(detail: str) -> str:
    return f" ({detail})" if detail else ""


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _stop(text: str) -> str:
    return text if text.endswith(".") else f"{text}."
