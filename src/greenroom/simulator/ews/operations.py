"""The operations offered, by name, and how one request becomes one body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

from greenroom.simulator.ews.create import create_item
from greenroom.simulator.ews.directory import convert_id, get_server_time_zones, resolve_names
from greenroom.simulator.ews.errors import EwsError, SoapFault
from greenroom.simulator.ews.find import find_item
from greenroom.simulator.ews.folders import find_folder, get_folder, update_folder
from greenroom.simulator.ews.names import m, sub
from greenroom.simulator.ews.notifications import subscribe, unsubscribe
from greenroom.simulator.ews.reading import delete_item, get_item, move_item
from greenroom.simulator.ews.sync import sync_folder_hierarchy, sync_folder_items
from greenroom.simulator.ews.update import update_item

if TYPE_CHECKING:
    from collections.abc import Callable

    from lxml import etree

    from greenroom.simulator.ews.call import Call
    from greenroom.simulator.ews.soap import SoapRequest

    Handler = Callable[[Call, SoapRequest], etree._Element]  # noqa: SLF001 - lxml has no public name for it


OPERATIONS: Final[dict[str, Handler]] = {
    "ConvertId": convert_id,
    "CreateItem": create_item,
    "DeleteItem": delete_item,
    "FindFolder": find_folder,
    "FindItem": find_item,
    "GetFolder": get_folder,
    "GetItem": get_item,
    "GetServerTimeZones": get_server_time_zones,
    "MoveItem": move_item,
    "ResolveNames": resolve_names,
    "Subscribe": subscribe,
    "SyncFolderHierarchy": sync_folder_hierarchy,
    "SyncFolderItems": sync_folder_items,
    "Unsubscribe": unsubscribe,
    "UpdateFolder": update_folder,
    "UpdateItem": update_item,
}
STREAMING: Final = "GetStreamingEvents"
_NEEDS_ITEMS: Final = frozenset({"GetItem", "CreateItem", "UpdateItem", "MoveItem"})
_NEEDS_FOLDERS: Final = frozenset({"GetFolder", "UpdateFolder"})


def perform(call: Call, request: SoapRequest) -> etree._Element:
    """Do what a request asks; returns the content of the reply's body.

    Raises `SoapFault` for requests no part of which can be answered, such as an unknown operation.
    """
    handler = OPERATIONS.get(request.operation)
    if handler is None:
        raise SoapFault("ErrorInvalidRequest", "The operation is not offered here.", at=request.body)
    try:
        return handler(call, request)
    except EwsError as error:
        return refuse(call, request.operation, error)


def refuse(call: Call, operation: str, error: EwsError) -> etree._Element:
    """One response message of ResponseClass Error for a request that failed before its entries were looked at."""

    def fail(_: None) -> NoReturn:
        raise error

    element = "Items" if operation in _NEEDS_ITEMS else "Folders" if operation in _NEEDS_FOLDERS else None
    tail = [] if element is None else [lambda e: sub(e, m(element))]
    return call.batch(operation, [None], fail, tail=tail)
