"""RBAC for Applications: what an application may do in Exchange Online, for the members of one security group.

https://learn.microsoft.com/exchange/permissions-exo/application-rbac
"""

from dataclasses import dataclass
from typing import Final

from greenroom.setup.installation import Installation
from greenroom.setup.powershell import Switch, Value, Var, Writer, both, either, is_, missing, present

ROLE: Final = "Application Calendars.ReadWrite"
_CLIENT: Final = Var("clientId")
_PRINCIPAL: Final = Var("principal")


@dataclass(frozen=True, slots=True)
class Ids:
    """Of the application and of its enterprise application; empty for what is asked for."""

    client_id: str = ""
    object_id: str = ""


def group(installation: Installation) -> str:
    """Name of the group whose members' calendars the application may use."""
    return f"{installation.label} scope"


def assignment(installation: Installation) -> str:
    """Name of the assignment of the role."""
    return f"{installation.label} calendars"


def grant(writer: Writer, installation: Installation, ids: Ids) -> None:
    """Make the application known to Exchange, make the group, and give the application its calendars. `$mailbox` was found."""
    name, members = assignment(installation), group(installation)
    ask_client(writer, ids)
    _find_principal(writer)
    with writer.when(missing(_PRINCIPAL)):
        _ask(writer, "objectId", ids.object_id, "Object id of the enterprise application")
        with writer.should_process(installation.label, "Make the application known to Exchange"):
            known: dict[str, Value] = {
                "AppId": _CLIENT,
                "ObjectId": Var("objectId"),
                "DisplayName": installation.label,
            }
            writer.call("New-ServicePrincipal", known, into="principal")
    with writer.otherwise():
        writer.say("Exchange knows the application already.")
    writer.blank()
    _create_group(writer, installation, members)
    writer.blank()
    wanted: dict[str, Value] = {
        "Name": name,
        "App": Var("principal", "ObjectId"),
        "Role": ROLE,
        "RecipientGroupScope": members,
    }
    because = {
        "Role": "Reading and answering, and writing into organizers' own meetings. Nothing of anybody's mail.",
        "RecipientGroupScope": "Direct members alone count, not groups in the group.",
    }
    writer.look("Get-ManagementRoleAssignment", {"Identity": name}, into="assignment")
    with writer.when(both(present(Var("assignment")), present(_PRINCIPAL))):
        _take_from_another(writer, installation)
    with (
        writer.when(missing(Var("assignment"))),
        writer.when(both(present(_PRINCIPAL), present(Var("group")))),
        writer.should_process(name, "Give the application the calendars of the group"),
    ):
        writer.splat("wanted", wanted, because)
        writer.call("New-ManagementRoleAssignment", splat="wanted")
        writer.say("The application may use the calendars of the group, in two hours at the latest.")
    with writer.otherwise():
        writer.say("The application may use the calendars of the group already.")
    writer.blank()
    writer.comment("What Exchange will count, without waiting for it.")
    with writer.when(present(_PRINCIPAL)):
        writer.call("Test-ServicePrincipalAuthorization", _tested(installation), show=True)


def _take_from_another(writer: Writer, installation: Installation) -> None:
    """Take `$assignment` away where it is that of an application of before: registered anew, this one has another id."""
    name = assignment(installation)
    writer.call("Test-ServicePrincipalAuthorization", _tested(installation), into="tested")
    writer.assign("granted", False)
    with writer.each("right", Var("tested")), writer.when(is_(Var("right", "RoleName"), ROLE)):
        writer.assign("granted", True)
    with (
        writer.when(is_(Var("granted"), False)),
        writer.should_process(name, "Take this right away, which is another application's"),
    ):
        writer.call("Remove-ManagementRoleAssignment", {"Identity": name, "Confirm": False})
        writer.assign("assignment", None)


def _create_group(writer: Writer, installation: Installation, members: str) -> None:
    with (
        writer.unless_exists("Get-DistributionGroup", {"Identity": members}, into="group"),
        writer.should_process(members, "Make the security group of the scope"),
    ):
        wanted: dict[str, Value] = {
            "Name": members,
            "Type": "Security",
            "MemberJoinRestriction": "Closed",
            "MemberDepartRestriction": "Closed",
            "Members": (installation.mailbox,),
        }
        because = {"MemberJoinRestriction": "Who is in it decides whose calendars are open: nobody joins by himself."}
        writer.splat("wanted", wanted, because)
        writer.call("New-DistributionGroup", splat="wanted", into="group")
        hidden: dict[str, Value] = {"Identity": members, "HiddenFromAddressListsEnabled": True}
        writer.call("Set-DistributionGroup", hidden)
        writer.say("The group is made.")
    with writer.otherwise():
        writer.say("The group is there already.")
    with writer.when(present(Var("group"))):
        _find_member(writer, installation, members)
        with (
            writer.when(missing(Var("member"))),
            writer.should_process(members, "Put the equipment mailbox into the group"),
        ):
            joined: dict[str, Value] = {
                "Identity": members,
                "Member": installation.mailbox,
                "BypassSecurityGroupManagerCheck": Switch(),
            }
            writer.call("Add-DistributionGroupMember", joined)
        with writer.otherwise():
            writer.say("The equipment mailbox is in the group.")


