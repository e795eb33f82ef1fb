"""What became of `greenroom addin manifest`, and what to do with the file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.markup import escape

from greenroom.addin.manifest import Finding, ManifestSettings
from greenroom.cli.addin_findings import finding_json, show_findings
from greenroom.cli.options import stderr, stdout
from greenroom.cli.reading import plain
from greenroom.web.addin_manifest_store import Versioned


@dataclass(frozen=True, slots=True)
class Outcome:
    """A manifest that was written: to the file `output`, or to standard output. `notes` are what is good to know of its texts."""

    integration: str
    settings: ManifestSettings
    made: Versioned
    findings: Sequence[Finding]
    notes: Sequence[str]
    output: Path | None

    def show(self) -> None:
        """Say what was written and what to do with it; to standard error where the manifest went to standard output."""
        console = stderr() if self.output is None else stdout()
        show_findings("manifest" if self.output is None else str(self.output), self.findings)
        for note in self.notes:
            stderr().print(f"[yellow]![/yellow] {escape(plain(note))}", soft_wrap=True)
        where = "" if self.output is None else f"{self.output}: "
        what = f"{where}{self.settings.profile.value}, id {self.settings.id}, version {self.made.version}"
        console.print(f"[green]✓[/green] {escape(plain(what))}", soft_wrap=True)
        if self.made.risen and self.made.before:
            what = f"It says something else than version {self.made.before}: install it again."
            console.print(f"  [dim]{what}[/dim]", soft_wrap=True)
        for step in self._steps():
            console.print(f"  [dim]next:[/dim] {escape(plain(step))}", soft_wrap=True)

    def as_json(self) -> dict[str, object]:
        """Write it for `--json`; with the manifest itself where no file was named."""
        return {
            "ok": True,
            "integration": self.integration,
            "profile": self.settings.profile.value,
            "id": self.settings.id,
            "version": self.made.version,
            "previous_version": self.made.before or None,
            "changed": self.made.risen,
            "file": None if self.output is None else str(self.output),
            "notes": list(self.notes),
            "findings": [finding_json(one) for one in self.findings],
            "next": self._steps(),
        } | ({"manifest": self.made.content.decode()} if self.output is None else {})

    def _steps(self) -> list[str]:
        """Say how a manifest is installed, and what has to be approved."""
        name = "FILE" if self.output is None else self.output.name
        steps = [_online(name) if self.settings.online else _on_premises(name, self.settings.permission)]
        asks = ["permission"]
        if self.settings.send_mode is not None:
            steps.append(
                "The check before sending works only where an administrator installed the add-in, not a person."
            )
            asks.append("send check")
        if self.settings.online and self.settings.single_sign_on is not None:
            asks.append("single sign-on")
        what = f"A change of {' or '.join(asks)} has to be approved by an administrator again"
        steps.append(f"{what}; until then people keep the one before.")
        return steps


def _online(name: str) -> str:
    return (
        f"Microsoft 365 admin center: Settings, Integrated apps, Upload custom apps, Office Add-in, {name}; where the add-in is "
        "installed already: Update add-in. It can take a day or more until everybody has it."
    )


def _on_premises(name: str, permission: str) -> str:
    more = " -AllowReadWriteMailbox" if permission == "ReadWriteMailbox" else ""
    return (
        "Exchange admin center: organization, add-ins, add from file; or in the Exchange Management Shell: "
        f'New-App -OrganizationApp -FileData ([IO.File]::ReadAllBytes("C:\\{name}")) '
        f"-ProvidedTo Everyone -DefaultStateForUser Enabled{more}. If the one before is in its way: Remove-App first."
    )
