"""An organisation in this process that nobody has prepared, and preparations whose addresses are in it."""

from datetime import UTC, datetime

from greenroom.setup.contract import Preparation
from greenroom.simulator.exchange import Exchange
from greenroom.simulator.management import Management
from greenroom.simulator.untouched import ADMINISTRATOR, populate
from support.powershell.cmdlets import Shell
from support.powershell.running import Cmdlets
from support.powershell.shells import here
from support.preparations import ADDIN_ID, KINDS
from support.preparing import Preparer

NOBODY = "00000000-0000-0000-0000-000000000000"
DOMAIN = ADMINISTRATOR.partition("@")[2]
MAILBOX = f"vmr@{DOMAIN}"
ACCOUNT = f"greenroom@{DOMAIN}"
MANIFEST = (
    '<OfficeApp xmlns="http://schemas.microsoft.com/office/appforoffice/1.1"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="MailApp">'
    f'<Id>{ADDIN_ID}</Id><Version>1.0.0.0</Version><DisplayName DefaultValue="Greenroom"/></OfficeApp>'
)
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nTm90IG9uZSByZWFsbHk=\n-----END CERTIFICATE-----\n"


def organisation(*, account_is_there: bool) -> Preparer:
    """Somebody who prepares an organisation that has people and a group of theirs, perhaps an account, and nothing else."""
    exchange = Exchange(lambda: datetime(2026, 11, 23, 9, tzinfo=UTC))
    populate(exchange)
    management = Management(exchange)
    management.run("New-DistributionGroup", {"Name": "Organizers", "Type": "Security", "Members": [ADMINISTRATOR]})

    account = {"Name": "service", "MicrosoftOnlineServicesID": ACCOUNT, "Password": "Correct-Horse-9"}
    if account_is_there:
        management.run("New-Mailbox", account, shell="exchange-online")

    def shell(name: Shell) -> Cmdlets:
        return here(management, name)

    unknown = {"Application (client) id": NOBODY, "Object id of the enterprise application": NOBODY}
    files = {"greenroom-addin.xml": MANIFEST.encode(), "greenroom.crt": CERTIFICATE.encode()}
    return Preparer(shell, {"password": "Correct-Horse-9", **unknown}, files)


def prepared(preparer: Preparer, kind: str, option: str) -> Preparation:
    one = KINDS[kind]
    values = {"mailbox": MAILBOX, "delegate": ADMINISTRATOR, "account": ACCOUNT, **one.options[option]}
    if values.get("client_id"):
        graph = preparer.shell("graph")
        (application,) = graph("New-MgApplication", {"DisplayName": "Known before"})
        (principal,) = graph("New-MgServicePrincipal", {"AppId": application["AppId"]})
        values |= {"client_id": application["AppId"], "object_id": principal["Id"]}
    of_house = {"environment", "name", "number"}
    fitting = set(one.texts()) | set(one.options[option]) | of_house
    return one.with_(**{name: value for name, value in values.items() if name in fitting})
