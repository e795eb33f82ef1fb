"""`python -m greenroom.simulator`."""

import sys

from greenroom.simulator.server import main

if __name__ == "__main__":
    sys.exit(main())
