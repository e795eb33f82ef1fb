"""Reading of SOAP requests: bounds, no entities, header fields, the one operation in the body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, cast

from lxml import etree

from greenroom.simulator.ews.errors import SoapFault
from greenroom.simulator.ews.names import MESSAGES, children, local, s, t, text_of, words

MAX_REQUEST_BYTES: Final = 16 * 1024 * 1024
KNOWN_VERSIONS: Final = frozenset(
    words("""Exchange2007 Exchange2007_SP1 Exchange2009 Exchange2010 Exchange2010_SP1 Exchange2010_SP2 Exchange2012 Exchange2013
    Exchange2013_SP1 Exchange2015 Exchange2016 Exchange2019 V2015_10_05 V2016_01_06 V2016_04_13 V2016_07_13 V2016_10_10
    V2017_01_07 V2017_04_14 V2017_07_11 V2017_10_09 V2018_01_08""")
)


@dataclass(frozen=True, slots=True)
class SoapRequest:
    """One request: the operation's element, whom the caller wants to be, and the version it speaks."""

    operation: str
    body: etree._Element
    impersonate: tuple[str, str] | None
    """Which identifier (``PrimarySmtpAddress``, ``SmtpAddress``, ``PrincipalName`` or ``SID``) and its value."""
    version: str | None
    zone: str | None = None
    """The zone of TimeZoneContext, in which times without offset are meant."""


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False, remove_comments=True, remove_pis=True
    )


def parse_request(data: bytes) -> SoapRequest:
    """Read a request.

    Raises `SoapFault` (ErrorSchemaValidation, ErrorInvalidRequest, ErrorInvalidServerVersion) when it is no SOAP
    envelope with one EWS operation, when it carries a document type, or when it is too large.
    """
    if len(data) > MAX_REQUEST_BYTES:
        raise SoapFault("ErrorRequestStreamTooBig", "The request is too large.")
    try:
        root = etree.fromstring(data, _parser())
    except etree.XMLSyntaxError as error:
        raise SoapFault("ErrorSchemaValidation", "The request is not well-formed XML.", line=error.lineno) from None
    if cast("Any", root.getroottree().docinfo).doctype:
        raise SoapFault("ErrorSchemaValidation", "A document type is not allowed.")
    body = root.find(s("Body"))
    if root.tag != s("Envelope") or body is None:
        raise SoapFault("ErrorSchemaValidation", "The request is not a SOAP envelope with a body.")
    operations = list(children(body))
    if len(operations) != 1 or etree.QName(operations[0]).namespace != MESSAGES:
        raise SoapFault("ErrorInvalidRequest", "The body must hold exactly one operation.")
    header = root.find(s("Header"))
    version = _version(header)
    return SoapRequest(local(operations[0]), operations[0], _impersonation(header), version, _zone(header))


def _version(header: etree._Element | None) -> str | None:
    element = header.find(t("RequestServerVersion")) if header is not None else None
    if element is None:
        return None
    version = element.get("Version", "")
    if version not in KNOWN_VERSIONS:
        raise SoapFault("ErrorInvalidServerVersion", "The specified server version is invalid.")
    return version


def _zone(header: etree._Element | None) -> str | None:
    path = f"{t('TimeZoneContext')}/{t('TimeZoneDefinition')}"
    element = header.find(path) if header is not None else None
    return None if element is None else element.get("Id")


def _impersonation(header: etree._Element | None) -> tuple[str, str] | None:
    element = header.find(t("ExchangeImpersonation")) if header is not None else None
    if element is None:
        return None
    sid = element.find(t("ConnectingSID"))
    for name in ("PrimarySmtpAddress", "SmtpAddress", "PrincipalName", "SID"):
        value = text_of(sid, t(name))
        if value:
            return name, value.strip()
    raise SoapFault("ErrorInvalidExchangeImpersonationHeaderData", "The impersonation header names nobody.")
