"""Everything that `greenroom setup` can write, with values that are easy to find again."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

import pytest

from greenroom.setup.contract import Preparation, Script
from greenroom.setup.exchange_server import ExchangeServer, exchange_server
from greenroom.setup.installation import Installation
from greenroom.setup.microsoft_365 import Microsoft365, microsoft_365
from greenroom.setup.service_account import ServiceAccount, service_account
from support.powershell.cmdlets import Shell

CLIENT_ID: Final = "5e0a4d1c-93f2-4c7b-a8d6-1f0b7c2e9d34"
OBJECT_ID: Final = "7b1f3c58-0a64-4d19-8f6e-2c9d5e7a1b03"
TENANT: Final = "9c2d7e15-6b40-4f8a-b3d1-5a0e8c7f2d46"
ADDIN_ID: Final = "3f8a1d60-52c7-4e9b-9d04-b6e7f1a2c835"
ADDRESSES: Final = frozenset({"mailbox", "account", "delegate", "production"})
HOUSE: Final = Installation(environment="test", mailbox="vmr@example.com", public_url="https://rooms.example.com")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of preparation: how it is written, harmless parameters in which every text is set, and its options."""

    write: Callable[[Any], Preparation]
    parameters: Any
    options: Mapping[str, Mapping[str, Any]]

    def with_(self, **changed: Any) -> Preparation:
        """Write it with other parameters; those of the installation go there."""
        of_house = {field.name for field in dataclasses.fields(Installation)}
        house = {name: value for name, value in changed.items() if name in of_house}
        mine = {name: value for name, value in changed.items() if name not in of_house}
        installation = replace(self.parameters.installation, **house)
        return self.write(replace(self.parameters, installation=installation, **mine))

    def texts(self) -> list[str]:
        """Names of the parameters that are free text."""
        fields = [*dataclasses.fields(self.parameters), *dataclasses.fields(Installation)]
        return [field.name for field in fields if field.type in {str, "str"}]


KINDS: Final[Mapping[str, Kind]] = {
    "exchange-server": Kind(
        exchange_server,
        ExchangeServer(
            installation=HOUSE,
            account="greenroom@example.com",
            url="https://mail.example.com/EWS/Exchange.asmx",
            group="Organizers",
            delegate="admin@example.com",
            title="Rooms",
            production="rooms@example.com",
            tenant=TENANT,
            client_id=CLIENT_ID,
            addin_id=ADDIN_ID,
        ),
        {
            **{auth: {"auth": auth} for auth in ("basic", "ntlm", "kerberos", "oauth", "bearer")},
            "smallest": {"group": "", "delegate": "", "title": "", "production": "", "addin_id": ""},
            "own group": {"group": "Greenroom test organizers"},
            "external": {"external": True, "hidden": True},
            "production": {"environment": "production"},
            "another integration": {"name": "second", "number": 2},
        },
    ),
    "microsoft-365": Kind(
        microsoft_365,
        Microsoft365(
            installation=HOUSE,
            tenant=TENANT,
            delegate="admin@example.com",
            title="Rooms",
            production="rooms@example.com",
        ),
        {
            "certificate": {},
            "client-secret": {"credential": "client-secret"},
            "federated": {"credential": "federated"},
            "managed-identity": {"credential": "managed-identity", "client_id": CLIENT_ID, "object_id": OBJECT_ID},
            "known application": {"client_id": CLIENT_ID, "object_id": OBJECT_ID},
            "smallest": {"delegate": "", "title": "", "production": "", "addin": False},
            "organizers": {"organizers": True},
            "external": {"external": True, "hidden": True},
            "production": {"environment": "production"},
            "china": {"cloud": "china"},
        },
    ),
    "microsoft-365-service-account": Kind(
        service_account,
        ServiceAccount(
            installation=HOUSE,
            account="greenroom@example.com",
            tenant=TENANT,
            delegate="admin@example.com",
            title="Rooms",
            production="rooms@example.com",
        ),
        {
            "new application": {},
            "the mailbox's own account": {"account": ""},
            "known application": {"client_id": CLIENT_ID},
            "smallest": {"delegate": "", "title": "", "production": "", "addin": False},
            "external": {"external": True, "hidden": True},
            "production": {"environment": "production"},
        },
    ),
}
FIRST: Final = [(kind, next(iter(one.options))) for kind, one in KINDS.items()]
VARIANTS: Final = [
    pytest.param(kind, option, marks=[] if (kind, option) in FIRST else [pytest.mark.slow], id=f"{kind}-{option}")
    for kind, one in KINDS.items()
    for option in one.options
]
"""Every kind with every option, for tests; quick for the first option of a kind."""


@lru_cache(maxsize=64)
def written(kind: str, option: str) -> Preparation:
    """One preparation by its kind and option."""
    one = KINDS[kind]
    return one.with_(**one.options[option])


def shell_of(script: Script) -> Shell:
    """In which shell a script is run."""
    if "Management Shell" in script.where:
        return "server"
    return "graph" if "Graph" in script.where else "online"
