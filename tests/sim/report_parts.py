"""What the report runs: parts that share nothing, on a number of processes, the long ones first."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import crashes
import fuzz
import iofaults
import mutants
import powerloss
import restarting
import soak
import stopping
from simulator.figures import Figures
from simulator.session import Result, run_seed

HERE = Path(__file__).parent
SEEDS_A_TASK = 100
HASH_SEEDS = ("1", "2")


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is run. The defaults are what the issue and RELIABILITY 1 ask for."""

    name: str = "full"
    seeds: int = 10_000
    crash_lives: int = 40
    pairs: int = 1_000
    kills: int = 45
    power_kb: int = 64
    io_stride: int = 1
    """Each n-th of: every statement x every disk fault."""
    payloads: int = 1_000_000
    soak_hours: float = 24
    mutant_seeds: int = 1_000
    traces: tuple[int, ...] = (7, 30, 499)
    restarts: int = 5


FULL = Scale()
SCALES = {
    "quick": Scale("quick", 200, 3, 40, 6, 4, 97, 20_000, 2, 60, (7,), 1),
    "ci": replace(FULL, name="ci", io_stride=7, power_kb=16, mutant_seeds=400, restarts=3),
    "full": FULL,
    "nightly": replace(FULL, name="nightly", seeds=100_000),
}


@dataclass
class Measured:
    """What the parts gave. A part that did not end is in `failed` with the reason."""

    figures: Figures = field(default_factory=Figures)
    parts: dict[str, Any] = field(default_factory=dict)
    deaths: list[mutants.Death] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    """Of the processor, by part, all processes together: a busy machine changes them little."""


@dataclass(frozen=True, slots=True)
class Traced:
    """The same seed in two processes whose hashes differ."""

    seed: int
    lines: int
    is_same: bool


def same_traces(seeds: Sequence[int]) -> tuple[Traced, ...]:
    """Each seed twice, in processes of their own, compared to the byte."""
    return tuple(_traced(seed) for seed in seeds)


def _traced(seed: int) -> Traced:
    first, second = (_trace(seed, hash_seed) for hash_seed in HASH_SEEDS)
    return Traced(seed, len(first.splitlines()), first == second)


def _trace(seed: int, hash_seed: str) -> bytes:
    command = [sys.executable, str(HERE), "--seed", str(seed), "--trace"]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    return subprocess.run(command, capture_output=True, check=False, env=environment).stdout


def run_chunk(first: int, count: int) -> list[Result]:
    """Sessions one after the other."""
    return [run_seed(seed) for seed in range(first, first + count)]


def alone(work: Callable[[], Any]) -> Any:
    """In a process that did nothing else before: what it holds is its own."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(work).result()


def hunted(mutant: mutants.Mutant, seeds: int) -> mutants.Death:
    """One mutant until a seed kills it."""
    return next(iter(mutants.hunt((mutant,), seeds, 1)))


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What it gives, and seconds of the processor, those of its processes too."""
    began = sum(os.times()[:4])
    return work(), sum(os.times()[:4]) - began


Work = Callable[[], Any]


def tasks_of(scale: Scale, wanted: frozenset[str]) -> Iterator[tuple[str, Work]]:
    """Name of the part and what is to be done, the longest first. `wanted`: names of parts."""
    single: Mapping[str, Work] = {
        "fuzz": partial(fuzz.run, scale.payloads),
        "disk": partial(iofaults.run_io, stride=scale.io_stride),
        "memory": partial(iofaults.run_lost_memory, stride=scale.io_stride),
        "crashes": partial(crashes.run_matrix, scale.crash_lives),
        "pairs": partial(crashes.run_pairs, scale.pairs),
        "soak": partial(alone, partial(soak.run, scale.soak_hours)),
        "SIGKILL": partial(crashes.run_sigkill, scale.kills),
        "restart": partial(restarting.run_restarts, scale.restarts),
        "traces": partial(same_traces, scale.traces),
        "power": partial(powerloss.run_powerloss, scale.power_kb),
        "stopping": stopping.run_ways,
    }
    yield from ((name, work) for name, work in single.items() if name in wanted)
    if "mutants" in wanted:
        yield from (("mutants", partial(hunted, one, scale.mutant_seeds)) for one in mutants.MUTANTS)
    if "seeds" in wanted:
        for first in range(0, scale.seeds, SEEDS_A_TASK):
            yield "seeds", partial(run_chunk, first, min(SEEDS_A_TASK, scale.seeds - first))


def measure(scale: Scale, jobs: int, wanted: frozenset[str], say: Callable[[str], None]) -> Measured:
    """Run the wanted parts; `say` hears of each one that ended."""
    measured = Measured()
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        left: dict[Future[tuple[Any, float]], str] = {
            pool.submit(timed, work): name for name, work in tasks_of(scale, wanted)
        }
        open_tasks = list(left.values())
        for future in as_completed(left):
            name = left[future]
            open_tasks.remove(name)
            take(measured, name, future)
            if name not in open_tasks:
                say(f"{name}: {measured.seconds.get(name, 0.0):.1f} s of processor time")
    measured.deaths.sort(key=lambda death: [one.name for one in mutants.MUTANTS].index(death.mutant.name))
    return measured


def take(measured: Measured, name: str, future: "Future[tuple[Any, float]]") -> None:
    """Keep what one task gave, or why it gave nothing."""
    error = future.exception()
    if error is not None:
        measured.failed.setdefault(name, f"{name} did not run to its end: {type(error).__name__}: {error}")
        return
    found, seconds = future.result()
    measured.seconds[name] = measured.seconds.get(name, 0.0) + seconds
    if name == "seeds":
        measured.figures.add(found)
    elif name == "mutants":
        measured.deaths.append(found)
    else:
        measured.parts[name] = found
