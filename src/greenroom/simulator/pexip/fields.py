"""The lists of fields of the management API, as far as we simulate it: names, types, lengths, choices, defaults.

They are facts compared from published sources:

- the schema of a Management Node as copied into ``odallokken/pexip-skills`` (``skills/pexip-management-api/references``):
  names, kinds, descriptions with lengths and ranges, allowed methods;
- ``pexip/terraform-provider-infinity`` (``internal/provider/resource_infinity_*.go``): required fields, defaults, choices,
  lengths and ranges that the vendor itself checks;
- ``pexip/go-infinity-sdk`` v41 (``config/*_model.go``, ``status/models.go``, ``command/models.go``): which related fields are
  read in full (aliases, ivr_theme, playlist_entries) and which as addresses, which are nullable, forms of times;
- ``pexip/pexshell`` (``lib/src/mcu/schema.rs``): the shape of ``/schema/`` with "filtering" and "ordering" of conferences.

Where a source is silent we decided: uniqueness of names of things (theme, group, location, playlist, connector), filters and
orders of everything but conferences (all fields), `uuid` of themes and aliases as writable.
"""

from __future__ import annotations

from typing import Final

from greenroom.simulator.pexip.fields_exchange import EXCHANGE
from greenroom.simulator.pexip.fields_rooms import LAYOUTS, ROOMS
from greenroom.simulator.pexip.fields_status import STATUS
from greenroom.simulator.pexip.kinds import REQUIRED, Field, Resource

RESOURCES: Final[dict[str, Resource]] = {resource.key: resource for resource in (*ROOMS, *EXCHANGE, *STATUS)}
"""Every simulated resource by section and name, such as ``configuration/conference``."""
CONFIGURATION: Final[dict[str, Resource]] = {
    resource.name: resource for resource in RESOURCES.values() if resource.section == "configuration"
}
"""Resources of the configuration by their names alone."""
NOT_SIMULATED: Final = frozenset(
    {
        "automatic_participant",
        "device",
        "gateway_routing_rule",
        "global",
        "identity_provider",
        "licence",
        "mjx_integration",
        "oauth2_client",
        "policy_server",
        "worker_vm",
    }
)
"""Resources of the configuration that exist, but not here: they are answered with 501."""

__all__ = ["CONFIGURATION", "LAYOUTS", "NOT_SIMULATED", "REQUIRED", "RESOURCES", "Field", "Resource"]
