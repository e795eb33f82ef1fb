"""Users, their calendar, and ids in other forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from greenroom.simulator import ids as store_ids
from greenroom.simulator.graph import extended, ids, odata
from greenroom.simulator.graph.call import GraphError, GraphReply
from greenroom.simulator.graph.errors import bad, unparsable, unreadable
from greenroom.simulator.graph.events import address_of
from greenroom.simulator.graph.fields import choice, items, members, text
from greenroom.simulator.graph.filters import Column, parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenroom.simulator.graph.call import GraphCall
    from greenroom.simulator.model import PropertyTag

MOST_IDS: Final = 1000
_FORMS: Final = {
    name.lower(): name for name in ("entryId", "ewsId", "immutableEntryId", "restId", "restImmutableEntryId")
}
PUBLIC_STRINGS: Final = "00020329-0000-0000-c000-000000000046"
_IMMUTABLE: Final = frozenset({"immutableEntryId", "restImmutableEntryId"})


def _selected(call: GraphCall, thing: dict[str, Any]) -> dict[str, Any]:
    """What $select leaves of a thing. Raises GraphError (400) for a property it does not have."""
    chosen = odata.given(call).get("select")
    if not chosen:
        return thing
    known = {name.lower(): name for name in thing}
    wanted = {"id"}
    for name in chosen.split(","):
        if name.strip().lower() not in known:
            raise unparsable("Could not find a property that $select names.")
        wanted.add(known[name.strip().lower()])
    return {name: value for name, value in thing.items() if name in wanted}


def user(call: GraphCall) -> GraphReply:
    """`GET users/{user}`."""
    mailbox = call.exchange.mailbox(call.mailbox)
    person: dict[str, Any] = {
        "id": store_ids.mailbox_guid(mailbox.address),
        "displayName": mailbox.name,
        "mail": mailbox.address,
        "userPrincipalName": mailbox.address,
        "businessPhones": [],
        "givenName": None,
        "jobTitle": None,
        "mobilePhone": None,
        "officeLocation": None,
        "preferredLanguage": None,
        "surname": None,
    }
    return GraphReply(body={"@odata.context": f"{call.base}/$metadata#users/$entity", **_selected(call, person)})


def _calendar(call: GraphCall, tags: tuple[PropertyTag, ...] = ()) -> dict[str, Any]:
    folder = call.exchange.folder(call.mailbox, "calendar")
    owner = call.exchange.mailbox(call.mailbox)
    whole = {
        "id": ids.url_safe(folder.id),
        "name": folder.display_name,
        "color": "auto",
        "hexColor": "",
        "isDefaultCalendar": True,
        "changeKey": folder.change_key,
        "canShare": True,
        "canViewPrivateItems": True,
        "canEdit": True,
        "allowedOnlineMeetingProviders": ["teamsForBusiness"],
        "defaultOnlineMeetingProvider": "teamsForBusiness",
        "isTallyingResponses": True,
        "isRemovable": False,
        "owner": {"name": owner.name, "address": owner.address},
    }
    shown, kept = _selected(call, whole), call.exchange.folder_properties(call.mailbox)
    found = [(tag, kept.get(tag.name or "")) for tag in tags if _is_ours(tag)]
    told = [{"id": extended.write_id(tag), "value": text} for tag, text in found if text is not None]
    if told:
        shown["singleValueExtendedProperties"] = told
    return shown


def _is_ours(tag: PropertyTag) -> bool:
    """Whether the calendar folder keeps such a property: a named string, as Outlook's categories are."""
    return tag.type == "String" and tag.set_id == PUBLIC_STRINGS and tag.name is not None


def calendar(call: GraphCall) -> GraphReply:
    """`GET users/{user}/calendar` and `…/calendars/{calendar}`."""
    options = odata.Options()
    odata.read_expand(options, odata.given(call).get("expand"), single=True)
    return GraphReply(body=_of_user(call, _calendar(call, options.tags)))


def update_calendar(call: GraphCall) -> GraphReply:
    """`PATCH users/{user}/calendar` and `…/calendars/{calendar}`: its extended properties, nothing else of it.

    What was set is not in the answer; an empty text stays one, for no request takes a property away.
    """
    given = members(call.body, "calendar")
    if set(given) - {"singleValueExtendedProperties"}:
        raise unreadable("This calendar takes extended properties only.")
    wanted = extended.read(given.get("singleValueExtendedProperties"), "singleValueExtendedProperties")
    if not all(_is_ours(tag) and isinstance(value, str) for tag, value in wanted.items()):
        raise bad("ErrorInvalidExtendedProperty", "This calendar keeps named strings only.")
    for tag, value in wanted.items():
        call.exchange.set_folder_property(call.mailbox, str(tag.name), str(value))
    return GraphReply(body=_of_user(call, _calendar(call)))


def _of_user(call: GraphCall, shown: dict[str, Any]) -> dict[str, Any]:
    context = f"{call.base}/$metadata#users('{ids.quoted(call.path['user'])}')/calendar/$entity"
    return {"@odata.context": context, **shown}


def calendars(template: str) -> Callable[[GraphCall], GraphReply]:
    """`GET users/{user}/calendars`: everybody here has one."""

    def answer(call: GraphCall) -> GraphReply:
        expression = odata.given(call).get("filter")
        name = call.exchange.folder(call.mailbox, "calendar").display_name
        fits = parse(expression, {"name": Column("text", str)}) if expression else bool
        context = f"{call.base}/$metadata#{address_of(call, template)}"
        return GraphReply(body={"@odata.context": context, "value": [_calendar(call)] if fits(name) else []})

    return answer


def translate_ids(call: GraphCall) -> GraphReply:
    """`POST users/{user}/translateExchangeIds`: each id in another form; what is not here keeps out of the answer."""
    parameters = {name.lower(): value for name, value in members(call.body, "parameters").items()}
    given = items(parameters.get("inputids"), "inputIds")
    if len(given) > MOST_IDS:
        raise bad("ErrorInvalidRequest", f"At most {MOST_IDS} ids can be translated at once.")
    choice(parameters.get("sourceidtype"), "sourceIdType", _FORMS)
    target = choice(parameters.get("targetidtype"), "targetIdType", _FORMS)
    translated = []
    for one in given:
        source = text(one, "inputIds")
        try:
            plain, day = ids.split(ids.url_safe(source))
            item = ids.find_item(call.exchange, call.mailbox, plain)
        except GraphError as error:
            translated.append({"sourceId": source, "errorDetails": {"code": error.code, "message": error.message}})
            continue
        own = item.immutable_id if target in _IMMUTABLE else item.id
        shown = own if target in {"ewsId", "entryId", "immutableEntryId"} else ids.url_safe(own)
        translated.append({"sourceId": source, "targetId": shown if day is None else ids.occurrence_id(shown, day)})
    context = f"{call.base}/$metadata#Collection(microsoft.graph.convertIdResult)"
    return GraphReply(body={"@odata.context": context, "value": translated})