def verify(writer: Writer, installation: Installation, ids: Ids, *, into: str) -> None:
    """Look at the group and at the application's rights, and collect these in a variable. Stops where one holds everywhere."""
    members = group(installation)
    ask_client(writer, ids)
    _find_principal(writer)
    with writer.when(missing(_PRINCIPAL)):
        writer.stop("Exchange does not know the application. Run the script of the scope.")
    _find_member(writer, installation, members)
    with writer.when(missing(Var("member"))):
        writer.warn("The equipment mailbox is not in the group of the scope. Run the script of the scope.")
    writer.call("Test-ServicePrincipalAuthorization", _tested(installation), into="tested")
    writer.assign("granted", False)
    with writer.each("right", Var("tested"), into=into):
        with writer.when(is_(Var("right", "ScopeType"), "Organization")):
            writer.stop("The application may use every mailbox of the organisation. Remove that role assignment.")
        with writer.when(both(is_(Var("right", "RoleName"), ROLE), is_(Var("right", "InScope"), True))):
            writer.assign("granted", True)
        writer.emit(
            {
                "role": Var("right", "RoleName"),
                "assignee": _CLIENT,
                "scope": Var("right", "AllowedResourceScope"),
                "InScope": Var("right", "InScope"),
            }
        )
    with writer.when(is_(Var("granted"), False)):
        writer.warn("The application may not use the calendar of the equipment mailbox. Run the script of the scope.")
    with writer.otherwise():
        writer.say("Good: the application may use the calendar of the equipment mailbox.")


def revoke(writer: Writer, installation: Installation, ids: Ids) -> None:
    """Undo `grant`, last things first."""
    name, members = assignment(installation), group(installation)
    ask_client(writer, ids)
    writer.look("Get-ManagementRoleAssignment", {"Identity": name}, into="assignment")
    with (
        writer.when(present(Var("assignment"))),
        writer.should_process(name, "Take from the application the calendars of the group"),
    ):
        writer.call("Remove-ManagementRoleAssignment", {"Identity": name, "Confirm": False})
    writer.look("Get-DistributionGroup", {"Identity": members}, into="group")
    with writer.when(present(Var("group"))), writer.should_process(members, "Remove the group of the scope"):
        gone: dict[str, Value] = {
            "Identity": members,
            "BypassSecurityGroupManagerCheck": Switch(),
            "Confirm": False,
        }
        writer.call("Remove-DistributionGroup", gone)
    _find_principal(writer)
    with (
        writer.when(present(_PRINCIPAL)),
        writer.should_process(installation.label, "Make Exchange forget the application"),
    ):
        writer.call("Remove-ServicePrincipal", {"Identity": Var("principal", "ObjectId"), "Confirm": False})


def _tested(installation: Installation) -> dict[str, Value]:
    return {"Identity": _CLIENT, "Resource": installation.mailbox}


def ask_client(writer: Writer, ids: Ids) -> None:
    """Have the application's id in `$clientId`: the one that is known, or the one that the administrator types."""
    _ask(writer, "clientId", ids.client_id, "Application (client) id")


def _ask(writer: Writer, name: str, known: str, what: str) -> None:
    if known:
        writer.assign(name, known)
        return
    writer.call("Read-Host", {"Prompt": f"{what}, as the script of the application told it"}, into=name)
    with writer.when(either(is_(Var(name), None), is_(Var(name), ""))):
        writer.stop(f"{what} is needed. The script that registers the application tells it.")


def _find_principal(writer: Writer) -> None:
    writer.comment("Get-ServicePrincipal returns all of them for an id that it does not know: so all are asked for.")
    writer.call("Get-ServicePrincipal", {}, into="principal", where=("AppId", _CLIENT), first=True)


def _find_member(writer: Writer, installation: Installation, members: str) -> None:
    asked: dict[str, Value] = {"Identity": members, "ResultSize": "Unlimited"}
    writer.look(
        "Get-DistributionGroupMember",
        asked,
        into="member",
        where=("PrimarySmtpAddress", installation.mailbox),
        first=True,
    )
