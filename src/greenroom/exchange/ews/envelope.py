"""SOAP around every request and reply: header, server version, response messages, faults. Bytes in, values out; no I/O.

Source: EWS reference, RequestServerVersion, ExchangeImpersonation, ServerVersionInfo; "EWS throttling" for BackOffMilliseconds.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from lxml import etree

from greenroom.exchange.backoff import LONGEST_BACK_OFF
from greenroom.exchange.ews import markup
from greenroom.exchange.ews.faults import Problem
from greenroom.exchange.ews.markup import Element, child, children, local, text_of, types
from greenroom.exchange.ews.values import number

REQUEST_VERSION = "Exchange2013_SP1"
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,99}")


@dataclass(frozen=True, slots=True)
class Call:
    """One operation to be sent. `writes` says that it must never be repeated blindly."""

    operation: str
    body: Element
    writes: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One response message: its code ("NoError" or Exchange's error) and its content."""

    element: Element
    problem: Problem | None

    @property
    def code(self) -> str:
        """The response code as Exchange writes it."""
        return self.problem.code if self.problem else "NoError"


@dataclass(frozen=True, slots=True)
class Envelope:
    """A reply taken apart: either a fault or response messages."""

    messages: tuple[Message, ...] = ()
    fault: Problem | None = None
    version: str | None = None

    @property
    def back_off(self) -> timedelta | None:
        """The longest wait Exchange asks for anywhere in this reply."""
        problems = [self.fault, *(m.problem for m in self.messages)]
        waits = [p.back_off for p in problems if p and p.back_off]
        return max(waits, default=None)


def write(call: Call, mailbox: str, *, impersonate: bool) -> bytes:
    """Wrap an operation into an envelope that acts on `mailbox` (a primary SMTP address).

    With `impersonate` the account acts as it; without, folders with a fixed name are named as that mailbox's, so that an account
    with full access opens it, and no other account opens its own by mistake.
    """
    root = etree.Element(
        f"{{{markup.SOAP}}}Envelope", nsmap={"s": markup.SOAP, "t": markup.TYPES, "m": markup.MESSAGES}
    )
    header = etree.SubElement(root, f"{{{markup.SOAP}}}Header")
    header.append(types("RequestServerVersion", Version=REQUEST_VERSION))
    if not impersonate:
        _name_owner(call.body, mailbox)
    else:
        person = markup.with_children(types("ConnectingSID"), types("PrimarySmtpAddress", mailbox))
        header.append(markup.with_children(types("ExchangeImpersonation"), person))
    etree.SubElement(root, f"{{{markup.SOAP}}}Body").append(call.body)
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)


def _name_owner(body: Element, mailbox: str) -> None:
    for folder in body.iter(f"{{{markup.TYPES}}}DistinguishedFolderId"):
        if not len(folder):
            folder.append(markup.with_children(types("Mailbox"), types("EmailAddress", mailbox)))


def read(data: bytes) -> Envelope:
    """Take a reply apart; raises MarkupError if it is not an EWS envelope."""
    root = markup.parse(data)
    body = child(root, "Body")
    if local(root) != "Envelope" or body is None:
        raise markup.MarkupError("not a SOAP envelope")
    version = _version(child(root, "Header", "ServerVersionInfo"))
    fault = child(body, "Fault")
    if fault is not None:
        return Envelope(fault=_fault(fault), version=version)
    response = next(children(body), None)
    return Envelope(tuple(_messages(response)), version=version)


def _messages(response: Element | None) -> Iterator[Message]:
    container = child(response, "ResponseMessages")
    if container is None:
        if response is not None and child(response, "ResponseCode") is not None:
            yield _message(response)
            return
        raise markup.MarkupError("no response messages")
    for element in children(container):
        yield _message(element)


def _message(element: Element) -> Message:
    code = _code(text_of(element, "ResponseCode"))
    if element.get("ResponseClass") == "Success" or (not element.get("ResponseClass") and code == "NoError"):
        return Message(element, None)
    return Message(element, Problem(code if code != "NoError" else "", _back_off(child(element, "MessageXml"))))


def _fault(fault: Element) -> Problem:
    detail = child(fault, "detail")
    code = _code(text_of(detail, "ResponseCode"))
    if not code:
        bare = _code(text_of(fault, "faultcode").rpartition(":")[2])
        code = bare if bare.startswith("Error") else ""
    return Problem(code, _back_off(child(detail, "MessageXml")))


def _code(text: str) -> str:
    """Take a response code only as what it must look like: it goes into sentences, logs and the journal."""
    return text if _CODE.fullmatch(text) else ""


def _back_off(container: Element | None) -> timedelta | None:
    for value in children(container, "Value"):
        if value.get("Name") == "BackOffMilliseconds" and (wait := number(value.text or "")) and wait > 0:
            return min(timedelta(milliseconds=wait), LONGEST_BACK_OFF)
    return None


def _version(info: Element | None) -> str | None:
    if info is None:
        return None
    names = ("MajorVersion", "MinorVersion", "MajorBuildNumber", "MinorBuildNumber")
    parts = [number(info.get(name) or "") for name in names]
    return None if parts[0] is None else ".".join(str(part or 0) for part in parts)
