"""What people see of a simulated platform: its web app, a telephone of sorts to dial any alias with, and what is there.

`create_visiting_app` serves all of it; `Lobby` shows calls and rooms as parts of another page. Web app and pages are made up:
they look like nobody's product.
"""

from greenroom.simulator.pexip.visiting.app import PATHS, create_visiting_app
from greenroom.simulator.pexip.visiting.lobby import Lobby

__all__ = ["PATHS", "Lobby", "create_visiting_app"]
