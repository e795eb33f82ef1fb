"""What became of single occurrences that differ from their series: answered or not, cancelled or not.

Such an occurrence has an item of its own, which ModifiedOccurrences names: it is read, and answered, by that id. One that was
cancelled may stay in the attendee's calendar as such an item (as a cancelled single meeting does), and is gone all the same.
Source: EWS reference, OccurrenceInfoType (ItemId), GetItem, AcceptItem (ReferenceItemId).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from greenroom.exchange.errors import ExchangeError, ItemBrokenError, ItemGoneError
from greenroom.exchange.ews import identity
from greenroom.exchange.ews.envelope import Call, Envelope, Message
from greenroom.exchange.ews.faults import GarbledReplyError, error_for
from greenroom.exchange.ews.items import RESPONSES, is_cancelled
from greenroom.exchange.ews.markup import child, children, messages, text_of, types, with_children
from greenroom.exchange.ews.series import Differing
from greenroom.exchange.ews.values import instant
from greenroom.meetings.meeting import Changed, ItemRef, Observation, Response

MOST: Final = 50
"""So many of one series are asked about; of more, the latest."""

_FACTS: Final = (
    "calendar:MyResponseType",
    "calendar:AppointmentReplyTime",
    "calendar:IsCancelled",
    "calendar:AppointmentState",
)


@dataclass(frozen=True, slots=True)
class Fact:
    """What the item of an occurrence says."""

    ref: ItemRef
    response: Response | None
    replied_at: datetime | None
    cancelled: bool


def worth_asking(differing: Iterable[Differing]) -> list[Differing]:
    """Return those occurrences that are asked about, in the order of their days."""
    return sorted((one for one in differing if one.ref.id), key=lambda one: one.day)[-MOST:]


def get_facts(ids: Sequence[str], *, plain: bool = False) -> Call:
    """Ask for what became of occurrences; with `plain` nothing is named, as in `items.get_items`."""
    wanted = None if plain else with_children(types("AdditionalProperties"), *identity.fields(_FACTS))
    shape = with_children(messages("ItemShape"), types("BaseShape", "AllProperties" if plain else "IdOnly"), wanted)
    items = with_children(messages("ItemIds"), *(types("ItemId", Id=ident) for ident in ids))
    return Call("GetItem", with_children(messages("GetItem"), shape, items))


def read_facts(reply: Envelope, *, count: int, mailbox: str) -> list[Fact | ExchangeError]:
    """Read the answer to `get_facts`, one entry per id, in order."""
    if len(reply.messages) != count:
        raise GarbledReplyError("Exchange answered for another number of items", code="count", mailbox=mailbox)
    return [_fact(message, mailbox) for message in reply.messages]


def _fact(message: Message, mailbox: str) -> Fact | ExchangeError:
    if message.problem:
        return error_for(message.problem, mailbox=mailbox, item=True)
    item = next(children(child(message.element, "Items")), None)
    if item is None:
        return ItemBrokenError("Exchange sent no item", code="no-item", mailbox=mailbox)
    ident, said = child(item, "ItemId"), text_of(item, "MyResponseType")
    return Fact(
        ItemRef("") if ident is None else ItemRef(ident.get("Id") or "", ident.get("ChangeKey") or ""),
        RESPONSES.get(said, Response.NONE) if said else None,
        instant(text_of(item, "AppointmentReplyTime")),
        is_cancelled(text_of(item, "IsCancelled"), text_of(item, "AppointmentState")),
    )


def with_facts(
    seen: Observation, differing: Iterable[Differing], facts: Mapping[str, Fact | ExchangeError]
) -> Observation:
    """Tell of a series what became of its occurrences: those that were cancelled are gone from it.

    Where an item cannot be read, what was answered is not known; what is no longer there cannot be answered.
    """
    changed: list[Changed] = []
    cancelled: set[date] = set()
    for one in differing:
        fact = facts.get(one.ref.id)
        if isinstance(fact, ExchangeError):
            changed.append(Changed(one.day, None if isinstance(fact, ItemGoneError) else one.ref))
        elif fact is not None and fact.cancelled:
            cancelled.add(one.day)
        elif fact is not None:
            changed.append(Changed(one.day, fact.ref if fact.ref.id else one.ref, fact.response, fact.replied_at))
    seen = replace(seen, changed=tuple(sorted(changed, key=lambda one: one.day)))
    if not cancelled or seen.series is None or seen.span is None:
        return seen
    moved = tuple(one for one in seen.series.moved if one.day not in cancelled)
    series = replace(seen.series, moved=moved, gone=seen.series.gone | cancelled)
    return replace(seen, series=series, span=replace(seen.span, until=series.occurrences.last_end))
