"""A caller, and what a node says about one when it asks the policy server.

Parameters are those of ``odallokken/pexip-skills`` (``pexip-external-policy/references``), with true and false as ``True`` and
``False``; ``sip:`` stands before what a SIP device dialled.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Final

_TRIGGERS: Final = {"sip": "invite", "mssip": "invite", "h323": "setup", "teams": "teams"}
_SCHEMES: Final = {"sip": "sip:", "mssip": "sip:", "h323": "h323:"}
NODE: Final = {"node_ip": "10.144.101.21", "version_id": "39", "pseudo_version_id": "83650.0.0"}
"""Where the node is, and what runs on it."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who dials what, and how.

    ``protocol``: webrtc, api, sip, h323, mssip, rtmp or teams (web apps say "api" at first, then "webrtc"). ``alias`` is put into
    the form the protocol has, unless ``raw``. ``idp``: signed in with an identity provider. ``call_direction`` "non_dial" is a
    question whether the alias exists (SIP OPTIONS, H.323 LRQ).
    """

    alias: str
    protocol: str = "webrtc"
    remote_alias: str = "visitor"
    remote_display_name: str = "Visitor"
    remote_address: str = "192.0.2.10"
    remote_port: int = 50_000
    pin: str | None = None
    registered: bool = False
    idp: bool = False
    call_direction: str = "dial_in"
    trigger: str | None = None
    vendor: str = "Mozilla/5.0"
    location: str = "London"
    raw: bool = False
    join: bool = False
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def dialled(self) -> str:
        """The alias as the node receives it."""
        scheme = "" if self.raw else _SCHEMES.get(self.protocol, "")
        return self.alias if self.alias.startswith(scheme) else scheme + self.alias

    def about(self) -> dict[str, str]:
        """What every question about this call says."""
        remote = self.remote_alias
        if self.protocol == "sip" and not remote.startswith("sip:"):
            remote = f"sip:{remote}"
        return {
            "call_direction": self.call_direction,
            "protocol": self.protocol,
            "bandwidth": "0",
            "vendor": self.vendor,
            "encryption": "On",
            "registered": str(self.registered),
            "trigger": self.trigger or _TRIGGERS.get(self.protocol, "web"),
            "remote_display_name": self.remote_display_name,
            "remote_alias": remote,
            "remote_address": self.remote_address,
            "remote_port": str(self.remote_port),
            "call_tag": "",
            "idp_uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, "idp")) if self.idp else "",
            "has_authenticated_display_name": str(self.idp),
            "supports_direct_media": "False",
            "teams_tenant_id": "",
            "location": self.location,
            **NODE,
            "local_alias": self.dialled,
        }


def bare(alias: str) -> str:
    """An alias as the database has it: without scheme and parameters."""
    for scheme in ("sips:", "sip:", "h323:"):
        if alias.lower().startswith(scheme):
            return alias[len(scheme) :].partition(";")[0]
    return alias
