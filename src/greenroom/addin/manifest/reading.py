"""Reading a manifest that anybody may have written: bounded, one encoding, and nothing that a parser would follow or unfold."""

import re
from dataclasses import dataclass

from lxml import etree

from greenroom.addin.manifest.elements import Element
from greenroom.addin.manifest.findings import Finding, child, line_of, name_of, namespace_of, of_file, text_of
from greenroom.addin.manifest.names import BASE, LARGEST, TYPE

_MARKS = {b"\xef\xbb\xbf": "UTF-8 with a byte order mark", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_DECLARED = re.compile(rb"""<\?xml[^>]{0,200}encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_PLAIN = "UTF-8 without a byte order mark"


def read_manifest(content: bytes) -> Element | Finding:
    """Parse a manifest, or say why it is none. The content is never echoed."""
    refused = _refused(content)
    if refused is not None:
        return refused
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False, remove_pis=True, remove_comments=True
    )
    try:
        root: Element = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as wrong:
        line = wrong.lineno or 0
        return of_file("not-xml", "This is not well-formed XML.", "an XML document that ends as it began", line)
    if name_of(root) != "OfficeApp" or namespace_of(root) != BASE or root.get(TYPE) != "MailApp":
        return of_file(
            "not-a-manifest",
            "This is no manifest of an Outlook add-in.",
            f'an OfficeApp element of the namespace {BASE} with xsi:type="MailApp"',
            line_of(root),
        )
    return root


@dataclass(frozen=True, slots=True)
class ManifestName:
    """Which manifest this is, as it says itself."""

    id: str
    version: str


def manifest_name(content: bytes) -> ManifestName | None:
    """Read id and version of a manifest; None if it is none."""
    root = read_manifest(content)
    if isinstance(root, Finding):
        return None
    identity, version = child(root, "Id"), child(root, "Version")
    return ManifestName(*("" if one is None else text_of(one) for one in (identity, version)))


def _refused(content: bytes) -> Finding | None:
    """Look at the bytes before any parser does."""
    if len(content) > LARGEST:
        return of_file("too-large", f"The file has {len(content)} bytes.", f"at most {LARGEST} bytes (256 KB)")
    for mark, what in _MARKS.items():
        if content.startswith(mark):
            return of_file("encoding", f"The file is {what}.", _PLAIN)
    declared = _DECLARED.match(content)
    if declared is not None and declared[1].lower() != b"utf-8":
        return of_file("encoding", f"The file says its encoding is {declared[1].decode()}.", _PLAIN, 1)
    try:
        content.decode()
    except UnicodeDecodeError as wrong:
        line = content.count(b"\n", 0, wrong.start) + 1
        return of_file("encoding", "The file has bytes that are not UTF-8.", _PLAIN, line)
    for declaration in (b"<!DOCTYPE", b"<!ENTITY"):
        place = content.find(declaration)
        if place >= 0:
            line = content.count(b"\n", 0, place) + 1
            return of_file("dtd", "The file declares a document type or entities.", "a manifest without any", line)
    return None
