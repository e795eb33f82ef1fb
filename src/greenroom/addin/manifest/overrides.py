"""The version overrides of a manifest: buttons, the phone's toggle, the check before sending, single sign-on.

Source: MS-OWEMXML 2.2.6 (mail 1.0) and 2.2.7 (mail 1.1), and the reference of the elements that came later.
"""

from typing import Any

from lxml import etree

from greenroom.addin.manifest.elements import Element, add, add_in
from greenroom.addin.manifest.model import ManifestSettings
from greenroom.addin.manifest.names import (
    ADD,
    ADD_ON_PHONE,
    BASIC_TYPES,
    FUNCTIONS,
    LAUNCH_PAGE,
    LAUNCH_SCRIPT,
    ON_SEND,
    OVERRIDES_1_0,
    OVERRIDES_1_1,
    PHONE_SCALES,
    PHONE_SIZES,
    RIBBON_SIZES,
    TASK_PANE,
    TYPE,
)
from greenroom.addin.manifest.resources import Resources
from greenroom.addin.manifest.wording import BUTTON, BUTTON_TIP, DESCRIPTION, GROUP, MOBILE, PANE, PANE_TIP


def add_overrides(root: Element, settings: ManifestSettings, version: str) -> None:
    """Add version overrides 1.0 with 1.1 as their last child."""
    _Overrides(settings, version, newer=True).add_to(_Overrides(settings, version, newer=False).add_to(root))


class _Overrides:
    """One `VersionOverrides` element; `newer` is 1.1."""

    def __init__(self, settings: ManifestSettings, version: str, *, newer: bool) -> None:
        self._settings = settings
        self._newer = newer
        self._checks = newer and settings.send_mode is not None
        self._resources = Resources(settings, version)

    def add_to(self, parent: Element) -> Element:
        namespace = OVERRIDES_1_1 if self._newer else OVERRIDES_1_0
        namespaces: Any = {None: namespace}  # the stubs know no default namespace
        element = etree.SubElement(parent, f"{{{namespace}}}VersionOverrides", nsmap=namespaces)
        element.set(TYPE, "VersionOverridesV1_1" if self._newer else "VersionOverridesV1_0")
        add(element, "Description", resid=self._resources.long(DESCRIPTION))
        sets = add_in(BASIC_TYPES, add(element, "Requirements"), "Sets")
        add_in(BASIC_TYPES, sets, "Set", Name="Mailbox", MinVersion="1.3")
        host = add(add(element, "Hosts"), "Host", kind="MailHost")
        if self._checks:
            runtime = add(add(host, "Runtimes"), "Runtime", resid=self._resources.page(LAUNCH_PAGE))
            add(runtime, "Override", type="javascript", resid=self._resources.script(LAUNCH_SCRIPT))
        self._add_desktop(host)
        if self._newer and self._settings.online and self._settings.mobile:
            self._add_phone(host)
        self._resources.add_to(element)
        if self._newer and self._settings.online:
            self._add_single_sign_on(element)
        return element

    def _add_desktop(self, host: Element) -> None:
        desktop = add(host, "DesktopFormFactor")
        if self._newer:
            add(desktop, "SupportsSharedFolders", "true")
        add(desktop, "FunctionFile", resid=self._resources.page(FUNCTIONS))
        surface = add(desktop, "ExtensionPoint", kind="AppointmentOrganizerCommandSurface")
        group = add(add(surface, "OfficeTab", id="TabDefault"), "Group", id="greenroom.group")
        add(group, "Label", resid=self._resources.short(GROUP))
        one_click = self._add_button(group, "greenroom.add", BUTTON, BUTTON_TIP)
        add(add(one_click, "Action", kind="ExecuteFunction"), "FunctionName", ADD)
        pane = self._add_button(group, "greenroom.pane", PANE, PANE_TIP)
        add(add(pane, "Action", kind="ShowTaskpane"), "SourceLocation", resid=self._resources.page(TASK_PANE))
        if self._checks:
            self._add_check(desktop)

    def _add_button(self, group: Element, identity: str, label: str, tip: str) -> Element:
        button = add(group, "Control", kind="Button", id=identity)
        add(button, "Label", resid=self._resources.short(label))
        supertip = add(button, "Supertip")
        add(supertip, "Title", resid=self._resources.short(label))
        add(supertip, "Description", resid=self._resources.long(tip))
        icons = add(button, "Icon")
        for size in RIBBON_SIZES:
            add_in(BASIC_TYPES, icons, "Image", size=str(size), resid=self._resources.icon(size))
        return button

    def _add_check(self, desktop: Element) -> None:
        mode = self._settings.send_mode
        point = add(desktop, "ExtensionPoint", kind="LaunchEvent")
        event = add(add(point, "LaunchEvents"), "LaunchEvent", Type="OnAppointmentSend", FunctionName=ON_SEND)
        event.set("SendMode", "" if mode is None else mode.value)
        add(point, "SourceLocation", resid=self._resources.page(LAUNCH_PAGE))

    def _add_phone(self, host: Element) -> None:
        phone = add(host, "MobileFormFactor")
        add(phone, "FunctionFile", resid=self._resources.page(FUNCTIONS))
        surface = add(phone, "ExtensionPoint", kind="MobileOnlineMeetingCommandSurface")
        button = add(surface, "Control", kind="MobileButton", id="greenroom.phone")
        add(button, "Label", resid=self._resources.short(MOBILE))
        icons = add(button, "Icon", kind="bt:MobileIconList")
        for size in PHONE_SIZES:
            for scale in PHONE_SCALES:
                resid = self._resources.phone_icon(size, scale)
                add_in(BASIC_TYPES, icons, "Image", size=str(size), scale=str(scale), resid=resid)
        add(add(button, "Action", kind="ExecuteFunction"), "FunctionName", ADD_ON_PHONE)

    def _add_single_sign_on(self, element: Element) -> None:
        known = self._settings.single_sign_on
        if known is None:
            return
        application = add(element, "WebApplicationInfo")
        add(application, "Id", known.client_id)
        add(application, "Resource", known.resource)
        scopes = add(application, "Scopes")
        for scope in known.scopes:
            add(scopes, "Scope", scope)
