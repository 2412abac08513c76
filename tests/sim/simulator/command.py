"""The command line of the simulator."""

import argparse
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal

import durability
import fuzz
import soak

from simulator.session import Result, run_seed


def say(line: str) -> None:
    """A line for whoever runs it."""
    sys.stdout.write(f"{line}\n")


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="./run sim", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many sessions")
    parser.add_argument("--first-seed", type=int, default=0, metavar="K")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--seed", type=int, metavar="N", help="one session")
    parser.add_argument("--trace", action="store_true", help="with --seed: print everything that happens")
    parser.add_argument("--fuzz", type=int, metavar="N", help="N bent payloads of a venue instead")
    parser.add_argument("--soak", type=float, metavar="HOURS", help="twice HOURS of one engine instead")
    durability.add_words(parser)
    options = parser.parse_args(arguments)
    proved = durability.run_words(options)
    if proved is not None:
        return proved
    if options.fuzz is not None:
        return fuzz.main(options.fuzz, options.first_seed, options.jobs)
    if options.soak is not None:
        return soak.main(options.soak, options.first_seed)
    if options.seed is not None:
        result = run_seed(options.seed, say if options.trace else None)
        for name, text in result.violations:
            say(f"VIOLATION {name}: {text}")
        return 1 if result.violations else 0
    began = time.perf_counter()
    last = options.first_seed + options.seeds
    results = list(run_seeds(range(options.first_seed, last), options.jobs))
    return tell(results, time.perf_counter() - began, options.jobs)


def run_seeds(seeds: range, jobs: int) -> Iterable[Result]:
    if jobs == 1:
        for seed in seeds:
            yield run_seed(seed)
        return
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap_unordered(run_seed, seeds, chunksize=16)


def tell(results: list[Result], seconds: float, jobs: int) -> int:
    faults: Counter[str] = Counter()
    violations: Counter[str] = Counter()
    for result in results:
        faults.update(result.faults)
        violations.update(name for name, _ in result.violations)
    lots = sorted([gap for result in results for gap in result.gaps])
    covered = sum((result.covered for result in results), Decimal(0))
    say(
        f"schedules {len(results)}  brackets {sum(r.brackets for r in results)}"
        f"  crashes {sum(r.crashes for r in results)}"
        f"  virtual {sum(r.virtual_s for r in results) / 3600:.1f} h"
    )
    say("faults    " + "  ".join(f"{name} {count}" for name, count in sorted(faults.items())))
    say("violated  " + "  ".join(f"I{n} {violations[f'I{n}']}" for n in range(1, 11)))
    p50, p99, most = percentiles(lots, covered)
    say(f"unprotected time per share  p50 {p50:.2f} s  p99 {p99:.2f} s  max {most:.2f} s")
    rate = len(results) / seconds
    say(f"{seconds:.1f} s, {rate:.1f} sessions/s, {rate / jobs:.1f} a core")
    failed = [result for result in sorted(results, key=lambda r: r.seed) if result.violations]
    for result in failed[:20]:
        name, text = result.violations[0]
        say(f"seed {result.seed} [{result.card}] {name}: {text}\n  ./run sim --seed {result.seed} --trace")
    if len(failed) > 20:
        say(f"and {len(failed) - 20} more: {' '.join(str(r.seed) for r in failed[20:60])}")
    sys.stdout.flush()
    return 1 if failed else 0


def percentiles(lots: list[tuple[int, Decimal]], covered: Decimal) -> tuple[float, float, float]:
    """Seconds without a stop of the middle share, of the 99th of a hundred, and of the worst."""
    total = covered + sum((shares for _, shares in lots), Decimal(0))
    found, seen = [0.0, 0.0], covered
    for lasted, shares in lots:
        for place, ratio in enumerate((Decimal("0.5"), Decimal("0.99"))):
            if seen < total * ratio <= seen + shares:
                found[place] = lasted / 1e6
        seen += shares
    return found[0], found[1], lots[-1][0] / 1e6 if lots else 0.0
