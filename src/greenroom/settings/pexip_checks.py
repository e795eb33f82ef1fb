"""Whether [integration.pexip] says all that its two ways need, and nothing twice."""

from collections.abc import Mapping

from greenroom.settings.integration import Integration
from greenroom.settings.layers import Layers
from greenroom.settings.pexip import Pexip, PexipManagement
from greenroom.settings.toml_lines import Path

_SECONDS = 60
_ONE_WAY = "username with password, or client_id with private_key_file"


def check_pexip(layers: Layers, here: Path, integration: Integration) -> None:
    """Check one integration that is right field by field; `here` is its place in the file."""
    pexip = integration.pexip
    if pexip is None:
        if integration.platform.kind == "pexip":
            layers.problem(
                (*here, "platform", "kind"), "needs a table [integration.pexip]", "one with management, policy or both"
            )
        return
    table = (*here, "pexip")
    if integration.platform.kind != "pexip":
        layers.problem(
            table, 'has no use while platform.kind is "embedded"', 'platform.kind = "pexip", or no such table'
        )
    if pexip.management is None and pexip.policy is None:
        layers.problem(
            table, "has neither management nor policy: no room could ever be entered", "one of them, or both"
        )
    _check_times(layers, table, pexip)
    if pexip.management is not None:
        _check_sign_in(layers, (*table, "management"), pexip.management)
    if pexip.policy is not None and pexip.policy.password is None:
        layers.problem((*table, "policy", "password"), "is missing", "password or password_file")


def check_callers(layers: Layers, integrations: Mapping[int, Integration]) -> None:
    """Check that integrations which share a policy user name share its password: it would not say whose rooms are asked for."""
    first: dict[str, tuple[int, str]] = {}
    for index, one in integrations.items():
        policy = None if one.pexip is None else one.pexip.policy
        if policy is None or policy.password is None:
            continue
        secret = policy.password.get_secret_value()
        other, known = first.setdefault(policy.username, (index, secret))
        if known != secret:
            layers.problem(
                ("integration", index, "pexip", "policy", "password"),
                f"is not that of {layers.spell(('integration', other))}, which has the same user name",
                "the same password, or a user name of its own",
            )


def _check_times(layers: Layers, table: Path, pexip: Pexip) -> None:
    if pexip.makes_rooms != "none" and pexip.management is None:
        layers.problem(
            (*table, "provisioning"),
            f'is "{pexip.makes_rooms}" without [integration.pexip.management]',
            'management, or provisioning = "none"',
        )
    if pexip.makes_rooms == "none" and pexip.policy is None and pexip.management is not None:
        layers.problem(
            (*table, "provisioning"), 'is "none" without policy: no room could ever be entered', '"ahead", or policy'
        )
    if pexip.makes_rooms == "just-in-time" and pexip.lead * _SECONDS < pexip.replication_seconds:
        layers.problem(
            (*table, "lead"),
            "is shorter than replication_seconds: rooms would come after their window opens",
            f"at least {-(-pexip.replication_seconds // _SECONDS)} minutes",
        )


def _check_sign_in(layers: Layers, here: Path, management: PexipManagement) -> None:
    as_user, as_client = management.username is not None, management.client_id is not None
    if as_user == as_client:
        said = "is a second way to sign in besides username" if as_user else "is missing: nothing here signs in"
        layers.problem((*here, "client_id" if as_user else "username"), said, _ONE_WAY)
    elif as_user and management.password is None:
        layers.problem((*here, "password"), "is missing: username needs it", "password or password_file")
    elif as_client and management.private_key is None:
        layers.problem((*here, "private_key"), "is missing: client_id needs it", "private_key or private_key_file")
