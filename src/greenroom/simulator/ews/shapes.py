"""Response shapes: which properties of an item a request wants back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from greenroom.simulator.ews.errors import EwsError, SoapFault
from greenroom.simulator.ews.names import t, text_of
from greenroom.simulator.ews.order import BODY_ELEMENTS, DEFAULT_SHAPE, ITEM_ORDER
from greenroom.simulator.ews.paths import ExtendedPath, FieldPath, read_paths

if TYPE_CHECKING:
    from lxml import etree

BodyWish = Literal["Best", "HTML", "Text"]

_ONLY_ON_REQUEST = frozenset({"MimeContent", "UniqueBody", "NormalizedBody", "TextBody", "Preview", "ExtendedProperty"})


@dataclass(frozen=True, slots=True)
class ItemShape:
    """What a request wants of each item."""

    base: str
    body: BodyWish
    names: frozenset[str]
    extended: tuple[ExtendedPath, ...]

    def wanted(self, kind: str, *, content: bool) -> list[str]:
        """The elements to write for one kind of item, in the schema's order.

        ``content`` is false for SyncFolderItems and FindItem, which never return bodies.
        """
        order = ITEM_ORDER[kind]
        if self.base == "AllProperties":
            chosen = (frozenset(order) - _ONLY_ON_REQUEST) | self.names
        elif self.base == "Default":
            chosen = DEFAULT_SHAPE[kind] | self.names
        else:
            chosen = self.names
        chosen |= {"ItemId"}
        if self.extended:
            chosen |= {"ExtendedProperty"}
        return [name for name in order if name in chosen and (content or name not in BODY_ELEMENTS)]


def read_item_shape(element: etree._Element | None) -> ItemShape:
    """Read ItemShape. Raises `SoapFault` for an unknown base shape, `EwsError` for properties of folders."""
    base = text_of(element, t("BaseShape")) or ""
    if base not in ("IdOnly", "Default", "AllProperties"):
        raise SoapFault("ErrorSchemaValidation", "The request failed schema validation: BaseShape is invalid.")
    wish = text_of(element, t("BodyType")) or "Best"
    body: BodyWish = "HTML" if wish == "HTML" else "Text" if wish == "Text" else "Best"
    paths = read_paths(element.find(t("AdditionalProperties")) if element is not None else None)
    if any(isinstance(path, FieldPath) and path.prefix == "folder" for path in paths):
        raise EwsError("ErrorInvalidPropertyRequest")
    names = {path.name for path in paths if isinstance(path, FieldPath)}
    if (text_of(element, t("IncludeMimeContent")) or "").strip() in ("true", "1"):
        names.add("MimeContent")
    return ItemShape(base, body, frozenset(names), tuple(path for path in paths if isinstance(path, ExtendedPath)))
