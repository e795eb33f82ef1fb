"""Whether [integration.addin] can work: somebody must be able to sign in, and the pages need an origin of their own."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from greenroom.settings.integration import Integration
from greenroom.settings.layers import Layers
from greenroom.settings.toml_lines import Path


def check_addin(layers: Layers, here: Path, integration: Integration) -> None:
    """Check one integration that is right field by field; `here` is its place in the file."""
    addin = integration.addin
    if addin is None:
        return
    table = (*here, "addin")
    if addin.entra is None and addin.exchange_tokens is None and addin.oidc is None:
        layers.problem(
            table,
            "has no way to sign in: nobody could ask for a room",
            "[integration.addin.entra], [integration.addin.exchange_tokens] or [integration.addin.oidc]",
        )
    if "'" in integration.mailbox:
        layers.problem(
            (*here, "mailbox"),
            "has an apostrophe: Outlook drops such an address without a word when an add-in invites it",
            "another address of the mailbox",
        )
    if addin.entra is not None and addin.entra.legacy_sso and addin.entra.application_id_uri is None:
        layers.problem(
            (*table, "entra", "application_id_uri"),
            "is missing: legacy_sso needs it, for Office takes only one with the add-in's host in it",
            "api://<host of public_url>/<application id>",
        )
    if addin.personal_rooms is not None and addin.entra is None and addin.oidc is None:
        layers.problem(
            (*table, "personal_rooms"),
            "needs to know people's addresses, which Exchange's identity tokens do not tell",
            "[integration.addin.entra] or [integration.addin.oidc] besides",
        )


def check_ids(layers: Layers, integrations: Mapping[int, Integration]) -> None:
    """Check that no two add-ins have one id: in Outlook they would replace each other."""
    first: dict[str, int] = {}
    for index, integration in integrations.items():
        if integration.addin is None or integration.addin.id is None:
            continue
        other = first.setdefault(integration.addin.id, index)
        if other != index:
            layers.problem(
                ("integration", index, "addin", "id"),
                f"is that of {layers.spell(('integration', other))}: in Outlook they would replace each other",
                "an id of its own, or none: then one is made",
            )


def check_origin(layers: Layers, public_url: str, *, addins: bool) -> None:
    """Check that the whole origin is ours: Outlook frames its root, and asks there who may run event handlers."""
    if addins and urlsplit(public_url).path:
        layers.problem(
            ("service", "public_url"),
            "has a path, and Outlook needs the root of the host to be the add-in's too",
            "an address without a path, such as https://meet.example.org",
        )
