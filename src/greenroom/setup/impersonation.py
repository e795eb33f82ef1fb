"""The service account of an Exchange Server, and for whom it may act."""

from collections.abc import Mapping
from typing import Final

from greenroom.setup.installation import Installation
from greenroom.setup.powershell import Switch, Value, Var, Writer, given, is_, missing, present

ROLE: Final = "ApplicationImpersonation"
_ACCOUNT: Final = Var("Account")
_KINDS: Final = (("ManagementRoleAssignment", "take this right away"), ("ManagementScope", "remove this scope"))
"""What `grant` makes, in the order in which it can be removed."""


def scope_names(installation: Installation) -> tuple[str, str]:
    """Names of the two management scopes and of what is assigned with them: for the mailbox, and for organizers."""
    return f"{installation.label} mailbox", f"{installation.label} organizers"


def own_group(installation: Installation) -> str:
    """Name of the group of organizers that is made if no other is named; only this one is ever removed again."""
    return f"{installation.label} organizers"


def account_mark(installation: Installation) -> str:
    """What an account made here carries in CustomAttribute1: not what equipment mailboxes carry, nor another integration's."""
    return f"{installation.label} service"


def create_account(w: Writer, installation: Installation, account: str) -> None:
    """Write what makes the service account, with a mailbox and a password that is asked for."""
    w.assign("Account", account)
    w.blank()
    with (
        w.unless_exists("Get-Mailbox", {"Identity": _ACCOUNT}, into="Found"),
        w.should_process(_ACCOUNT, "make an account with a mailbox"),
    ):
        w.comment(
            "The password is asked for here and stands in no file. Put the same one where greenroom.toml reads it."
        )
        w.call("Read-Host", {"Prompt": "Password of the new account", "AsSecureString": Switch()}, into="Password")
        w.splat(
            "Create",
            {
                "Name": account.partition("@")[0],
                "DisplayName": f"{installation.label} service",
                "UserPrincipalName": _ACCOUNT,
                "PrimarySmtpAddress": _ACCOUNT,
                "Password": Var("Password"),
                "ResetPasswordOnNextLogon": False,
            },
            because={
                "PrimarySmtpAddress": "EWS lets nobody sign in who has no mailbox.",
                "ResetPasswordOnNextLogon": "A program cannot choose a new one at its first sign-in.",
            },
        )
        w.call("New-Mailbox", splat="Create")
        w.splat(
            "Settle",
            {
                "Identity": _ACCOUNT,
                "CustomAttribute1": account_mark(installation),
                "HiddenFromAddressListsEnabled": True,
            },
            because={
                "CustomAttribute1": "Tells the last script that this account was made here, and may be removed.",
                "HiddenFromAddressListsEnabled": "Nobody writes to it.",
            },
        )
        w.call("Set-Mailbox", splat="Settle")
        w.say("The service account is made.")
    with w.otherwise():
        w.say("The service account is there already. Nothing about it is changed.")


def grant(w: Writer, installation: Installation, account: str, group: str) -> None:
    """Write what lets the account act for the equipment mailbox and, if a group is named, for its direct members."""
    for_mailbox, for_organizers = scope_names(installation)
    w.assign("Account", account)
    w.assign("Mailbox", installation.mailbox)
    w.blank()
    for name, what in (("Account", "service account"), ("Mailbox", "equipment mailbox")):
        with w.unless_exists("Get-Mailbox", {"Identity": Var(name)}, into="Found"):
            w.stop(f"The {what} is not there yet: run the scripts before this one first.")
    w.blank()
    w.comment("1. For the equipment mailbox: without this nothing works.")
    doubled = installation.mailbox.replace("'", "''")
    w.assign("Filter", f"EmailAddresses -eq '{doubled}'")
    _scope(w, for_mailbox)
    _assignment(w, for_mailbox)
    w.blank()
    if not group:
        w.comment(
            "2. For nobody else: a right over organizers from before, which is no longer asked for, is taken away."
        )
        for kind, what in _KINDS:
            _remove(w, kind, for_organizers, what)
        return
    w.comment(
        "2. For organizers, so that joining instructions can be written into their own meetings. Direct members of the group "
        "count, not members of groups in it."
    )
    w.assign("Group", group)
    if group == own_group(installation):
        with (
            w.unless_exists("Get-DistributionGroup", {"Identity": Var("Group")}, into="Members"),
            w.should_process(Var("Group"), "make a security group for organizers"),
        ):
            w.call("New-DistributionGroup", {"Name": Var("Group"), "Type": "Security"})
            w.say("The group of organizers is made, and empty: put people into it.")
            w.look("Get-DistributionGroup", {"Identity": Var("Group")}, into="Members")
        with w.when(missing(Var("Members"))):
            w.warn("There is no group of organizers yet, so the rest is left out.")
    else:
        with w.unless_exists("Get-DistributionGroup", {"Identity": Var("Group")}, into="Members"):
            w.stop("There is no such group of organizers. Only groups that Exchange knows count (mail-enabled).")
        w.assign("Seen", False)
        with w.each("One", Var("Members")):
            with w.when(given(Var("Seen"))):
                w.stop("More than one group is found by this name. Name the group by its mail address.")
            w.assign("Seen", True)
    with w.when(present(Var("Members"))):
        w.filter_by_group("Filter", Var("Members"))
        _scope(w, for_organizers)
        _assignment(w, for_organizers)


