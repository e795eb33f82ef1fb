"""Applications in Microsoft Entra: find, create, remove, and look that one has no right over the whole organisation."""

import re
from collections.abc import Mapping
from typing import Final

from greenroom.setup.installation import Installation
from greenroom.setup.microsoft_shells import named
from greenroom.setup.powershell import Switch, UnsafeValueError, Value, Var, Writer, is_, missing, present

MANAGE: Final = ("Application.ReadWrite.All",)
LOOK: Final = ("Application.Read.All",)
NO_ID: Final = "00000000-0000-0000-0000-000000000000"
"""Stands in a configuration until the id is known."""
_GUID: Final = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_APPLICATION: Final = Var("application")
_PRINCIPAL: Final = Var("principal")


def guid(value: str, parameter: str) -> str:
    """Return an id as it is (nothing is an id that is not known yet), or raise `UnsafeValueError`."""
    if value and not _GUID.fullmatch(value):
        raise UnsafeValueError(parameter, "is no GUID such as 11111111-2222-3333-4444-555555555555")
    return value


def note(installation: Installation) -> str:
    """What an application made for this installation says in its notes, since any number may have the same name."""
    return f"{installation.label}, {installation.mailbox}"


def find_application(writer: Writer, installation: Installation, name: str, client_id: str = "") -> None:
    """Look the application up into `$application`: by its id where that is known, else by name and note.

    A filter that finds nothing is no failure, so that a failure ends the script: it must not lead to a second application.
    """
    if client_id:
        by_id: dict[str, Value] = {"Filter": f"appId eq '{guid(client_id, 'client_id')}'"}
        writer.call("Get-MgApplication", by_id, into="application", first=True)
    else:
        by_name: dict[str, Value] = {"Filter": named(name), "All": Switch()}
        writer.call("Get-MgApplication", by_name, into="application", where=("Notes", note(installation)), first=True)


def create_application(
    writer: Writer, installation: Installation, name: str, parameters: Mapping[str, Value], because: Mapping[str, str]
) -> None:
    """Create the application unless `$application` was found. Accounts of this organisation alone can use it."""
    wanted: dict[str, Value] = {
        "DisplayName": name,
        "Notes": note(installation),
        "SignInAudience": "AzureADMyOrg",
        **parameters,
    }
    with writer.when(missing(_APPLICATION)), writer.should_process(name, "Register the application"):
        writer.splat("wanted", wanted, because)
        writer.call("New-MgApplication", splat="wanted", into="application")
        writer.say("The application is registered.")
    with writer.otherwise():
        writer.say("The application is registered already.")
    writer.blank()


def find_principal(writer: Writer, name: str, client_id: str = "") -> None:
    """Look up into `$principal` what stands for `$application` in this organisation."""
    by: dict[str, Value] = (
        {"Filter": f"appId eq '{client_id}'"} if client_id else {"Filter": named(name), "All": Switch()}
    )
    writer.call(
        "Get-MgServicePrincipal", by, into="principal", where=("AppId", Var("application", "AppId")), first=True
    )


def create_principal(writer: Writer, name: str, client_id: str = "") -> None:
    """Make the application known to this organisation, as an enterprise application, unless it is."""
    find_principal(writer, name, client_id)
    with writer.when(missing(_PRINCIPAL)), writer.should_process(name, "Add the enterprise application"):
        writer.call("New-MgServicePrincipal", {"AppId": Var("application", "AppId")}, into="principal")
        writer.say("The enterprise application is added.")
    with writer.otherwise():
        writer.say("The enterprise application is there already.")


def read_certificate(writer: Writer, file: str) -> None:
    """Read the certificate into `$certificate`. It is the public part alone."""
    writer.comment("The certificate alone, without its key: the key stays where Greenroom runs.")
    writer.call("Get-PfxCertificate", {"FilePath": file}, into="certificate")
    with writer.when(is_(Var("certificate", "HasPrivateKey"), True)):
        writer.stop("This file has the private key in it. Take the .crt file: the key belongs to Greenroom alone.")
    writer.blank()


def certificate_key() -> Value:
    """Return `$certificate` as Entra takes it. Its thumbprint is its name, so that it is known again."""
    return {
        "Type": "AsymmetricX509Cert",
        "Usage": "Verify",
        "Key": Var("certificate", "RawData"),
        "DisplayName": Var("certificate", "Thumbprint"),
    }


def upload_certificate(writer: Writer, name: str) -> None:
    """Upload `$certificate` to an application that has none. Beside another one it is uploaded by hand.

    Update-MgApplication replaces all certificates, and Entra does not give the others back to be sent again.
    """
    writer.assign("uploaded", False)
    writer.assign("others", False)
    with writer.each("key", Var("application", "KeyCredentials")):
        with writer.when(is_(Var("key", "DisplayName"), Var("certificate", "Thumbprint"))):
            writer.assign("uploaded", True)
        with writer.otherwise():
            writer.assign("others", True)
    with writer.when(is_(Var("uploaded"), True)):
        writer.say("The certificate is uploaded already.")
    with writer.otherwise():
        with writer.when(is_(Var("others"), True)):
            writer.warn(
                "The application has another certificate, which an upload from here would replace. Upload the new one beside it: "
                "Entra admin center, App registrations, Certificates & secrets."
            )
        with writer.otherwise(), writer.should_process(name, "Upload the certificate"):
            keys: dict[str, Value] = {
                "ApplicationId": Var("application", "Id"),
                "KeyCredentials": (certificate_key(),),
            }
            writer.splat("wanted", keys)
            writer.call("Update-MgApplication", splat="wanted")
            writer.say("The certificate is uploaded.")


def remove_application(writer: Writer, name: str) -> None:
    """Remove `$application` if it was found, and with it its enterprise application."""
    with writer.when(missing(_APPLICATION)):
        writer.say("The application is gone already.")
    with writer.otherwise(), writer.should_process(name, "Remove the application"):
        writer.call("Remove-MgApplication", {"ApplicationId": Var("application", "Id"), "Confirm": False})
        writer.say("The application is removed. For 30 days it can be restored in the Entra admin center.")


def stop_if_tenant_wide(writer: Writer) -> None:
    """Stop if `$principal` has any permission of its own in Entra: rights add up, and it would hold everywhere."""
    asked: dict[str, Value] = {"ServicePrincipalId": Var("principal", "Id"), "All": Switch()}
    writer.call("Get-MgServicePrincipalAppRoleAssignment", asked, into="grants")
    with writer.when(present(Var("grants"))):
        with writer.each("grant", Var("grants")):
            writer.warn(Var("grant", "ResourceDisplayName"))
        writer.stop(
            "This application has permissions over the whole organisation, in what is named above: the scope in Exchange restricts "
            "nothing. Remove them in the Entra admin center: Enterprise applications, Permissions, Review permissions."
        )
    writer.say("Good: the application has no permission over the whole organisation.")
