"""A server that answers from a script: replies written by hand, for what a well-behaved server never does."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
from lxml import etree

from greenroom.exchange.ews import Auth, BasicAuth, EwsMailbox, EwsSettings
from greenroom.exchange.ews.markup import MESSAGES, SOAP, TYPES

MAILBOX = "vmr@example.test"
URL = "https://mail.example.test/EWS/Exchange.asmx"
Answer = httpx2.Response | Exception
Script = Callable[["Asked"], Answer]


@dataclass(frozen=True)
class Asked:
    """One request as the server got it."""

    operation: str
    headers: httpx2.Headers
    body: etree._Element

    @property
    def impersonated(self) -> str | None:
        return self.body.findtext(".//{*}PrimarySmtpAddress")

    def ids(self) -> list[str]:
        return [e.get("Id") or "" for e in self.body.iter("{*}ItemId", "{*}ReferenceItemId")]


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: datetime = field(default_factory=lambda: datetime(2031, 1, 1, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **span: float) -> None:
        self.now += timedelta(**span)


class Server:
    """Answers each request as `script` says, and keeps what was asked."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.asked: list[Asked] = []
        self.clock = Clock()

    def mailbox(self, *, auth: Auth | None = None, **more: Any) -> EwsMailbox:
        more.setdefault("timeout", timedelta(seconds=5))
        settings = EwsSettings(URL, MAILBOX, auth or BasicAuth("svc", "made up"), **more)
        return EwsMailbox(settings, httpx2.MockTransport(self._answer), clock=self.clock)

    async def _answer(self, request: httpx2.Request) -> httpx2.Response:
        body = etree.fromstring(await request.aread())
        (operation,) = body.find("{*}Body")  # type: ignore[misc]  # lxml's stubs do not know that elements unpack
        asked = Asked(etree.QName(operation).localname, request.headers, body)
        self.asked.append(asked)
        answer = self.script(asked)
        if isinstance(answer, Exception):
            raise answer
        return unread(answer)

    def count(self, operation: str | None = None) -> int:
        return sum(1 for a in self.asked if operation in (None, a.operation))


def unread(response: httpx2.Response) -> httpx2.Response:
    """The same answer as it comes from the network, its body not read yet."""
    if not response.is_stream_consumed:
        return response
    return httpx2.Response(response.status_code, headers=response.headers, stream=httpx2.ByteStream(response.content))


def soap(body: str, status: int = 200, headers: dict[str, str] | None = None) -> httpx2.Response:
    text = (
        f'<s:Envelope xmlns:s="{SOAP}" xmlns:t="{TYPES}" xmlns:m="{MESSAGES}"><s:Header>'
        '<t:ServerVersionInfo MajorVersion="15" MinorVersion="2" MajorBuildNumber="1748" MinorBuildNumber="10"/>'
        f"</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )
    return httpx2.Response(status, content=text.encode(), headers={"Content-Type": "text/xml", **(headers or {})})


def answer(operation: str, *messages: str) -> httpx2.Response:
    """A reply with response messages; each is the inside of one, `<m:ResponseCode>` included by `ok` and `bad`."""
    inside = "".join(m.replace("MESSAGE", f"m:{operation}ResponseMessage") for m in messages)
    return soap(f"<m:{operation}Response><m:ResponseMessages>{inside}</m:ResponseMessages></m:{operation}Response>")


def ok(content: str = "") -> str:
    return f'<MESSAGE ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>{content}</MESSAGE>'


def bad(code: str, back_off: int | None = None) -> str:
    xml = (
        ""
        if back_off is None
        else f'<m:MessageXml><t:Value Name="BackOffMilliseconds">{back_off}</t:Value></m:MessageXml>'
    )
    return f'<MESSAGE ResponseClass="Error"><m:ResponseCode>{code}</m:ResponseCode>{xml}</MESSAGE>'


def fault(code: str, *, back_off: int | None = None, status: int = 500) -> httpx2.Response:
    value = "" if back_off is None else f'<t:Value Name="BackOffMilliseconds">{back_off}</t:Value>'
    return soap(
        f"<s:Fault><faultcode>s:Client</faultcode><faultstring>x</faultstring><detail>"
        '<e:ResponseCode xmlns:e="http://schemas.microsoft.com/exchange/services/2006/errors">'
        f"{code}</e:ResponseCode><t:MessageXml>{value}</t:MessageXml></detail></s:Fault>",
        status,
    )


def folder_found(*idents: str) -> httpx2.Response:
    folder = '<m:Folders><t:CalendarFolder><t:FolderId Id="{}"/></t:CalendarFolder></m:Folders>'
    return answer("GetFolder", *(ok(folder.format(ident)) for ident in idents or ("calendar",)))