def _scope(w: Writer, name: str) -> None:
    w.assign("Scope", name)
    with (
        w.unless_exists("Get-ManagementScope", {"Identity": Var("Scope")}, into="Found"),
        w.should_process(Var("Scope"), "make a management scope"),
    ):
        w.call("New-ManagementScope", {"Name": Var("Scope"), "RecipientRestrictionFilter": Var("Filter")})
        w.say(f"{name}: the scope is made.")
    with w.otherwise():
        with w.when(is_(Var("Found", "RecipientFilter"), Var("Filter"))):
            w.say(f"{name}: the scope is right already.")
        with w.otherwise(), w.should_process(Var("Scope"), "correct whom the scope covers"):
            w.call("Set-ManagementScope", {"Identity": Var("Scope"), "RecipientRestrictionFilter": Var("Filter")})
            w.say(f"{name}: the scope is corrected.")


def _assignment(w: Writer, name: str) -> None:
    w.assign("Assignment", name)
    w.comment("A right of this name that another account has, or that has another scope, makes way for this one.")
    asked: dict[str, Value] = {"Role": ROLE, "RoleAssignee": _ACCOUNT}
    w.look("Get-ManagementRoleAssignment", asked, into="Held", where=("Name", Var("Assignment")), first=True)
    w.assign("Right", False)
    with w.when(present(Var("Held"))), w.when(is_(Var("Held", "CustomRecipientWriteScope"), Var("Scope"))):
        w.assign("Right", True)
    with w.when(given(Var("Right"))):
        w.say(f"{name}: the right is given already.")
    with w.otherwise():
        w.look("Get-ManagementRoleAssignment", {"Identity": Var("Assignment")}, into="Found")
        with (
            w.when(present(Var("Found"))),
            w.should_process(
                Var("Assignment"), "take this right away, which is another account's or has another scope"
            ),
        ):
            w.call("Remove-ManagementRoleAssignment", {"Identity": Var("Assignment"), "Confirm": False})
        with w.should_process(_ACCOUNT, "may act for whom the scope covers"):
            w.splat(
                "Assign",
                {
                    "Name": Var("Assignment"),
                    "Role": ROLE,
                    "User": _ACCOUNT,
                    "CustomRecipientWriteScope": Var("Scope"),
                },
                because={"CustomRecipientWriteScope": "Without a scope the account could act for everybody."},
            )
            w.call("New-ManagementRoleAssignment", splat="Assign")
            w.say(f"{name}: the right is given.")


def list_rights(w: Writer, installation: Installation, group: str, into: str) -> None:
    """Write what collects the account's rights, and warns of one that is missing or has no scope. Expects `$Account`."""
    held: dict[str, Value] = {"Role": ROLE, "RoleAssignee": _ACCOUNT}
    for_mailbox, for_organizers = scope_names(installation)
    for name, whom in ((for_mailbox, "the equipment mailbox"), *(((for_organizers, "organizers"),) if group else ())):
        w.look("Get-ManagementRoleAssignment", held, into="Held", where=("Name", name), first=True)
        with w.when(missing(Var("Held"))):
            w.warn(f"The service account may not act for {whom}: run the script that grants rights.")
        with w.otherwise():
            w.say(f"Good: the service account may act for {whom}.")
    w.look("Get-ManagementRoleAssignment", held, into="Assignments")
    with w.each("Assignment", Var("Assignments")), w.when(missing(Var("Assignment", "CustomRecipientWriteScope"))):
        w.warn("A right without a scope: the service account may act for everybody.")
    row: dict[str, Value] = {
        "role": ROLE,
        "assignee": Var("Assignment", "RoleAssigneeName"),
        "scope": Var("Assignment", "CustomRecipientWriteScope"),
    }
    with w.each("Assignment", Var("Assignments"), into=into):
        w.emit(row)


def revoke(w: Writer, installation: Installation, group: str) -> None:
    """Write what takes away what `grant` gave, in reverse order; that for organizers also if they are no longer asked for."""
    for name in reversed(scope_names(installation)):
        for kind, what in _KINDS:
            _remove(w, kind, name, what)
    if group == own_group(installation):
        # Whoever made the group manages it: any other administrator may remove it only so.
        _remove(w, "DistributionGroup", group, "remove this group", {"BypassSecurityGroupManagerCheck": Switch()})


def remove_account(w: Writer, installation: Installation, account: str) -> None:
    """Write what removes the account with its mailbox, if `create_account` made it."""
    w.assign("Account", account)
    w.look("Get-Mailbox", {"Identity": _ACCOUNT}, into="Found")
    with w.when(missing(Var("Found"))):
        w.say("The service account is gone already.")
    with w.otherwise():
        with (
            w.when(is_(Var("Found", "CustomAttribute1"), account_mark(installation))),
            w.should_process(_ACCOUNT, "remove the account and its mailbox"),
        ):
            w.call("Remove-Mailbox", {"Identity": _ACCOUNT, "Confirm": False})
            w.say("The service account is gone.")
        with w.otherwise():
            w.say("The service account was not made by these scripts, and stays.")


def _remove(w: Writer, kind: str, name: str, action: str, more: Mapping[str, Value] | None = None) -> None:
    w.assign("Name", name)
    w.look(f"Get-{kind}", {"Identity": Var("Name")}, into="Found")
    with w.when(missing(Var("Found"))):
        w.say(f"{name}: not there.")
    with w.otherwise(), w.should_process(Var("Name"), action):
        w.call(f"Remove-{kind}", {"Identity": Var("Name"), "Confirm": False, **(more or {})})
        w.say(f"{name}: gone.")
