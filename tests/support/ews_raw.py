"""Plain SOAP to a running simulator: requests written by hand, replies checked against the schema and read as elements."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
from lxml import etree

from support.ews_schema import MESSAGES as M
from support.ews_schema import TYPES as T
from support.simulator import PASSWORD, SERVICE, RunningSimulator

NAMES = {
    "s": "http://schemas.xmlsoap.org/soap/envelope/",
    "m": M.strip("{}"),
    "t": T.strip("{}"),
    "e": "http://schemas.microsoft.com/exchange/services/2006/errors",
}
GOID_PATH = (
    '<t:ExtendedFieldURI PropertySetId="6ED8DA90-450B-101B-98DA-00AA003F1305" PropertyId="35" PropertyType="Binary"/>'
)


def soap(operation: str, *, impersonate: str | None = None, kind: str = "PrimarySmtpAddress") -> bytes:
    """Wrap an operation (with prefixes m and t) into an envelope."""
    who = (
        f"<t:ExchangeImpersonation><t:ConnectingSID><t:{kind}>{impersonate}</t:{kind}></t:ConnectingSID>"
        "</t:ExchangeImpersonation>"
        if impersonate
        else ""
    )
    return (
        f'<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="{NAMES["s"]}" xmlns:m="{NAMES["m"]}" '
        f'xmlns:t="{NAMES["t"]}"><s:Header><t:RequestServerVersion Version="Exchange2013_SP1"/>{who}</s:Header>'
        f"<s:Body>{operation}</s:Body></s:Envelope>"
    ).encode()


@dataclass
class Reply:
    """An HTTP reply with its SOAP content."""

    status: int
    headers: httpx2.Headers
    content: bytes
    root: etree._Element | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if self.content.startswith(b"<?xml"):
            self.root = etree.fromstring(self.content)

    def all(self, path: str) -> list[etree._Element]:
        """Elements by an XPath with the prefixes s, m, t, e."""
        assert self.root is not None, "no XML came"
        found: Any = self.root.xpath(path, namespaces=NAMES)
        return list(found)

    def text(self, path: str) -> str:
        """The text of the one element of that path."""
        (element,) = self.all(path)
        return element.text or ""

    @property
    def codes(self) -> list[str]:
        """The response codes, of the messages or of the fault."""
        return [element.text or "" for element in self.all("//m:ResponseCode | //e:ResponseCode")]

    def ids(self, name: str) -> list[tuple[str, str]]:
        """Id and change key of every item of that kind."""
        return [(e.get("Id", ""), e.get("ChangeKey", "")) for e in self.all(f"//t:{name}/t:ItemId")]


@dataclass
class RawClient:
    """Speaks SOAP for one login."""

    sim: RunningSimulator
    http: httpx2.AsyncClient
    login: str = SERVICE
    password: str = PASSWORD

    async def send(self, body: bytes, **headers: str) -> Reply:
        """Send bytes as they are."""
        response = await self.http.post(
            self.sim.ews_url,
            content=body,
            headers={"Content-Type": "text/xml; charset=utf-8", **headers},
            auth=(self.login, self.password),
        )
        return Reply(response.status_code, response.headers, response.content)

    async def call(self, operation: str, impersonate: str | None = None, **headers: str) -> Reply:
        """Send an operation."""
        anchor = {"X-AnchorMailbox": impersonate} if impersonate else {}
        return await self.send(soap(operation, impersonate=impersonate), **(anchor | headers))


def get_item(*item_ids: str, more: str = "", base: str = "IdOnly", body: str = "HTML") -> str:
    """GetItem of these ids."""
    ids = "".join(f'<t:ItemId Id="{item_id}"/>' for item_id in item_ids)
    extra = f"<t:AdditionalProperties>{more}</t:AdditionalProperties>" if more else ""
    return (
        f"<m:GetItem><m:ItemShape><t:BaseShape>{base}</t:BaseShape><t:BodyType>{body}</t:BodyType>{extra}</m:ItemShape>"
        f"<m:ItemIds>{ids}</m:ItemIds></m:GetItem>"
    )


def sync(folder: str, state: str = "", most: int = 100, more: str = "", ignore: str = "") -> str:
    """SyncFolderItems of a distinguished folder."""
    extra = f"<t:AdditionalProperties>{more}</t:AdditionalProperties>" if more else ""
    known = f"<m:SyncState>{state}</m:SyncState>" if state else ""
    left_out = f"<m:Ignore>{ignore}</m:Ignore>" if ignore else ""
    return (
        f"<m:SyncFolderItems><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape>{extra}</m:ItemShape><m:SyncFolderId>"
        f'<t:DistinguishedFolderId Id="{folder}"/></m:SyncFolderId>{known}{left_out}'
        f"<m:MaxChangesReturned>{most}</m:MaxChangesReturned></m:SyncFolderItems>"
    )


def meeting(subject: str = "Made up", *, resources: str = "vmr@sim.test", more: str = "", hour: int = 9) -> str:
    """CreateItem of one meeting on 3 December 2026, in the calendar of whoever is spoken for."""
    return (
        '<m:CreateItem SendMeetingInvitations="SendToAllAndSaveCopy"><m:Items><t:CalendarItem>'
        f'<t:Subject>{subject}</t:Subject><t:Body BodyType="HTML">&lt;p&gt;Agenda&lt;/p&gt;</t:Body>{more}'
        f"<t:Start>2026-12-03T{hour:02}:00:00Z</t:Start><t:End>2026-12-03T{hour + 1:02}:00:00Z</t:End>"
        f"<t:Location>Room 4</t:Location><t:Resources><t:Attendee><t:Mailbox><t:EmailAddress>{resources}"
        "</t:EmailAddress></t:Mailbox></t:Attendee></t:Resources></t:CalendarItem></m:Items></m:CreateItem>"
    )


def answer(
    kind: str, *item_ids: str, text: str = "&lt;p&gt;ready&lt;/p&gt;", disposition: str = "SendAndSaveCopy"
) -> str:
    """CreateItem with one answer for each of these ids."""
    items = "".join(
        f'<t:{kind}><t:Body BodyType="HTML">{text}</t:Body><t:ReferenceItemId Id="{item_id}"/></t:{kind}>'
        for item_id in item_ids
    )
    return f'<m:CreateItem MessageDisposition="{disposition}"><m:Items>{items}</m:Items></m:CreateItem>'


def envelopes(data: bytes) -> Iterator[etree._Element]:
    """The envelopes of a streaming body."""
    for part in data.split(b"</s:Envelope>"):
        if part.strip():
            yield etree.fromstring(part + b"</s:Envelope>")
