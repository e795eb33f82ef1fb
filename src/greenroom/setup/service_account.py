"""Preparing Microsoft 365 for the old way, while it lasts: EWS, signed in as an account once and by hand."""

from dataclasses import dataclass
from typing import Final

from greenroom.setup import addin, entra, ews_allowed, full_access, mailbox
from greenroom.setup.contract import Preparation
from greenroom.setup.installation import Installation, address, toml, toml_file
from greenroom.setup.microsoft_shells import GRAPH, ONLINE, Cloud, connect_exchange_online, connect_graph
from greenroom.setup.online_steps import addin_step, addin_undo_step, mailbox_step, view_step
from greenroom.setup.powershell import Switch, Value, Var, Writer, both, checked, is_, is_not, missing, present
from greenroom.setup.scope import Ids, ask_client
from greenroom.setup.steps import Step, numbered

KIND: Final = "microsoft-365-service-account"
BLOCKED: Final = "2026-10-01"
ENDS: Final = "2027-04-01"
WARNING: Final = (
    f"This ends on {ENDS}: Microsoft switches EWS off in Exchange Online for everybody, without exceptions. Since {BLOCKED} it "
    "answers only applications that the organisation allows. Choose `greenroom setup microsoft-365` unless you cannot."
)
_INTRO: Final = (
    "Greenroom reads the equipment mailbox over Exchange Web Services, signed in as an account: once and by hand, with `greenroom "
    "signin`. Exchange Online lets nobody impersonate others since 2025-02, so that Greenroom has no way into organizers' own "
    "meetings: joining instructions travel in the reply, to the organizer alone. Whoever else is invited gets them only when the "
    "organizer passes them on."
)
EWS_SCOPE: Final = "EWS.AccessAsUser.All"
_EXCHANGE_ID: Final = "00000002-0000-0ff1-ce00-000000000000"
_EWS_SCOPE_ID: Final = "3b5f3d61-589b-4a3c-a359-5dd4b5ee5bd5"
_GRAPH_ID: Final = "00000003-0000-0000-c000-000000000000"
_OFFLINE_ID: Final = "7427e0e9-2fba-42fe-b0c0-848c9e6a8182"
"""Office 365 Exchange Online and its delegated permission, Microsoft Graph and offline_access: the same in every organisation.

https://learn.microsoft.com/exchange/client-developer/exchange-web-services/how-to-authenticate-an-ews-application-by-using-oauth
"""
_ACCOUNT_RIGHTS: Final = ("Application.Read.All", "User.ReadWrite.All", "DelegatedPermissionGrant.ReadWrite.All")
_EWS_HOSTS: Final[dict[Cloud, str]] = {
    "global": "outlook.office365.com",
    "us-gov-high": "outlook.office365.us",
    "us-gov-dod": "outlook-dod.office365.us",
    "china": "partner.outlook.cn",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAccount:
    """What the scripts for the old way depend on; see `microsoft_365.Microsoft365`.

    `account` is an account with a mailbox of its own, which gets full access to the equipment mailbox; without one the equipment
    mailbox's own account signs in.
    """

    installation: Installation
    tenant: str
    cloud: Cloud = "global"
    client_id: str = ""
    account: str = ""
    delegate: str = ""
    title: str = ""
    production: str = ""
    external: bool = False
    hidden: bool = False
    addin: bool = True

    def __post_init__(self) -> None:
        """Refuse what could not be written, before anything is."""
        for name in ("tenant", "title"):
            checked(getattr(self, name), name)
        entra.guid(self.client_id, "client_id")
        for name in ("account", "delegate"):
            if getattr(self, name):
                address(getattr(self, name), name)
        if self.addin:
            addin.host_of(self.installation.public_url)

    @property
    def application(self) -> str:
        """Name of the application in Entra."""
        return f"{self.installation.label} EWS"

    @property
    def signs_in(self) -> str:
        """Address of the account that signs in."""
        return self.account or self.installation.mailbox

    @property
    def is_another(self) -> bool:
        """Whether that is another account than the equipment mailbox's own, which then needs rights over it."""
        return self.signs_in.casefold() != self.installation.mailbox.casefold()

    @property
    def equipment(self) -> mailbox.EquipmentMailbox:
        """The mailbox that is invited."""
        return mailbox.EquipmentMailbox(
            installation=self.installation,
            protocol="ews",
            cloud=True,
            name=self.title,
            production=self.production,
            external=self.external,
            hidden=self.hidden,
        )


def service_account(parameters: ServiceAccount) -> Preparation:
    """Write everything for EWS to Exchange Online as a service account."""
    one = parameters
    here = one.installation, one.tenant, one.cloud
    steps = [
        Step(
            "application",
            "The application",
            "The sign-in is one of an account to an application. This one is a public client without a secret, that may speak EWS "
            "as whoever signs in, and nothing else.",
            GRAPH,
            lambda w: _register(w, one),
        ),
        mailbox_step(one.equipment, one.cloud),
        Step(
            "account",
            "The account",
            "The account that will sign in is let do so, and the application is consented to for this account alone.",
            f"{GRAPH}; modules Microsoft.Graph.Users and Microsoft.Graph.Identity.SignIns as well",
            lambda w: _account(w, one),
        ),
        Step(
            "allow-ews",
            "EWS for this application",
            f"Exchange Online answers EWS only to applications in a list of the organisation, until {ENDS}. This one is added, and "
            "those that are in it stay. It takes up to a day until it counts.",
            ONLINE,
            lambda w: _allow(w, one),
        ),
    ]
    if one.is_another:
        why = "Greenroom opens the equipment mailbox by full access, and answers in its name. The account gets no other right."
        steps.insert(3, Step("rights", "The account's rights", why, ONLINE, lambda w: _rights(w, one)))
    undone = [
        Step(
            "undo-exchange",
            "Undoing it in Exchange Online",
            "Takes the application out of the list, the rights from the account, and the mark off the mailbox. It asks before each "
            "step.",
            ONLINE,
            lambda w: _undo_exchange(w, one),
            switches=dict(mailbox.REMOVE_MAILBOX),
        )
    ]
    if not one.client_id:
        why = "Removes the application, and with it the consent of the account."
        undone.append(Step("undo-application", "Removing the application", why, GRAPH, lambda w: _unregister(w, one)))
    if one.delegate:
        steps.append(view_step(one.equipment, one.cloud, one.delegate))
    if one.addin:
        steps.append(addin_step(*here))
        undone.insert(0, addin_undo_step(*here))
    check = Step(
        "verify",
        "The check",
        "Looks at all that the scripts before it do in Exchange Online, says what is missing, and writes it to a file.",
        ONLINE,
        lambda w: _verify(w, one),
        changes=False,
    )
    return Preparation(
        kind=KIND,
        title="Greenroom on Microsoft 365, over EWS as a service account",
        intro=_INTRO,
        scripts=numbered([*steps, check, *undone]),
        settings=toml_file(one.installation, _settings(one))
        + (addin.entra_settings(one.installation) if one.addin else ""),
        warning=WARNING,
        before=_before(one),
        by_hand=_by_hand(one),
        signs_in=True,
    )


def _register(w: Writer, one: ServiceAccount) -> None:
    connect_graph(w, one.tenant, one.cloud, entra.MANAGE)
    entra.find_application(w, one.installation, one.application, one.client_id)
    if one.client_id:
        with w.when(missing(Var("application"))):
            w.stop("There is no application with the client id of greenroom.toml in this organisation.")
    else:
        wanted: dict[str, Value] = {
            "IsFallbackPublicClient": Switch(),
            "PublicClient": {"RedirectUris": ("http://localhost",)},
            "RequiredResourceAccess": (
                {"ResourceAppId": _EXCHANGE_ID, "ResourceAccess": ({"Id": _EWS_SCOPE_ID, "Type": "Scope"},)},
                {"ResourceAppId": _GRAPH_ID, "ResourceAccess": ({"Id": _OFFLINE_ID, "Type": "Scope"},)},
            ),
        }
        because = {
            "IsFallbackPublicClient": "Lets people sign in with a code that they type on another device.",
            "PublicClient": "Lets them sign in with a browser where Greenroom runs.",
            "RequiredResourceAccess": f"{EWS_SCOPE} of Exchange Online, and offline_access, so that the sign-in lasts.",
        }
        entra.create_application(w, one.installation, one.application, wanted, because)
    with w.when(present(Var("application"))):
        entra.create_principal(w, one.application, one.client_id)
        w.say("Application (client) id, which is client_id in greenroom.toml, and is asked for by other scripts:")
        w.say(Var("application", "AppId"))


def _account(w: Writer, one: ServiceAccount) -> None:
    connect_graph(w, one.tenant, one.cloud, _ACCOUNT_RIGHTS)
    quoted = one.signs_in.replace("'", "''")
    person: dict[str, Value] = {
        "Filter": f"mail eq '{quoted}'",
        "Property": ("Id", "UserPrincipalName", "AccountEnabled"),
    }
    w.call("Get-MgUser", person, into="account", first=True)
    with w.when(missing(Var("account"))):
        w.stop(
            "There is no account with the address that signs in. Create it first; one that was created just now takes some minutes."
        )
    with (
        w.when(is_not(Var("account", "AccountEnabled"), True)),
        w.should_process(one.signs_in, "Let the account sign in"),
    ):
        w.call("Update-MgUser", {"UserId": Var("account", "Id"), "AccountEnabled": True})
    with w.otherwise():
        w.say("The account may sign in.")
    w.blank()
    entra.find_application(w, one.installation, one.application, one.client_id)
    with w.when(missing(Var("application"))):
        w.stop("There is no such application. Run the script that registers it.")
    entra.find_principal(w, one.application, one.client_id)
    with w.when(missing(Var("principal"))):
        w.stop("There is no enterprise application of it. Run the script that registers the application.")
    w.call("Get-MgServicePrincipal", {"Filter": f"appId eq '{_EXCHANGE_ID}'"}, into="exchange", first=True)
    grants: dict[str, Value] = {"ServicePrincipalId": Var("principal", "Id"), "All": Switch()}
    w.call("Get-MgServicePrincipalOauth2PermissionGrant", grants, into="grants")
    w.assign("consented", False)
    with w.each("grant", Var("grants")):
        with w.when(is_(Var("grant", "ConsentType"), "AllPrincipals")):
            w.warn(
                "This application was consented to for everybody. Remove that in the Entra admin center: one account needs it."
            )
        mine = is_(Var("grant", "PrincipalId"), Var("account", "Id"))
        with w.when(both(mine, is_(Var("grant", "ResourceId"), Var("exchange", "Id")))):
            w.assign("consented", True)
    with (
        w.when(is_(Var("consented"), False)),
        w.should_process(one.signs_in, "Consent to the application for this account alone"),
    ):
        wanted: dict[str, Value] = {
            "ClientId": Var("principal", "Id"),
            "ConsentType": "Principal",
            "PrincipalId": Var("account", "Id"),
            "ResourceId": Var("exchange", "Id"),
            "Scope": EWS_SCOPE,
        }
        w.splat("wanted", wanted, {"ConsentType": "For one account, not for the organisation."})
        w.call("New-MgOauth2PermissionGrant", splat="wanted")
    with w.otherwise():
        w.say("The application is consented to for this account already.")
    w.say("Sign in with this name when greenroom signin asks:")
    w.say(Var("account", "UserPrincipalName"))


def _rights(w: Writer, one: ServiceAccount) -> None:
    connect_exchange_online(w, one.cloud)
    mailbox.find(w, one.equipment)
    w.blank()
    full_access.grant(w, one.equipment, one.signs_in)


def _allow(w: Writer, one: ServiceAccount) -> None:
    connect_exchange_online(w, one.cloud)
    mailbox.find(w, one.equipment)
    w.blank()
    ask_client(w, Ids(one.client_id))
    ews_allowed.allow(w)


def _verify(w: Writer, one: ServiceAccount) -> None:
    connect_exchange_online(w, one.cloud)
    mailbox.find(w, one.equipment)
    w.blank()
    ask_client(w, Ids(one.client_id))
    organisation = ews_allowed.verify(w)
    w.blank()
    more: dict[str, Value] = {"organization": organisation}
    if one.is_another:
        full_access.verify(w, one.equipment, one.signs_in, into="rights")
        more["rights"] = Var("rights")
        w.blank()
    mailbox.export(w, one.equipment, KIND, more)


def _undo_exchange(w: Writer, one: ServiceAccount) -> None:
    connect_exchange_online(w, one.cloud)
    if one.delegate:
        mailbox.take_back_delegate(w, one.equipment, one.delegate)
        w.blank()
    ask_client(w, Ids(one.client_id))
    ews_allowed.disallow(w)
    w.blank()
    if one.is_another:
        full_access.revoke(w, one.equipment, one.signs_in)
        w.blank()
    mailbox.undo(w, one.equipment)


def _unregister(w: Writer, one: ServiceAccount) -> None:
    connect_graph(w, one.tenant, one.cloud, entra.MANAGE)
    entra.find_application(w, one.installation, one.application)
    entra.remove_application(w, one.application)


def _before(one: ServiceAccount) -> tuple[str, ...]:
    theirs = (
        "**The account.** An ordinary user, made in the [Microsoft 365 admin "
        "center](https://admin.microsoft.com), with a licence with Exchange Online and a long password, for Greenroom alone."
    )
    return (theirs,) if one.is_another else ()


def _by_hand(one: ServiceAccount) -> tuple[str, ...]:
    own = (
        "**A password for the account.** [Microsoft 365 admin center](https://admin.microsoft.com): the equipment mailbox under "
        "*Users* or *Resources*, *Reset password*, and a licence with Exchange Online: an account that signs in needs one. No "
        "script does it, since a password would pass through it in the clear. Let nobody but Greenroom use it."
    )
    pushed = addin.by_hand_online(one.installation) if one.addin else ()
    return pushed if one.is_another else (own, *pushed)


def _settings(one: ServiceAccount) -> str:
    known = one.client_id or entra.NO_ID
    told = "" if one.client_id else "    # the one that the script of the application tells"
    cloud = "" if one.cloud == "global" else f"cloud = {toml(one.cloud)}\n"
    polled = "streaming = false      # Exchange notifies only a mailbox's own account\n" if one.is_another else ""
    return (
        f"# Until {ENDS} alone: Microsoft ends EWS in Exchange Online.\n"
        f'[integration.exchange]\nprotocol = "ews"\nurl = "https://{_EWS_HOSTS[one.cloud]}/EWS/Exchange.asmx"\nauth = "oauth"\n'
        f"username = {toml(one.signs_in)}    # nobody else's sign-in is taken; its user principal name, if that is another\n"
        f"impersonate = false    # instructions travel in the reply\n{polled}\n"
        f'[integration.exchange.oauth]\naccount = "service-account"\ntenant = {toml(one.tenant)}\n'
        f"client_id = {toml(known)}{told}\n{cloud}"
    )
