"""P5: flattened trees against LightGBM's own, and the walk-forward row of P13.

Both models give the same bits, which is asserted before anything is timed. The walk-forward runs on made-up
events in 42 quarters, with as many at the end as real ones have, and every part of it: folds, early stopping,
calibration, bounds, the proof of each quarter.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from harness import Figure, interleaved, report, report_alone

from engine.learn.events import Events
from engine.learn.fitting import FitSettings
from engine.learn.tree_text import read_trees
from engine.learn.trees import Trees
from engine.learn.walkforward import walk_forward

INPUTS = ("z5", "rsi2", "bb_dev", "dist_200", "trend_63", "gap_dn", "vix_regime")
LEAVES = 20
SIZES = {1: 50, 4: 200, 16: 800}
"""Trees: P5 asks for 200."""
EVENTS = {1: 500, 4: 2_000, 16: 8_000}
QUARTERS = 42
CALLS = 300
GOAL_S = 30.0


def run(rounds: int) -> None:
    """Measure and print."""
    _predict(rounds)
    _walk(max(1, rounds // 8))


def _grown(trees: int) -> tuple[Any, Trees]:
    import lightgbm as lgb

    random = np.random.default_rng(1)
    rows = random.normal(size=(8000, len(INPUTS)))
    happened = (random.random(8000) < 1 / (1 + np.exp(-rows[:, 0] * rows[:, 1]))).astype(float)
    params = {"objective": "binary", "num_leaves": LEAVES, "verbosity": -1, "num_threads": 1, "seed": 1}
    params |= {"deterministic": True, "force_row_wise": True, "learning_rate": 0.05}
    booster = lgb.train(params, lgb.Dataset(rows, happened, feature_name=list(INPUTS)), trees)
    return booster, read_trees(booster.model_to_string(), INPUTS)


def _predict(rounds: int) -> None:
    rows = np.random.default_rng(2).normal(size=(500, len(INPUTS)))
    one, row = rows[:1].copy(), rows[0].copy()
    for times, count in SIZES.items():
        booster, trees = _grown(count)
        compiled = trees.compiled()
        expected = booster.predict(rows, raw_score=True, num_threads=1)
        ways = (np.array([compiled(given) for given in rows]), trees.raw_rows(rows))
        if not all(np.array_equal(way, expected) for way in ways):
            raise AssertionError(f"{count} trees score otherwise than LightGBM")

        def peer(given: np.ndarray, booster: Any = booster) -> object:
            return booster.predict(given, raw_score=True, num_threads=1)

        floor, fast, plain, many, each = "Booster.predict", "compiled", "plain Python", "numpy", "row by row"
        taken = interleaved(
            {
                floor: _timed(lambda peer=peer: peer(one)),
                fast: _timed(lambda compiled=compiled: compiled(row)),
                plain: _timed(lambda trees=trees: trees.raw(row)),
            },
            rounds,
        )
        goal = 0.3 if times == 4 else None
        name = f"one row of {count} trees of {LEAVES} leaves ({times}x)"
        report(Figure("learning", "P5", f"{name}, compiled", fast, floor, goal, unit="us", scale=1e6), taken)
        report(Figure("learning", "P5", f"{name}, without numba", plain, floor, unit="us", scale=1e6), taken)
        taken = interleaved(
            {
                floor: _timed(lambda peer=peer: peer(rows), 10),
                many: _timed(lambda trees=trees: trees.raw_rows(rows), 10),
                each: _timed(lambda compiled=compiled: [compiled(given) for given in rows], 10),
            },
            rounds,
        )
        for way in (many, each):
            report(
                Figure("learning", "P5", f"500 rows of {count} trees ({times}x), {way}", way, floor), taken
            )


def _timed(call: Callable[[], object], calls: int = CALLS) -> Callable[[], float]:
    """Seconds of one call, as the mean of many."""

    def measure() -> float:
        start = time.perf_counter()
        for _ in range(calls):
            call()
        return (time.perf_counter() - start) / calls

    return measure


def _events(count: int, sessions: int) -> Events:
    random = np.random.default_rng(3)
    session = np.sort(random.integers(0, sessions, count))
    x = random.normal(size=(count, len(INPUTS)))
    touched = random.random(count) < 1 / (1 + np.exp(-0.8 - 0.5 * x[:, 0]))
    way = np.where(touched, np.where(random.random(count) < 0.57, 0, 1), 2).astype(np.int8)
    return Events(
        inputs=INPUTS,
        x=x,
        row=np.arange(count),
        session=session,
        left=session + random.integers(0, 5, count),
        known=session + 4,
        way=way,
        ret=np.choose(way, (0.062, -0.084, -0.005)),
        trains=np.ones(count, dtype=bool),
        traded=random.random(count) < 0.05,
    )


def _walk(rounds: int) -> None:
    axis = np.busday_offset("2011-01-03", np.arange(3320), roll="forward").astype("datetime64[D]")
    for times, count in EVENTS.items():
        events = _events(count, len(axis))
        taken, processor = [], []
        for _ in range(rounds):
            start, used = time.perf_counter(), time.process_time()
            found = walk_forward(events, axis, count, FitSettings(), "gaps")
            taken.append(time.perf_counter() - start)
            processor.append(time.process_time() - used)
        if len(found.quarters) != QUARTERS:
            raise AssertionError(f"{len(found.quarters)} quarters instead of {QUARTERS}")
        name = f"walk-forward of {count:,} events in {len(found.quarters)} quarters ({times}x)"
        used_s = round(statistics.median(processor), 2)
        report_alone("learning", "P13", name, "s", taken, GOAL_S, processor=used_s)
