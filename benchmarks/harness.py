"""Interleaved rounds: on a shared machine only a ratio inside one run means anything."""

import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """What one line says. `floor` names what it is compared with; goals are the largest good values."""

    bench: str
    id: str
    name: str
    contender: str
    floor: str
    goal_ratio: float | None = None
    goal_ms: float | None = None


def interleaved(contenders: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each contender in each round. Each round starts with the next one; one more warms up."""
    names = list(contenders)
    taken: dict[str, list[float]] = {name: [] for name in names}
    for name in names:
        contenders[name]()
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            taken[name].append(contenders[name]())
    return taken


def report(figure: Figure, taken: Mapping[str, Sequence[float]]) -> None:
    """Print one JSON line: figure, floor, ratio, min, median, max (milliseconds), rounds."""
    ours, floor = taken[figure.contender], taken[figure.floor]
    median, floor_median = statistics.median(ours), statistics.median(floor)
    line = {
        "bench": figure.bench,
        "id": figure.id,
        "figure": figure.name,
        "unit": "ms",
        "floor": figure.floor,
        "floor_median": _ms(floor_median),
        "ratio": round(median / floor_median, 3),
        "min": _ms(min(ours)),
        "median": _ms(median),
        "max": _ms(max(ours)),
        "rounds": len(ours),
    }
    if figure.goal_ratio is not None:
        line |= {"goal_ratio": figure.goal_ratio, "reached": median <= figure.goal_ratio * floor_median}
    if figure.goal_ms is not None:
        line |= {"goal_ms": figure.goal_ms, "reached": 1000 * median <= figure.goal_ms}
    print(json.dumps(line), flush=True)


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 2)
