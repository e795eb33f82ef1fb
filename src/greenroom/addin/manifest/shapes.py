"""Which elements may stand in which, in what order and how often.

Source: MS-OWEMXML appendix A, and for what came later (Runtimes, LaunchEvent, MobileOnlineMeetingCommandSurface,
SupportsSharedFolders, WebApplicationInfo, ExtendedPermissions) the reference of the add-in only manifest. Wrong order is told by
Outlook as "not a valid child" and keeps an add-in from being installed.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Place:
    """A child: its name, and whether it must be there or may be there more than once."""

    name: str
    needed: bool = False
    many: bool = False


def _shape(order: str) -> tuple[Place, ...]:
    """Read an order: `?` may be missing, `*` may be missing or come often, `+` comes once or often."""
    return tuple(Place(word.rstrip("?*+"), word[-1] not in "?*", word[-1] in "*+") for word in order.split())


_OVERRIDES = "Description? Requirements? Hosts? Resources? EquivalentAddins? ExtendedPermissions?"
_LOCALISED = _shape("Override*")

SHAPES: Final = {
    "OfficeApp": _shape(
        "Id AlternateId? Version ProviderName DefaultLocale DisplayName Description IconUrl HighResolutionIconUrl SupportUrl? "
        "AppDomains? Hosts Requirements FormSettings Permissions Rule DisableEntityHighlighting? VersionOverrides?"
    ),
    "DisplayName": _LOCALISED,
    "OfficeApp/Description": _LOCALISED,
    "IconUrl": _LOCALISED,
    "HighResolutionIconUrl": _LOCALISED,
    "SupportUrl": _LOCALISED,
    "AppDomains": _shape("AppDomain+"),
    "Hosts": _shape("Host+"),
    "Requirements": _shape("Sets"),
    "Sets": _shape("Set+"),
    "FormSettings": _shape("Form+"),
    "Form": _shape("DesktopSettings TabletSettings? PhoneSettings?"),
    "DesktopSettings": _shape("SourceLocation RequestedHeight?"),
    "TabletSettings": _shape("SourceLocation RequestedHeight?"),
    "PhoneSettings": _shape("SourceLocation"),
    "Rule:RuleCollection": _shape("Rule+"),
    # The newest of the overrides are nested as the last child; WebApplicationInfo is the last of all others.
    "VersionOverrides:VersionOverridesV1_0": _shape(f"{_OVERRIDES} WebApplicationInfo? VersionOverrides?"),
    "VersionOverrides:VersionOverridesV1_1": _shape(f"{_OVERRIDES} WebApplicationInfo?"),
    "Host:MailHost": _shape("Runtimes? DesktopFormFactor? MobileFormFactor?"),
    "Runtimes": _shape("Runtime+"),
    "Runtime": _shape("Override?"),
    "DesktopFormFactor": _shape("SupportsSharedFolders? FunctionFile? ExtensionPoint+"),
    "MobileFormFactor": _shape("FunctionFile? ExtensionPoint+"),
    "ExtensionPoint": _shape("OfficeTab* CustomTab*"),
    "ExtensionPoint:LaunchEvent": _shape("LaunchEvents SourceLocation"),
    "ExtensionPoint:MobileOnlineMeetingCommandSurface": _shape("Control"),
    "LaunchEvents": _shape("LaunchEvent+"),
    "OfficeTab": _shape("Group+"),
    "CustomTab": _shape("Group+ Label"),
    "Group": _shape("Label Control+"),
    "Control:Button": _shape("Label Supertip Icon Action"),
    "Control:Menu": _shape("Label Supertip Icon Items"),
    "Control:MobileButton": _shape("Label Icon Action"),
    "Items": _shape("Item+"),
    "Item": _shape("Label Supertip Icon? Action"),
    "Supertip": _shape("Title Description"),
    "Icon": _shape("Image+"),
    "Action:ExecuteFunction": _shape("FunctionName"),
    "Action:ShowTaskpane": _shape("SourceLocation SupportsPinning?"),
    "Resources": _shape("Images? Urls? ShortStrings? LongStrings?"),
    "Images": _shape("Image*"),
    "Urls": _shape("Url*"),
    "ShortStrings": _shape("String*"),
    "LongStrings": _shape("String*"),
    "Images/Image": _LOCALISED,
    "Url": _LOCALISED,
    "String": _LOCALISED,
    "WebApplicationInfo": _shape("Id Resource Scopes"),
    "Scopes": _shape("Scope+"),
    "ExtendedPermissions": _shape("ExtendedPermission+"),
}
"""By name of the parent; `parent/name` where the place matters and `name:type` where its `xsi:type` does."""

OPEN: Final = frozenset({"EquivalentAddins"})
"""What we never write and do not look into."""

BASIC: Final = frozenset({"Sets", "Set", "Images", "Image", "Urls", "Url", "ShortStrings", "LongStrings", "String"})
"""Names that belong to the namespace of basic types wherever they stand in version overrides."""
