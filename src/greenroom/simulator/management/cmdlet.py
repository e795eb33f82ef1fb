"""How a cmdlet is declared and called: its parameters and their kinds, the shells that have it, and how it refuses.

::

    @cmdlet("Get-ManagementScope", parameters={"Identity": TEXT}, shells=EXCHANGE)
    def get_management_scope(desk: Desk, given: Given) -> list[Thing]: ...

Names of cmdlets and parameters are those of Exchange and of the Microsoft Graph modules, compared without case; what is not
declared is refused, as PowerShell refuses it. Parameters are only declared where they do something here, or are kept and told
again.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from greenroom.simulator.exchange import Exchange
    from greenroom.simulator.organisation import Organisation, Rights

Thing = dict[str, Any]
SERVER: Final = "exchange-server"
ONLINE: Final = "exchange-online"
GRAPH: Final = "graph"
SHELLS: Final = frozenset({SERVER, ONLINE, GRAPH})
EXCHANGE: Final = frozenset({SERVER, ONLINE})
ONLY_SERVER: Final = frozenset({SERVER})
ONLY_ONLINE: Final = frozenset({ONLINE})
ONLY_GRAPH: Final = frozenset({GRAPH})


class CmdletError(Exception):
    """A cmdlet refused. `category` is an ErrorCategory of PowerShell, `kind` the FullyQualifiedErrorId in short.

    `binding` tells errors of the command line itself (unknown cmdlet, parameter, value) from those of the work: no
    -ErrorAction silences the former.
    """

    def __init__(self, category: str, text: str, kind: str, *, binding: bool = False) -> None:
        super().__init__(text)
        self.category = category
        self.text = text
        self.kind = kind
        self.binding = binding


def not_found(what: str, name: object) -> CmdletError:
    """Exchange's way to say that there is no such object."""
    text = f"The operation couldn't be performed because object '{name}' couldn't be found ({what})."
    return CmdletError("ObjectNotFound", text, "ManagementObjectNotFoundException")


def exists(what: str, name: object) -> CmdletError:
    """Exchange's way to say that there is one already."""
    text = f"The {what} '{name}' already exists in the organization."
    return CmdletError("ResourceExists", text, "ADObjectAlreadyExistsException")


def invalid(text: str, kind: str = "InvalidArgument") -> CmdletError:
    """A value that the work cannot be done with."""
    return CmdletError("InvalidArgument", text, kind)


Reader = Callable[[str, Any], Any]


def _refuse(name: str, wanted: str) -> CmdletError:
    text = f"Cannot process argument transformation on parameter '{name}'. Cannot convert value to type \"{wanted}\"."
    return CmdletError("InvalidData", text, "ParameterArgumentTransformationError", binding=True)


def TEXT(name: str, value: Any) -> str | None:  # noqa: N802 - kinds of parameters read like constants
    """A String; null stays null, so that a setting can be cleared."""
    if isinstance(value, bool | list | tuple | dict):
        raise _refuse(name, "System.String")
    return None if value is None else str(value)


def BOOL(name: str, value: Any) -> bool:  # noqa: N802 - as above
    """A Boolean: $true or $false, nothing else that PowerShell would not take for one either."""
    if isinstance(value, bool) or (isinstance(value, int) and value in (0, 1)):
        return bool(value)
    raise _refuse(name, "System.Boolean")


def MAYBE(name: str, value: Any) -> bool | None:  # noqa: N802 - as above
    """A Boolean that may be null."""
    return None if value is None else BOOL(name, value)


def NUMBER(name: str, value: Any) -> int:  # noqa: N802 - as above
    """An Int32."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise _refuse(name, "System.Int32")
    try:
        return int(value)
    except ValueError:
        raise _refuse(name, "System.Int32") from None


def LIST(name: str, value: Any) -> tuple[str, ...]:  # noqa: N802 - as above
    """A MultiValuedProperty of texts; one text is a list of one."""
    if value is None:
        return ()
    if isinstance(value, list | tuple):
        if any(isinstance(one, dict | list | tuple | bool) for one in value):
            raise _refuse(name, "Microsoft.Exchange.Data.MultiValuedProperty")
        return tuple(str(one) for one in value if one is not None)
    if isinstance(value, dict | bool):
        raise _refuse(name, "Microsoft.Exchange.Data.MultiValuedProperty")
    return (str(value),)


def ANYTHING(name: str, value: Any) -> Any:  # noqa: N802, ARG001 - as above; all kinds are called alike
    """Whatever it is."""
    return value


def one_of(*names: str) -> Reader:
    """An enumeration: a name of it, in any case; told as the enumeration spells it."""
    known = {name.lower(): name for name in names}

    def read(name: str, value: Any) -> str:
        found = known.get(str(value).lower()) if not isinstance(value, bool | list | dict) else None
        if found is None:
            raise _refuse(name, f"one of {', '.join(names)}")
        return found

    return read


def octets(value: Any) -> bytes:
    """A Byte[]: bytes, their numbers, or (over JSON) their base64. Raises ValueError for anything else."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return base64.b64decode(value, validate=True)
    if isinstance(value, list | tuple) and all(isinstance(one, int) for one in value):
        return bytes(value)
    raise ValueError("no bytes")


