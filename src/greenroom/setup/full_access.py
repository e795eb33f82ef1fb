"""An account that opens the equipment mailbox by full access to it, and answers in its name."""

from greenroom.setup.mailbox import FULL, EquipmentMailbox
from greenroom.setup.powershell import Value, Var, Writer, missing, present


def grant(writer: Writer, mailbox: EquipmentMailbox, account: str) -> None:
    """Give both rights, unless the account has them."""
    opening, sending = _opening(mailbox, account), _sending(mailbox, account)
    with (
        writer.unless_exists("Get-MailboxPermission", opening, into="access", where=FULL),
        writer.should_process(account, "Let the account open the equipment mailbox"),
    ):
        writer.splat("wanted", {**opening, "AccessRights": ("FullAccess",), "AutoMapping": False})
        writer.call("Add-MailboxPermission", splat="wanted")
        writer.say("The account may open the equipment mailbox now.")
    with writer.otherwise():
        writer.say("The account may open the equipment mailbox already.")
    with (
        writer.unless_exists("Get-RecipientPermission", sending, into="name"),
        writer.should_process(account, "Let the account answer as the equipment mailbox"),
    ):
        writer.splat("wanted", {**sending, "AccessRights": ("SendAs",), "Confirm": False})
        writer.call("Add-RecipientPermission", splat="wanted")
        writer.say("The account may answer as the equipment mailbox now.")
    with writer.otherwise():
        writer.say("The account may answer as the equipment mailbox already.")


def verify(writer: Writer, mailbox: EquipmentMailbox, account: str, *, into: str) -> None:
    """Warn of a right that is missing, and collect those that are there in a variable."""
    writer.look("Get-MailboxPermission", _opening(mailbox, account), into="access", where=FULL, first=True)
    writer.look("Get-RecipientPermission", _sending(mailbox, account), into="name")
    with writer.when(missing(Var("access"))):
        writer.warn("The account may not open the equipment mailbox. Run the script of its rights.")
    with writer.when(missing(Var("name"))):
        writer.warn("The account may not answer as the equipment mailbox. Run the script of its rights.")
    with (
        writer.each("right", (Var("access"), Var("name")), into=into),
        writer.when(present(Var("right"))),
        writer.each("role", Var("right", "AccessRights")),
    ):
        writer.emit({"role": Var("role"), "assignee": account, "scope": mailbox.address})


def revoke(writer: Writer, mailbox: EquipmentMailbox, account: str) -> None:
    """Undo `grant`."""
    opening, sending = _opening(mailbox, account), _sending(mailbox, account)
    writer.look("Get-RecipientPermission", sending, into="name")
    with (
        writer.when(present(Var("name"))),
        writer.should_process(account, "Take from the account the right to answer as the equipment mailbox"),
    ):
        writer.splat("gone", {**sending, "AccessRights": ("SendAs",), "Confirm": False})
        writer.call("Remove-RecipientPermission", splat="gone")
    writer.look("Get-MailboxPermission", opening, into="access", where=FULL, first=True)
    with (
        writer.when(present(Var("access"))),
        writer.should_process(account, "Take from the account the right to open the equipment mailbox"),
    ):
        writer.splat("gone", {**opening, "AccessRights": ("FullAccess",), "Confirm": False})
        writer.call("Remove-MailboxPermission", splat="gone")


def _opening(mailbox: EquipmentMailbox, account: str) -> dict[str, Value]:
    return {"Identity": mailbox.address, "User": account}


def _sending(mailbox: EquipmentMailbox, account: str) -> dict[str, Value]:
    return {"Identity": mailbox.address, "Trustee": account}
