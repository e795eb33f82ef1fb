"""Writing of SOAP envelopes: header with the server's version, response messages, faults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lxml import etree

from greenroom.simulator.ews.names import ERRORS, NSMAP, SOAP, TYPES, m, s, sub, t

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from greenroom.simulator.ews.errors import EwsError, SoapFault

SERVER_VERSION: Final[dict[str, str]] = {
    "MajorVersion": "15",
    "MinorVersion": "2",
    "MajorBuildNumber": "1748",
    "MinorBuildNumber": "10",
    "Version": "V2017_07_11",
}
"""Exchange Server 2019 CU15: version 15.2, schema of 2017."""


def envelope(body: etree._Element, *, declaration: bool = True) -> bytes:
    """Wrap the content of a SOAP body into an envelope and serialise it as UTF-8."""
    root = etree.Element(s("Envelope"), nsmap={"s": SOAP})
    header = sub(root, s("Header"))
    version = etree.SubElement(header, t("ServerVersionInfo"), SERVER_VERSION, nsmap={"h": TYPES})
    version.tail = None
    sub(root, s("Body")).append(body)
    return etree.tostring(root, encoding="utf-8", xml_declaration=declaration)


def response(operation: str) -> tuple[etree._Element, etree._Element]:
    """Start ``<m:…Response><m:ResponseMessages>``; returns the response and the place for its messages."""
    root = etree.Element(m(f"{operation}Response"), nsmap={"m": NSMAP["m"], "t": NSMAP["t"]})
    return root, sub(root, m("ResponseMessages"))


def success(messages: etree._Element, operation: str, element: str | None = None) -> etree._Element:
    """Append a response message of ResponseClass Success; what follows NoError is the caller's."""
    message = sub(messages, m(element or f"{operation}ResponseMessage"), ResponseClass="Success")
    sub(message, m("ResponseCode"), "NoError")
    return message


def failure(
    messages: etree._Element,
    operation: str,
    error: EwsError,
    *,
    element: str | None = None,
    tail: Iterable[Callable[[etree._Element], object]] = (),
) -> etree._Element:
    """Append a response message of ResponseClass Error; ``tail`` adds what the schema demands behind it."""
    message = sub(messages, m(element or f"{operation}ResponseMessage"), ResponseClass="Error")
    sub(message, m("MessageText"), error.text)
    sub(message, m("ResponseCode"), error.code)
    sub(message, m("DescriptiveLinkKey"), "0")
    if error.values:
        xml = sub(message, m("MessageXml"))
        for name, value in error.values.items():
            sub(xml, t("Value"), value, Name=name)
    for add in tail:
        add(message)
    return message


def fault(error: SoapFault) -> bytes:
    """Write a SOAP fault as Exchange does: ``a:Code``, a text, and ``e:ResponseCode`` in the detail."""
    root = etree.Element(s("Envelope"), nsmap={"s": SOAP})
    header = sub(root, s("Header"))
    etree.SubElement(header, t("ServerVersionInfo"), SERVER_VERSION, nsmap={"h": TYPES})
    element = sub(sub(root, s("Body")), s("Fault"))
    code = etree.SubElement(element, "faultcode", nsmap={"a": TYPES})
    code.text = f"a:{error.code}"
    text = sub(element, "faultstring", error.text)
    text.set("{http://www.w3.org/XML/1998/namespace}lang", "en-US")
    detail = etree.SubElement(element, "detail", nsmap={"e": ERRORS})
    sub(detail, f"{{{ERRORS}}}ResponseCode", error.code)
    sub(detail, f"{{{ERRORS}}}Message", error.text)
    values = dict(error.values)
    if error.line is not None:
        values.setdefault("LineNumber", str(error.line))
    if values:
        xml = etree.SubElement(detail, t("MessageXml"), nsmap={"t": TYPES})
        for name, value in values.items():
            sub(xml, t("Value"), value, Name=name)
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)
