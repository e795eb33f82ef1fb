"""The official EWS schema as a referee: every request we send and every reply of the simulator must fit it."""

from functools import lru_cache
from typing import Any, cast

from lxml import etree

from support.shared import shared_path

SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
MESSAGES = "{http://schemas.microsoft.com/exchange/services/2006/messages}"
TYPES = "{http://schemas.microsoft.com/exchange/services/2006/types}"


@lru_cache(maxsize=1)
def ews_schema() -> etree.XMLSchema:
    """Compile messages.xsd (0.15 s, once); skips the test where the schema files are missing."""
    return etree.XMLSchema(etree.parse(str(shared_path("schemas/ews") / "messages.xsd")))


def _parse(xml_bytes: bytes) -> etree._Element:
    return etree.fromstring(xml_bytes, etree.XMLParser(resolve_entities=False, no_network=True))


def schema_errors(operation: etree._Element) -> list[str]:
    """What is wrong with one element of the SOAP body, by place; texts of the content are left out."""
    schema = ews_schema()
    alone = etree.fromstring(etree.tostring(operation))
    # The one departure we know of, made by Exchange and expected by exchangelib: the schema file puts this into types.
    for notification in alone.iter(f"{MESSAGES}Notification"):
        notification.tag = f"{TYPES}Notification"
    if schema.validate(alone):
        return []
    return [f"line {e.line}: {e.message}" for e in cast("Any", schema.error_log)]


def validate_body(xml_bytes: bytes) -> None:
    """Check one SOAP envelope, request or reply; raises AssertionError with what the schema says.

    A SOAP fault is checked for its shape: a code, a text, and ``e:ResponseCode`` in the detail.
    """
    root = _parse(xml_bytes)
    assert root.tag == f"{SOAP}Envelope", f"not a SOAP envelope but {root.tag}"
    body = root.find(f"{SOAP}Body")
    assert body is not None, "no SOAP body"
    assert len(body) == 1, f"{len(body)} elements in the SOAP body"
    content = body[0]
    if content.tag == f"{SOAP}Fault":
        assert content.findtext("faultcode"), "a fault without faultcode"
        assert content.findtext("faultstring"), "a fault without faultstring"
        code = content.find("detail/{http://schemas.microsoft.com/exchange/services/2006/errors}ResponseCode")
        assert code is not None, "a fault without e:ResponseCode"
        return
    errors = schema_errors(content)
    assert not errors, "\n".join([content.tag, *errors])


def validate_stream(data: bytes) -> int:
    """Check a body of GetStreamingEvents: several envelopes one after the other; returns how many there were."""
    parts = [part for part in data.split(b"</s:Envelope>") if part.strip()]
    for part in parts:
        validate_body(part + b"</s:Envelope>")
    return len(parts)


def request_complaint(operation: etree._Element) -> str | None:
    """What is wrong with a request's operation, or None.

    Exchange takes a time zone definition that carries nothing but an Id, although its schema demands periods; so do we.
    """
    alone = etree.fromstring(etree.tostring(operation))
    for name in ("StartTimeZone", "EndTimeZone"):
        for element in alone.iter(f"{TYPES}{name}"):
            if len(element) == 0:
                period = etree.SubElement(etree.SubElement(element, f"{TYPES}Periods"), f"{TYPES}Period")
                period.attrib.update({"Bias": "PT0S", "Name": "any", "Id": "any"})
    errors = schema_errors(alone)
    return "; ".join(errors) if errors else None
