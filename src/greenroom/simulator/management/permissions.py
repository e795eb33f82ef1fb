"""Who may open a mailbox, or send as it: -MailboxPermission and -RecipientPermission."""

from __future__ import annotations

from greenroom.simulator import rights
from greenroom.simulator.management.cmdlet import (
    BOOL,
    EXCHANGE,
    LIST,
    ONLY_ONLINE,
    SWITCH,
    TEXT,
    Desk,
    Given,
    Thing,
    cmdlet,
    invalid,
    not_found,
    one_of,
)
from greenroom.simulator.management.lookup import mailbox_of, principal_of, told

_RIGHTS = frozenset({"fullaccess"})


def _rights(given: Given) -> None:
    if {one.lower() for one in given.need("AccessRights")} != _RIGHTS:
        raise invalid("Of the rights over a mailbox, FullAccess is kept here.")


_CHANGE = {
    "Identity": TEXT,
    "User": TEXT,
    "AccessRights": LIST,
    "InheritanceType": one_of("All", "None", "Children", "Descendents", "SelfAndChildren"),
}


@cmdlet("Add-MailboxPermission", parameters={**_CHANGE, "AutoMapping": BOOL}, shells=EXCHANGE)
def add_permission(desk: Desk, given: Given) -> list[Thing]:
    """Let somebody open a mailbox. Adding it twice does no harm."""
    mailbox = mailbox_of(desk, given.need("Identity"))
    _rights(given)
    who = principal_of(desk, given.need("User"))
    known = desk.rights.full_access.get(mailbox.address, ())
    desk.rights.full_access[mailbox.address] = tuple(dict.fromkeys((*known, who)))
    return [_thing(desk, rights.recipient(desk.exchange.site, mailbox).name, who)]


def _thing(desk: Desk, mailbox: str, who: str) -> Thing:
    return {
        "Identity": mailbox,
        "User": told(desk, who),
        "AccessRights": ["FullAccess"],
        "IsInherited": False,
        "Deny": False,
    }


@cmdlet("Get-MailboxPermission", parameters={"Identity": TEXT, "User": TEXT, "ResultSize": TEXT}, shells=EXCHANGE)
def get_permission(desk: Desk, given: Given) -> list[Thing]:
    """Who may open a mailbox; the owner is always told."""
    mailbox = mailbox_of(desk, given.need("Identity"))
    name = rights.recipient(desk.exchange.site, mailbox).name
    known = desk.rights.full_access.get(mailbox.address, ())
    if given.get("User"):
        wanted = principal_of(desk, given["User"])
        return [_thing(desk, name, one) for one in known if one == wanted]
    owner = {**_thing(desk, name, ""), "User": "NT AUTHORITY\\SELF", "AccessRights": ["FullAccess", "ReadPermission"]}
    return [owner, *(_thing(desk, name, one) for one in known)]


@cmdlet("Remove-MailboxPermission", parameters={**_CHANGE, "Deny": SWITCH}, shells=EXCHANGE)
def remove_permission(desk: Desk, given: Given) -> list[Thing]:
    """Take the right back."""
    mailbox = mailbox_of(desk, given.need("Identity"))
    _rights(given)
    who = principal_of(desk, given.need("User"))
    known = desk.rights.full_access.get(mailbox.address, ())
    if who not in known:
        raise not_found("access control entry", given["User"])
    desk.rights.full_access[mailbox.address] = tuple(one for one in known if one != who)
    return []


_SEND = {"Identity": TEXT, "Trustee": TEXT, "AccessRights": LIST}


def _senders(desk: Desk, given: Given) -> tuple[str, tuple[str, ...]]:
    mailbox = mailbox_of(desk, given.need("Identity"))
    kept = rights.recipient(desk.exchange.site, mailbox).more.get("SendAs", ())
    return mailbox.address, tuple(kept) if isinstance(kept, tuple) else ()


def _keep(desk: Desk, address: str, senders: tuple[str, ...]) -> None:
    rights.recipient(desk.exchange.site, desk.exchange.mailbox(address)).more["SendAs"] = senders


@cmdlet("Add-RecipientPermission", parameters=_SEND, shells=ONLY_ONLINE)
def add_send_as(desk: Desk, given: Given) -> list[Thing]:
    """Let somebody send as a mailbox. Kept and told again; who may open a mailbox may send from it here."""
    address, senders = _senders(desk, given)
    who = principal_of(desk, given.need("Trustee"))
    _keep(desk, address, tuple(dict.fromkeys((*senders, who))))
    return [{"Identity": address, "Trustee": told(desk, who), "AccessRights": ["SendAs"]}]


@cmdlet("Get-RecipientPermission", parameters={"Identity": TEXT, "Trustee": TEXT}, shells=ONLY_ONLINE)
def get_send_as(desk: Desk, given: Given) -> list[Thing]:
    """Who may send as a mailbox."""
    address, senders = _senders(desk, given)
    wanted = principal_of(desk, given["Trustee"]) if given.get("Trustee") else None
    return [
        {"Identity": address, "Trustee": told(desk, one), "AccessRights": ["SendAs"]}
        for one in senders
        if wanted in (None, one)
    ]


@cmdlet("Remove-RecipientPermission", parameters=_SEND, shells=ONLY_ONLINE)
def remove_send_as(desk: Desk, given: Given) -> list[Thing]:
    """Take the right back."""
    address, senders = _senders(desk, given)
    who = principal_of(desk, given.need("Trustee"))
    if who not in senders:
        raise not_found("access control entry", given["Trustee"])
    _keep(desk, address, tuple(one for one in senders if one != who))
    return []
