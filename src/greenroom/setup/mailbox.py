"""The equipment mailbox, in commands that every kind of installation shares: create, configure, view, export, undo."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from greenroom.setup.calendar_processing import Gravity, Protocol, Setpoint, Setting, existing, needed
from greenroom.setup.installation import Installation
from greenroom.setup.powershell import Switch, UnsafeValueError, Value, Var, Writer, both, is_, is_not, missing, present

FACTS: Final = "greenroom-facts.json"
"""Where the check writes what it found, in the folder in which it is run."""
FACTS_VERSION: Final = 1
FULL: Final = ("AccessRights", "FullAccess")
"""Which of somebody's rights over a mailbox opens it: they may have lesser ones. One of several is enough for `-eq`."""
_MARK: Final = "CustomAttribute1"
_SENDING: Final = (
    "RequireSenderAuthenticationEnabled",
    "ModerationEnabled",
    "RecipientLimits",
    "ForwardingSmtpAddress",
    "DeliverToMailboxAndForward",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EquipmentMailbox:
    """The mailbox that is invited, and what shall be so about it.

    `production` is the address of the production installation, where one is known: a test installation never gets the same.
    `external` lets people of other organisations invite it, `hidden` leaves it out of address lists. Raises `UnsafeValueError`
    for what cannot be.
    """

    installation: Installation
    protocol: Protocol
    cloud: bool
    name: str = ""
    production: str = ""
    external: bool = False
    hidden: bool = False
    processing: Literal["AutoUpdate", "None"] = "AutoUpdate"
    language: str = "en-US"
    time_zone: str = "UTC"

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if self.installation.environment == "test" and self.address.casefold() == self.production.casefold():
            raise UnsafeValueError("mailbox", "is that of production: a test installation needs a mailbox of its own")
        if self.processing == "None" and self.protocol == "graph":
            raise UnsafeValueError("processing", "is None: over Graph there would be nothing in the calendar to answer")

    @property
    def address(self) -> str:
        """Its primary address."""
        return self.installation.mailbox

    @property
    def mark(self) -> str:
        """What says in the mailbox whose it is."""
        return self.installation.mark

    @property
    def title(self) -> str:
        """What people see. A name of one's own gets the environment only where that is not production."""
        if not self.name:
            return self.installation.label
        environment = self.installation.environment
        return self.name if environment == "production" else f"{self.name} ({environment})"

    def settings(self) -> dict[str, tuple[Setting, Setpoint]]:
        """Return every setting that exists here and matters, with the value it needs."""
        return {
            setting.name: (
                setting,
                needed(setting, protocol=self.protocol, external=self.external, processing=self.processing),
            )
            for setting in existing(cloud=self.cloud)
            if setting.gravity is not Gravity.NONE
        }


def find(writer: Writer, mailbox: EquipmentMailbox) -> None:
    """Look the mailbox up into `$mailbox`, and stop unless it is there, of the right kind, and this installation's."""
    writer.look("Get-Mailbox", {"Identity": mailbox.address}, into="mailbox")
    with writer.when(missing(Var("mailbox"))):
        writer.stop("There is no such mailbox yet. Run the script that creates the equipment mailbox first.")
    stop_if_foreign(writer, mailbox)


def stop_if_foreign(writer: Writer, mailbox: EquipmentMailbox) -> None:
    """Stop if `$mailbox` is of another kind, is found by a second address, or carries another installation's mark."""
    with writer.when(is_not(Var("mailbox", "PrimarySmtpAddress"), mailbox.address)):
        writer.stop(
            "This is a second address of another mailbox. Choose an address of its own, or name the primary one."
        )
    with writer.when(is_not(Var("mailbox", "RecipientTypeDetails"), "EquipmentMailbox")):
        writer.stop("This mailbox is no equipment mailbox. Greenroom needs one of its own: choose another address.")
    marked = is_not(Var("mailbox", _MARK), ""), is_not(Var("mailbox", _MARK), None)
    with writer.when(both(*marked, is_not(Var("mailbox", _MARK), mailbox.mark))):
        writer.stop(
            f"This mailbox carries the mark of something else in {_MARK}: every installation of Greenroom needs a mailbox of its "
            "own. Choose another address."
        )


def create(writer: Writer, mailbox: EquipmentMailbox) -> None:
    """Create the mailbox unless it is there, and mark it as this installation's."""
    parameters: dict[str, Value] = {
        "Equipment": Switch(),
        "Name": mailbox.title,
        "DisplayName": mailbox.title,
        "PrimarySmtpAddress": mailbox.address,
    }
    with (
        writer.unless_exists("Get-Mailbox", {"Identity": mailbox.address}, into="mailbox"),
        writer.should_process(mailbox.address, "Create the equipment mailbox"),
    ):
        writer.splat("parameters", parameters)
        writer.call("New-Mailbox", splat="parameters", into="mailbox")
        writer.say("The mailbox is created.")
    with writer.otherwise():
        writer.say("The mailbox is there already.")
    writer.blank()
    writer.comment("With -WhatIf there is no mailbox yet to go on with.")
    with writer.when(present(Var("mailbox"))):
        stop_if_foreign(writer, mailbox)
        writer.comment("The mark tells whose mailbox this is: scripts of another installation stop when they see it.")
        wanted: dict[str, Value] = {
            _MARK: mailbox.mark,
            "DisplayName": mailbox.title,
            "HiddenFromAddressListsEnabled": mailbox.hidden,
            "RequireSenderAuthenticationEnabled": not mailbox.external,
        }
        _correct(writer, "Set-Mailbox", mailbox, "mailbox", wanted, action="Mark and name the mailbox")


def configure(writer: Writer, mailbox: EquipmentMailbox) -> None:
    """Set calendar processing, language and time zone, and EWS where it is spoken. `$mailbox` was found."""
    writer.comment(
        "Calendar processing. What is set only for AutoAccept is set as well: somebody may switch that back on."
    )
    writer.call("Get-CalendarProcessing", {"Identity": mailbox.address}, into="processing")
    settings = mailbox.settings()
    _correct(
        writer,
        "Set-CalendarProcessing",
        mailbox,
        "processing",
        {name: need for name, (_setting, need) in settings.items()},
        action="Set how invitations are processed",
        because={name: setting.why for name, (setting, _need) in settings.items()},
    )
    writer.blank()
    writer.comment("A resource mailbox has no language and no time zone of its own until they are set.")
    writer.call("Get-MailboxRegionalConfiguration", {"Identity": mailbox.address}, into="regional")
    _correct(
        writer,
        "Set-MailboxRegionalConfiguration",
        mailbox,
        "regional",
        {"Language": mailbox.language, "TimeZone": mailbox.time_zone},
        action="Set language and time zone",
        besides={"DateFormat": None, "TimeFormat": None, "LocalizeDefaultFolderName": Switch()},
    )
    if mailbox.protocol == "ews":
        writer.blank()
        writer.comment("Greenroom reads the mailbox over Exchange Web Services.")
        writer.call("Get-CASMailbox", {"Identity": mailbox.address}, into="access")
        _correct(
            writer, "Set-CASMailbox", mailbox, "access", {"EwsEnabled": True}, action="Let the mailbox be read over EWS"
        )


def delegate(writer: Writer, mailbox: EquipmentMailbox, person: str) -> None:
    """Let a person open the mailbox in Outlook, to look what is in it."""
    rights: dict[str, Value] = {"Identity": mailbox.address, "User": person}
    with (
        writer.unless_exists("Get-MailboxPermission", rights, into="permission", where=FULL),
        writer.should_process(mailbox.address, "Let the delegate open the mailbox"),
    ):
        writer.splat("parameters", {**rights, "AccessRights": ("FullAccess",), "AutoMapping": False})
        writer.call("Add-MailboxPermission", splat="parameters")
        writer.say("The delegate may open the mailbox: in Outlook on the web with Open another mailbox.")
    with writer.otherwise():
        writer.say("The delegate may open the mailbox already.")


def take_back_delegate(writer: Writer, mailbox: EquipmentMailbox, person: str) -> None:
    """Undo `delegate`."""
    rights: dict[str, Value] = {"Identity": mailbox.address, "User": person}
    writer.look("Get-MailboxPermission", rights, into="permission", where=FULL, first=True)
    with (
        writer.when(present(Var("permission"))),
        writer.should_process(mailbox.address, "Take from the delegate the right to open the mailbox"),
    ):
        writer.splat("parameters", {**rights, "AccessRights": ("FullAccess",), "Confirm": False})
        writer.call("Remove-MailboxPermission", splat="parameters")
        writer.say("The delegate may not open the mailbox any more.")


REMOVE_MAILBOX: Final = {
    "RemoveMailbox": "Removes the mailbox itself, with its account and everything in its calendar. Without it the mailbox "
    "stays as it is, and only the mark is taken off."
}
"""The switch of the script that undoes all, for `Writer.header`."""


def undo(writer: Writer, mailbox: EquipmentMailbox) -> None:
    """Take the mark off, or remove the mailbox where the script's switch says so."""
    writer.look("Get-Mailbox", {"Identity": mailbox.address}, into="mailbox")
    with writer.when(missing(Var("mailbox"))):
        writer.say("The mailbox is gone already.")
    with writer.otherwise():
        stop_if_foreign(writer, mailbox)
        with writer.when(is_not(Var("mailbox", _MARK), mailbox.mark)):
            writer.say("The mailbox does not carry the mark of this installation, and stays as it is.")
        with writer.otherwise():
            with (
                writer.when(is_(Var("RemoveMailbox"), True)),
                writer.should_process(mailbox.address, "Remove the mailbox with everything in it"),
            ):
                writer.call("Remove-Mailbox", {"Identity": mailbox.address, "Confirm": False})
                writer.say("The mailbox is removed.")
            with (
                writer.otherwise(),
                writer.should_process(mailbox.address, "Take the mark of this installation off"),
            ):
                writer.call("Set-Mailbox", {"Identity": mailbox.address, _MARK: None})
                writer.say("The mailbox stays. Its settings stay as well: they do no harm.")


def export(writer: Writer, mailbox: EquipmentMailbox, kind: str, more: Mapping[str, Value] | None = None) -> None:
    """Write what is set into a file that `greenroom doctor --facts` reads. `$mailbox` was found; `more` are further parts."""
    address: Mapping[str, Value] = {"Identity": mailbox.address}
    calendar = [setting.name for setting in existing(cloud=mailbox.cloud)]
    writer.comment("Everything that says how the mailbox is set, for the doctor.")
    writer.call("Get-CalendarProcessing", address, into="calendar", select=calendar)
    writer.call("Get-MailboxRegionalConfiguration", address, into="regional")
    writer.comment("Language is an object of many parts, of which only its name is of use.")
    writer.assign("language", "another")
    with writer.when(is_(Var("regional", "Language"), mailbox.language)):
        writer.assign("language", mailbox.language)
    writer.call("Get-CASMailbox", address, into="access", select=("EwsEnabled",))
    parts: dict[str, Value] = {
        "greenroom": FACTS_VERSION,
        "kind": kind,
        "mailbox": {
            "address": Var("mailbox", "PrimarySmtpAddress"),
            "DisplayName": Var("mailbox", "DisplayName"),
            _MARK: Var("mailbox", _MARK),
            "RecipientTypeDetails": Var("mailbox", "RecipientTypeDetails"),
            "HiddenFromAddressListsEnabled": Var("mailbox", "HiddenFromAddressListsEnabled"),
        },
        "calendar": Var("calendar"),
        "regional": {"Language": Var("language"), "TimeZone": Var("regional", "TimeZone")},
        "cas": Var("access"),
        **(more or {}),
        "sending": {name: Var("mailbox", name) for name in _SENDING},
    }
    writer.splat("facts", parts)
    writer.write_json(Var("facts"), FACTS)
    writer.say(f"Written to {FACTS}. Copy it to Greenroom and run: greenroom doctor --facts {FACTS}")


def _correct(
    writer: Writer,
    cmdlet: str,
    mailbox: EquipmentMailbox,
    holder: str,
    wanted: Mapping[str, Value],
    *,
    action: str,
    because: Mapping[str, str] | None = None,
    besides: Mapping[str, Value] | None = None,
) -> None:
    """Compare what `holder` has with what is wanted, and call the cmdlet if anything differs. `besides` is set along with it."""
    writer.splat("wanted", {"Identity": mailbox.address, **wanted, **(besides or {})}, because)
    writer.assign("differs", False)
    for name in wanted:
        with writer.when(is_not(Var(holder, name), Var("wanted", name))):
            writer.say(f"{name} is to be changed.")
            writer.assign("differs", True)
    with (
        writer.when(is_(Var("differs"), True)),
        writer.should_process(mailbox.address, action),
    ):
        writer.call(cmdlet, splat="wanted")
        writer.say(f"{action}: done.")
    with writer.otherwise():
        writer.say(f"{action}: nothing to change.")
