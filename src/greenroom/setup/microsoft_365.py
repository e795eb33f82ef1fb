"""Preparing Microsoft 365 for Graph: application, mailbox, scope, viewing, add-in, check, undo."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from greenroom.setup import addin, entra, mailbox, scope
from greenroom.setup.contract import Preparation
from greenroom.setup.installation import Installation, address, toml, toml_file
from greenroom.setup.microsoft_shells import GRAPH, ONLINE, Cloud, connect_exchange_online, connect_graph
from greenroom.setup.online_steps import addin_step, addin_undo_step, mailbox_step, view_step
from greenroom.setup.powershell import UnsafeValueError, Var, Writer, checked, missing, present
from greenroom.setup.steps import Step, numbered

KIND: Final = "microsoft-365"
Credential = Literal["certificate", "client-secret", "federated", "managed-identity"]
_INTRO: Final = (
    "Greenroom speaks Microsoft Graph as an application: no password, and no user who signs in. Exchange Online gives this "
    "application the calendars of one security group, in which the equipment mailbox is; in Microsoft Entra it has no permission "
    "at all, since rights there hold for every mailbox and add up with the others."
)
_UNDO: Final = (
    "Removes what these scripts made in Exchange Online, and nothing else, in the reverse order. It asks before each "
    "step."
)
_SIGNING_IN: Final[Mapping[Credential, str]] = {
    "certificate": 'certificate_file = "secrets/greenroom.pem"',
    "client-secret": 'client_secret_file = "secrets/client-secret"\n# client_secret_expires = 2027-06-30    # told ahead',
    "federated": 'federated_token_file = "/var/run/secrets/azure/tokens/azure-identity-token"',
    "managed-identity": 'managed_identity = "system"',
}
_CERTIFICATE: Final = """\
**A certificate.** Made where Greenroom runs; `greenroom.crt` is copied to where the scripts are run.

```sh
mkdir -p -m 700 secrets
openssl req -x509 -newkey rsa:3072 -sha256 -days 365 -nodes -subj "/CN=greenroom" -keyout greenroom.key -out greenroom.crt
cat greenroom.crt greenroom.key > secrets/greenroom.pem && chmod 600 secrets/greenroom.pem && rm greenroom.key
```"""
_BY_HAND: Final[Mapping[Credential, str]] = {
    "certificate": _CERTIFICATE,
    "client-secret": "**A client secret.** [Entra admin center](https://entra.microsoft.com): *App registrations*, the "
    "application, *Certificates & secrets*, *New client secret*. Copy its *Value* into `secrets/client-secret`.",
    "federated": "**Whose tokens count.** [Entra admin center](https://entra.microsoft.com): *App registrations*, the application, "
    "*Certificates & secrets*, *Federated credentials*: name the issuer and the subject of the tokens.",
    "managed-identity": "**The identity of the machine** is made in Azure: its client id and its object id stand under *Enterprise "
    "applications*, of the type *Managed Identities*.",
}
_FIRST: Final = frozenset({"certificate", "managed-identity"})
"""What the scripts themselves ask for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Microsoft365:
    """What the scripts for Microsoft 365 depend on.

    `client_id` names an application that is there already, `object_id` its enterprise application; without them one is registered,
    and asked for where it is needed. `organizers` says that organizers will be put into the scope as well. `certificate_file` is
    the public part, seen from where the scripts are run. Raises `UnsafeValueError` for what cannot be written or cannot work.
    """

    installation: Installation
    tenant: str
    cloud: Cloud = "global"
    client_id: str = ""
    object_id: str = ""
    credential: Credential = "certificate"
    certificate_file: str = "greenroom.crt"
    organizers: bool = False
    delegate: str = ""
    title: str = ""
    production: str = ""
    external: bool = False
    hidden: bool = False
    addin: bool = True

    def __post_init__(self) -> None:
        """Refuse what could not be written, before anything is."""
        for name in ("tenant", "certificate_file", "title"):
            checked(getattr(self, name), name)
        entra.guid(self.client_id, "client_id")
        entra.guid(self.object_id, "object_id")
        if self.credential == "managed-identity" and not self.client_id:
            raise UnsafeValueError("client_id", "is missing: a managed identity is made in Azure, not by a script")
        if self.delegate:
            address(self.delegate, "delegate")
        if self.addin:
            addin.host_of(self.installation.public_url)

    @property
    def application(self) -> str:
        """Name of the application in Entra."""
        return self.installation.label

    @property
    def equipment(self) -> mailbox.EquipmentMailbox:
        """The mailbox that is invited."""
        return mailbox.EquipmentMailbox(
            installation=self.installation,
            protocol="graph",
            cloud=True,
            name=self.title,
            production=self.production,
            external=self.external,
            hidden=self.hidden,
        )


