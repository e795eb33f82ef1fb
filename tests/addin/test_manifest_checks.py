"""Broken manifests, each refused with its own reason."""

import re
from typing import Any

import pytest
from lxml import etree

from greenroom.addin.manifest import LARGEST, Finding, Schema, Severity, check_manifest
from greenroom.addin.manifest.checking import MOST
from greenroom.addin.manifest.names import BASE, OVERRIDES_1_0, OVERRIDES_1_1
from support.manifests import HOST, VERSION, edited, full
from support.shared import shared_path

WELL = full()


def told(content: bytes) -> set[tuple[str, str]]:
    return {(one.severity.value, one.code) for one in check_manifest(content)}


def only(content: bytes) -> Finding:
    (finding,) = check_manifest(content)
    return finding


def element(root: Any, way: str) -> Any:
    """One element by its names, `o:` and `n:` for those of the older and the newer overrides, `b:` for the base."""
    (one,) = root.xpath(way, namespaces={"b": BASE, "o": OVERRIDES_1_0, "n": OVERRIDES_1_1})
    return one


def test_nothing_is_found_in_a_manifest_as_it_should_be() -> None:
    assert check_manifest(WELL) == []


NAMES = (
    "Id",
    "Version",
    "ProviderName",
    "DefaultLocale",
    "IconUrl",
    "Hosts",
    "Requirements",
    "FormSettings",
    "Permissions",
)
GROUP = '<bt:String id="manifest.group"'
PHONE = 'xsi:type="ExecuteFunction">\n                  <FunctionName>addRoomMobile'
CHECK = '<LaunchEvent Type="OnAppointmentSend" FunctionName="x" SendMode="SoftBlock"/>'
EDITS = {
    "another root": ("not-a-manifest", 'xsi:type="MailApp"', 'xsi:type="TaskPaneApp"'),
    "not well-formed": ("not-xml", "</Id>", ""),
    "an unknown element": ("unknown-element", "<Permissions>", "<Permission>x</Permission><Permissions>"),
    "two of what may be once": ("too-many", "<Permissions>", "<Permissions>ReadWriteItem</Permissions><Permissions>"),
    "the id is no GUID": ("id", "<Id>", "<Id>x"),
    "five groups in the version": ("version", f"<Version>{VERSION}", f"<Version>{VERSION}.1"),
    "a group of the version too large": ("version", f"<Version>{VERSION}", "<Version>1.65536"),
    "no such locale": ("locale", "<DefaultLocale>en-US", "<DefaultLocale>english please"),
    "a locale twice": ("locale", '<Override Locale="de-DE"', '<Override Locale="DE-de" Value="x"/><Override Locale="de-DE"'),
    "a name too long": ("length", '<DisplayName DefaultValue="', f'<DisplayName DefaultValue="{"x" * 126}'),
    "a description that is empty": ("length", '"Adds a room to a meeting."', '""'),
    "a label too long": ("length", 'id="manifest.group" DefaultValue="', f'id="manifest.group" DefaultValue="{"x" * 126}'),
    "a permission that is none": ("permission", "ReadWriteItem", "ReadWriteEverything"),
    "a permission that is not enough": ("permission", "ReadWriteItem", "ReadItem"),
    "another host": ("host", '<Host Name="Mailbox"/>', '<Host Name="Document"/>'),
    "a set that cannot be declared": ("requirement-set", 'Set Name="Mailbox"', 'Set Name="IdentityAPI"'),
    "a form of no type": ("form", 'xsi:type="ItemEdit"', 'xsi:type="ItemWrite"'),
    "http": ("https", f'"{HOST}/addin/icons/icon-64.png"', '"http://meet.example.org/addin/icons/icon-64.png"'),
    "no address": ("address", f'"{HOST}/"', '"help"'),
    "an address with a space": ("address", f'"{HOST}/"', f'"{HOST}/ a"'),
    "an address with a password": ("address", f'"{HOST}/"', '"https://me:you@meet.example.org/"'),
    "a query in the pane's address": ("source-query", "taskpane.html", "taskpane.html?v=1"),
    "a path in an app domain": ("app-domain", "https://login.example.org", "https://login.example.org/"),
    "an app domain without https": ("https", "https://login.example.org", "http://login.example.org"),
    "functions on another host": ("origin", f'id="commands.html" DefaultValue="{HOST}', 'id="commands.html" DefaultValue="https://cdn.example'),
    "a reference to nothing": ("resid-undefined", '<Label resid="manifest.group"/>', '<Label resid="nothing"/>'),
    "a reference to another kind": ("resid-kind", '<Label resid="manifest.group"/>', '<Label resid="manifest.buttonTip"/>'),
    "no reference": ("resid", '<Label resid="manifest.group"/>', "<Label/>"),
    "a resource that nothing uses": ("resid-unused", GROUP, f'<bt:String id="more" DefaultValue="x"/>{GROUP}'),
    "a resource twice": ("resid", GROUP, f'{GROUP} DefaultValue="x"/>{GROUP}'),
    "a resource's id too long": ("resid", 'id="manifest.group"', f'id="{"m" * 33}"'),
    "a control's id twice": ("control-id", 'id="greenroom.pane"', 'id="greenroom.add"'),
    "no id of a control": ("control-id", 'id="greenroom.pane"', 'id=""'),
    "an icon of 80 pixels missing": ("icons", '<bt:Image size="80"', '<bt:Image size="64"'),
    "a picture of another size": ("picture", "icon-128.png", "icon-64.png"),
    "a picture that is not there": ("picture", "icon-128.png", "icon-129.png"),
    "no functions' page": ("function-file", '<FunctionFile resid="commands.html"/>', ""),
    "an action of no type": ("action", 'xsi:type="ShowTaskpane"', 'xsi:type="ShowPane"'),
    "a phone's button on a computer": ("control", '<Control xsi:type="Button"', '<Control xsi:type="MobileButton"'),
    "a pane on a phone": ("mobile-action", PHONE, PHONE.replace("ExecuteFunction", "ShowTaskpane")),
    "a phone's picture missing": ("mobile-icons", 'size="48" scale="3"', 'size="48" scale="2"'),
    "a phone's surface for mail": ("extension-point", "MobileOnlineMeetingCommand", "MobileMessageReadCommand"),
    "overrides of another type": ("overrides-type", 'xsi:type="VersionOverridesV1_1"', 'xsi:type="VersionOverridesV1_0"'),
    "overrides of another namespace": ("namespace", "mailappversionoverrides/1.1", "mailappversionoverrides/1.2"),
    "resources of another namespace": ("namespace", "<bt:ShortStrings>", '<bt:ShortStrings xmlns:bt="http://example.org/">'),
    "shared folders neither way": ("shared-folders", "<SupportsSharedFolders>true", "<SupportsSharedFolders>yes"),
    "no runtime": ("runtime", '<Runtime resid="launchevent.html"', '<Runtime resid="commands.html"'),
    "no script": ("runtime", 'type="javascript"', 'type="css"'),
    "no such send mode": ("send-mode", 'SendMode="PromptUser"', 'SendMode="Ask"'),
    "two checks before sending": ("launch-event", "<LaunchEvents>", f"<LaunchEvents>{CHECK}"),
    "an event without a function": ("launch-event", ' FunctionName="onSend"', ""),
    "an application that is no GUID": ("sso", "<Id>00000000", "<Id>0"),
}  # fmt: skip


