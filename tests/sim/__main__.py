"""`./run sim`: seeded sessions of the real engine against a venue that fails in every way we know."""

import sys

from simulator.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
