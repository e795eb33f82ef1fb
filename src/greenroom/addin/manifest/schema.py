"""The published schema, for whoever has its files: it predates some elements, which are left out before it is asked.

Only files of the folder that was named are read, and nothing is fetched.
"""

import copy
from pathlib import Path
from typing import Any

from lxml import etree

from greenroom.addin.manifest.elements import Element
from greenroom.addin.manifest.findings import Finding, Severity, kind_of, name_of
from greenroom.addin.manifest.reading import read_manifest

MAIN_FILE = "OfficeAppManifestV1_1.xsd"
_LATER = frozenset(
    {
        "Runtimes",
        "MobileFormFactor",
        "SupportsSharedFolders",
        "SupportsPinning",
        "WebApplicationInfo",
        "ExtendedPermissions",
        "EquivalentAddins",
    }
)
_LATER_POINTS = frozenset({"LaunchEvent", "MobileOnlineMeetingCommandSurface"})
_MOST = 100


class SchemaFolderError(ValueError):
    """The folder does not hold a schema that can be used; the message says why."""


class Schema:
    """The schema, compiled once."""

    def __init__(self, folder: Path) -> None:
        """Raises SchemaFolderError."""
        file = folder / MAIN_FILE
        if not file.is_file():
            raise SchemaFolderError(f"there is no {MAIN_FILE} in {folder}")
        parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
        try:
            self._schema = etree.XMLSchema(etree.parse(str(file), parser))
        except (OSError, etree.XMLSyntaxError, etree.XMLSchemaParseError) as wrong:
            # The files as they were published cannot be compiled: namespaces with https, a pattern, a file that is missing.
            raise SchemaFolderError(f"{file} cannot be used as a schema: {_short(str(wrong))}") from wrong

    def check(self, content: bytes) -> list[Finding]:
        """Say what the schema says of a manifest; nothing of one that cannot be read, which our own rules tell."""
        root = read_manifest(content)
        if isinstance(root, Finding):
            return []
        self._schema.validate(stripped(root))
        log: Any = self._schema.error_log
        told = list(log)[:_MOST]
        right = "as the schema of add-in manifests has it"
        return [Finding(Severity.ERROR, "schema", one.line, "", _short(one.message), right) for one in told]


def stripped(root: Element) -> Element:
    """Copy a manifest without what the schema does not know."""
    rest = copy.deepcopy(root)
    for one in list(rest.iter()):
        parent = one.getparent()
        if parent is None:
            continue
        if name_of(one) in _LATER or (name_of(one) == "ExtensionPoint" and kind_of(one) in _LATER_POINTS):
            parent.remove(one)
    return rest


def _short(message: str) -> str:
    return message if len(message) <= 300 else f"{message[:299]}…"  # noqa: PLR2004 - a line or two on a screen
