"""The command line of the simulator."""

import argparse
import json
import multiprocessing
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import durability
import fuzz
import mutants
import report
import soak

from simulator.figures import Figures
from simulator.invariants import BOUNDED_PER_CALL
from simulator.session import Result, run_seed

INVARIANTS = tuple(f"I{number}" for number in range(1, 11))
SEEDS = Path(__file__).resolve().parents[2] / "seeds"
SHOWN = 20
PURPOSE = (
    "Play the real engine against a venue with faults: one seed is one session, always the same."
    " Exits with 1 when a rule of money is broken (I1-I10)."
)


def say(line: str) -> None:
    """A line for whoever runs it."""
    sys.stdout.write(f"{line}\n")


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="./run sim", description=PURPOSE)
    parser.add_argument("--seeds", type=int, default=1000, metavar="N", help="how many sessions (1000)")
    parser.add_argument("--first-seed", type=int, default=0, metavar="K", help="where they begin (0)")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="of the seeds only each N-th")
    parser.add_argument("--jobs", type=int, metavar="N", help="processes: 1, for --report one a core")
    parser.add_argument("--seed", type=int, metavar="N", help="one session")
    parser.add_argument("--trace", action="store_true", help="with --seed: print everything that happens")
    parser.add_argument("--store", action="store_true", help="keep the seeds that fail in tests/seeds")
    parser.add_argument("--fuzz", type=int, metavar="N", help="N bent payloads of a venue instead")
    parser.add_argument("--soak", type=float, metavar="HOURS", help="twice HOURS of one engine instead")
    mutants.add_words(parser)
    report.add_words(parser)
    durability.add_words(parser)
    options = parser.parse_args(arguments)
    if options.report:
        return report.main(options)
    options.jobs = options.jobs or 1
    if options.mutants:
        return mutants.main(options.seeds, options.jobs, options.record)
    proved = durability.run_words(options)
    if proved is not None:
        return proved
    if options.fuzz is not None:
        return fuzz.main(options.fuzz, options.first_seed, options.jobs)
    if options.soak is not None:
        return soak.main(options.soak, options.first_seed)
    if options.seed is not None:
        # `| head` ends the program like any other filter, not the engine in the middle of a line.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        result = run_seed(options.seed, say if options.trace else None)
        for name, text in result.violations:
            say(f"VIOLATION {name}: {text}")
        return 1 if result.violations else 0
    last = options.first_seed + options.seeds * options.every
    seeds = range(options.first_seed, last, options.every)
    if options.until_first:
        say(json.dumps(until_first(seeds)))
        return 0
    began = time.perf_counter()
    results = list(run_seeds(seeds, options.jobs))
    if options.store:
        store(results)
    return tell(results, time.perf_counter() - began, options.jobs)


def until_first(seeds: range) -> dict[str, object]:
    """The first seed in which an invariant breaks, and how many were tried."""
    for tried, seed in enumerate(seeds, 1):
        result = run_seed(seed)
        if result.violations:
            name, text = result.violations[0]
            return {"seed": seed, "invariant": name, "text": text, "tried": tried}
    return {"seed": None, "invariant": "", "text": "", "tried": len(seeds)}


def run_seeds(seeds: range, jobs: int) -> Iterable[Result]:
    if jobs == 1:
        for seed in seeds:
            yield run_seed(seed)
        return
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap_unordered(run_seed, seeds, chunksize=16)


def tell(results: list[Result], seconds: float, jobs: int) -> int:
    """What a run found; 1 when anything was violated, or nothing was traded."""
    found = Figures()
    found.add(results)
    say(
        f"schedules {found.sessions}  brackets {found.brackets}  crashes {found.crashes}"
        f"  virtual {found.virtual_s / 3600:.1f} h"
    )
    say("faults    " + "  ".join(f"{name} {count}" for name, count in sorted(found.faults.items())))
    say("violated  " + "  ".join(f"{name} {found.violations[name]}" for name in INVARIANTS))
    tell_times(found)
    rate = found.sessions / seconds
    say(f"{seconds:.1f} s, {rate:.1f} sessions/s, {rate / jobs:.1f} a core")
    failed = [result for result in sorted(results, key=lambda r: r.seed) if result.violations]
    for result in failed[:SHOWN]:
        name, text = result.violations[0]
        say(f"seed {result.seed} [{result.card}] {name}: {text}\n  ./run sim --seed {result.seed} --trace")
    if len(failed) > SHOWN:
        say(f"and {len(failed) - SHOWN} more: {' '.join(str(r.seed) for r in failed[SHOWN : 3 * SHOWN])}")
    if found.brackets < len(results) // 2:
        say(f"only {found.brackets} brackets in {len(results)} sessions: such a run proves nothing")
        return 1
    return 1 if failed else 0


def tell_times(found: Figures) -> None:
    """How long shares were without a stop, with the market open, and how long restarts took.

    Both with the engine up and the venue reachable.
    """
    p50, p99, most = found.unprotected_s()
    say(
        f"unprotected time per share at <= {BOUNDED_PER_CALL:.0%} faults a call:"
        f" p50 {p50:.2f} s  p99 {p99:.2f} s  max {most:.2f} s; at more: max {found.worst_us / 1e6:.2f} s"
    )
    p50, p95, most = found.ready_s()
    say(
        f"restarts at <= {BOUNDED_PER_CALL:.0%} faults a call: {found.restarts}, ready after"
        f" p50 {p50:.1f} s  p95 {p95:.1f} s  max {most:.1f} s"
    )


def store(results: Iterable[Result]) -> None:
    """Keep what failed for ever: its test replays it."""
    for result in results:
        if result.violations:
            found = "; ".join(f"{name}: {text}" for name, text in result.violations[:3])
            text = json.dumps({"seed": result.seed, "found": found}, indent=2)
            (SEEDS / f"seed_{result.seed}.json").write_text(f"{text}\n")
