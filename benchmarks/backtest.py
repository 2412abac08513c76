"""P1, P2, P3: bars a second of the event-driven kernel and of the sweep, and what a late bracket costs.

The floors do the same trades by the same rule with nothing around them: no fees, no journal, no corporate
actions, no account. Figures are nanoseconds a bar, so that less is better; `bars_a_s` says the same.
"""

import importlib.util
import json
import statistics
import time
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from harness import interleaved

from engine.backtest.brackets import (
    BracketKernel,
    BracketRule,
    Decide,
    Purse,
    Tape,
    Wish,
    by_session,
    tape_of,
)
from engine.backtest.costs import Costs
from engine.backtest.signals import EntryLimits, gap_signals
from engine.backtest.sweep import Sweep, SweepSet
from engine.model.ids import instrument_id
from engine.ports import BarColumns

SYMBOLS, SESSIONS = 100, 1260
SCALES = (1, 4, 16)
RULE = BracketRule()
NOTIONAL = 1000.0
SETS = 20
GOAL = 4.0
"""At least a quarter of the floor's bars a second."""
FEW, MANY, GOAL_LATE = 1_000, 8_000, 1.2


def run(rounds: int) -> None:
    """Measure and print."""
    rounds = min(rounds, 7)
    for scale in SCALES:
        tape = market(SYMBOLS * scale, SESSIONS)
        _events(tape, scale, max(3, rounds // scale))
        _sweeps(tape, scale, max(3, rounds // scale))
    _late(rounds)


def market(symbols: int, sessions: int) -> Tape:
    """Generated bars: 3.5 % a day with fat gaps, between 5 and 20 USD, 20 M USD a day."""
    random = np.random.default_rng(11)
    days = np.busday_offset("2016-01-04", np.arange(sessions), roll="forward").astype("datetime64[D]")
    bars = {}
    for number in range(symbols):
        moves = random.normal(0, 0.03, sessions)
        gaps = random.standard_t(3, sessions) * 0.008
        level = np.log(10) + 0.35 * np.sin(np.cumsum(moves + gaps))
        close = np.exp(level)
        opens = np.append(10.0, close[:-1]) * np.exp(gaps)
        spread = np.abs(random.normal(0, 0.02, (2, sessions)))
        high, low = np.maximum(opens, close) * (1 + spread[0]), np.minimum(opens, close) * (1 - spread[1])
        name = instrument_id(f"B{number:05d}")
        bars[name] = BarColumns(name, days, opens, high, low, close, 2e7 / close, np.ones(sessions))
    return tape_of(bars)


# P1.


def _events(tape: Tape, scale: int, rounds: int) -> None:
    """Ours begins with the signals over all bars, the floor works them out as it goes."""
    trades = 0

    def kernel() -> float:
        nonlocal trades
        begun = time.perf_counter()
        found = BracketKernel(tape, RULE, Costs(), Purse(0.0, notional=NOTIONAL)).run(decisions(tape))
        taken = time.perf_counter() - begun
        trades = len(found.trades)
        return taken

    table = tape.table
    starts = [*np.flatnonzero(table.row == 0).tolist(), len(table.row)]
    adv = gap_signals(table, EntryLimits(gap_max=10.0)).adv.tolist()

    def bare() -> float:
        begun = time.perf_counter()
        count = bare_loop(starts, adv, tape.open, tape.high, tape.low, tape.close)
        taken = time.perf_counter() - begun
        if not count:
            raise RuntimeError("a market without trades measures nothing")
        return taken

    taken = interleaved({"kernel": kernel, "bare Python loop": bare}, rounds)
    _print("P1", "event-driven brackets", "bare Python loop", taken, "kernel", len(adv), scale, trades)


def decisions(tape: Tape) -> Decide:
    """The gap rule over all bars."""
    signals = gap_signals(tape.table, EntryLimits())
    places = np.flatnonzero(signals.is_open)
    return by_session(tape, places, signals.sigma[places], signals.adv[places])


def bare_loop(
    starts: Sequence[int],
    adv: Sequence[float],
    opens: Sequence[float],
    highs: Sequence[float],
    lows: Sequence[float],
    closes: Sequence[float],
) -> int:
    """One bracket an instrument at a time, and the sum of what they made."""
    count, total = 0, 0.0
    for owner in range(len(starts) - 1):
        held, entry, stop, target = 0, 0.0, 0.0, 0.0
        for at in range(starts[owner] + 1, starts[owner + 1]):
            if held:
                held += 1
            elif opens[at] / closes[at - 1] - 1 <= -0.03 and 0.5 <= opens[at] <= 20 and adv[at] >= 5e6:
                entry = opens[at]
                stop, target = entry * 0.92, entry * 1.06
                held = 1
            if held:
                if lows[at] <= stop:
                    price = min(opens[at], stop) if held > 1 else stop
                elif highs[at] >= target + 0.01:
                    price = max(opens[at], target) if held > 1 else target
                elif held == 5:
                    price = closes[at]
                else:
                    continue
                total += price / entry - 1
                held = 0
                count += 1
    return count


# P2.


def _sweeps(tape: Tape, scale: int, rounds: int) -> None:
    if importlib.util.find_spec("numba") is None:
        print(
            json.dumps({"bench": "backtest", "id": "P2", "skipped": "needs the extra research"}), flush=True
        )
        return
    from numba import njit

    signals = gap_signals(tape.table, EntryLimits())
    sweep = Sweep(tape, signals, Costs(), NOTIONAL)
    sets = [SweepSet(-0.03, BracketRule(stop_pct=0.04 + 0.004 * at)) for at in range(SETS)]
    compiled = njit(bare_loop)
    columns = [np.array(one) for one in (signals.adv, tape.open, tape.high, tape.low, tape.close)]
    starts = np.append(np.flatnonzero(tape.table.row == 0), len(signals.adv))
    trades = 0

    def swept() -> float:
        nonlocal trades
        begun = time.perf_counter()
        trades = sum(map(len, sweep.returns(sets)))
        return time.perf_counter() - begun

    def bare() -> float:
        begun = time.perf_counter()
        for _ in sets:
            compiled(starts, *columns)
        return time.perf_counter() - begun

    taken = interleaved({"sweep": swept, "bare numba loop": bare}, rounds)
    bars = len(signals.adv) * SETS
    _print("P2", f"compiled sweep, {SETS} sets", "bare numba loop", taken, "sweep", bars, scale, trades)


def _print(
    id: str,
    name: str,
    floor: str,
    taken: dict[str, list[float]],
    ours: str,
    bars: int,
    scale: int,
    trades: int,
) -> None:
    median, least = statistics.median(taken[ours]), statistics.median(taken[floor])
    line = {
        "bench": "backtest",
        "id": id,
        "figure": f"{name}, {scale}x",
        "unit": "ns/bar",
        "floor": floor,
        "floor_median": round(1e9 * least / bars, 2),
        "ratio": round(median / least, 3),
        "min": round(1e9 * min(taken[ours]) / bars, 2),
        "median": round(1e9 * median / bars, 2),
        "max": round(1e9 * max(taken[ours]) / bars, 2),
        "rounds": len(taken[ours]),
        "bars_a_s": round(bars / median),
        "trades": trades,
        "goal_ratio": GOAL,
        "reached": median <= GOAL * least,
    }
    print(json.dumps(line), flush=True)


# P3.


def _late(rounds: int) -> None:
    """Seconds a bracket over the next 500, when so many are closed already, in one run."""
    tape = market(600, SESSIONS)
    asked = decisions(tape)

    def timed(closed: int) -> Callable[[], float]:
        def once() -> float:
            kernel = BracketKernel(tape, RULE, Costs(), Purse(0.0, notional=NOTIONAL))
            marks: list[tuple[int, float]] = []

            def decide(now: int, places: Sequence[int], equity: float) -> Iterable[Wish]:
                marks.append((kernel.closed, time.perf_counter()))
                return asked(now, places, equity)

            kernel.run(decide)
            first = next((mark for mark in marks if mark[0] >= closed), None)
            last = next((mark for mark in marks if mark[0] >= closed + 500), None)
            if first is None or last is None:
                raise RuntimeError(f"the market has {marks[-1][0]} brackets, {closed + 500} are needed")
            return (last[1] - first[1]) / (last[0] - first[0])

        return once

    taken = interleaved({f"{MANY}": timed(MANY), f"{FEW}": timed(FEW)}, max(rounds, 3))
    late, early = statistics.median(taken[f"{MANY}"]), statistics.median(taken[f"{FEW}"])
    line = {
        "bench": "backtest",
        "id": "P3",
        "figure": f"a bracket at {MANY:,} closed against one at {FEW:,}",
        "unit": "us/bracket",
        "floor": f"at {FEW:,} closed",
        "floor_median": round(1e6 * early, 2),
        "ratio": round(late / early, 3),
        "median": round(1e6 * late, 2),
        "rounds": len(taken[f"{MANY}"]),
        "goal_ratio": GOAL_LATE,
        "reached": late <= GOAL_LATE * early,
    }
    print(json.dumps(line), flush=True)
