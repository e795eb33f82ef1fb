"""What browsers see: the stable join page of every room, and a sign of life for monitors.

`create_app` makes the web application; it reaches rooms only through `RoomLookup` and reads no clock of its own. Pages work
without JavaScript, set no cookie, load nothing from elsewhere, and never show a PIN.
"""

from greenroom.web.app import create_app
from greenroom.web.contract import JoinRoom, Planned, RoomLookup, RoomsUnavailableError
from greenroom.web.places import places_of
from greenroom.web.rooms import StoredRooms

__all__ = [
    "JoinRoom",
    "Planned",
    "RoomLookup",
    "RoomsUnavailableError",
    "StoredRooms",
    "create_app",
    "places_of",
]
