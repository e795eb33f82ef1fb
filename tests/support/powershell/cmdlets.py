"""Which cmdlets there are, in which shell, with which parameters: what a generated script is held against.

Names, kinds and parameter sets in `cmdlets.json` are facts from Microsoft's reference: of Exchange's cmdlets from
https://learn.microsoft.com/powershell/module/exchangepowershell/ (state of 2026-08-21), of Microsoft Graph's from
https://learn.microsoft.com/powershell/module/microsoft.graph.applications/ and its neighbours (state of 2026-01-30).
Of Update-MgUser only a part is there; Get-MgUser and Get-MgServicePrincipalOauth2PermissionGrant follow the pattern of all Get-
cmdlets of these modules, their own pages were not read. Two constants below say where the reference contradicts itself.
PowerShell's own cmdlets are in `PLAIN`, as the pages of its modules Utility, Management and Security tell them, with only the
parameters that we use.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal

from support.powershell.calls import Call, calls
from support.powershell.reading import Problem

Shell = Literal["server", "online", "graph"]
"""Exchange Management Shell of an Exchange Server, Exchange Online PowerShell, Microsoft Graph PowerShell."""

COMMON: Final = {"ErrorAction": "text", "WarningAction": "text", "Verbose": "switch"}
PLAIN: Final[dict[str, dict[str, str]]] = {
    "ConvertTo-Json": {"InputObject": "value", "Depth": "int"},
    "Format-List": {"InputObject": "value", "Property": "list"},
    "Get-Content": {"LiteralPath": "text", "Encoding": "text", "Raw": "switch"},
    "Get-PfxCertificate": {"FilePath": "text", "LiteralPath": "text"},
    "Get-Credential": {"UserName": "text", "Message": "text"},
    "Out-Null": {},
    "Read-Host": {"Prompt": "text", "AsSecureString": "switch"},
    "Select-Object": {"Property": "list", "First": "int", "ExpandProperty": "text"},
    "Set-Content": {"LiteralPath": "text", "Encoding": "text", "Value": "value"},
    "Set-StrictMode": {"Version": "text"},
    "Test-Path": {"LiteralPath": "text", "PathType": "text"},
    "Where-Object": {},
    "Write-Host": {"Object": "value"},
    "Write-Warning": {"Message": "text"},
}
NOT_REQUIRED: Final = {
    ("New-ServicePrincipal", "ServiceId")
}  # its page calls it required and deprecated, its example goes without
TOLD_ELSEWHERE: Final = {
    # The page of Set-OrganizationConfig tells of this switch, the page of the cmdlet itself does not yet.
    "Get-OrganizationConfig": {"RetrieveEwsOperationAccessPolicy": "switch"},
}
_FITS: Final = {
    "switch": {"switch", "bool", "value"},
    "bool": {"bool", "value"},
    "int": {"int", "value"},
    "list": {"list", "text", "table", "value", "null"},
    "text": {"text", "int", "value", "null"},
    "table": {"table", "value"},
    "value": {"text", "bool", "int", "list", "table", "value", "null"},
    "secret": {"value"},
    "bytes": {"value"},
    "credential": {"value"},
}


@dataclass(frozen=True, slots=True)
class Cmdlet:
    """What is known of one: where it is, kinds of parameters, and which parameters go together (required, all)."""

    shells: frozenset[str]
    kinds: dict[str, str]
    sets: tuple[tuple[frozenset[str], frozenset[str]], ...]
    only: dict[str, frozenset[str]]


@lru_cache(maxsize=1)
def known() -> dict[str, Cmdlet]:
    """Every cmdlet of Exchange and Microsoft Graph that our scripts may call."""
    rows = json.loads(Path(__file__).with_name("cmdlets.json").read_text("utf-8"))
    return {name: _read(name, row) for name, row in rows.items()}


def _read(name: str, row: dict[str, Any]) -> Cmdlet:
    common = frozenset(row["common"].split())
    spared = {parameter for cmdlet, parameter in NOT_REQUIRED if cmdlet == name}
    more = TOLD_ELSEWHERE.get(name, {})
    sets = []
    for one in row["sets"]:
        required, _, others = one.partition("|")
        needed = frozenset(required.split())
        sets.append((needed - spared, needed | frozenset(others.split()) | common | set(more)))
    kinds = dict.fromkeys((parameter for _, every in sets for parameter in every), "text")
    kinds |= {parameter: kind for kind, names in row["kinds"].items() for parameter in names.split()}
    kinds |= more
    only = {where: frozenset(names.split()) for where, names in row["only"].items()}
    return Cmdlet(frozenset(row["shells"].split()), kinds, tuple(sets), only)


def misused(text: str, shell: Shell) -> list[Problem]:
    """Every call that this shell would not take: unknown cmdlets and parameters, wrong kinds, what does not go together."""
    return [Problem(call.line, f"{call.name}: {what}") for call in calls(text) for what in _wrong(call, shell)]


def _wrong(call: Call, shell: Shell) -> list[str]:
    if call.name in PLAIN:
        kinds = PLAIN[call.name]
        return _parameters(call, kinds) + (
            ["an argument without a name"] if call.positional and call.name != "Where-Object" else []
        )
    cmdlet = known().get(call.name)
    if cmdlet is None:
        return ["not a cmdlet that is known here"]
    if shell not in cmdlet.shells:
        return [f"is not in this shell ({shell})"]
    found = _parameters(call, cmdlet.kinds)
    given = frozenset(name for name, _ in call.given) - set(COMMON)
    elsewhere = given & frozenset().union(
        *(names for where, names in cmdlet.only.items() if where not in {shell, "both"})
    )
    found += [f"-{name} is not in this shell ({shell})" for name in sorted(elsewhere)]
    found += ["an argument without a name"] if call.positional else []
    if not found and not any(required <= given <= every for required, every in cmdlet.sets):
        found.append(f"these parameters do not go together: {', '.join(sorted(given))}")
    return found


def _parameters(call: Call, kinds: dict[str, str]) -> list[str]:
    found = []
    for name, kind in call.given:
        wanted = {**COMMON, **kinds}.get(name)
        if wanted is None:
            found.append(f"has no parameter -{name}")
        elif kind not in _FITS[wanted]:
            found.append(f"-{name} takes a {wanted}, not a {kind}")
    return found
