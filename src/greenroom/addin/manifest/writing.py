"""From settings to a manifest: the same settings and version give the same bytes.

The shape is that of the add-in only manifest: the base for clients that know no commands, version overrides 1.0 for those that know
buttons, and 1.1 inside them, which repeats everything since nothing is inherited.
"""

import hashlib
from typing import Any

from lxml import etree

from greenroom.addin.manifest.elements import Element, add
from greenroom.addin.manifest.model import ManifestSettings
from greenroom.addin.manifest.names import (
    BASE,
    BASIC_TYPES,
    HIGH_RESOLUTION_SIZE,
    ICON_SIZE,
    ICONS,
    INSTANCE,
    TASK_PANE,
    TYPE,
    icon,
)
from greenroom.addin.manifest.overrides import add_overrides
from greenroom.addin.manifest.wording import DEFAULT_LOCALE, DESCRIPTION, NAME, SHORT, Text, fitting, text

_NO_VERSION = "0.0.0.0"  # noqa: S104 - a version, not an address


def write_manifest(settings: ManifestSettings, version: str) -> bytes:
    """Write a manifest as UTF-8 without a byte order mark, which Exchange's upload stumbles over.

    Raises WordingError if a text is missing that every manifest needs.
    """
    namespaces: Any = {None: BASE, "xsi": INSTANCE, "bt": BASIC_TYPES}  # the stubs know no default namespace
    root = etree.Element(f"{{{BASE}}}OfficeApp", nsmap=namespaces)
    root.set(TYPE, "MailApp")
    add(root, "Id", settings.id)
    add(root, "Version", version)
    add(root, "ProviderName", fitting(settings.provider, SHORT) or "-")
    add(root, "DefaultLocale", DEFAULT_LOCALE)
    _add_text(root, "DisplayName", text(settings.words, NAME))
    _add_text(root, "Description", text(settings.words, DESCRIPTION))
    add(root, "IconUrl", DefaultValue=f"{settings.public_url}{ICONS}{icon(ICON_SIZE)}")
    add(root, "HighResolutionIconUrl", DefaultValue=f"{settings.public_url}{ICONS}{icon(HIGH_RESOLUTION_SIZE)}")
    add(root, "SupportUrl", DefaultValue=settings.support_url)
    domains = [origin for origin in dict.fromkeys(settings.app_domains) if origin != settings.public_url]
    if domains:
        listed = add(root, "AppDomains")
        for origin in domains:
            add(listed, "AppDomain", origin)
    add(add(root, "Hosts"), "Host", Name="Mailbox")
    add(add(add(root, "Requirements"), "Sets"), "Set", Name="Mailbox", MinVersion="1.3")
    form = add(add(root, "FormSettings"), "Form", kind="ItemEdit")
    # Exchange's identity tokens are made out to this address, letter by letter: it never has a query.
    add(add(form, "DesktopSettings"), "SourceLocation", DefaultValue=f"{settings.base}{TASK_PANE}")
    add(root, "Permissions", settings.permission)
    add(root, "Rule", kind="ItemIs", ItemType="Appointment", FormType="Edit")
    add_overrides(root, settings, version)
    etree.indent(root)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8") + b"\n"


def digest_of(settings: ManifestSettings) -> str:
    """Return what changes when, and only when, the manifest says anything else than before; the version is no part of it."""
    return hashlib.sha256(write_manifest(settings, _NO_VERSION)).hexdigest()


def _add_text(parent: Element, name: str, value: Text) -> None:
    element = add(parent, name, DefaultValue=value.default)
    for locale, other in value.overrides:
        add(element, "Override", Locale=locale, Value=other)