def microsoft_365(parameters: Microsoft365) -> Preparation:
    """Write everything for Microsoft 365."""
    one = parameters
    ids = scope.Ids(one.client_id, one.object_id)
    undone = [
        Step("undo-exchange", "Undoing it in Exchange Online", _UNDO, ONLINE, lambda w: _undo_exchange(w, one, ids))
    ]
    undone[0].switches.update(mailbox.REMOVE_MAILBOX)
    steps = [
        mailbox_step(one.equipment, one.cloud),
        Step(
            "scope",
            "The scope",
            "RBAC for Applications: Exchange Online gives the application the calendars of the members of one security group, and "
            "of nobody else. It takes up to two hours until it counts; the test at the end tells at once what will be.",
            ONLINE,
            lambda w: _grant(w, one, ids),
        ),
    ]
    if one.credential != "managed-identity":
        steps.insert(
            0,
            Step(
                "application",
                "The application",
                "Greenroom signs in as this application. It gets no permission here: one given in Microsoft Entra would open every "
                "mailbox of the organisation.",
                GRAPH,
                lambda w: _register(w, one),
            ),
        )
        if not one.client_id:
            undone.append(
                Step(
                    "undo-application",
                    "Removing the application",
                    "Removes the application that was registered for Greenroom, after its rights in Exchange Online.",
                    GRAPH,
                    lambda w: _unregister(w, one),
                )
            )
    if one.delegate:
        steps.append(view_step(one.equipment, one.cloud, one.delegate))
    if one.addin:
        steps.append(addin_step(one.installation, one.tenant, one.cloud))
        undone.insert(0, addin_undo_step(one.installation, one.tenant, one.cloud))
    checks = [
        Step(
            "verify-application",
            "The check of the application",
            "Fails if the application has any permission over the whole organisation: the scope would restrict nothing then.",
            GRAPH,
            lambda w: _verify_application(w, one),
            changes=False,
        ),
        Step(
            "verify",
            "The check",
            "Looks at all that the scripts before it do in Exchange Online, says what is missing, and writes it to a file for the "
            "doctor.",
            ONLINE,
            lambda w: _verify(w, one, ids),
            changes=False,
        ),
    ]
    return Preparation(
        kind=KIND,
        title="Greenroom on Microsoft 365",
        intro=_INTRO,
        scripts=numbered([*steps, *checks, *undone]),
        settings=toml_file(one.installation, _settings(one))
        + (addin.entra_settings(one.installation) if one.addin else ""),
        before=(_BY_HAND[one.credential],) if one.credential in _FIRST else (),
        by_hand=_by_hand(one),
    )


