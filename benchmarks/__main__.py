"""`./run bench [name …]`: each benchmark prints one JSON line for each of its figures."""

import argparse
import importlib
import sys

BENCHMARKS = {
    "start": "P11: first frame of the console, tradedeck --help",
    "console": "P10, P11: tables, bytes, keys and first frames of the console, at a real terminal",
    "restart": "P14: a restart with 50 brackets at the venue until it is ready",
    "simulator": "P15: sessions of the fault simulator a second on one core",
    "features": "P4, P8, P9, P13: daily features, the panel of all gaps, the feature store",
    "decision": "P16: one decision with 8 open positions, from features to the journalled intent",
    "backtest": "P1, P2, P3: bars a second of the back-test's kernels, and what a late bracket costs",
    "learning": "P5, P13: flattened trees beside LightGBM's own, and the walk-forward",
    "demo": "a day of the demo at full speed: market, engine, journal and venue; a quote on the tape",
    "whynot": "tradedeck whynot and its summary on 5,000 stored candidates",
}
MODULES = {"simulator": "sessions"}
"""Where the file has another name: `simulator` is a package of tests/sim, which that benchmark measures."""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="./run bench", description="Measure against a floor in the same run."
    )
    parser.add_argument("names", nargs="*", metavar="name", help="one of: " + ", ".join(BENCHMARKS))
    parser.add_argument("--rounds", type=int, default=15, help="how often each program is measured")
    parser.add_argument("--list", action="store_true", help="say what there is and end")
    options = parser.parse_args()
    if options.list:
        for name, summary in BENCHMARKS.items():
            print(f"{name:10} {summary}")
        return 0
    unknown = [name for name in options.names if name not in BENCHMARKS]
    if unknown or options.rounds < 1:
        parser.error(f"no benchmark {unknown[0]}" if unknown else "--rounds must be at least 1")
    for name in options.names or BENCHMARKS:
        importlib.import_module(MODULES.get(name, name)).run(options.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
