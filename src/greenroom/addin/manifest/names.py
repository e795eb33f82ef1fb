"""Namespaces, pages, functions and pictures that a manifest names. The scripts and the web server use the same names."""

BASE = "http://schemas.microsoft.com/office/appforoffice/1.1"
BASIC_TYPES = "http://schemas.microsoft.com/office/officeappbasictypes/1.0"
OVERRIDES_1_0 = "http://schemas.microsoft.com/office/mailappversionoverrides"
OVERRIDES_1_1 = "http://schemas.microsoft.com/office/mailappversionoverrides/1.1"
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
TYPE = f"{{{INSTANCE}}}type"

TASK_PANE, FUNCTIONS = "taskpane.html", "commands.html"
LAUNCH_PAGE, LAUNCH_SCRIPT = "launchevent.html", "launchevent.js"
ADD, ADD_ON_PHONE, ON_SEND = "addRoom", "addRoomMobile", "onSend"
"""Functions: of the button, of the phone's toggle, and of the check before sending."""

ICONS = "/addin/icons/"
RIBBON_SIZES = (16, 20, 24, 32, 40, 48, 64, 80)
REQUIRED_SIZES = frozenset({16, 32, 80})
ICON_SIZE, HIGH_RESOLUTION_SIZE = 64, 128
PHONE_SIZES, PHONE_SCALES = (25, 32, 48), (1, 2, 3)
SIZES = (16, 20, 24, 25, 32, 40, 48, 64, 80, HIGH_RESOLUTION_SIZE)
"""So many pixels wide are the pictures there are; 25 is what some lists of add-ins show."""

LARGEST = 256 * 1024
"""The largest manifest that Outlook takes, in bytes."""


def icon(size: int) -> str:
    """Name the file of a picture so many pixels wide."""
    return f"icon-{size}.png"


def phone_icon(size: int, scale: int) -> str:
    """Name the file of a picture for phones, `size` points wide on a screen of so many pixels to the point."""
    return f"mobile-{size}-{scale}x.png"