def _register(w: Writer, one: Microsoft365) -> None:
    connect_graph(w, one.tenant, one.cloud, entra.MANAGE)
    certified = one.credential == "certificate"
    if certified:
        entra.read_certificate(w, one.certificate_file)
    entra.find_application(w, one.installation, one.application, one.client_id)
    if one.client_id:
        with w.when(missing(Var("application"))):
            w.stop("There is no application with the client id of greenroom.toml in this organisation.")
    else:
        keys = {"KeyCredentials": (entra.certificate_key(),)} if certified else {}
        because = {"KeyCredentials": "What the application signs in with."}
        entra.create_application(w, one.installation, one.application, keys, because)
    with w.when(present(Var("application"))):
        if certified:
            entra.upload_certificate(w, one.application)
        entra.create_principal(w, one.application, one.client_id)
        w.say("Application (client) id, which is client_id in greenroom.toml:")
        w.say(Var("application", "AppId"))
        with w.when(present(Var("principal"))):
            w.say("Object id of the enterprise application, which the script of the scope asks for:")
            w.say(Var("principal", "Id"))


def _grant(w: Writer, one: Microsoft365, ids: scope.Ids) -> None:
    connect_exchange_online(w, one.cloud)
    mailbox.find(w, one.equipment)
    w.blank()
    scope.grant(w, one.installation, ids)


def _verify_application(w: Writer, one: Microsoft365) -> None:
    connect_graph(w, one.tenant, one.cloud, entra.LOOK)
    if one.credential == "managed-identity":
        w.call("Get-MgServicePrincipal", {"Filter": f"appId eq '{one.client_id}'"}, into="principal", first=True)
    else:
        entra.find_application(w, one.installation, one.application, one.client_id)
        with w.when(missing(Var("application"))):
            w.stop("There is no such application. Run the script that registers it.")
        entra.find_principal(w, one.application, one.client_id)
    with w.when(missing(Var("principal"))):
        w.stop("There is no enterprise application of it. Run the script that registers the application.")
    entra.stop_if_tenant_wide(w)


def _verify(w: Writer, one: Microsoft365, ids: scope.Ids) -> None:
    connect_exchange_online(w, one.cloud)
    mailbox.find(w, one.equipment)
    w.blank()
    scope.verify(w, one.installation, ids, into="rights")
    w.blank()
    mailbox.export(w, one.equipment, KIND, {"rights": Var("rights")})


def _undo_exchange(w: Writer, one: Microsoft365, ids: scope.Ids) -> None:
    connect_exchange_online(w, one.cloud)
    if one.delegate:
        mailbox.take_back_delegate(w, one.equipment, one.delegate)
        w.blank()
    scope.revoke(w, one.installation, ids)
    w.blank()
    mailbox.undo(w, one.equipment)


def _unregister(w: Writer, one: Microsoft365) -> None:
    connect_graph(w, one.tenant, one.cloud, entra.MANAGE)
    entra.find_application(w, one.installation, one.application)
    entra.remove_application(w, one.application)


def _by_hand(one: Microsoft365) -> tuple[str, ...]:
    organizers = (
        f"**Organizers.** Put those whose meetings Greenroom may write to into the group `{scope.group(one.installation)}`, as "
        "direct members: everybody who is invited then gets the joining instructions. For others they travel in the reply, to the "
        "organizer alone."
    )
    pushed = addin.by_hand_online(one.installation) if one.addin else ()
    credential = () if one.credential in _FIRST else (_BY_HAND[one.credential],)
    return (*credential, *((organizers,) if one.organizers else ()), *pushed)


def _settings(one: Microsoft365) -> str:
    known = f"client_id = {toml(one.client_id)}\n" if one.client_id else _UNKNOWN
    cloud = "" if one.cloud == "global" else f"cloud = {toml(one.cloud)}\n"
    update = "" if one.organizers else "update_organizers = false    # instructions travel in the reply\n"
    return (
        f'[integration.exchange]\nprotocol = "graph"\ntenant = {toml(one.tenant)}\n{known}{_SIGNING_IN[one.credential]}\n'
        f"{cloud}{update}"
    )


_UNKNOWN: Final = f'client_id = "{entra.NO_ID}"    # the one that the script of the application tells\n'
