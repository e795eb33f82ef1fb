"""What administrators set beside the mailboxes themselves: groups, scopes, roles, rights, who may use EWS and how.

Only values; `rights` says what follows from them, `management` changes them as Exchange's own cmdlets do. Rights are kept apart
(`Rights`) because Exchange caches them: with `rights_cached_seconds` a change counts only so much later.

A seeded organisation lets everybody in that its seed names; the one of Exchange's own defaults is made by `untouched`.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from greenroom.simulator.model import Processing


@dataclass(frozen=True, slots=True)
class Group:
    """A distribution group. Members are primary addresses, or logins of accounts without a mailbox."""

    name: str
    alias: str
    address: str
    distinguished_name: str
    kind: str = "Distribution"
    hidden: bool = False
    members: tuple[str, ...] = ()
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """A management scope over recipients, by an OPATH filter."""

    name: str
    filter: str


@dataclass(frozen=True, slots=True)
class Assignment:
    """A role given to a login, to the members of a group, or to an application (its object id in Entra).

    At most one of `scope` (a management scope) and `group` (direct members of a group) limits it; with neither it is
    tenant-wide.
    """

    name: str
    role: str
    assignee: str
    assignee_kind: str = "User"
    scope: str | None = None
    group: str | None = None
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Principal:
    """An application as Exchange Online knows it; `object_id` must be that of its enterprise application in Entra."""

    app_id: str
    object_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Consent:
    """An application permission granted in Entra: tenant-wide, whatever Exchange's own scopes say."""

    id: str
    principal: str  # object id of the enterprise application
    resource: str  # object id of the enterprise application that has the role
    role: str  # id of the application role


@dataclass(frozen=True, slots=True)
class UserConsent:
    """What an application may do in a user's name (None: in everybody's)."""

    principal: str
    resource: str
    scope: str
    user: str | None = None


@dataclass(slots=True)
class Rights:
    """Everything that Exchange caches. Mappings are by the lower-case name (or id) of what they hold."""

    groups: dict[str, Group] = field(default_factory=dict)
    scopes: dict[str, Scope] = field(default_factory=dict)
    assignments: dict[str, Assignment] = field(default_factory=dict)
    principals: dict[str, Principal] = field(default_factory=dict)
    consents: dict[str, Consent] = field(default_factory=dict)
    full_access: dict[str, tuple[str, ...]] = field(default_factory=dict)  # mailbox -> who may open it


@dataclass(slots=True)
class VirtualDirectory:
    """How the EWS virtual directory lets callers sign in.

    `windows` None is for organisations made by a seed: Windows authentication is not offered, but whom something in front of
    the simulator has proven by it is let in.
    """

    basic: bool = True
    windows: bool | None = None
    oauth: bool = True
    external_url: str | None = None
    extended_protection: str = "Require"


@dataclass(slots=True)
class EwsAccess:
    """Who may use EWS at all, in the organisation or in one mailbox (Set-OrganizationConfig, Set-CASMailbox)."""

    enabled: bool | None = None
    policy: str | None = None  # EnforceAllowList or EnforceBlockList, of user agents
    allowed: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    app_ids: tuple[str, ...] = ()  # EwsAllowedAppIDs: counts only where `enabled` is True


@dataclass(slots=True)
class Recipient:
    """What administrators set on one mailbox, beside what `model.Mailbox` has."""

    name: str
    alias: str
    created: str = ""
    hidden: bool = False
    attributes: dict[str, str] = field(default_factory=dict)  # CustomAttribute1 and so on
    language: str | None = None
    time_zone: str | None = None
    authenticated_only: bool = False  # RequireSenderAuthenticationEnabled
    ews: EwsAccess = field(default_factory=lambda: EwsAccess(enabled=True))
    throttling_policy: str | None = None
    sign_in_blocked: bool = False
    more: dict[str, object] = field(default_factory=dict)  # what is kept without having an effect here


@dataclass(slots=True)
class Registration:
    """An application in Entra. `principal` is the object id of its enterprise application, None where there is none."""

    app_id: str
    object_id: str
    name: str
    principal: str | None = None
    audience: str = "AzureADMyOrg"
    keys: tuple[dict[str, object], ...] = ()
    secrets: tuple[dict[str, object], ...] = ()
    notes: str | None = None
    uris: tuple[str, ...] = ()
    more: dict[str, object] = field(default_factory=dict)  # kept and told again: Api, Spa, RequiredResourceAccess, ...


@dataclass(slots=True)
class AddIn:
    """An add-in that New-App gave to the organisation."""

    app_id: str
    name: str
    version: str
    enabled: bool = True
    default_state: str = "Disabled"
    provided_to: str = "Everyone"
    users: tuple[str, ...] = ()
    manifest: str = ""


@dataclass(slots=True)
class Organisation:
    """All of it."""

    rights: Rights = field(default_factory=Rights)
    directory: VirtualDirectory = field(default_factory=VirtualDirectory)
    ews: EwsAccess = field(default_factory=EwsAccess)
    modern_authentication: bool = True  # OAuth2ClientProfileEnabled: Bearer is offered to clients
    recipients: dict[str, Recipient] = field(default_factory=dict)  # by primary address
    registrations: dict[str, Registration] = field(default_factory=dict)  # by lower-case client id
    user_consents: dict[str, UserConsent] = field(default_factory=dict)
    add_ins: dict[str, AddIn] = field(default_factory=dict)
    administrators: tuple[str, ...] = ()  # logins; without any, everybody who reaches the cmdlets is one
    new_equipment: Processing = "auto_update"  # AutomateProcessing of New-Mailbox -Equipment
    message_rate: int | None = None  # MessageRateLimit of the default throttling policy, a minute; None: unlimited
    rights_cached_seconds: float = 0.0
    past: list[tuple[datetime, Rights]] = field(default_factory=list)
    """Rights as they were before a change at that time, oldest first; kept only as long as they still count."""

    def as_installed(self) -> None:
        """Set what seeds leave open to Exchange's own defaults."""
        self.directory = VirtualDirectory(basic=False, windows=True, oauth=True)
        self.ews = EwsAccess()
        self.modern_authentication = False
        self.new_equipment = "auto_accept"

    def before_change(self, now: datetime, was: Rights) -> None:
        """Remember what the rights were before they were changed."""
        if self.rights_cached_seconds > 0 and was != self.rights:
            self._forget(now)
            self.past.append((now, was))

    def copy_of_rights(self) -> Rights:
        """The rights as they are now, to be given to `before_change` later."""
        return copy.deepcopy(self.rights)

    def effective(self, now: datetime) -> Rights:
        """The rights as Exchange sees them: those before the oldest change that is not old enough yet."""
        self._forget(now)
        return self.past[0][1] if self.past else self.rights

    def _forget(self, now: datetime) -> None:
        delay = timedelta(seconds=self.rights_cached_seconds)
        self.past = [(at, was) for at, was in self.past if at <= now < at + delay]
