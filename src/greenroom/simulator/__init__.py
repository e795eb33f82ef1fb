"""Exchange in a box: mailboxes, calendars and iTIP delivery as Exchange does them, for demos and tests.

The store (`Exchange`) is complete in itself; the faces (EWS, web mail) only translate. It keeps everything in memory and can be
saved to and loaded from one file. It imports nothing of the rest of Greenroom, so that the thing that tests the clients shares no
code with them. Nothing here may be used to serve real mail.
"""

from greenroom.simulator.exchange import Exchange

__all__ = ["Exchange"]
