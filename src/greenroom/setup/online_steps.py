"""Steps that every kind of installation on Microsoft 365 has: the mailbox, who may look into it, the add-in."""

from greenroom.setup import addin, mailbox
from greenroom.setup.installation import Installation
from greenroom.setup.microsoft_shells import GRAPH, ONLINE, Cloud, connect_exchange_online
from greenroom.setup.powershell import Var, Writer, present
from greenroom.setup.steps import Step


def mailbox_step(equipment: mailbox.EquipmentMailbox, cloud: Cloud) -> Step:
    """Return the step that creates and configures the mailbox."""

    def write(w: Writer) -> None:
        connect_exchange_online(w, cloud)
        mailbox.create(w, equipment)
        w.blank()
        with w.when(present(Var("mailbox"))):
            mailbox.configure(w, equipment)

    why = (
        "People invite this mailbox, as they would invite a projector, and get a room for their meeting. It is created if it is "
        "not there, marked as this installation's, and every setting gets the value that Greenroom needs."
    )
    return Step("equipment-mailbox", "The equipment mailbox", why, ONLINE, write)


def view_step(equipment: mailbox.EquipmentMailbox, cloud: Cloud, delegate: str) -> Step:
    """Return the step that lets a delegate open the mailbox."""

    def write(w: Writer) -> None:
        connect_exchange_online(w, cloud)
        mailbox.find(w, equipment)
        w.blank()
        mailbox.delegate(w, equipment, delegate)

    why = "A person who may open the equipment mailbox in Outlook sees what Greenroom sees. Greenroom does not need it."
    return Step("view-mailbox", "Looking into the mailbox", why, ONLINE, write)


def addin_step(installation: Installation, tenant: str, cloud: Cloud) -> Step:
    """Return the step that registers the add-in."""
    why = (
        "The add-in's button in Outlook proves who presses it by nested app authentication, for which Microsoft Entra has to know "
        "it. Installing it is done by hand."
    )
    return Step("add-in", "The add-in", why, GRAPH, lambda w: addin.register(w, installation, tenant, cloud))


def addin_undo_step(installation: Installation, tenant: str, cloud: Cloud) -> Step:
    """Return the step that takes that back."""
    why = "Removes the add-in's application. Take it out of Integrated apps in the Microsoft 365 admin center first."
    return Step(
        "undo-add-in", "Removing the add-in", why, GRAPH, lambda w: addin.unregister(w, installation, tenant, cloud)
    )
