"""An administrator at the shells of a simulated organisation, for tests in the same process."""

from typing import Any

import pytest

from greenroom.simulator import Exchange, untouched
from greenroom.simulator.clock import SimulatorClock
from greenroom.simulator.demo_world import DOMAIN
from greenroom.simulator.management import CmdletError, Management
from support.box import START

VMR = f"vmr@{DOMAIN}"
ADA, BEN, CARLA = f"ada@{DOMAIN}", f"ben@{DOMAIN}", f"carla@{DOMAIN}"
SERVICE = f"svc@{DOMAIN}"
SECRET = "a-password-for-the-service"


class Administrator:
    """Runs cmdlets: `does` gives the objects, `gets` the only one, `refused` the kind of the error."""

    def __init__(self, exchange: Exchange, *, shell: str | None = None, by: str | None = None) -> None:
        self.exchange = exchange
        self.shell = shell
        self._management = Management(exchange, by=by)

    def does(self, cmdlet: str, identity: str | None = None, **parameters: Any) -> list[dict[str, Any]]:
        if identity is not None:
            parameters["Identity"] = identity
        return self._management.run(cmdlet, parameters, shell=self.shell)

    def gets(self, cmdlet: str, identity: str | None = None, **parameters: Any) -> dict[str, Any]:
        (found,) = self.does(cmdlet, identity, **parameters)
        return found

    def refused(self, cmdlet: str, identity: str | None = None, **parameters: Any) -> str:
        with pytest.raises(CmdletError) as caught:
            self.does(cmdlet, identity, **parameters)
        return caught.value.kind

    def makes_mailbox(self, address: str = VMR, **processing: Any) -> None:
        """Make an equipment mailbox, and set its processing."""
        self.does("New-Mailbox", Name=address.partition("@")[0], PrimarySmtpAddress=address, Equipment=True)
        if processing:
            self.does("Set-CalendarProcessing", address, **processing)

    def makes_service(self) -> None:
        """Make a service account with a mailbox."""
        self.does("New-Mailbox", Name="Service", UserPrincipalName=SERVICE, PrimarySmtpAddress=SERVICE, Password=SECRET)


def at_work(*, shell: str | None = None) -> Administrator:
    """An untouched organisation (its clock stands still) and its administrator."""
    exchange = Exchange(SimulatorClock(START, frozen=True))
    untouched.populate(exchange)
    return Administrator(exchange, shell=shell)
