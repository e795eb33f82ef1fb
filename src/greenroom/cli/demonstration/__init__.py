"""The demo: an Exchange in a box and a whole Greenroom in one process on loopback, over real Graph or EWS and real HTTP.

`world` puts it together, `script` plays a day in it, `invitations` delivers files, `home` is the page to begin at. Everything
here is for show: nothing else in Greenroom may import it.
"""

from greenroom.cli.demonstration.world import World, open_world

__all__ = ["World", "open_world"]
