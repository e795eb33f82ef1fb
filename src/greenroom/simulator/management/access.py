"""Who may use EWS and how they sign in: client access of mailboxes, the virtual directory, the organisation, throttling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from greenroom.simulator import rights
from greenroom.simulator.management.cmdlet import (
    BOOL,
    EXCHANGE,
    LIST,
    MAYBE,
    ONLY_ONLINE,
    ONLY_SERVER,
    SWITCH,
    TEXT,
    Desk,
    Given,
    Thing,
    cmdlet,
    not_found,
    one_of,
)
from greenroom.simulator.management.lookup import mailbox_of

if TYPE_CHECKING:
    from greenroom.simulator.organisation import EwsAccess

SERVER: Final = "EX01"
_DIRECTORY: Final = "EWS (Default Web Site)"
_POLICY: Final = one_of("EnforceAllowList", "EnforceBlockList")


def _policy(name: str, value: Any) -> str | None:
    return None if value is None else str(_POLICY(name, value))


_EWS: Final = {
    "EwsEnabled": MAYBE,
    "EwsApplicationAccessPolicy": _policy,
    "EwsAllowList": LIST,
    "EwsBlockList": LIST,
}


def _told(access: EwsAccess) -> Thing:
    return {
        "EwsEnabled": access.enabled,
        "EwsApplicationAccessPolicy": access.policy,
        "EwsAllowList": list(access.allowed) or None,
        "EwsBlockList": list(access.blocked) or None,
    }


def _change(access: EwsAccess, given: Given) -> None:
    if "EwsEnabled" in given:
        access.enabled = given["EwsEnabled"]
    if "EwsApplicationAccessPolicy" in given:
        access.policy = given["EwsApplicationAccessPolicy"]
    if "EwsAllowList" in given:
        access.allowed = given["EwsAllowList"]
    if "EwsBlockList" in given:
        access.blocked = given["EwsBlockList"]


@cmdlet("Get-CASMailbox", parameters={"Identity": TEXT, "ResultSize": TEXT}, shells=EXCHANGE)
def get_cas(desk: Desk, given: Given) -> list[Thing]:
    """Which protocols a mailbox may be used by."""
    mailbox = mailbox_of(desk, given.need("Identity"))
    known = rights.recipient(desk.exchange.site, mailbox)
    on = dict.fromkeys(("ActiveSyncEnabled", "OWAEnabled", "PopEnabled", "ImapEnabled", "MAPIEnabled"), True)
    about = {"Identity": known.name, "DisplayName": mailbox.name, "PrimarySmtpAddress": mailbox.address}
    return [{**about, **on, **_told(known.ews)}]


@cmdlet("Set-CASMailbox", parameters={"Identity": TEXT, **_EWS}, shells=EXCHANGE)
def set_cas(desk: Desk, given: Given) -> list[Thing]:
    """Switch EWS on or off for a mailbox, for all programs or by their user agents."""
    mailbox = mailbox_of(desk, given.need("Identity"))
    _change(rights.recipient(desk.exchange.site, mailbox).ews, given)
    return []


@cmdlet(
    "Get-OrganizationConfig",
    parameters={"RetrieveEwsOperationAccessPolicy": SWITCH},
    shells=EXCHANGE,
    only={"RetrieveEwsOperationAccessPolicy": ONLY_ONLINE},
)
def get_organization(desk: Desk, given: Given) -> list[Thing]:
    """What holds for the whole organisation; which applications may use EWS is told only to who asks."""
    organisation = desk.organisation
    return [
        {
            "Name": "Greenroom",
            "Identity": "Greenroom",
            "OAuth2ClientProfileEnabled": organisation.modern_authentication,
            "AppsForOfficeEnabled": True,
            "EwsAllowedAppIDs": ",".join(organisation.ews.app_ids)
            if given.get("RetrieveEwsOperationAccessPolicy")
            else None,
            **_told(organisation.ews),
        }
    ]


@cmdlet(
    "Set-OrganizationConfig",
    parameters={**_EWS, "EwsAllowedAppIDs": TEXT, "OAuth2ClientProfileEnabled": BOOL, "AppsForOfficeEnabled": BOOL},
    shells=EXCHANGE,
    only={"EwsAllowedAppIDs": ONLY_ONLINE},
)
def set_organization(desk: Desk, given: Given) -> list[Thing]:
    """Change it. EwsAllowedAppIDs is one text of application ids with commas between them."""
    organisation = desk.organisation
    _change(organisation.ews, given)
    if "EwsAllowedAppIDs" in given:
        ids = (given["EwsAllowedAppIDs"] or "").split(",")
        organisation.ews.app_ids = tuple(one.strip() for one in ids if one.strip())
    if "OAuth2ClientProfileEnabled" in given:
        organisation.modern_authentication = given["OAuth2ClientProfileEnabled"]
    return []


@cmdlet(
    "Get-WebServicesVirtualDirectory",
    parameters={"Identity": TEXT, "Server": TEXT, "ADPropertiesOnly": SWITCH},
    shells=ONLY_SERVER,
)
def get_directory(desk: Desk, given: Given) -> list[Thing]:
    """The EWS virtual directory of the one server there is. With -ADPropertiesOnly nobody asks IIS how to sign in."""
    identity = given.get("Identity")
    if identity is not None:
        _known(identity)
    if given.get("Server") is not None and given["Server"].partition(".")[0].upper() != SERVER:
        raise not_found("server", given["Server"])
    directory = desk.organisation.directory
    methods = {"Basic": directory.basic, "Ntlm": directory.windows, "WindowsIntegrated": directory.windows}
    names = [name for name, on in {**methods, "WSSecurity": True, "OAuth": directory.oauth}.items() if on]
    unasked = given.get("ADPropertiesOnly") is True
    return [
        {
            "Identity": f"{SERVER}\\{_DIRECTORY}",
            "Name": _DIRECTORY,
            "Server": SERVER,
            "BasicAuthentication": directory.basic and not unasked,
            "WindowsAuthentication": bool(directory.windows) and not unasked,
            "OAuthAuthentication": directory.oauth and not unasked,
            "WSSecurityAuthentication": True,
            "DigestAuthentication": False,
            "InternalAuthenticationMethods": names,
            "ExternalAuthenticationMethods": names,
            "ExtendedProtectionTokenChecking": directory.extended_protection,
            "InternalUrl": None,
            "ExternalUrl": directory.external_url,
        }
    ]


def _known(identity: str) -> None:
    server, _, name = identity.rpartition("\\")
    if (server and server.upper() != SERVER) or name.lower() not in ("ews*", "ews", _DIRECTORY.lower()):
        raise not_found("virtual directory", identity)


@cmdlet(
    "Set-WebServicesVirtualDirectory",
    parameters={
        "Identity": TEXT,
        "BasicAuthentication": BOOL,
        "WindowsAuthentication": BOOL,
        "OAuthAuthentication": BOOL,
        "WSSecurityAuthentication": BOOL,
        "DigestAuthentication": BOOL,
        "ExternalUrl": TEXT,
        "ExtendedProtectionTokenChecking": one_of("None", "Allow", "Require"),
        "Force": SWITCH,
    },
    shells=ONLY_SERVER,
)
def set_directory(desk: Desk, given: Given) -> list[Thing]:
    """Say how callers of EWS may sign in. It counts at once here (Exchange wants IIS to be started again)."""
    _known(given.need("Identity"))
    directory = desk.organisation.directory
    directory.basic = given.get("BasicAuthentication", directory.basic)
    directory.windows = given.get("WindowsAuthentication", directory.windows)
    directory.oauth = given.get("OAuthAuthentication", directory.oauth)
    directory.external_url = given.get("ExternalUrl", directory.external_url)
    directory.extended_protection = given.get("ExtendedProtectionTokenChecking", directory.extended_protection)
    return []


@cmdlet("Get-AuthServer", parameters={"Identity": TEXT}, shells=EXCHANGE)
def get_auth_server(desk: Desk, given: Given) -> list[Thing]:
    """Whose tokens the organisation takes: there where the seed, or OAuth2ClientProfileEnabled, says so."""
    known = [
        {
            "Name": "EvoSts",
            "Identity": "EvoSts",
            "Type": "AzureAD",
            "Enabled": True,
            "IsDefaultAuthorizationEndpoint": True,
            "Realm": desk.exchange.site.tenant,
        }
    ]
    found = known if desk.organisation.modern_authentication else []
    wanted = given.get("Identity")
    if wanted is not None and not any(one["Name"] == wanted or wanted == "EvoSts*" for one in found):
        raise not_found("auth server", wanted)
    return found


@cmdlet("Get-AuthenticationPolicy", parameters={"Identity": TEXT}, shells=EXCHANGE)
def get_policy(desk: Desk, given: Given) -> list[Thing]:  # noqa: ARG001 - there are none to look through
    """Authentication policies: there are none, as in a new organisation."""
    if given.get("Identity") is not None:
        raise not_found("authentication policy", given["Identity"])
    return []


@cmdlet("Get-AcceptedDomain", parameters={"Identity": TEXT}, shells=EXCHANGE)
def get_domains(desk: Desk, given: Given) -> list[Thing]:
    """Our domains: those of the mailboxes."""
    domains = dict.fromkeys(box.address.rpartition("@")[2] for box in desk.exchange.mailboxes())
    found = [{"Name": one, "DomainName": one, "DomainType": "Authoritative"} for one in domains]
    if given.get("Identity") is not None:
        found = [one for one in found if one["Name"] == given["Identity"].lower()]
        if not found:
            raise not_found("accepted domain", given["Identity"])
    return [{**one, "Default": number == 0} for number, one in enumerate(found)]


@cmdlet(
    "Get-ThrottlingPolicy",
    parameters={"Identity": TEXT, "ThrottlingPolicyScope": one_of("Regular", "Organization", "Global")},
    shells=ONLY_SERVER,
)
def get_throttling(desk: Desk, given: Given) -> list[Thing]:
    """The policy that holds for everybody."""
    wanted = given.get("Identity")
    if wanted is not None and not wanted.lower().startswith("globalthrottlingpolicy"):
        raise not_found("throttling policy", wanted)
    if given.get("ThrottlingPolicyScope") in ("Regular", "Organization"):
        return []
    rate = desk.organisation.message_rate
    return [
        {
            "Name": "GlobalThrottlingPolicy_sim",
            "Identity": "GlobalThrottlingPolicy_sim",
            "ThrottlingPolicyScope": "Global",
            "IsServiceAccount": False,
            "EwsMaxConcurrency": 27,
            "EwsMaxBurst": 300000,
            "EwsRechargeRate": 900000,
            "EwsCutoffBalance": 3000000,
            "EwsMaxSubscriptions": 5000,
            "MessageRateLimit": "Unlimited" if rate is None else rate,
            "RecipientRateLimit": "Unlimited",
        }
    ]


@cmdlet("Get-ThrottlingPolicyAssociation", parameters={"Identity": TEXT}, shells=ONLY_SERVER)
def get_association(desk: Desk, given: Given) -> list[Thing]:
    """Which policy holds for a mailbox."""
    mailbox = mailbox_of(desk, given.need("Identity"))
    known = rights.recipient(desk.exchange.site, mailbox)
    return [{"Identity": known.name, "Name": known.name, "ThrottlingPolicyId": known.throttling_policy}]


_CONNECT: Final = {
    "UserPrincipalName": TEXT,
    "Organization": TEXT,
    "AppId": TEXT,
    "ShowBanner": BOOL,
    "Device": SWITCH,
    "ExchangeEnvironmentName": TEXT,
}


@cmdlet("Get-ConnectionInformation", parameters={}, shells=ONLY_ONLINE)
def get_connections(desk: Desk, given: Given) -> list[Thing]:  # noqa: ARG001 - it takes nothing
    """The one session there is."""
    return [{"State": "Connected", "TenantID": desk.exchange.site.tenant, "TokenStatus": "Active"}]


@cmdlet("Connect-ExchangeOnline", parameters=_CONNECT, shells=ONLY_ONLINE)
def connect(desk: Desk, given: Given) -> list[Thing]:  # noqa: ARG001 - whoever is here is connected
    """Nothing: whoever is here is connected."""
    return []


@cmdlet("Disconnect-ExchangeOnline", parameters={}, shells=ONLY_ONLINE)
def disconnect(desk: Desk, given: Given) -> list[Thing]:  # noqa: ARG001 - as above
    """Nothing."""
    return []
