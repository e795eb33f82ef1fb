"""Preparing an Exchange Server: mailbox, service account, rights, signing in, viewing, add-in, check, undo."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from greenroom.setup import addin, ews_endpoint, impersonation, mailbox
from greenroom.setup.by_hand import left_by_hand
from greenroom.setup.contract import Preparation
from greenroom.setup.ews_endpoint import Auth
from greenroom.setup.installation import Installation, address, toml, toml_file
from greenroom.setup.powershell import UnsafeValueError, Var, Writer, checked, given, present
from greenroom.setup.steps import Step, numbered

KIND: Final = "exchange-server"
SHELL: Final = "Exchange Management Shell, as a member of Organization Management"
_HOST: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_INTRO: Final = (
    "Greenroom watches one equipment mailbox on your Exchange Server over Exchange Web Services. It signs in with an account of "
    "its own that may act for this mailbox{organizers}, and for nobody else."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeServer:
    """What the scripts for an Exchange Server depend on.

    `group` names organizers for whom Greenroom may act as well, so that instructions go into their own meetings; empty for the
    equipment mailbox alone. `delegate` may look into the mailbox, `title` is what people see of it, `production` the address of the
    production installation's mailbox, `addin_id` the id in the add-in's manifest (empty for no add-in).
    Raises `UnsafeValueError` for what cannot be written or cannot work.
    """

    installation: Installation
    account: str
    url: str
    auth: Auth = "basic"
    group: str = ""
    delegate: str = ""
    title: str = ""
    production: str = ""
    external: bool = False
    hidden: bool = False
    tenant: str = ""
    client_id: str = ""
    addin_id: str = ""

    def __post_init__(self) -> None:
        """Refuse what could not be written, before anything is."""
        address(self.account, "account")
        if self.account.casefold() == self.installation.mailbox.casefold():
            raise UnsafeValueError("account", "is the equipment mailbox itself: name an account that may sign in")
        if self.delegate:
            address(self.delegate, "delegate")
        for name in ("url", "group", "title", "tenant", "client_id", "addin_id"):
            checked(getattr(self, name), name)
        if "*" in self.group:
            raise UnsafeValueError("group", "has an asterisk in it, which finds any group")
        if not _HOST.fullmatch(self.host):
            raise UnsafeValueError("url", "names no host")

    @property
    def host(self) -> str:
        """The name under which Exchange is reached."""
        try:
            return urlsplit(self.url).hostname or ""
        except ValueError:
            return ""

    @property
    def equipment(self) -> mailbox.EquipmentMailbox:
        """The mailbox that is invited."""
        return mailbox.EquipmentMailbox(
            installation=self.installation,
            protocol="ews",
            cloud=False,
            name=self.title,
            production=self.production,
            external=self.external,
            hidden=self.hidden,
        )


def exchange_server(parameters: ExchangeServer) -> Preparation:
    """Write everything for an Exchange Server."""
    one = parameters
    steps = [
        _step(
            "equipment-mailbox",
            "The equipment mailbox",
            "People invite this mailbox, as they would invite a projector, and get a room for their meeting. It is created if it "
            "is not there, marked as this installation's, and every setting gets the value that Greenroom needs.",
            lambda w: _mailbox(w, one),
        ),
        _step(
            "service-account",
            "The service account",
            "Greenroom signs in as this account. It is an ordinary account with a mailbox and no rights of its own.",
            lambda w: impersonation.create_account(w, one.installation, one.account),
        ),
        _step(
            "rights",
            "For whom the account may act",
            "ApplicationImpersonation lets an account act for other mailboxes. A management scope limits it to those that it is "
            "needed for.",
            lambda w: impersonation.grant(w, one.installation, one.account, one.group),
        ),
        _step(
            "signing-in",
            "Signing in to EWS",
            "Exchange must offer the way to sign in that greenroom.toml names, and EWS must be on for both mailboxes.",
            lambda w: ews_endpoint.permit(w, one.auth, (one.account, one.installation.mailbox)),
        ),
    ]
    if one.delegate:
        steps.append(
            _step(
                "view-mailbox",
                "Looking into the mailbox",
                "A person who may open the equipment mailbox in Outlook sees what Greenroom sees. Greenroom does not need it.",
                lambda w: _view(w, one),
            )
        )
    if one.addin_id:
        steps.append(
            _step(
                "addin",
                "The add-in for Outlook",
                f"Installs {addin.MANIFEST}: `greenroom addin manifest --profile exchange-onprem -o {addin.MANIFEST}` writes "
                "it, and it belongs into this folder. People get a button that adds a room to their meeting.",
                lambda w: addin.install_on_server(w, one.addin_id),
                addin.REPLACE,
            )
        )
    verify = "Looks at all that the scripts before it do, says what is missing, and writes it to a file for the doctor."
    steps += [
        Step("verify", "The check", verify, SHELL, lambda w: _verify(w, one), changes=False),
        _step(
            "undo",
            "Undoing it",
            "Removes what these scripts made, and nothing else, in the reverse order. It asks before each step.",
            lambda w: _undo(w, one),
            {**mailbox.REMOVE_MAILBOX, **(ews_endpoint.UNDO_SWITCH if one.auth == "basic" else {})},
        ),
    ]
    return Preparation(
        kind=KIND,
        title="Greenroom on Exchange Server",
        intro=_INTRO.format(organizers=" and for the organizers in one group" if one.group else ""),
        scripts=numbered(steps),
        settings=toml_file(one.installation, _settings(one)),
        by_hand=(*_members(one), *left_by_hand(one.auth, one.host, one.account, one.client_id)),
    )


def _members(one: ExchangeServer) -> tuple[str, ...]:
    if not one.group or one.group != impersonation.own_group(one.installation):
        return ()
    step = (
        f"**Organizers.** Put those whose meetings Greenroom may write to into the group `{one.group}`, as direct members: "
        "everybody who is invited then gets the joining instructions. For others they travel in the reply, to the organizer alone."
    )
    return (step,)


def _step(
    slug: str, title: str, why: str, write: Callable[[Writer], None], switches: Mapping[str, str] | None = None
) -> Step:
    return Step(slug, title, why, SHELL, write, switches=dict(switches or {}))


def _mailbox(w: Writer, one: ExchangeServer) -> None:
    mailbox.create(w, one.equipment)
    w.blank()
    with w.when(present(Var("mailbox"))):
        mailbox.configure(w, one.equipment)


def _view(w: Writer, one: ExchangeServer) -> None:
    mailbox.find(w, one.equipment)
    w.blank()
    mailbox.delegate(w, one.equipment, one.delegate)


def _verify(w: Writer, one: ExchangeServer) -> None:
    mailbox.find(w, one.equipment)
    w.blank()
    w.assign("Account", one.account)
    impersonation.list_rights(w, one.installation, one.group, "Rights")
    w.blank()
    ews_endpoint.read(w, "Endpoints")
    w.blank()
    mailbox.export(w, one.equipment, KIND, {"rights": Var("Rights"), "endpoints": Var("Endpoints")})


def _undo(w: Writer, one: ExchangeServer) -> None:
    if one.addin_id:
        addin.remove_from_server(w, one.addin_id)
        w.blank()
    if one.delegate:
        mailbox.take_back_delegate(w, one.equipment, one.delegate)
        w.blank()
    if one.auth == "basic":
        with w.when(given(Var(next(iter(ews_endpoint.UNDO_SWITCH))))):
            ews_endpoint.withdraw(w)
        w.blank()
    impersonation.revoke(w, one.installation, one.group)
    w.blank()
    impersonation.remove_account(w, one.installation, one.account)
    w.blank()
    mailbox.undo(w, one.equipment)


def _settings(one: ExchangeServer) -> str:
    by_name = f'username = {toml(one.account)}\npassword_file = "secrets/exchange-password"\n'
    realm = one.account.rpartition("@")[2].upper()
    more = {
        "basic": by_name,
        "ntlm": by_name,
        "kerberos": f"{by_name}# or kerberos.keytab_file instead of the password\n\n"
        f"[integration.exchange.kerberos]\nrealm = {toml(realm)}    # the Active Directory domain, if that is another\n",
        "oauth": f'\n[integration.exchange.oauth]\naccount = "application"\ntenant = {toml(one.tenant)}\n'
        f'client_id = {toml(one.client_id)}\ncertificate_file = "secrets/greenroom.pem"\n',
        "bearer": 'token_file = "secrets/exchange-token"\n',
    }[one.auth]
    if one.addin_id:
        more += (
            "\n[integration.addin]\n\n[integration.addin.exchange_tokens]\n"
            f"metadata_urls = [{toml(f'https://{one.host}:443/autodiscover/metadata/json/1')}]\n"
        )
    return f'[integration.exchange]\nprotocol = "ews"\nurl = {toml(one.url)}\nauth = {toml(one.auth)}\n{more}'