@pytest.mark.parametrize("broken", EDITS)
def test_a_broken_one_is_refused_with_its_reason_and_its_line(broken: str) -> None:
    code, before, after = EDITS[broken]
    content = edited(WELL, (before, after))
    findings = check_manifest(content)
    assert ("error", code) in told(content), findings
    place = content.decode()[: WELL.decode().index(before)].count("\n") + 1
    lines = [one.line for one in findings if one.code == code]
    assert all(line > 0 for line in lines)
    if broken not in {
        "not well-formed",
        "another root",
        "overrides of another namespace",
        "no runtime",
        "no functions' page",
    }:
        assert any(abs(line - place) <= 16 for line in lines), (place, lines)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_missing_is_told(name: str) -> None:
    text = re.sub(rf"\n  <{name}(?:/>| [^>]*/>|.*?\n?</{name}>)", "", WELL.decode(), count=1, flags=re.DOTALL)
    assert ("error", "missing-element") in told(text.encode())


@pytest.mark.parametrize(
    ("moved", "behind"),
    [
        ("/b:OfficeApp/b:Version", "/b:OfficeApp/b:ProviderName"),
        ("/b:OfficeApp/b:Rule", "/b:OfficeApp/b:DisplayName"),
        ("//n:WebApplicationInfo", "//n:VersionOverrides/n:Hosts"),
        ("//n:SupportsSharedFolders", "//n:DesktopFormFactor/n:FunctionFile"),
        ("//n:Runtimes", "//n:DesktopFormFactor"),
    ],
    ids=["version", "rule", "single sign-on", "shared folders", "runtimes"],
)
def test_wrong_order_is_told(moved: str, behind: str) -> None:
    root = etree.fromstring(WELL)
    element(root, behind).addnext(element(root, moved))
    assert ("error", "order") in told(etree.tostring(root))


