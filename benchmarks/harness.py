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
    unit: str = "ms"
    scale: float = 1000.0
    """What is measured times it is in the unit."""


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
    """Print one JSON line: figure, floor, ratio, min, median, max, rounds."""
    scale = figure.scale
    ours, floor = taken[figure.contender], taken[figure.floor]
    median, floor_median = statistics.median(ours), statistics.median(floor)
    line = {
        "bench": figure.bench,
        "id": figure.id,
        "figure": figure.name,
        "unit": figure.unit,
        "floor": figure.floor,
        "floor_median": round(scale * floor_median, 2),
        "ratio": round(median / floor_median, 3),
        "min": round(scale * min(ours), 2),
        "median": round(scale * median, 2),
        "max": round(scale * max(ours), 2),
        "rounds": len(ours),
    }
    if figure.goal_ratio is not None:
        line |= {"goal_ratio": figure.goal_ratio, "reached": median <= figure.goal_ratio * floor_median}
    if figure.goal_ms is not None:
        line |= {"goal_ms": figure.goal_ms, "reached": 1000 * median <= figure.goal_ms}
    print(json.dumps(line), flush=True)


def report_alone(
    bench: str, id: str, name: str, unit: str, values: Sequence[float], goal: float, **more: object
) -> None:
    """One JSON line of a figure with a goal of its own: nothing is compared with it."""
    median = statistics.median(values)
    line = {"bench": bench, "id": id, "figure": name, "unit": unit}
    line |= {"min": round(min(values), 2), "median": round(median, 2), "max": round(max(values), 2)}
    line |= {"rounds": len(values), "goal": goal} | more
    line.setdefault("reached", median <= goal)
    print(json.dumps(line), flush=True)
