"""EWS as Exchange speaks it: reading of requests, writing of replies. Pure but for the store each call is given.

One module per group of operations (`create`, `update`, `reading`, `find`, `sync`, `folders`, `directory`, `notifications`), all
listed in `operations`; `soap` and `envelope` for what is around them; `properties`, `meeting_properties` and `items` for
items as elements, in the order of `order`. No HTTP, no clock, no faults here: those belong to `ews_face`.
"""

from greenroom.simulator.ews.call import Call, identify
from greenroom.simulator.ews.errors import EwsError, SoapFault
from greenroom.simulator.ews.operations import OPERATIONS, perform
from greenroom.simulator.ews.soap import SoapRequest, parse_request

__all__ = ["OPERATIONS", "Call", "EwsError", "SoapFault", "SoapRequest", "identify", "parse_request", "perform"]
