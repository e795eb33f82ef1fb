"""The base of a manifest: id, version, names, what it may do and where it shows."""

import re
from collections.abc import Iterator

from greenroom.addin.manifest.elements import Element
from greenroom.addin.manifest.findings import (
    Finding,
    child,
    child_or_self,
    children,
    error,
    kind_of,
    name_of,
    text_of,
    warning,
    within,
)
from greenroom.addin.manifest.versions import parse_version
from greenroom.addin.manifest.wording import LONG, SHORT, length

_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LOCALE = re.compile(r"[a-zA-Z]{2,3}(?:-[a-zA-Z0-9]{2,8}){0,2}")
_PERMISSIONS = ("Restricted", "ReadItem", "ReadWriteItem", "ReadWriteMailbox")
_ENOUGH = ("ReadWriteItem", "ReadWriteMailbox")
_NEWEST_ONPREM = (1, 5, 0, 0)


def is_guid(written: str) -> bool:
    """Whether this is a GUID as a manifest has it: bare, with hyphens."""
    return _GUID.fullmatch(written) is not None


def check_head(root: Element) -> Iterator[Finding]:
    """Check what stands before the version overrides."""
    yield from _check_identity(root)
    yield from _check_texts(root)
    yield from _check_sets(root)
    yield from _check_activation(root)
    permission = child(root, "Permissions")
    if permission is not None and text_of(permission) not in _PERMISSIONS:
        yield error("permission", permission, "No such permission.", " or ".join(_ENOUGH))
    elif permission is not None and text_of(permission) not in _ENOUGH:
        yield error("permission", permission, f"{text_of(permission)} lets it change nothing.", " or ".join(_ENOUGH))
    host = child(root, "Hosts", "Host")
    if host is not None and host.get("Name") != "Mailbox":
        yield error("host", host, "The host is not Outlook.", 'Name="Mailbox"')


def _check_identity(root: Element) -> Iterator[Finding]:
    identity, version, locale = child(root, "Id"), child(root, "Version"), child(root, "DefaultLocale")
    if identity is not None and not is_guid(text_of(identity)):
        yield error("id", identity, "The id is not a GUID.", "32 hexadecimal digits as 8-4-4-4-12")
    if version is not None and parse_version(text_of(version)) is None:
        yield error("version", version, "The version is not one.", "one to four groups of digits, each 0 to 65535")
    if locale is not None and _LOCALE.fullmatch(text_of(locale)) is None:
        yield error("locale", locale, "This is not the name of a language.", "a name such as en-US")


def _check_texts(root: Element) -> Iterator[Finding]:
    for name, limit in (("DisplayName", SHORT), ("Description", LONG)):
        element = child(root, name)
        if element is not None:
            yield from check_length(element, limit)
    provider = child(root, "ProviderName")
    if provider is not None and not 1 <= length(text_of(provider)) <= SHORT:
        yield error("length", provider, f"It has {length(text_of(provider))} characters.", f"1 to {SHORT} characters")


def check_length(element: Element, limit: int) -> Iterator[Finding]:
    """Check a text with its overrides: their lengths, and that each locale comes once and by a right name."""
    seen: set[str] = set()
    for one, attribute in ((element, "DefaultValue"), *((one, "Value") for one in children(element, "Override"))):
        size = length(one.get(attribute) or "")
        if not 1 <= size <= limit:
            yield error("length", one, f"The text has {size} characters.", f"1 to {limit} characters")
        locale = one.get("Locale")
        if attribute != "Value":
            continue
        if locale is None or _LOCALE.fullmatch(locale) is None:
            yield error("locale", one, "This is not the name of a language.", "a name such as de-DE")
        elif locale.lower() in seen:
            yield error("locale", one, f"{locale} comes a second time.", "each locale once")
        seen.add((locale or "").lower())


def _check_sets(root: Element) -> Iterator[Finding]:
    """Only Mailbox can be asked for in a manifest; and what asks for more than 1.5 is not shown on Exchange Server."""
    for one in _all_sets(root):
        version = parse_version(one.get("MinVersion") or "")
        if one.get("Name") != "Mailbox":
            right = "Mailbox alone; others are asked for by the scripts"
            yield error("requirement-set", one, "A manifest for Outlook cannot require this set.", right)
        elif version is None:
            yield error("requirement-set", one, "It does not say from which version on.", 'MinVersion="1.3"')
        elif version > _NEWEST_ONPREM:
            what = f"Mailbox {one.get('MinVersion')} is required."
            yield warning("requirement-set", one, what, "at most 1.5: Exchange Server has no newer one")


def _all_sets(root: Element) -> Iterator[Element]:
    yield from within(root, "Set")
    for overrides in within(root, "VersionOverrides"):
        yield from _all_sets(overrides)


def _check_activation(root: Element) -> Iterator[Finding]:
    """Only where an appointment is written: anything else is a dead button where mail is read."""
    for form in children(child_or_self(root, "FormSettings"), "Form"):
        if kind_of(form) == "ItemRead":
            what = "There is a form for reading, which shows an entry that does nothing."
            yield warning("item-read", form, what, "only a form of type ItemEdit")
        elif kind_of(form) != "ItemEdit":
            yield error("form", form, "The form has no known type.", 'xsi:type="ItemEdit"')
    rule = child(root, "Rule")
    if rule is None:
        return
    rules = [one for one in (rule, *within(rule, "Rule")) if kind_of(one) != "RuleCollection"]
    for one in rules:
        if kind_of(one) != "ItemIs" or one.get("ItemType") != "Appointment" or one.get("FormType") != "Edit":
            what = f"The {name_of(one).lower()} also applies elsewhere than where an appointment is written."
            yield warning("rule", one, what, 'ItemIs with ItemType="Appointment" and FormType="Edit"')
