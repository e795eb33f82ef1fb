"""What an administrator does in the shells of Exchange and of Microsoft Graph, as cmdlets over the simulated organisation.

`Management(exchange).run("Set-CalendarProcessing", {"Identity": "vmr@…", "AutomateProcessing": "AutoUpdate"})` does what the
cmdlet does and returns the objects it would write. What is set here has its effect at both faces. There is no PowerShell in it:
who runs scripts against it reads them elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from greenroom.simulator.management import (  # noqa: F401 - imported for the cmdlets they declare
    access,
    addins,
    calendar_processing,
    entra,
    groups,
    mailboxes,
    permissions,
    principals,
    roles,
    users,
)
from greenroom.simulator.management.cmdlet import SHELLS, TABLE, CmdletError, Desk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greenroom.simulator.exchange import Exchange

__all__ = ["SHELLS", "CmdletError", "Management", "parameters_of"]


class Management:
    """The shells of one organisation. `by` is the login of whoever sits there (None: an administrator)."""

    def __init__(self, exchange: Exchange, *, by: str | None = None) -> None:
        self._desk = Desk(exchange)
        self._by = by

    def run(self, cmdlet: str, parameters: Mapping[str, Any], *, shell: str | None = None) -> list[dict[str, Any]]:
        """Run one cmdlet; returns the objects it writes.

        ``shell`` is "exchange-server", "exchange-online" or "graph" (None: whichever has the cmdlet). With -WhatIf nothing is
        done. -ErrorAction SilentlyContinue and Ignore turn an error of the work into no objects.
        Raises `CmdletError`: unknown cmdlets and parameters, missing rights, and whatever the cmdlet refuses.
        """
        known = TABLE.get(cmdlet.lower())
        if known is None or (shell is not None and shell not in known.shells) or not self._may(known.shells):
            text = (
                f"The term '{cmdlet[:100]}' is not recognized as a name of a cmdlet, function, script file, or program."
            )
            raise CmdletError("ObjectNotFound", text, "CommandNotFoundException", binding=True)
        given = known.read(parameters, shell)
        if given.get("WhatIf"):
            return []
        organisation = self._desk.organisation
        was = organisation.copy_of_rights() if known.changes and organisation.rights_cached_seconds > 0 else None
        try:
            return known.work(self._desk, given)
        except CmdletError as error:
            if not error.binding and given.get("ErrorAction") in ("SilentlyContinue", "Ignore"):
                return []
            raise
        finally:
            if was is not None:
                organisation.before_change(self._desk.exchange.clock(), was)

    def _may(self, shells: frozenset[str]) -> bool:
        """Exchange shows a cmdlet only to those whose roles have it; Graph says so when it is asked."""
        administrators = self._desk.organisation.administrators
        if self._by is None or not administrators or self._by.lower() in administrators:
            return True
        if "graph" in shells:
            text = "Insufficient privileges to complete the operation."
            raise CmdletError("PermissionDenied", text, "Authorization_RequestDenied")
        return False


def parameters_of(cmdlet: str) -> frozenset[str] | None:
    """The parameters a cmdlet has here beside the common ones; None for an unknown cmdlet."""
    known = TABLE.get(cmdlet.lower())
    return None if known is None else frozenset(known.parameters)
