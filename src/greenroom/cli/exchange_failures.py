"""What can go wrong towards an Exchange, for either protocol, each with its own sentence and the next step."""

from datetime import datetime, timedelta

from greenroom.assembly import CalendarError, Side, Tried
from greenroom.cli.ews_applications import is_application, rights_of_application
from greenroom.cli.exits import Exit
from greenroom.cli.failures import Failure, sentence_of
from greenroom.cli.sign_in_failures import BY_ITSELF, sign_in_ews, way_to_center
from greenroom.exchange.errors import (
    ExchangeError,
    MisconfiguredError,
    NotPermittedError,
    SignInError,
    TryLaterError,
)
from greenroom.settings import EwsExchange, Integration, OverEws, OverGraph

_AHEAD = timedelta(days=30)
_RENEW = "put a new certificate or secret beside the old one in Entra, then name it in the configuration."


def of_tried(tried: Tried, entry: Integration) -> Failure | None:
    """Say what is wrong with an Exchange that was tried; None if nothing is."""
    return None if tried.error is None else of_exchange(tried.error, entry, tried.side)


def of_calendar(error: CalendarError) -> Failure:
    """Say which file or value keeps a calendar from being opened at all."""
    where = f"integration[{error.integration}].{error.side}"
    step = sentence_of(error.error.hint) or f"Look at {where}."
    what = f"{where}: {error.error}"
    return Failure(error.error.code or "misconfigured", what if what.endswith(".") else f"{what}.", step, Exit.USAGE)


def expiry_note(expires_at: datetime | None, now: datetime) -> str:
    """Say that a certificate or secret runs out soon; empty while there is time, or where nobody knows."""
    if expires_at is None or expires_at - now > _AHEAD:
        return ""
    days = (expires_at - now).days
    if expires_at <= now:
        return f"what signs in ran out on {expires_at:%Y-%m-%d}; {_RENEW}"
    when = "today" if days == 0 else f"in {days} day{'' if days == 1 else 's'}"
    return f"what signs in runs out {when}, on {expires_at:%Y-%m-%d}; {_RENEW}"


def of_exchange(error: ExchangeError, entry: Integration, side: Side = "exchange") -> Failure:
    """Say what is wrong towards Exchange. The errors' own sentences name hosts and codes, never content."""
    where = f"integration[{entry.name}].{side}"
    said = sentence_of(str(error))
    exchange = entry.exchange if side == "exchange" or entry.organizers is None else entry.organizers
    mailbox = entry.mailbox if side == "exchange" or entry.organizers is None else entry.organizers.mailbox
    if isinstance(error, MisconfiguredError):
        return Failure(error.code or "misconfigured", said, sentence_of(error.hint) or f"Look at {where}.")
    if isinstance(error, SignInError):
        step = sign_in_ews(error, exchange, where) if exchange.protocol == "ews" else _sign_in_graph(exchange, where)
        return Failure("sign-in-refused", said, step)
    if isinstance(error, NotPermittedError):
        step = (
            _no_right_ews(error, exchange, mailbox)
            if exchange.protocol == "ews"
            else _no_right_graph(exchange, mailbox)
        )
        return Failure("no-right", said, step)
    if isinstance(error, TryLaterError):
        way = way_to_center(where) if error.code.startswith("kerberos-") else _way_to(exchange, where)
        return Failure(error.code or "unreachable", said, way)
    return Failure(error.code or "exchange", said, _unforeseen(exchange, mailbox, where))


def _sign_in_graph(exchange: OverGraph, where: str) -> str:
    at_home = 'the application\'s "Certificates & secrets" in the Entra admin center'
    if exchange.certificate_file is not None:
        step = f"See that the certificate of {where}.certificate_file stands, unexpired, at {at_home}."
    elif exchange.client_secret is not None:
        step = f"Make a new client secret at {at_home} and put its value (not its id) into {where}.client_secret."
    elif exchange.federated_token_file is not None:
        step = f"See that {where}.federated_token_file is fresh and that the application trusts its issuer and subject."
    else:
        step = f"See that this machine has the managed identity that {where} names."
    return f"{step} {BY_ITSELF}."


def _no_right_ews(error: NotPermittedError, exchange: OverEws, mailbox: str) -> str:
    if is_application(exchange):
        return rights_of_application(exchange, mailbox)
    user = exchange.username or "<account>"
    if error.code == "http-403":
        return (
            f"See in the Exchange Management Shell: Get-CASMailbox {user} | Format-List Ews*, and the same of {mailbox}; "
            "a proxy in front of Exchange may refuse this path too."
        )
    if isinstance(exchange, EwsExchange) and not exchange.impersonate:
        opening = f"Add-MailboxPermission {mailbox} -User {user} -AccessRights FullAccess -AutoMapping $false"
        sending = f"Add-RecipientPermission {mailbox} -Trustee {user} -AccessRights SendAs"
        rights = f"Sign in as {mailbox} itself, or give the account full access and Send As: {opening}; {sending}"
        if exchange.oauth is None or exchange.oauth.account != "service-account":
            return f"{rights} (on Exchange Server: Add-ADPermission {mailbox} -User {user} -ExtendedRights 'Send As')."
        script = "the script of the account's rights does it, of: greenroom setup microsoft-365-service-account"
        return f"{rights}; {script} --account ADDRESS. greenroom signin --status tells who is signed in."
    return (
        "Run the script that grants rights, of: greenroom setup exchange-server. It limits the right by a management scope, "
        "without which the account could act for everybody. What it has: "
        f"Get-ManagementRoleAssignment -Role ApplicationImpersonation -RoleAssignee {user}"
    )


def _no_right_graph(exchange: OverGraph, mailbox: str) -> str:
    app = exchange.client_id or "<client id>"
    return (
        "Run the script of the scope, of: greenroom setup microsoft-365. In Exchange Online PowerShell, "
        f"Test-ServicePrincipalAuthorization -Identity {app} -Resource {mailbox} tells at once whether it worked."
    )


def _way_to(exchange: OverEws | OverGraph, where: str) -> str:
    again = "Greenroom itself tries again by itself."
    if exchange.protocol == "ews":
        return f"Check {where}.url and whether Exchange is up; {again}"
    if exchange.proxy is None:
        return f"Check this computer's way to Microsoft 365: DNS and firewall; {again}"
    through = f"The way there leads through {exchange.proxy} ({where}.proxy), which may be what does not answer"
    return f"{through}: see that it is up and lets this computer pass; {again}"


def _unforeseen(exchange: OverEws | OverGraph, mailbox: str, where: str) -> str:
    if exchange.protocol == "graph":
        return (
            f"See that {mailbox} has its mailbox in the Microsoft 365 tenant that {where}.tenant names; if it has, report "
            "this with its code."
        )
    return "Look at the log; if it stays, report it with this code."
