"""Which applications Exchange Online lets speak EWS, until it lets none: a list of the whole organisation.

The list is one text and is written as a whole, so that what is in it is always read first. With EwsEnabled true and an empty list
all of EWS is blocked; with EwsEnabled false all of it is, whatever the list says:
https://learn.microsoft.com/powershell/module/exchangepowershell/set-organizationconfig
"""

from typing import Final

from greenroom.setup.powershell import (
    Joined,
    Split,
    Switch,
    Value,
    Var,
    Writer,
    either,
    holds,
    is_,
    is_not,
    lacks,
    negated,
)

_CLIENT: Final = Var("clientId")
_ORGANISATION: Final = Var("organisation")
_LISTED: Final = Split(Var("organisation", "EwsAllowedAppIDs"))


def allow(writer: Writer) -> None:
    """Add the application to the list, then switch EWS on for what is in it. `$clientId` is known."""
    _read(writer)
    with writer.when(holds(_LISTED, _CLIENT)):
        writer.say("The application is among those that may speak EWS already.")
    with writer.otherwise():
        _others(writer)
        with writer.when(is_(Var("others"), "")):
            writer.assign("all", _CLIENT)
        with writer.otherwise():
            writer.assign("all", Joined((Var("others"), _CLIENT), ","))
        with writer.should_process("EwsAllowedAppIDs", "Add the application to those that may speak EWS"):
            writer.call("Set-OrganizationConfig", {"EwsAllowedAppIDs": Var("all")})
            writer.say("The application may speak EWS, in a day at the latest.")
    with (
        writer.when(is_not(Var("organisation", "EwsEnabled"), True)),
        writer.should_process("EwsEnabled", "Switch EWS on, for the applications in the list alone"),
    ):
        writer.call("Set-OrganizationConfig", {"EwsEnabled": True})
        writer.say("EWS is on for the applications in the list.")


def disallow(writer: Writer) -> None:
    """Take the application out of the list. Where it was the only one, EWS is switched off: an empty list might let in all."""
    _read(writer)
    with writer.when(lacks(_LISTED, _CLIENT)):
        writer.say("The application is not among those that may speak EWS.")
    with writer.otherwise():
        _others(writer)
        with (
            writer.when(is_(Var("others"), "")),
            writer.should_process("EwsEnabled", "Switch EWS off, for Greenroom was the last that spoke it"),
        ):
            writer.call("Set-OrganizationConfig", {"EwsEnabled": False})
            writer.call("Set-OrganizationConfig", {"EwsAllowedAppIDs": None})
        with (
            writer.when(is_not(Var("others"), "")),
            writer.should_process("EwsAllowedAppIDs", "Take the application out of those that may speak EWS"),
        ):
            writer.call("Set-OrganizationConfig", {"EwsAllowedAppIDs": Var("others")})


def verify(writer: Writer) -> Value:
    """Warn of what is missing, and return what belongs into the file for the doctor."""
    _read(writer)
    off = is_not(Var("organisation", "EwsEnabled"), True)
    with writer.when(either(off, negated(holds(_LISTED, _CLIENT)))):
        writer.warn("Exchange Online does not let this application speak EWS. Run the script that allows it.")
    with writer.otherwise():
        writer.say("Good: Exchange Online lets this application speak EWS, until 2027-04-01.")
    return {
        "EwsEnabled": Var("organisation", "EwsEnabled"),
        "EwsAllowedAppIDs": Var("organisation", "EwsAllowedAppIDs"),
    }


def _read(writer: Writer) -> None:
    writer.call("Get-OrganizationConfig", {"RetrieveEwsOperationAccessPolicy": Switch()}, into=_ORGANISATION.name)


def _others(writer: Writer) -> None:
    """Put into `$others` all that are in the list besides this application, as one text."""
    with (
        writer.each("id", _LISTED, into="kept"),
        writer.when(negated(either(is_(Var("id"), _CLIENT), is_(Var("id"), "")))),
    ):
        writer.emit(Var("id"))
    writer.assign("others", Joined(Var("kept"), ","))
