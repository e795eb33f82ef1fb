"""Finding what an -Identity names: a mailbox, a login, a group; and the texts by which Exchange tells them again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greenroom.simulator import ids, rights
from greenroom.simulator.management.cmdlet import Desk, not_found

if TYPE_CHECKING:
    from greenroom.simulator.model import Account, Mailbox
    from greenroom.simulator.organisation import Group


def find_mailbox(desk: Desk, identity: str) -> Mailbox | None:
    """A mailbox by address, alias, name, display name, login, distinguished name or GUID."""
    site = desk.exchange.site
    known = site.directory.find(identity)
    if known is not None:
        return known
    wanted = identity.strip().lower()
    account = find_account(desk, identity)
    if account is not None and account.mailbox is not None:
        return site.directory.find(account.mailbox)
    for mailbox in site.directory.mailboxes.values():
        told = rights.recipient(site, mailbox)
        forms = (told.alias, told.name, mailbox.name, ids.mailbox_guid(mailbox.address))
        if wanted in {one.lower() for one in (*forms, rights.distinguished(told.name, mailbox.address))}:
            return mailbox
    return None


def mailbox_of(desk: Desk, identity: str) -> Mailbox:
    """The same. Raises `CmdletError`."""
    known = find_mailbox(desk, identity)
    if known is None:
        raise not_found("mailbox", identity)
    return known


def find_account(desk: Desk, identity: str) -> Account | None:
    """A login by its name, with or without the domain and a backslash before it."""
    logins = desk.exchange.site.directory.logins
    wanted = identity.strip().lower()
    known = logins.get(wanted) or logins.get(wanted.rpartition("\\")[2])
    return None if known is None else known.account


def find_group(desk: Desk, identity: str) -> Group | None:
    """A group by name, alias, address or distinguished name."""
    wanted = identity.strip().lower()
    for group in desk.rights.groups.values():
        forms = (group.name, group.alias, group.address, group.distinguished_name)
        if wanted in {one.lower() for one in forms}:
            return group
    return None


def group_of(desk: Desk, identity: str) -> Group:
    """The same. Raises `CmdletError`."""
    known = find_group(desk, identity)
    if known is None:
        raise not_found("group", identity)
    return known


def principal_of(desk: Desk, identity: str) -> str:
    """Whom a right is given to, as rights keep it: a login, a mailbox's address, or the key of a group.

    Raises `CmdletError`.
    """
    group = find_group(desk, identity)
    if group is not None:
        return group.name.lower()
    account = find_account(desk, identity)
    if account is not None:
        return account.login.lower()
    return mailbox_of(desk, identity).address


def member_of(desk: Desk, identity: str) -> str:
    """Who is put into a group: a mailbox's address, or the login of an account without one. Raises `CmdletError`."""
    mailbox = find_mailbox(desk, identity)
    if mailbox is not None:
        return mailbox.address
    account = find_account(desk, identity)
    if account is None:
        raise not_found("recipient", identity)
    return account.login.lower()


def told(desk: Desk, principal: str) -> str:
    """How a principal is told: a group's name, else the login or address."""
    group = desk.rights.groups.get(principal)
    return principal if group is None else group.name
