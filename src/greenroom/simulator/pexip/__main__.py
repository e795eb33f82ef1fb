"""`python -m greenroom.simulator.pexip`."""

import sys

from greenroom.simulator.pexip.server import main

if __name__ == "__main__":
    sys.exit(main())
