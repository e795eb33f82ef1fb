"""What an application needs that uses EWS without a user: a role over mailboxes, or to be known to the Exchange Server.

Source: "Role Based Access Control for Applications in Exchange Online"; New-PartnerApplication. `ApplicationImpersonation` is a
role of accounts, and Exchange Online has it no more.
"""

from typing import Final
from urllib.parse import urlsplit

from greenroom.doctor.exchange import ONLINE
from greenroom.settings import OverEws
from greenroom.setup import powershell

ROLE: Final = "Application EWS.AccessAsApp"


def is_application(exchange: OverEws) -> bool:
    """Whether an application signs in there by itself."""
    return exchange.oauth is not None and exchange.oauth.account == "application"


def rights_of_application(exchange: OverEws, mailbox: str) -> str:
    """Say what gives an application (see `is_application`) the right over a mailbox that it lacks."""
    client_id = "" if exchange.oauth is None else exchange.oauth.client_id
    app, address = powershell.literal(client_id), powershell.literal(mailbox)
    if urlsplit(exchange.url).hostname in ONLINE:
        return (
            f"Give it the role {ROLE} in Exchange Online PowerShell, over a management scope that holds the mailboxes: "
            f"New-ManagementRoleAssignment -App {app} -Role '{ROLE}' -CustomResourceScope <scope>; "
            f"Test-ServicePrincipalAuthorization -Identity {app} -Resource {address} tells at once whether it worked; "
            'a change takes up to two hours. EWS ends there: protocol = "graph" with greenroom setup microsoft-365 is what lasts.'
        )
    return (
        "See that the application is known to the Exchange Server and which account it is linked to: Get-PartnerApplication | "
        "Format-List Name,ApplicationIdentifier,LinkedAccount; the scripts of `greenroom setup exchange-server --auth oauth` give "
        "that account its rights, and the page beside them says how the application is linked."
    )
