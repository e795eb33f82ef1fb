"""Distribution groups and mail-enabled security groups."""

from __future__ import annotations

from dataclasses import replace

from greenroom.simulator import rights
from greenroom.simulator.management.cmdlet import (
    BOOL,
    EXCHANGE,
    LIST,
    ONLY_ONLINE,
    SWITCH,
    TEXT,
    CmdletError,
    Desk,
    Given,
    Thing,
    cmdlet,
    exists,
    not_found,
    one_of,
)
from greenroom.simulator.management.lookup import find_group, find_mailbox, group_of, member_of
from greenroom.simulator.organisation import Group


def _thing(group: Group) -> Thing:
    details = "MailUniversalSecurityGroup" if group.kind == "Security" else "MailUniversalDistributionGroup"
    return {
        "Identity": group.name,
        "Name": group.name,
        "DisplayName": group.name,
        "Alias": group.alias,
        "PrimarySmtpAddress": group.address,
        "DistinguishedName": group.distinguished_name,
        "RecipientTypeDetails": details,
        "GroupType": "Universal, SecurityEnabled" if group.kind == "Security" else "Universal",
        "HiddenFromAddressListsEnabled": group.hidden,
        "Description": group.notes,
    }


@cmdlet(
    "New-DistributionGroup",
    parameters={
        "Name": TEXT,
        "DisplayName": TEXT,
        "Alias": TEXT,
        "PrimarySmtpAddress": TEXT,
        "Type": one_of("Distribution", "Security"),
        "Members": LIST,
        "ManagedBy": LIST,
        "Notes": TEXT,
        "Description": TEXT,
        "MemberJoinRestriction": one_of("Open", "Closed", "ApprovalRequired"),
        "MemberDepartRestriction": one_of("Open", "Closed", "ApprovalRequired"),
        "RequireSenderAuthenticationEnabled": BOOL,
        "IgnoreNamingPolicy": SWITCH,
    },
    shells=EXCHANGE,
    only={"Description": ONLY_ONLINE},
)
def new_group(desk: Desk, given: Given) -> list[Thing]:
    """Make a group. Members are direct ones: a group in a group is refused here."""
    name = given.need("Name")
    alias = given.get("Alias") or "".join(one for one in name if one.isascii() and one.isalnum()) or "group"
    domain = next((box.address.rpartition("@")[2] for box in desk.exchange.mailboxes()), "greenroom.example")
    address = (given.get("PrimarySmtpAddress") or f"{alias}@{domain}").lower()
    if find_group(desk, name) or find_mailbox(desk, name) or find_group(desk, address) or find_mailbox(desk, address):
        raise exists("recipient", name)
    members = tuple(dict.fromkeys(member_of(desk, one) for one in given.get("Members") or ()))
    group = Group(
        name=name,
        alias=alias,
        address=address,
        distinguished_name=rights.distinguished(name, address),
        kind=given.get("Type") or "Distribution",
        members=members,
        notes=given.get("Notes") or given.get("Description") or "",
    )
    desk.rights.groups[name.lower()] = group
    return [_thing(group)]


@cmdlet("Get-DistributionGroup", parameters={"Identity": TEXT, "ResultSize": TEXT}, shells=EXCHANGE)
def get_group(desk: Desk, given: Given) -> list[Thing]:
    """One group, or all."""
    if given.get("Identity") is not None:
        return [_thing(group_of(desk, given["Identity"]))]
    return [_thing(one) for one in desk.rights.groups.values()]


@cmdlet(
    "Set-DistributionGroup",
    parameters={
        "Identity": TEXT,
        "HiddenFromAddressListsEnabled": BOOL,
        "RequireSenderAuthenticationEnabled": BOOL,
        "Description": TEXT,
        "BypassSecurityGroupManagerCheck": SWITCH,
    },
    shells=EXCHANGE,
    only={"Description": ONLY_ONLINE},
)
def set_group(desk: Desk, given: Given) -> list[Thing]:
    """Change a group."""
    group = group_of(desk, given.need("Identity"))
    hidden = given.get("HiddenFromAddressListsEnabled", group.hidden)
    notes = given.get("Description") or group.notes
    desk.rights.groups[group.name.lower()] = replace(group, hidden=hidden, notes=notes)
    return []


@cmdlet(
    "Remove-DistributionGroup",
    parameters={"Identity": TEXT, "BypassSecurityGroupManagerCheck": SWITCH},
    shells=EXCHANGE,
)
def remove_group(desk: Desk, given: Given) -> list[Thing]:
    """Take a group away. What was given over its members covers nobody from then on."""
    group = group_of(desk, given.need("Identity"))
    del desk.rights.groups[group.name.lower()]
    return []


_MEMBER = {"Identity": TEXT, "Member": TEXT, "BypassSecurityGroupManagerCheck": SWITCH}


@cmdlet("Add-DistributionGroupMember", parameters=_MEMBER, shells=EXCHANGE)
def add_member(desk: Desk, given: Given) -> list[Thing]:
    """Put somebody into a group."""
    group = group_of(desk, given.need("Identity"))
    member = member_of(desk, given.need("Member"))
    if member in group.members:
        text = f"The recipient '{given['Member']}' is already a member of the group '{group.name}'."
        raise CmdletError("ResourceExists", text, "MemberAlreadyExistsException")
    desk.rights.groups[group.name.lower()] = replace(group, members=(*group.members, member))
    return []


@cmdlet("Get-DistributionGroupMember", parameters={"Identity": TEXT, "ResultSize": TEXT}, shells=EXCHANGE)
def get_members(desk: Desk, given: Given) -> list[Thing]:
    """The direct members of a group."""
    group = group_of(desk, given.need("Identity"))
    found = []
    for one in group.members:
        mailbox = find_mailbox(desk, one)
        name = one if mailbox is None else rights.recipient(desk.exchange.site, mailbox).name
        kind = "User" if mailbox is None else "EquipmentMailbox" if mailbox.kind == "equipment" else "UserMailbox"
        found.append({"Identity": name, "Name": name, "PrimarySmtpAddress": one, "RecipientTypeDetails": kind})
    return found


@cmdlet("Remove-DistributionGroupMember", parameters=_MEMBER, shells=EXCHANGE)
def remove_member(desk: Desk, given: Given) -> list[Thing]:
    """Take somebody out of a group."""
    group = group_of(desk, given.need("Identity"))
    member = member_of(desk, given.need("Member"))
    if member not in group.members:
        raise not_found("member of the group", given["Member"])
    members = tuple(one for one in group.members if one != member)
    desk.rights.groups[group.name.lower()] = replace(group, members=members)
    return []
