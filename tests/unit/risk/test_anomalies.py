"""Anomalies of SPEC 4.9: each at its limit and beyond it, and silent without its input."""

from decimal import Decimal
from math import nan
from typing import Any

import pytest

from engine.risk.anomalies import (
    Anomaly,
    AnomalyKind,
    bad_fill,
    clock_skew,
    equity_jump,
    estimated_slippage,
    heartbeat,
    order_rate,
    position_difference,
    price_move,
    rejects,
    wide_spread,
)

CALM = [0.0] * 20
USUAL = [0.001, -0.001] * 10
"""Its median absolute deviation is 0.001."""


def about(value: float) -> Any:
    return pytest.approx(value)


@pytest.mark.parametrize(
    ("changes", "change", "value"),
    [
        (CALM, 0.003, None),
        (CALM, -0.0031, 6.2),
        (CALM[1:], 0.5, None),
        (USUAL, 6 * 0.0014826, None),
        (USUAL, 7 * 0.0014826, 7.0),
        (USUAL, nan, None),
    ],
)
def test_equity_jump(changes: list[float], change: float, value: float | None) -> None:
    found = equity_jump(changes, change)
    if value is None:
        assert found is None
    else:
        assert found == Anomaly(AnomalyKind.EQUITY_JUMP, about(value), 6.0)


@pytest.mark.parametrize(
    ("before", "high", "low", "atr", "value"),
    [
        (10.0, 15.0, 5.0, 1.0, None),
        (10.0, 15.1, 5.0, 1.0, 10.1),
        (10.0, 20.5, 20.0, 1.0, 10.5),
        (20.5, 10.0, 9.5, 1.0, 11.0),
        (None, 99.0, 1.0, 1.0, None),
        (10.0, 99.0, 1.0, None, None),
        (10.0, 99.0, 1.0, 0.0, None),
        (nan, nan, nan, 1.0, None),
    ],
)
def test_price_move(
    before: float | None, high: float, low: float, atr: float | None, value: float | None
) -> None:
    found = price_move("ABC", before, high, low, atr)
    expected = None if value is None else Anomaly(AnomalyKind.PRICE_MOVE, about(value), 10.0, "ABC")
    assert found == expected


@pytest.mark.parametrize(
    ("spreads", "spread", "value"),
    [
        ([0.001] * 10, 0.005, None),
        ([0.001] * 10, 0.0051, 5.1),
        ([0.001] * 9, 0.5, None),
        ([0.0] * 10, 0.5, None),
        ([0.001] * 10, nan, None),
    ],
)
def test_wide_spread(spreads: list[float], spread: float, value: float | None) -> None:
    found = wide_spread("ABC", spreads, spread)
    assert found == (None if value is None else Anomaly(AnomalyKind.SPREAD, about(value), 5.0, "ABC"))


def test_estimated_slippage_is_half_the_spread_and_the_impact() -> None:
    # SPEC 12, 3/slippage_pct: 0.090006249 percent.
    assert estimated_slippage(0.0012, 0.035, 1200.0, 8e6) == pytest.approx(0.00090006249, rel=1e-6)
    for missing in (
        (nan, 0.03, 1.0, 1e6),
        (0.01, nan, 1.0, 1e6),
        (0.01, 0.03, nan, 1e6),
        (0.01, 0.03, 1.0, 0),
    ):
        assert estimated_slippage(*missing) is None


@pytest.mark.parametrize(
    ("slippage", "estimated", "seen"),
    [
        (0.003, 0.001, False),
        (0.0031, 0.001, True),
        (-0.5, 0.001, False),
        (0.5, None, False),
        (nan, 0.001, False),
    ],
)
def test_bad_fill(slippage: float, estimated: float | None, seen: bool) -> None:
    found = bad_fill("ABC", slippage, estimated)
    assert found == (Anomaly(AnomalyKind.SLIPPAGE, slippage, 0.003, "ABC") if seen else None)


def test_counts_and_clocks() -> None:
    assert order_rate(30) is None
    assert order_rate(31) == Anomaly(AnomalyKind.ORDER_RATE, 31, 30)
    assert rejects(3) is None
    assert rejects(4) == Anomaly(AnomalyKind.REJECTS, 4, 3)
    assert clock_skew(None) is None
    assert clock_skew(-1_000_000) is None
    assert clock_skew(-1_200_000) == Anomaly(AnomalyKind.CLOCK_SKEW, 1.2, 1.0)
    assert heartbeat(30_000_000, 1) is None
    assert heartbeat(31_000_000, 0) is None
    assert heartbeat(None, 1) is None
    assert heartbeat(31_000_000, 1) == Anomaly(AnomalyKind.HEARTBEAT, 31.0, 30.0)


def test_a_position_may_differ_by_one_lot() -> None:
    lot = Decimal(1)
    assert position_difference("ABC", Decimal(10), Decimal(9), lot) is None
    found = position_difference("ABC", Decimal(8), Decimal(10), lot)
    assert found == Anomaly(AnomalyKind.POSITION, 2.0, 1.0, "ABC")
