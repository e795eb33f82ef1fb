"""Who may open which mailbox: what follows from what seeds grant and from what administrators set (`organisation`).

A seed's grants (`Directory.grants`, `Application.scope`) and those of the cmdlets add up, as rights of Exchange do. What the
cmdlets set counts as late as `rights_cached_seconds` says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from greenroom.simulator import ids, opath
from greenroom.simulator.organisation import Assignment, Consent, EwsAccess, Recipient, Rights

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from greenroom.simulator.model import Account, Mailbox
    from greenroom.simulator.site import Site

IMPERSONATION: Final = "applicationimpersonation"
CALENDARS: Final = frozenset({"application calendars.readwrite", "application exchange full access"})
EWS_AS_APP: Final = frozenset({"application ews.accessasapp"})
CONSENT_CALENDARS: Final = "ef54d2bf-783f-4e0f-bca1-3210c0444d99"
"""Calendars.ReadWrite as an application permission of Microsoft Graph."""
CONSENT_EWS: Final = "dc890d15-9560-4a4c-9b7f-a736ec74ec40"
"""full_access_as_app of Office 365 Exchange Online."""


def recipient(site: Site, mailbox: Mailbox) -> Recipient:
    """What administrators set on a mailbox; made with the defaults when it is asked for first."""
    known = site.organisation.recipients.get(mailbox.address)
    if known is None:
        known = Recipient(name=mailbox.name, alias=mailbox.address.partition("@")[0])
        site.organisation.recipients[mailbox.address] = known
    return known


def distinguished(name: str, address: str) -> str:
    """A distinguished name for an object of our directory (RFC 4514)."""
    escaped = "".join(f"\\{one}" if one in ',+"\\<>;=' else one for one in name)
    if escaped.startswith((" ", "#")):
        escaped = "\\" + escaped
    domain = ",".join(f"DC={part}" for part in address.rpartition("@")[2].split("."))
    return f"CN={escaped},CN=Users,{domain}"


def properties(site: Site, rights: Rights, mailbox: Mailbox) -> dict[str, tuple[str, ...]]:
    """What a recipient filter can ask of a mailbox. Group membership is direct, as in the directory."""
    told = recipient(site, mailbox)
    details = "EquipmentMailbox" if mailbox.kind == "equipment" else "UserMailbox"
    groups = [one.distinguished_name for one in rights.groups.values() if mailbox.address in one.members]
    guid, forms = ids.mailbox_guid(mailbox.address), (mailbox.address, *mailbox.aliases)
    found = {
        "memberofgroup": tuple(groups),
        "primarysmtpaddress": (mailbox.address,),
        "emailaddresses": (*forms, *(f"smtp:{one}" for one in forms)),
        "name": (told.name,),
        "displayname": (mailbox.name,),
        "alias": (told.alias,),
        "recipienttype": ("UserMailbox",),
        "recipienttypedetails": (details,),
        "resourcetype": ("Equipment",) if mailbox.kind == "equipment" else (),
        "userprincipalname": (mailbox.address,),
        "distinguishedname": (distinguished(told.name, mailbox.address),),
        "guid": (guid,),
        "externaldirectoryobjectid": (guid,),
    }
    return found | {name.lower(): (value,) for name, value in told.attributes.items()}


def covers(site: Site, rights: Rights, assignment: Assignment, mailbox: Mailbox) -> bool:
    """Whether a mailbox is within what a role was given over. A scope that is gone covers nothing."""
    if assignment.scope is not None:
        scope = rights.scopes.get(assignment.scope.lower())
        return scope is not None and opath.parse(scope.filter)(properties(site, rights, mailbox))
    if assignment.group is not None:
        group = rights.groups.get(assignment.group.lower())
        return group is not None and mailbox.address in group.members
    return True


def _names(site: Site, login: str) -> frozenset[str]:
    known = site.directory.logins.get(login.lower())
    names = {login.lower()}
    if known is not None:
        names |= {known.account.login.lower(), known.account.mailbox or login.lower()}
    return frozenset(names)


def _given_to(rights: Rights, assignment: Assignment, names: frozenset[str]) -> bool:
    if assignment.assignee_kind != "SecurityGroup":
        return assignment.assignee_kind == "User" and assignment.assignee in names
    group = rights.groups.get(assignment.assignee)
    return group is not None and not names.isdisjoint(group.members)


def may_impersonate(site: Site, login: str, address: str) -> bool:
    """Whether a login (or an application, by its client id) may act as a mailbox over EWS. False for unknown mailboxes."""
    mailbox = site.directory.find(address)
    if mailbox is None:
        return False
    if site.directory.may_impersonate(login, mailbox.address):
        return True
    rights = site.organisation.effective(site.now())
    names = _names(site, login)
    for one in rights.assignments.values():
        given = one.enabled and one.role.lower() == IMPERSONATION and _given_to(rights, one, names)
        if given and covers(site, rights, one, mailbox):
            return True
    if login.lower() not in site.directory.applications:
        return False
    return application_may(site, rights, login, mailbox, roles=EWS_AS_APP, consent=CONSENT_EWS)


def assignments_of(site: Site, rights: Rights, client_id: str) -> list[Assignment]:
    """The roles Exchange Online gave to an application: only by the object id that Entra knows it by."""
    registered = site.organisation.registrations.get(client_id.lower())
    principal = next((one for one in rights.principals.values() if one.app_id.lower() == client_id.lower()), None)
    if principal is None:
        return []
    if registered is not None and registered.principal != principal.object_id:
        return []  # the object id is another object's, such as the registration's: nobody who signs in has it
    known = rights.assignments.values()
    return [one for one in known if one.assignee_kind == "ServicePrincipal" and one.assignee == principal.object_id]


def consents_of(site: Site, rights: Rights, client_id: str) -> list[Consent]:
    """The application permissions granted in Entra."""
    registered = site.organisation.registrations.get(client_id.lower())
    if registered is None or registered.principal is None:
        return []
    return [one for one in rights.consents.values() if one.principal == registered.principal]


def application_may(
    site: Site, rights: Rights, client_id: str, mailbox: Mailbox, *, roles: frozenset[str], consent: str
) -> bool:
    """Whether an application may open a mailbox by one of these roles, or tenant-wide by this consent."""
    if any(one.role == consent for one in consents_of(site, rights, client_id)):
        return True
    given = assignments_of(site, rights, client_id)
    return any(one.enabled and one.role.lower() in roles and covers(site, rights, one, mailbox) for one in given)


def calendars_of(site: Site, client_id: str) -> frozenset[str] | None:
    """The mailboxes whose calendars an application may open in Graph (primary addresses); None: all."""
    application = site.directory.applications[client_id.lower()]
    if application.scope is None:
        return None
    rights = site.organisation.effective(site.now())
    if any(one.role == CONSENT_CALENDARS for one in consents_of(site, rights, client_id)):
        return None
    given = [one for one in assignments_of(site, rights, client_id) if one.enabled and one.role.lower() in CALENDARS]
    if not given:
        return frozenset(application.scope)
    boxes = site.directory.mailboxes.values()
    reached = {box.address for box in boxes if any(covers(site, rights, one, box) for one in given)}
    return frozenset(application.scope) | reached


def full_access(site: Site, login: str, address: str) -> bool:
    """Whether a login was given FullAccess to a mailbox, itself or by a group."""
    rights = site.organisation.effective(site.now())
    given = rights.full_access.get(address, ())
    if not given:
        return False
    names = _names(site, login)
    groups = [rights.groups[one] for one in given if one in rights.groups]
    return not names.isdisjoint(given) or any(not names.isdisjoint(one.members) for one in groups)


def ews_closed(site: Site, account: Account, acting: str | None, *, agent: str) -> bool:
    """Whether EWS is switched off for whoever a request speaks for: in the organisation, or in that mailbox.

    ``agent`` is the User-Agent. The list of allowed applications is looked at where tokens are (`graph.ews_door`).
    """
    organisation = site.organisation
    mailbox = site.directory.find(acting or account.mailbox or "")
    accesses = [organisation.ews]
    if mailbox is not None and mailbox.address in organisation.recipients:
        accesses.append(organisation.recipients[mailbox.address].ews)
    return any(_shut(one, agent) for one in accesses)


def _shut(access: EwsAccess, agent: str) -> bool:
    if access.enabled is False:
        return True
    if access.policy == "EnforceAllowList":
        return not _listed(agent, access.allowed)
    return access.policy == "EnforceBlockList" and _listed(agent, access.blocked)


def _listed(agent: str, patterns: Iterable[str]) -> bool:
    """Whether a user agent is one of a list; a "*" stands for anything."""
    return any(opath.like(one, agent) for one in patterns)


def unless_blocked(site: Site, account: Account | None) -> Account | None:
    """The account, if nobody has blocked its sign-in."""
    known = None if account is None else site.organisation.recipients.get(account.mailbox or "")
    return None if known is not None and known.sign_in_blocked else account


def hidden(site: Site, mailbox: Mailbox) -> bool:
    """Whether address lists do not show a mailbox."""
    known: Mapping[str, Recipient] = site.organisation.recipients
    return mailbox.address in known and known[mailbox.address].hidden
