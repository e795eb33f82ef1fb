"""Somebody who runs the scripts of a preparation in the shells of a simulated Exchange, and looks what is set there."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from greenroom.setup.contract import Preparation, Script
from support.powershell.cmdlets import Shell
from support.powershell.plain import Outcome
from support.powershell.running import Cmdlets, run
from support.powershell.values import Stopped
from support.preparations import shell_of

_GUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_ASKED: Final = ("Application (client) id", "Object id of the enterprise application")
_LOOKS: Final[Mapping[Shell, tuple[str, ...]]] = {
    "server": (
        "Get-Mailbox",
        "Get-WebServicesVirtualDirectory",
        "Get-ManagementScope",
        "Get-ManagementRoleAssignment",
        "Get-DistributionGroup",
        "Get-OrganizationConfig",
    ),
    "online": ("Get-ServicePrincipal",),
    "graph": ("Get-MgApplication", "Get-MgServicePrincipal"),
}
_OF_EACH: Final = (
    "Get-CalendarProcessing",
    "Get-CASMailbox",
    "Get-MailboxRegionalConfiguration",
    "Get-MailboxPermission",
)
_NOISE: Final = frozenset({"Guid", "WhenCreated", "WhenChanged", "KeyId", "ExchangeGuid"})


@dataclass(slots=True)
class Preparer:
    """Runs scripts. `shell` opens a shell; `answers` are what is asked for; ids that a script tells are answers later on."""

    shell: Callable[[Shell], Cmdlets]
    answers: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)

    def run(self, script: Script, *, switches: Sequence[str] = (), what_if: bool = False) -> Outcome:
        """Run one script."""
        return self.run_text(script.body, shell_of(script), switches=switches, what_if=what_if)

    def run_text(self, text: str, shell: Shell, *, switches: Sequence[str] = (), what_if: bool = False) -> Outcome:
        """Run the text of a script in a shell."""
        outcome = run(
            text, self.shell(shell), switches=switches, what_if=what_if, answers=self.answers, files=self.files
        )
        for sentence, told in pairwise(outcome.said):
            if _GUID.fullmatch(told):
                self.answers |= {asked: told for asked in _ASKED if sentence.startswith(asked)}
        return outcome

    def run_all(self, scripts: Iterable[Script]) -> None:
        """Run scripts in their order. An error of one fails the test."""
        for script in scripts:
            outcome = self.run(script)
            assert outcome.error == "", (script.name, outcome.error)

    def state(self) -> dict[str, Any]:
        """Everything that is set, as the shells tell it."""
        found = {look: self._look(shell, look, {}) for shell, looks in _LOOKS.items() for look in looks}
        found["Get-App"] = self._look("server", "Get-App", {"OrganizationApp": True})
        for mailbox in found["Get-Mailbox"]:
            of = {"Identity": mailbox["PrimarySmtpAddress"]}
            found |= {f"{look} {of['Identity']}": self._look("server", look, of) for look in _OF_EACH}
        return found

    def _look(self, shell: Shell, look: str, given: dict[str, Any]) -> list[Any]:
        try:
            objects = self.shell(shell)(look, given)
        except Stopped as error:
            return [error.category]
        rows = [{name: value for name, value in one.items() if name not in _NOISE} for one in objects]
        return sorted(rows, key=repr)


def doing(preparation: Preparation) -> list[Script]:
    """The scripts that prepare."""
    return [script for script in preparation.scripts if script.changes and "undo" not in script.name]


def undoing(preparation: Preparation) -> list[Script]:
    """The scripts that take it back."""
    return [script for script in preparation.scripts if "undo" in script.name]


def looking(preparation: Preparation) -> list[Script]:
    """The scripts that check."""
    return [script for script in preparation.scripts if not script.changes]


def switches_of(script: Script) -> list[str]:
    """The script's own switches."""
    return re.findall(r"\[switch\]\$(\w+)", script.body)
