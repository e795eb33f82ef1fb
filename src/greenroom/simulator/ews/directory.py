"""ConvertId, ResolveNames, GetServerTimeZones."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final

from lxml import etree

from greenroom.simulator.ews.errors import EwsError, SoapFault
from greenroom.simulator.ews.names import XSI, children, local, m, sub, t, text_of
from greenroom.simulator.ews.zones import write_definition, zone_of
from greenroom.simulator.windows_zones import WINDOWS_TO_IANA

if TYPE_CHECKING:
    from greenroom.simulator.ews.call import Call
    from greenroom.simulator.ews.soap import SoapRequest

_FORMATS: Final = frozenset({"EwsLegacyId", "EwsId", "EntryId", "HexEntryId", "StoreId", "OwaId"})
_MAX_RESOLUTIONS: Final = 100


def convert_id(call: Call, request: SoapRequest) -> etree._Element:
    """Answer ConvertId. Here an entry id is the EWS id's own bytes, so every format leads back."""
    wanted = request.body.get("DestinationFormat", "")
    if wanted not in _FORMATS:
        raise SoapFault("ErrorSchemaValidation", "DestinationFormat is invalid.", at=request.body)

    def one(element: etree._Element) -> list[etree._Element]:
        if local(element) != "AlternateId":
            raise EwsError("ErrorInvalidOperation")
        address = element.get("Mailbox", "")
        ews_id = _to_ews(element.get("Format", ""), element.get("Id", ""))
        call.open(address)
        if call.exchange.owner_of_item(ews_id) is None and call.exchange.owner_of_folder(ews_id) is None:
            raise EwsError("ErrorInvalidIdMalformed")
        part = etree.Element(m("AlternateId"), nsmap={"xsi": XSI, "t": t("")[1:-1]})
        part.set(f"{{{XSI}}}type", "t:AlternateIdType")
        part.set("Format", wanted)
        part.set("Id", _from_ews(wanted, ews_id))
        part.set("Mailbox", address)
        return [part]

    return call.batch("ConvertId", list(children(request.body.find(m("SourceIds")))), one)


def _to_ews(kind: str, text: str) -> str:
    try:
        if kind == "HexEntryId":
            return base64.b64encode(bytes.fromhex(text)).decode("ascii")
    except ValueError:
        raise EwsError("ErrorInvalidIdMalformed") from None
    return text.replace("-", "/").replace("_", "+") if kind == "OwaId" else text


def _from_ews(kind: str, ews_id: str) -> str:
    if kind == "HexEntryId":
        # Only ids made here come so far, and those are base64.
        return base64.b64decode(ews_id).hex().upper()
    return ews_id.replace("/", "-").replace("+", "_") if kind == "OwaId" else ews_id


def resolve_names(call: Call, request: SoapRequest) -> etree._Element:
    """Answer ResolveNames: X500 names, addresses, beginnings of names."""
    entry = (text_of(request.body, m("UnresolvedEntry")) or "").strip()

    def one(_: None) -> list[etree._Element]:
        found = call.exchange.resolve_names(entry)[:_MAX_RESOLUTIONS]
        if not found:
            raise EwsError("ErrorNameResolutionNoResults")
        part = etree.Element(m("ResolutionSet"))
        part.set("TotalItemsInView", str(len(found)))
        part.set("IncludesLastItemInRange", "true")
        for mailbox in found:
            person = sub(sub(part, t("Resolution")), t("Mailbox"))
            sub(person, t("Name"), mailbox.name)
            sub(person, t("EmailAddress"), mailbox.address)
            sub(person, t("RoutingType"), "SMTP")
            sub(person, t("MailboxType"), "Mailbox")
        return [part]

    return call.batch("ResolveNames", [None], one)


def get_server_time_zones(call: Call, request: SoapRequest) -> etree._Element:
    """Answer GetServerTimeZones for the zones of Windows known here, all or those asked for."""
    asked = [element.text or "" for element in children(request.body.find(m("Ids")))]

    def one(_: None) -> list[etree._Element]:
        part = etree.Element(m("TimeZoneDefinitions"))
        for name in asked or WINDOWS_TO_IANA:
            if name in WINDOWS_TO_IANA:
                write_definition(sub(part, t("TimeZoneDefinition")), name, zone_of(name), call.exchange.clock().year)
        return [part]

    return call.batch("GetServerTimeZones", [None], one)
