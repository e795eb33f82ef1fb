"""The tables of element order against the official schema they were written down from."""

from lxml import etree

from greenroom.simulator.ews.meeting_properties import PROPERTIES
from greenroom.simulator.ews.order import DEFAULT_SHAPE, FIELD_URIS, FOLDER_ORDER, ITEM_ORDER
from support.shared import shared_path

XS = "{http://www.w3.org/2001/XMLSchema}"


def _types() -> etree._Element:
    return etree.parse(str(shared_path("schemas/ews") / "types.xsd")).getroot()


def _sequence(root: etree._Element, name: str) -> list[str]:
    (kind,) = (e for e in root.findall(f"{XS}complexType") if e.get("name") == name)
    extension = kind.find(f".//{XS}extension")
    above = [] if extension is None else _sequence(root, (extension.get("base") or "").removeprefix("t:"))
    own = kind.find(f".//{XS}sequence")
    return above + [str(e.get("name")) for e in (own if own is not None else ())]


def test_items_are_written_in_the_order_of_the_schema() -> None:
    root = _types()
    names = {
        "Message": "MessageType",
        "CalendarItem": "CalendarItemType",
        "MeetingMessage": "MeetingMessageType",
        "MeetingRequest": "MeetingRequestMessageType",
        "MeetingCancellation": "MeetingCancellationMessageType",
        "MeetingResponse": "MeetingResponseMessageType",
    }
    for element, type_name in names.items():
        official = [name for name in _sequence(root, type_name) if name in ITEM_ORDER[element]]
        assert official == list(ITEM_ORDER[element]), element


def test_folders_are_written_in_the_order_of_the_schema() -> None:
    official = [name for name in _sequence(_types(), "FolderType") if name in FOLDER_ORDER]
    assert official == list(FOLDER_ORDER)


def test_every_property_path_known_here_exists_in_the_schema() -> None:
    (kind,) = (e for e in _types().findall(f"{XS}simpleType") if e.get("name") == "UnindexedFieldURIType")
    official = {e.get("value") for e in kind.iter(f"{XS}enumeration")}
    assert official >= FIELD_URIS
    assert {
        uri for uri in official if uri and uri.startswith(("meeting:", "meetingRequest:", "calendar:"))
    } <= FIELD_URIS


def test_what_can_be_said_of_an_item_has_its_place_in_the_order() -> None:
    for element, properties in PROPERTIES.items():
        if element == "MeetingMessage":
            continue  # never written: every message here is of one of the kinds below it
        assert set(properties) - set(ITEM_ORDER[element]) == set(), element
        assert set(ITEM_ORDER[element]) >= DEFAULT_SHAPE[element]