SWITCH: Final = BOOL

_COMMON: Final[dict[str, Reader]] = {
    "ErrorAction": one_of("Stop", "Continue", "SilentlyContinue", "Ignore", "Inquire"),
    "WarningAction": one_of("Stop", "Continue", "SilentlyContinue", "Ignore", "Inquire"),
    "Verbose": SWITCH,
    "Debug": SWITCH,
    "ErrorVariable": TEXT,
    "OutVariable": TEXT,
}
_CHANGING: Final[dict[str, Reader]] = {"Confirm": SWITCH, "WhatIf": SWITCH}


@dataclass(slots=True)
class Desk:
    """Where a cmdlet works."""

    exchange: Exchange

    @property
    def organisation(self) -> Organisation:
        """What administrators set."""
        return self.exchange.site.organisation

    @property
    def rights(self) -> Rights:
        """The rights as they are set (not as Exchange's caches know them)."""
        return self.exchange.site.organisation.rights


class Given(dict[str, Any]):
    """The parameters of one call, by their declared names, read and checked. `shell` is where it was called, if that is known."""

    shell: str | None = None

    def need(self, name: str) -> Any:
        """A parameter that has to be given. Raises `CmdletError`."""
        if self.get(name) in (None, "", ()):
            text = f"Cannot process command because of one or more missing mandatory parameters: {name}."
            raise CmdletError("InvalidArgument", text, "MissingMandatoryParameter", binding=True)
        return self[name]


Work = Callable[[Desk, Given], list[Thing]]


@dataclass(frozen=True, slots=True)
class Cmdlet:
    """One cmdlet."""

    name: str
    parameters: Mapping[str, Reader]
    shells: frozenset[str]
    work: Work
    changes: bool
    only: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Parameters that not all of its shells have."""

    def read(self, parameters: Mapping[str, Any], shell: str | None) -> Given:
        """Check a call's parameters. Raises `CmdletError` for unknown ones and wrong kinds."""
        known = {**self.parameters, **_COMMON, **(_CHANGING if self.changes else {})}
        if SERVER in self.shells and shell in (None, SERVER):
            known["DomainController"] = TEXT
        by_name = {name.lower(): name for name in known}
        given = Given()
        given.shell = shell
        for name, value in parameters.items():
            declared = by_name.get(name.lower())
            if declared is None or (shell is not None and shell not in self.only.get(declared, SHELLS)):
                text = f"A parameter cannot be found that matches parameter name '{name[:100]}'."
                raise CmdletError("InvalidArgument", text, "NamedParameterNotFound", binding=True)
            if declared in given:
                text = f"The parameter '{declared}' is specified more than once."
                raise CmdletError("InvalidArgument", text, "ParameterAlreadyBound", binding=True)
            given[declared] = known[declared](declared, value)
        return given


TABLE: Final[dict[str, Cmdlet]] = {}
"""All cmdlets by lower-case name; filled where they are declared."""


def cmdlet(
    name: str,
    *,
    parameters: Mapping[str, Reader],
    shells: frozenset[str],
    only: Mapping[str, frozenset[str]] | None = None,
) -> Callable[[Work], Work]:
    """Declare a cmdlet. All but Get-, Test- and Connect- change something, and so know -WhatIf and -Confirm."""

    def declare(work: Work) -> Work:
        changes = not name.startswith(("Get-", "Test-", "Connect-", "Disconnect-"))
        TABLE[name.lower()] = Cmdlet(name, parameters, shells, work, changes, only or {})
        return work

    return declare
