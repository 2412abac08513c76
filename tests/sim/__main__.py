"""`./run sim`: seeded sessions of the real engine against a venue that fails in every way we know."""

import sys

import mutants

# A mutant is made on import, so before the engine is.
mutants.install_named(sys.argv[1:])

from simulator.command import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
