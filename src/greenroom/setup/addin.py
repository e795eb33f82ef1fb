"""Deploying the Outlook add-in: who its people are (Entra), and how it gets into Outlook."""

import re
from typing import Final
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

from greenroom.setup.entra import MANAGE, create_application, create_principal, find_application, remove_application
from greenroom.setup.installation import Installation
from greenroom.setup.microsoft_shells import Cloud, connect_graph
from greenroom.setup.powershell import (
    Joined,
    Switch,
    UnsafeValueError,
    Value,
    Var,
    Writer,
    given,
    lacks,
    missing,
    present,
)

SCOPE: Final = "Alias.Request"
MANIFEST: Final = "greenroom-addin.xml"
REPLACE: Final = {
    "Replace": "Takes the add-in that is installed away first, so that a new manifest can take its place."
}
"""The switch of the script that installs, for `Writer.header`."""
_HOST: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(?::[0-9]{1,5})?")
_APPLICATION: Final = Var("application")


def host_of(public_url: str) -> str:
    """Return the host, with its port if it has one, where the add-in's pages are. Raises `UnsafeValueError`."""
    parts = urlsplit(public_url)
    if parts.scheme != "https" or not _HOST.fullmatch(parts.netloc):
        raise UnsafeValueError("public_url", "is no https address, without which Outlook shows no add-in")
    return parts.netloc


def application_name(installation: Installation) -> str:
    """Name of the add-in's application in Entra."""
    return f"{installation.label} add-in"


def register(writer: Writer, installation: Installation, tenant: str, cloud: Cloud) -> None:
    """Register the application by which Outlook tells who somebody is (nested app authentication)."""
    host, name = host_of(installation.public_url), application_name(installation)
    scope = str(uuid5(NAMESPACE_URL, f"https://{host}#{SCOPE}"))
    api: dict[str, Value] = {
        "RequestedAccessTokenVersion": 2,
        "Oauth2PermissionScopes": (
            {
                "Id": scope,
                "Value": SCOPE,
                "Type": "User",
                "IsEnabled": True,
                "AdminConsentDisplayName": "Ask for a room",
                "AdminConsentDescription": "Lets the Outlook add-in ask Greenroom for a room for a meeting.",
                "UserConsentDisplayName": "Ask for a room",
                "UserConsentDescription": "Lets the Outlook add-in ask Greenroom for a room for a meeting.",
            },
        ),
    }
    connect_graph(writer, tenant, cloud, MANAGE)
    find_application(writer, installation, name)
    create_application(
        writer,
        installation,
        name,
        {"Spa": {"RedirectUris": (f"brk-multihub://{host}",)}, "Api": api},
        {
            "Spa": "Outlook itself brings the answer back: the host alone, without a path.",
            "Api": "What the add-in may ask for, and nothing of Microsoft's. Users may consent to it themselves.",
        },
    )
    with writer.when(present(_APPLICATION)):
        writer.comment("The address of the API has the application's own id in it, which is only known now.")
        writer.assign("uri", Joined((f"api://{host}", Var("application", "AppId")), "/"))
        with (
            writer.when(lacks(Var("application", "IdentifierUris"), Var("uri"))),
            writer.should_process(name, "Set the address of its API, and let it call it without consent"),
        ):
            own: Value = ({"AppId": Var("application", "AppId"), "DelegatedPermissionIds": (scope,)},)
            wanted: dict[str, Value] = {
                "ApplicationId": Var("application", "Id"),
                "IdentifierUris": (Var("uri"),),
                "Api": {**api, "PreAuthorizedApplications": own},
            }
            writer.splat("wanted", wanted, {"Api": "The add-in is let in ahead, so that nobody is asked for consent."})
            writer.call("Update-MgApplication", splat="wanted")
        with writer.otherwise():
            writer.say("The address of its API is set already.")
        create_principal(writer, name)
        writer.say("For [integration.addin.entra] in greenroom.toml, client_id and application_id_uri:")
        writer.say(Var("application", "AppId"))
        writer.say(Var("uri"))
        writer.call("Get-MgContext", into="context")
        writer.say("and tenants:")
        writer.say(Var("context", "TenantId"))


def unregister(writer: Writer, installation: Installation, tenant: str, cloud: Cloud) -> None:
    """Undo `register`."""
    name = application_name(installation)
    connect_graph(writer, tenant, cloud, MANAGE)
    find_application(writer, installation, name)
    remove_application(writer, name)


def entra_settings(installation: Installation) -> str:
    """Return what the configuration needs for the add-in, as comments: its ids are only known when it is registered."""
    return f"""
# The add-in for Outlook, when its script was run:
# [integration.addin]
# [integration.addin.entra]
# tenants = ["00000000-0000-0000-0000-000000000000"]
# client_id = "00000000-0000-0000-0000-000000000000"
# application_id_uri = "api://{host_of(installation.public_url)}/00000000-0000-0000-0000-000000000000"
"""


def by_hand_online(installation: Installation) -> tuple[str, ...]:
    """Return how the add-in gets into everybody's Outlook in Microsoft 365: no command does it for all clients."""
    return (
        (
            "**The add-in for everybody.** `greenroom addin manifest --profile exchange-online "
            f"--integration {installation.name} -o {MANIFEST}`. Then the [Microsoft 365 admin "
            "center](https://admin.microsoft.com), *Settings*, *Integrated apps*, *Upload custom apps*. It can take a day until "
            "everybody has it. `New-App` works there, too, but phones never show what it installs."
        ),
    )


def install_on_server(writer: Writer, app_id: str, manifest: str = MANIFEST) -> None:
    """Install the manifest for everybody on an Exchange Server. `app_id` is the manifest's own id; `$Replace` the switch above.

    Exchange Management Shell is Windows PowerShell, where `-Encoding Byte -Raw` reads a file as bytes.
    """
    organisation: dict[str, Value] = {"OrganizationApp": Switch()}
    writer.look("Get-App", organisation, into="app", where=("AppId", app_id), first=True)
    with (
        writer.when(given(Var("Replace"))),
        writer.when(present(Var("app"))),
        writer.should_process(manifest, "Take the installed add-in away"),
    ):
        writer.call("Remove-App", {**organisation, "Identity": app_id, "Confirm": False})
        writer.assign("app", None)
    with writer.when(missing(Var("app"))):
        writer.call("Get-Content", {"LiteralPath": manifest, "Encoding": "Byte", "Raw": Switch()}, into="manifest")
        with writer.should_process(manifest, "Install the add-in for everybody"):
            wanted: dict[str, Value] = {
                **organisation,
                "FileData": Var("manifest"),
                "ProvidedTo": "Everyone",
                "DefaultStateForUser": "Enabled",
            }
            writer.splat("wanted", wanted)
            writer.call("New-App", splat="wanted")
            writer.say("The add-in is installed. Outlook shows it when it is started the next time.")
    with writer.otherwise():
        writer.say("The add-in is installed already. Run with -Replace to bring a new manifest.")


def remove_from_server(writer: Writer, app_id: str) -> None:
    """Undo `install_on_server`."""
    organisation: dict[str, Value] = {"OrganizationApp": Switch()}
    writer.look("Get-App", organisation, into="app", where=("AppId", app_id), first=True)
    with writer.when(present(Var("app"))), writer.should_process(app_id, "Remove the add-in"):
        writer.call("Remove-App", {**organisation, "Identity": app_id, "Confirm": False})
    with writer.otherwise():
        writer.say("The add-in is not installed.")
