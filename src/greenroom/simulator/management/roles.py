"""Management scopes and role assignments: ApplicationImpersonation of Exchange Server, RBAC for Applications of Exchange Online."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from greenroom.simulator import opath, rights
from greenroom.simulator.management.cmdlet import (
    BOOL,
    EXCHANGE,
    ONLINE,
    ONLY_ONLINE,
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
    one_of,
)
from greenroom.simulator.management.lookup import find_account, find_mailbox, group_of, told
from greenroom.simulator.management.principals import principal
from greenroom.simulator.organisation import Assignment, Scope

_APP_ROLES: Final = {
    name.lower(): name
    for name in (
        "Application Calendars.Read",
        "Application Calendars.ReadWrite",
        "Application Contacts.Read",
        "Application Contacts.ReadWrite",
        "Application Mail.Read",
        "Application Mail.ReadBasic",
        "Application Mail.ReadWrite",
        "Application Mail.Send",
        "Application Mail Full Access",
        "Application MailboxSettings.Read",
        "Application MailboxSettings.ReadWrite",
        "Application EWS.AccessAsApp",
        "Application Exchange Full Access",
    )
}
_USER_ROLES: Final = {"applicationimpersonation": "ApplicationImpersonation"}


def _filter(text: str) -> str:
    try:
        opath.parse(text)
    except opath.FilterError as error:
        raise invalid(f"The recipient filter is invalid: {error}.", "ParsingException") from None
    return text


def _scope_thing(scope: Scope) -> Thing:
    return {
        "Identity": scope.name,
        "Name": scope.name,
        "RecipientFilter": scope.filter,
        "RecipientRoot": None,
        "ScopeRestrictionType": "RecipientScope",
        "Exclusive": False,
    }


def _scope(desk: Desk, identity: str) -> Scope:
    known = desk.rights.scopes.get(identity.lower())
    if known is None:
        raise not_found("management scope", identity)
    return known


_SCOPE_PARAMETERS: Final = {"RecipientRestrictionFilter": TEXT, "RecipientRoot": TEXT, "Force": SWITCH}
_FORCE_ONLINE: Final = {"Force": ONLY_ONLINE}


@cmdlet("New-ManagementScope", parameters={"Name": TEXT, "Exclusive": SWITCH, **_SCOPE_PARAMETERS}, shells=EXCHANGE)
def new_scope(desk: Desk, given: Given) -> list[Thing]:
    """Make a scope over recipients."""
    name = given.need("Name")
    if name.lower() in desk.rights.scopes:
        raise exists("management scope", name)
    scope = Scope(name, _filter(given.need("RecipientRestrictionFilter")))
    desk.rights.scopes[name.lower()] = scope
    return [_scope_thing(scope)]


@cmdlet("Get-ManagementScope", parameters={"Identity": TEXT, "Exclusive": BOOL, "Orphan": SWITCH}, shells=EXCHANGE)
def get_scope(desk: Desk, given: Given) -> list[Thing]:
    """One scope, or all; -Orphan: those that nothing uses."""
    if given.get("Identity") is not None:
        return [_scope_thing(_scope(desk, given["Identity"]))]
    used = {(one.scope or "").lower() for one in desk.rights.assignments.values()}
    known = desk.rights.scopes.items()
    return [_scope_thing(scope) for key, scope in known if not (given.get("Orphan") and key in used)]


@cmdlet(
    "Set-ManagementScope",
    parameters={"Identity": TEXT, "Name": TEXT, **_SCOPE_PARAMETERS},
    shells=EXCHANGE,
    only=_FORCE_ONLINE,
)
def set_scope(desk: Desk, given: Given) -> list[Thing]:
    """Change what a scope covers."""
    scope = _scope(desk, given.need("Identity"))
    if given.get("Name") not in (None, scope.name):
        raise invalid("This organisation does not rename scopes.")
    if given.get("RecipientRestrictionFilter") is not None:
        changed = replace(scope, filter=_filter(given["RecipientRestrictionFilter"]))
        desk.rights.scopes[scope.name.lower()] = changed
    return []


@cmdlet("Remove-ManagementScope", parameters={"Identity": TEXT, "Force": SWITCH}, shells=EXCHANGE, only=_FORCE_ONLINE)
def remove_scope(desk: Desk, given: Given) -> list[Thing]:
    """Take a scope away; refused while an assignment uses it."""
    scope = _scope(desk, given.need("Identity"))
    if any((one.scope or "").lower() == scope.name.lower() for one in desk.rights.assignments.values()):
        raise CmdletError("InvalidOperation", f"The scope '{scope.name}' is in use.", "ManagementScopeInUse")
    del desk.rights.scopes[scope.name.lower()]
    return []


_ASSIGN_SCOPES: Final = {
    "CustomRecipientWriteScope": TEXT,
    "CustomResourceScope": TEXT,
    "RecipientGroupScope": TEXT,
    "RecipientRelativeWriteScope": one_of("Organization", "None", "Self", "MyGAL"),
}
_ASSIGN_ONLY: Final = {
    **_FORCE_ONLINE,
    "App": ONLY_ONLINE,
    "CustomResourceScope": ONLY_ONLINE,
    "RecipientGroupScope": ONLY_ONLINE,
}


def _assignment_thing(desk: Desk, one: Assignment) -> Thing:
    kind = "CustomRecipientScope" if one.scope else "Organization"
    if one.group:
        kind = "Group"
    is_app = one.assignee_kind == "ServicePrincipal"
    return {
        "Identity": one.name,
        "Name": one.name,
        "Role": one.role,
        "RoleAssignee": told(desk, one.assignee),
        "RoleAssigneeName": _assignee_name(desk, one),
        "RoleAssigneeType": one.assignee_kind,
        "App": one.assignee if is_app else None,
        "AssignmentMethod": "Direct",
        "RoleAssignmentDelegationType": "Regular",
        "Enabled": one.enabled,
        "RecipientWriteScope": kind,
        "CustomRecipientWriteScope": None if is_app else one.scope,
        "CustomResourceScope": one.scope if is_app else None,
        "RecipientGroupScope": one.group,
    }


def _assignee_name(desk: Desk, one: Assignment) -> str:
    if one.assignee_kind == "ServicePrincipal":
        known = next((app for app in desk.rights.principals.values() if app.object_id == one.assignee), None)
        return one.assignee if known is None else known.name or known.app_id
    mailbox = find_mailbox(desk, one.assignee)
    return told(desk, one.assignee) if mailbox is None else rights.recipient(desk.exchange.site, mailbox).name


def _user(desk: Desk, identity: str) -> str:
    account = find_account(desk, identity)
    if account is not None:
        return account.login.lower()
    mailbox = find_mailbox(desk, identity)
    if mailbox is None:
        raise not_found("user", identity)
    return mailbox.address


def _assignee(desk: Desk, given: Given) -> tuple[str, str]:
    named = [name for name in ("User", "App", "SecurityGroup") if given.get(name)]
    if len(named) != 1:
        text = "Parameter set cannot be resolved using the specified named parameters."
        raise CmdletError("InvalidArgument", text, "AmbiguousParameterSet", binding=True)
    identity = given[named[0]]
    if named[0] == "User":
        return _user(desk, identity), "User"
    if named[0] == "App":
        return principal(desk, identity).object_id, "ServicePrincipal"
    group = group_of(desk, identity)
    if group.kind != "Security":
        raise invalid(f"The group '{group.name}' isn't a security group: roles can be given to security groups only.")
    return group.name.lower(), "SecurityGroup"


def _limits(desk: Desk, given: Given, kind: str) -> tuple[str | None, str | None]:
    """The management scope and the group that limit an assignment. Raises `CmdletError`."""
    fitting = "CustomResourceScope" if kind == "ServicePrincipal" else "CustomRecipientWriteScope"
    other = "CustomRecipientWriteScope" if kind == "ServicePrincipal" else "CustomResourceScope"
    if given.get(other) or (given.get("RecipientGroupScope") and given.get(fitting)):
        text = "Parameter set cannot be resolved using the specified named parameters."
        raise CmdletError("InvalidArgument", text, "AmbiguousParameterSet", binding=True)
    scope = _scope(desk, given[fitting]).name if given.get(fitting) else None
    group = group_of(desk, given["RecipientGroupScope"]).name if given.get("RecipientGroupScope") else None
    return scope, group


@cmdlet(
    "New-ManagementRoleAssignment",
    parameters={
        "Name": TEXT,
        "Role": TEXT,
        "User": TEXT,
        "App": TEXT,
        "SecurityGroup": TEXT,
        "Force": SWITCH,
        **_ASSIGN_SCOPES,
    },
    shells=EXCHANGE,
    only=_ASSIGN_ONLY,
)
def new_assignment(desk: Desk, given: Given) -> list[Thing]:
    """Give a role. An application gets the roles of applications only, a user ApplicationImpersonation."""
    wanted = given.need("Role").lower()
    assignee, kind = _assignee(desk, given)
    roles = _APP_ROLES if kind == "ServicePrincipal" else _USER_ROLES
    if wanted not in roles:
        if wanted in (_USER_ROLES if kind == "ServicePrincipal" else _APP_ROLES):
            raise invalid(f"The role '{given['Role']}' can't be assigned to this kind of assignee.")
        raise not_found("management role", given["Role"])
    if given.shell == ONLINE and kind != "ServicePrincipal":
        text = "The ApplicationImpersonation role is retired: new assignments are blocked."
        raise CmdletError("InvalidOperation", text, "RoleRetired")
    scope, group = _limits(desk, given, kind)
    name = given.get("Name") or f"{roles[wanted]}-{told(desk, assignee)}"
    if name.lower() in desk.rights.assignments:
        raise exists("management role assignment", name)
    made = Assignment(name, roles[wanted], assignee, kind, scope, group)
    desk.rights.assignments[name.lower()] = made
    return [_assignment_thing(desk, made)]


def _assignment(desk: Desk, identity: str) -> Assignment:
    known = desk.rights.assignments.get(identity.lower())
    if known is None:
        raise not_found("management role assignment", identity)
    return known


@cmdlet(
    "Get-ManagementRoleAssignment",
    parameters={
        "Identity": TEXT,
        "Role": TEXT,
        "RoleAssignee": TEXT,
        "RoleAssigneeType": one_of("User", "SecurityGroup", "ServicePrincipal", "RoleGroup", "Computer"),
        "CustomRecipientWriteScope": TEXT,
        "Enabled": BOOL,
    },
    shells=EXCHANGE,
)
def get_assignment(desk: Desk, given: Given) -> list[Thing]:
    """One assignment, or all that fit."""
    if given.get("Identity") is not None:
        return [_assignment_thing(desk, _assignment(desk, given["Identity"]))]
    found = list(desk.rights.assignments.values())
    if given.get("Role"):
        found = [one for one in found if one.role.lower() == given["Role"].lower()]
    if given.get("RoleAssignee"):
        names = _assignees(desk, given["RoleAssignee"])
        found = [one for one in found if one.assignee in names]
    if given.get("RoleAssigneeType"):
        found = [one for one in found if one.assignee_kind == given["RoleAssigneeType"]]
    if given.get("CustomRecipientWriteScope"):
        found = [one for one in found if (one.scope or "").lower() == given["CustomRecipientWriteScope"].lower()]
    if "Enabled" in given:
        found = [one for one in found if one.enabled is given["Enabled"]]
    return [_assignment_thing(desk, one) for one in found]


def _assignees(desk: Desk, identity: str) -> frozenset[str]:
    """Every form in which an assignee may be kept. Raises `CmdletError` for nobody."""
    forms = set()
    for find in (_user, lambda d, i: principal(d, i).object_id, lambda d, i: group_of(d, i).name.lower()):
        try:
            forms.add(find(desk, identity))
        except CmdletError:
            continue
    mailbox = find_mailbox(desk, identity)
    if mailbox is not None:
        forms.add(mailbox.address)
    if not forms:
        raise not_found("role assignee", identity)
    return frozenset(forms)


@cmdlet(
    "Set-ManagementRoleAssignment",
    parameters={"Identity": TEXT, "Enabled": BOOL, "Force": SWITCH, **_ASSIGN_SCOPES},
    shells=EXCHANGE,
    only=_ASSIGN_ONLY,
)
def set_assignment(desk: Desk, given: Given) -> list[Thing]:
    """Change what an assignment is over, or switch it off."""
    one = _assignment(desk, given.need("Identity"))
    scope, group = _limits(desk, given, one.assignee_kind)
    if given.get("RecipientRelativeWriteScope") == "Organization":
        one = replace(one, scope=None, group=None)
    elif scope is not None or group is not None:
        one = replace(one, scope=scope, group=group)
    desk.rights.assignments[one.name.lower()] = replace(one, enabled=given.get("Enabled", one.enabled))
    return []


@cmdlet(
    "Remove-ManagementRoleAssignment",
    parameters={"Identity": TEXT, "Force": SWITCH},
    shells=EXCHANGE,
    only=_FORCE_ONLINE,
)
def remove_assignment(desk: Desk, given: Given) -> list[Thing]:
    """Take a role back."""
    one = _assignment(desk, given.need("Identity"))
    del desk.rights.assignments[one.name.lower()]
    return []
