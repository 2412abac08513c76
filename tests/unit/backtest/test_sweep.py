"""The sweep makes the very trades of the event-driven kernel, compiled and not, on bars with every oddity."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engine.backtest import sweep as sweep_module
from engine.backtest.brackets import BracketKernel, BracketRule, BracketTrade, Purse, Tape, Wish, tape_of
from engine.backtest.costs import FREE, Costs
from engine.backtest.signals import EntryLimits, Signals, gap_signals
from engine.backtest.sweep import Sweep, SweepSet, SweepTrades
from engine.execution.fees import COMMISSIONS

NAMES = ("place", "last_place", "reason", "sessions", "entry", "exit", "paid", "got", "shares", "fees", "pnl")
SETS = (
    (SweepSet(-0.03, BracketRule()), Costs()),
    (SweepSet(-0.05, BracketRule(0.05, 0.10, 8, volume_share=1e-5)), Costs(fees=COMMISSIONS["ib"]).times(2)),
    (SweepSet(-0.03, BracketRule(jumps=False, through_ticks=0, volume_share=None)), FREE),
    (SweepSet(-0.08, BracketRule(max_sessions=1)), Costs(spread_bps=50.0)),
)


def by_events(tape: Tape, signals: Signals, one: SweepSet, costs: Costs) -> list[BracketTrade]:
    gap, is_open = signals.gap.tolist(), signals.is_open.tolist()
    adv, sigma = signals.adv.tolist(), signals.sigma.tolist()

    def decide(now: int, places: Any, equity: float) -> list[Wish]:
        return [Wish(p, sigma[p], adv[p]) for p in places if is_open[p] and gap[p] <= one.gap_max + 1e-9]

    return BracketKernel(tape, one.rule, costs, Purse(0.0, notional=1000.0)).run(decide).trades


def rows(trades: SweepTrades) -> list[tuple[float, ...]]:
    return sorted(zip(*(getattr(trades, name).tolist() for name in NAMES), strict=True))


@pytest.mark.parametrize("is_compiled", [True, False], ids=["compiled", "plain"])
@pytest.mark.parametrize(("one", "costs"), SETS)
def test_trades_are_those_of_the_kernel_to_the_last_bit(
    one: SweepSet,
    costs: Costs,
    is_compiled: bool,
    generate_market: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if is_compiled:
        pytest.importorskip("numba", reason="needs the extra research")
    else:
        monkeypatch.setattr(sweep_module, "fast", lambda function: function)
    tape = tape_of(generate_market(5, 40, 120).bars)
    signals = gap_signals(tape.table, EntryLimits(adv_min_usd=1e6))
    expected = sorted(
        tuple(getattr(trade, name) for name in NAMES) for trade in by_events(tape, signals, one, costs)
    )
    assert len(expected) > 20
    assert rows(Sweep(tape, signals, costs, 1000.0).trades(one)) == expected


def test_one_sweep_answers_many_sets(generate_market: Callable[..., Any]) -> None:
    tape = tape_of(generate_market(5, 20, 80).bars)
    signals = gap_signals(tape.table, EntryLimits(adv_min_usd=1e6))
    sweep = Sweep(tape, signals, Costs(), 1000.0)
    sets = [SweepSet(-0.03, BracketRule(stop_pct=stop)) for stop in (0.04, 0.08, 0.16)]
    found = sweep.returns(sets)
    assert [len(one) for one in found] == [len(sweep.trades(one)) for one in sets]
    trades = sweep.trades(sets[1])
    assert np.array_equal(found[1], trades.pnl / (trades.shares * trades.paid))
    assert len({len(one) for one in found}) > 1
