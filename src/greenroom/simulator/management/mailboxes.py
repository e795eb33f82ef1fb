"""New-, Enable-, Get-, Set-, Remove-Mailbox; Get-Recipient, Get-User; Get-, Set-MailboxRegionalConfiguration."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from greenroom.simulator import ids, rights, windows_zones
from greenroom.simulator.directory import bare
from greenroom.simulator.management import calendar_processing
from greenroom.simulator.management.cmdlet import (
    ANYTHING,
    BOOL,
    EXCHANGE,
    LIST,
    ONLY_ONLINE,
    ONLY_SERVER,
    SERVER,
    SWITCH,
    TEXT,
    CmdletError,
    Desk,
    Given,
    Thing,
    cmdlet,
    exists,
    invalid,
    not_found,
)
from greenroom.simulator.management.lookup import find_group, find_mailbox, mailbox_of

if TYPE_CHECKING:
    from greenroom.simulator.model import Mailbox

_ATTRIBUTES: Final = tuple(f"CustomAttribute{number}" for number in range(1, 16))
_KEPT: Final = {
    "Office": "",
    "MaxSendSize": "Unlimited",
    "MaxReceiveSize": "Unlimited",
    "ProhibitSendQuota": "Unlimited",
    "ProhibitSendReceiveQuota": "Unlimited",
    "IssueWarningQuota": "Unlimited",
    "UseDatabaseQuotaDefaults": True,
    "RecipientLimits": "Unlimited",
    "MessageCopyForSentAsEnabled": False,
    "MessageCopyForSendOnBehalfEnabled": False,
    "ModerationEnabled": False,
    "AcceptMessagesOnlyFromSendersOrMembers": (),
    "GrantSendOnBehalfTo": (),
    "ForwardingAddress": None,
    "ForwardingSmtpAddress": None,
    "DeliverToMailboxAndForward": False,
    "MailTip": None,
}
"""Kept and told again."""
_MOST_NAME: Final = 256


def _details(mailbox: Mailbox) -> str:
    return "EquipmentMailbox" if mailbox.kind == "equipment" else "UserMailbox"


def thing_of(desk: Desk, mailbox: Mailbox) -> Thing:
    """A mailbox as Get-Mailbox writes it."""
    site = desk.exchange.site
    told = rights.recipient(site, mailbox)
    guid = ids.mailbox_guid(mailbox.address)
    logins = [name for name, one in site.directory.logins.items() if one.account.mailbox == mailbox.address]
    name = rights.distinguished(told.name, mailbox.address)
    return {
        "Identity": told.name,
        "Name": told.name,
        "Alias": told.alias,
        "DisplayName": mailbox.name,
        "PrimarySmtpAddress": mailbox.address,
        "EmailAddresses": [f"SMTP:{mailbox.address}", *(f"smtp:{one}" for one in mailbox.aliases)],
        "UserPrincipalName": logins[0] if logins else mailbox.address,
        "SamAccountName": told.alias,
        "DistinguishedName": name,
        "Guid": guid,
        "ExchangeGuid": guid,
        "ExternalDirectoryObjectId": guid,
        "LegacyExchangeDN": mailbox.x500,
        "RecipientType": "UserMailbox",
        "RecipientTypeDetails": _details(mailbox),
        "ResourceType": "Equipment" if mailbox.kind == "equipment" else None,
        "IsResource": mailbox.kind == "equipment",
        "HiddenFromAddressListsEnabled": told.hidden,
        "RequireSenderAuthenticationEnabled": told.authenticated_only,
        "AccountDisabled": told.sign_in_blocked or not logins,
        "ThrottlingPolicy": told.throttling_policy,
        "WhenCreated": told.created or None,
        **{attribute: told.attributes.get(attribute, "") for attribute in _ATTRIBUTES},
        **{kept: told.more.get(kept, default) for kept, default in _KEPT.items()},
    }


def _password(value: Any) -> str:
    """What the shell read with Read-Host -AsSecureString or Get-Credential."""
    if isinstance(value, dict):
        value = value.get("Password", value.get("SecureString"))
    if not isinstance(value, str) or not value:
        raise invalid("The password must be a secure string with at least one character.")
    return value


def _address(text: str) -> str:
    address = bare(text)
    local, at, domain = address.partition("@")
    if not at or not local or "." not in domain or any(one.isspace() or one in "<>,;" for one in address):
        raise invalid("The primary SMTP address is no valid address.", "DataValidationException")
    return address


def _name(value: str) -> str:
    if len(value) > _MOST_NAME or any(ord(one) < ord(" ") for one in value):
        raise invalid("The name holds a character that no name may hold, or is too long.", "DataValidationException")
    return value


@cmdlet(
    "New-Mailbox",
    parameters={
        "Name": TEXT,
        "DisplayName": TEXT,
        "Alias": TEXT,
        "PrimarySmtpAddress": TEXT,
        "Equipment": SWITCH,
        "Room": SWITCH,
        "UserPrincipalName": TEXT,
        "SamAccountName": TEXT,
        "Password": ANYTHING,
        "MicrosoftOnlineServicesID": TEXT,
        "FirstName": TEXT,
        "LastName": TEXT,
        "OrganizationalUnit": TEXT,
        "Database": TEXT,
        "ResetPasswordOnNextLogon": BOOL,
    },
    shells=EXCHANGE,
    only={
        "UserPrincipalName": ONLY_SERVER,
        "SamAccountName": ONLY_SERVER,
        "Database": ONLY_SERVER,
        "MicrosoftOnlineServicesID": ONLY_ONLINE,
    },
)
def new_mailbox(desk: Desk, given: Given) -> list[Thing]:
    """Make a mailbox: of equipment, or of a user with a login of its own."""
    name = _name(given.need("Name"))
    if given.get("Room"):
        raise invalid("Rooms are not kept here; -Equipment is.")
    equipment = bool(given.get("Equipment"))
    login = given.get("UserPrincipalName") or given.get("MicrosoftOnlineServicesID")
    if not equipment and login is None:
        given.need("UserPrincipalName")
    alias = given.get("Alias") or (given.get("PrimarySmtpAddress") or login or name).partition("@")[0].replace(" ", "")
    address = _address(given.get("PrimarySmtpAddress") or login or f"{alias}@{_domain(desk)}")
    if find_mailbox(desk, address) or find_mailbox(desk, name) or find_group(desk, address) or find_group(desk, name):
        raise exists("recipient", address)
    if login is not None and login.lower() in desk.exchange.site.directory.logins:
        raise exists("user", login)
    password = None if equipment and not given.get("Password") else _password(given.need("Password"))
    mailbox = _made(desk, address, _name(given.get("DisplayName") or name), equipment=equipment)
    told = rights.recipient(desk.exchange.site, mailbox)
    told.name, told.alias = name, alias
    told.created = desk.exchange.clock().isoformat()
    told.sign_in_blocked = equipment and given.shell != SERVER
    if password is not None:
        _sign_in(desk, login or address, given.get("SamAccountName") or alias, password, address)
    return [thing_of(desk, mailbox)]


def _made(desk: Desk, address: str, display: str, *, equipment: bool) -> Mailbox:
    kind = "equipment" if equipment else "user"
    mailbox = desk.exchange.add_mailbox(address, display, kind=kind, processing="none", process_external=not equipment)  # type: ignore[arg-type]  # one of two words
    if equipment:
        calendar_processing.as_new(mailbox, desk.organisation.new_equipment)
    return mailbox


def _sign_in(desk: Desk, login: str, short: str, password: str, address: str) -> None:
    """A login has two names: the long one with the domain behind it, and the short one that is written after a domain."""
    directory = desk.exchange.site.directory
    desk.exchange.add_account(login.lower(), password, mailbox=address)
    directory.logins.setdefault(short.lower(), directory.logins[login.lower()])


def _domain(desk: Desk) -> str:
    return next((box.address.rpartition("@")[2] for box in desk.exchange.mailboxes()), "greenroom.example")


@cmdlet(
    "Get-Mailbox",
    parameters={
        "Identity": TEXT,
        "RecipientTypeDetails": LIST,
        "ResultSize": TEXT,
        "Anr": TEXT,
    },
    shells=EXCHANGE,
)
def get_mailbox(desk: Desk, given: Given) -> list[Thing]:
    """One mailbox, or all."""
    identity = given.get("Identity")
    found = desk.exchange.mailboxes() if identity is None else [mailbox_of(desk, identity)]
    if given.get("Anr"):
        found = [box for box in found if box in desk.exchange.site.directory.resolve(given["Anr"])]
    kinds = {one.lower() for one in given.get("RecipientTypeDetails") or ()}
    return [thing_of(desk, box) for box in found if not kinds or _details(box).lower() in kinds]


@cmdlet(
    "Get-Recipient", parameters={"Identity": TEXT, "ResultSize": TEXT, "RecipientTypeDetails": LIST}, shells=EXCHANGE
)
def get_recipient(desk: Desk, given: Given) -> list[Thing]:
    """A mailbox or a group."""
    identity = given.need("Identity")
    group = find_group(desk, identity)
    if group is not None:
        return [
            {
                "Name": group.name,
                "Alias": group.alias,
                "PrimarySmtpAddress": group.address,
                "DistinguishedName": group.distinguished_name,
                "RecipientTypeDetails": "MailUniversalSecurityGroup"
                if group.kind == "Security"
                else "MailUniversalDistributionGroup",
            }
        ]
    return [thing_of(desk, mailbox_of(desk, identity))]


@cmdlet("Get-User", parameters={"Identity": TEXT}, shells=EXCHANGE)
def get_user(desk: Desk, given: Given) -> list[Thing]:
    """A login, with or without a mailbox."""
    known = desk.exchange.site.directory.logins.get(given.need("Identity").rpartition("\\")[2].lower())
    if known is None:
        mailbox = find_mailbox(desk, given["Identity"])
        if mailbox is None:
            raise not_found("user", given["Identity"])
        return [thing_of(desk, mailbox)]
    account = known.account
    details = "User" if account.mailbox is None else "UserMailbox"
    return [{"Name": account.login, "UserPrincipalName": account.login, "RecipientTypeDetails": details}]


@cmdlet(
    "Set-Mailbox",
    parameters={
        "Identity": TEXT,
        "Name": TEXT,
        "Alias": TEXT,
        "DisplayName": TEXT,
        "PrimarySmtpAddress": TEXT,
        "HiddenFromAddressListsEnabled": BOOL,
        "RequireSenderAuthenticationEnabled": BOOL,
        "ThrottlingPolicy": TEXT,
        "EmailAddressPolicyEnabled": BOOL,
        **dict.fromkeys(_ATTRIBUTES, TEXT),
        **dict.fromkeys(_KEPT, ANYTHING),
    },
    shells=EXCHANGE,
    only={"PrimarySmtpAddress": ONLY_SERVER, "ThrottlingPolicy": ONLY_SERVER, "EmailAddressPolicyEnabled": ONLY_SERVER},
)
def set_mailbox(desk: Desk, given: Given) -> list[Thing]:
    """Change a mailbox. Another primary address is refused: ids of items hold the one a mailbox was made with."""
    mailbox = mailbox_of(desk, given.need("Identity"))
    told = rights.recipient(desk.exchange.site, mailbox)
    address = given.get("PrimarySmtpAddress")
    if address is not None and _address(address) != mailbox.address:
        raise invalid("This organisation keeps the primary address that a mailbox was made with.")
    policy = given.get("ThrottlingPolicy")
    if policy is not None and policy.lower() not in ("", "globalthrottlingpolicy"):
        raise not_found("throttling policy", policy)
    if given.get("DisplayName"):
        mailbox.name = _name(given["DisplayName"])
    told.name = _name(given.get("Name") or told.name)
    told.alias = given.get("Alias") or told.alias
    told.hidden = given.get("HiddenFromAddressListsEnabled", told.hidden)
    told.authenticated_only = given.get("RequireSenderAuthenticationEnabled", told.authenticated_only)
    for name in _ATTRIBUTES:
        if name in given:
            told.attributes[name] = given[name] or ""
    for name in _KEPT:
        if name in given:
            told.more[name] = tuple(given[name]) if isinstance(given[name], list) else given[name]
    return []


@cmdlet(
    "Remove-Mailbox",
    parameters={"Identity": TEXT, "Permanent": BOOL, "Force": SWITCH},
    shells=EXCHANGE,
    only={"Permanent": ONLY_SERVER},
)
def remove_mailbox(desk: Desk, given: Given) -> list[Thing]:
    """Take a mailbox away, with its login and the rights over it."""
    mailbox = mailbox_of(desk, given.need("Identity"))
    desk.exchange.site.remove_store(mailbox)
    desk.rights.full_access.pop(mailbox.address, None)
    for key, group in list(desk.rights.groups.items()):
        if mailbox.address in group.members:
            members = tuple(one for one in group.members if one != mailbox.address)
            desk.rights.groups[key] = replace(group, members=members)
    return []


@cmdlet("Get-MailboxRegionalConfiguration", parameters={"Identity": TEXT}, shells=EXCHANGE)
def get_regional(desk: Desk, given: Given) -> list[Thing]:
    """Language and time zone; resources have none at first."""
    mailbox = mailbox_of(desk, given.need("Identity"))
    told = rights.recipient(desk.exchange.site, mailbox)
    return [
        {
            "Identity": told.name,
            "Language": told.language,
            "TimeZone": told.time_zone,
            "DateFormat": told.more.get("DateFormat"),
            "TimeFormat": told.more.get("TimeFormat"),
            "DefaultFolderNameMatchingUserLanguage": bool(told.more.get("Localized", False)),
        }
    ]


@cmdlet(
    "Set-MailboxRegionalConfiguration",
    parameters={
        "Identity": TEXT,
        "Language": TEXT,
        "TimeZone": TEXT,
        "DateFormat": TEXT,
        "TimeFormat": TEXT,
        "LocalizeDefaultFolderName": SWITCH,
    },
    shells=EXCHANGE,
)
def set_regional(desk: Desk, given: Given) -> list[Thing]:
    """Set language and time zone (a name of Windows)."""
    mailbox = mailbox_of(desk, given.need("Identity"))
    told = rights.recipient(desk.exchange.site, mailbox)
    zone, language = given.get("TimeZone"), given.get("Language")
    if zone is not None:
        known = {name.lower(): name for name in windows_zones.WINDOWS_TO_IANA}
        if zone.lower() not in known:
            raise invalid("The time zone is none of those that Windows knows.", "DataValidationException")
        told.time_zone = known[zone.lower()]
    if language is not None:
        parts = language.split("-")
        if not all(part.isalnum() and part.isascii() for part in parts):
            raise CmdletError("InvalidData", "The language is none.", "ParameterArgumentTransformationError")
        told.language = language
    for name in ("DateFormat", "TimeFormat"):
        if name in given:
            told.more[name] = given[name]
    if given.get("LocalizeDefaultFolderName"):
        told.more["Localized"] = True
    return []