def test_overrides_are_nested_as_the_last_child() -> None:
    root = etree.fromstring(WELL)
    older = root[-1]
    older.insert(1, older[-1])
    assert ("error", "order") in told(etree.tostring(root))
    older.remove(older[1])
    assert told(etree.tostring(root)) == {("warning", "overrides-nested")}
    root.remove(older)
    assert told(etree.tostring(root)) == {("error", "overrides-nested")}


def test_what_1_1_does_not_repeat_is_told() -> None:
    root = etree.fromstring(WELL)
    surface = element(root, "//n:ExtensionPoint[@*='AppointmentOrganizerCommandSurface']")
    surface.getparent().remove(surface)
    assert ("error", "not-repeated") in told(etree.tostring(root))


WARNINGS = {
    "http to this computer": ("https", HOST, "http://localhost:8080", -1),
    "a form for reading": ("item-read", '<Form xsi:type="ItemEdit">', '<Form xsi:type="ItemRead">', 1),
    "a rule for mail": ("rule", 'ItemType="Appointment"', 'ItemType="Message"', 1),
    "a set that Exchange Server lacks": ("requirement-set", 'MinVersion="1.3"', 'MinVersion="1.8"', 1),
    "nobody may send": ("send-mode", "PromptUser", "Block", 1),
    "no send mode": ("send-mode", ' SendMode="PromptUser"', "", 1),
    "another application id URI": ("sso", "api://meet.example.org/", "api://", 1),
    "its own host as app domain": ("app-domain", "https://login.example.org", HOST, 1),
}


@pytest.mark.parametrize("case", WARNINGS)
def test_what_somebody_should_know_is_a_warning(case: str) -> None:
    code, before, after, count = WARNINGS[case]
    assert told(edited(full(single_sign_on=None) if count < 0 else WELL, (before, after), count=count)) == {
        ("warning", code)
    }


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not-xml"),
        (b"\xef\xbb\xbf" + WELL, "encoding"),
        (WELL.decode().encode("utf-16"), "encoding"),
        (WELL.replace(b"'UTF-8'", b"'ISO-8859-1'"), "encoding"),
        (WELL.replace(b"Video room", b"Video \xff room"), "encoding"),
        (WELL.replace(b"?>\n", b"?>\n<!DOCTYPE a [<!ENTITY b 'c'>]>\n"), "dtd"),
        (WELL.replace(b"?>\n", b"?>\n<!DOCTYPE a SYSTEM 'file:///etc/passwd'>\n"), "dtd"),
        (WELL + b" " * LARGEST, "too-large"),
        (b"<a>" * 300 + b"</a>" * 300, "not-xml"),
        (b"<?xml version='1.0'?><OfficeApp/>", "not-a-manifest"),
        (b"\x00" * 100, "not-xml"),
    ],
    ids=["empty", "mark", "utf-16", "declared", "bytes", "entity", "external", "large", "deep", "namespace", "nulls"],
)
def test_what_cannot_be_read_is_refused_for_that_alone(content: bytes, code: str) -> None:
    finding = only(content)
    assert (finding.severity, finding.code) == (Severity.ERROR, code)


def test_a_file_that_is_wrong_all_over_is_told_of_in_part() -> None:
    content = WELL.replace(b"<Hosts>", b"<Hosts>" + b"<a/>" * 20_000, 1)
    assert len(check_manifest(content)) == MOST


def test_comments_are_nothing() -> None:
    assert check_manifest(edited(WELL, ("<Hosts>", "<!-- of one's own --><Hosts><!-- too -->"))) == []


SEEN_BY_THE_SCHEMA = (
    "an unknown element", "the id is no GUID", "five groups in the version", "a permission that is none", "a name too long",
    "a reference to nothing", "an action of no type", "no reference",
)  # fmt: skip


def test_the_schema_agrees_about_what_it_knows() -> None:
    schema = Schema(shared_path("schemas/manifest"))
    assert schema.check(WELL) == []
    for broken in SEEN_BY_THE_SCHEMA:
        _, before, after = EDITS[broken]
        found = schema.check(edited(WELL, (before, after)))
        assert bool(found) is (broken != "a reference to nothing"), broken  # that is left to us
        assert all(one.line for one in found)
