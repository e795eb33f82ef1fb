"""Resources and what refers to them: nothing is missing, nothing is left over, each is of the right kind."""

from collections.abc import Iterator

from greenroom.addin.manifest.elements import Element
from greenroom.addin.manifest.findings import Finding, child, children, error, name_of, within
from greenroom.addin.manifest.head import check_length
from greenroom.addin.manifest.wording import LONG, SHORT

_LONGEST_ID = 32
_LIMITS = {"ShortStrings": SHORT, "LongStrings": LONG}
_KINDS = {
    "Label": "ShortStrings",
    "Title": "ShortStrings",
    "Description": "LongStrings",
    "Image": "Images",
    "FunctionFile": "Urls",
    "SourceLocation": "Urls",
    "Runtime": "Urls",
    "Override": "Urls",
}


def check_references(overrides: Element) -> Iterator[Finding]:
    """Check the resources of one `VersionOverrides`: those of another one do not count."""
    defined: dict[str, Element] = {}
    resources = child(overrides, "Resources")
    if resources is not None:
        for one in (one for kind in children(resources) for one in children(kind)):
            yield from _check_defined(one, defined)
    used: set[str] = set()
    for one in within(overrides):
        resid = one.get("resid")
        if resid is None:
            if name_of(one) in _KINDS and not _is_defined_here(one):
                yield error("resid", one, "It refers to no resource.", "a resid")
            continue
        used.add(resid)
        yield from _check_used(one, resid, defined)
    for resid, one in defined.items():
        if resid not in used:
            yield error("resid-unused", one, f"Nothing uses the resource {resid}.", "only resources that are used")


def _is_defined_here(element: Element) -> bool:
    """Whether this is a resource, or the text of one, and not a reference."""
    parent = element.getparent()
    return element.get("id") is not None or (parent is not None and name_of(parent) in {"String", "Url", "Image"})


def _check_defined(one: Element, defined: dict[str, Element]) -> Iterator[Finding]:
    resid = one.get("id") or ""
    if not 1 <= len(resid) <= _LONGEST_ID:
        yield error("resid", one, f"The id has {len(resid)} characters.", f"1 to {_LONGEST_ID}")
    if resid in defined:
        yield error("resid", one, f"The id {resid[:_LONGEST_ID]} is given a second time.", "each id once")
    defined.setdefault(resid, one)
    parent = one.getparent()
    limit = _LIMITS.get("" if parent is None else name_of(parent))
    if limit is not None:
        yield from check_length(one, limit)


def _check_used(one: Element, resid: str, defined: dict[str, Element]) -> Iterator[Finding]:
    wanted = _KINDS.get(name_of(one))
    if len(resid) > _LONGEST_ID:
        yield error("resid", one, f"The resid has {len(resid)} characters.", f"at most {_LONGEST_ID}")
    elif resid not in defined:
        right = f"a resource of that id in {wanted or 'Resources'} of the same VersionOverrides"
        yield error("resid-undefined", one, f"There is no resource {resid}.", right)
    elif wanted is not None:
        parent = defined[resid].getparent()
        found = "" if parent is None else name_of(parent)
        if found != wanted:
            yield error("resid-kind", one, f"The resource {resid} is one of {found}.", f"one of {wanted}")
