"""The worked examples of SPEC 3, and what the predicates of the full rule do at their edges."""

import json
from math import isnan, nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.features.catalogue import CATALOGUE
from engine.model.assessment import HIGHEST
from engine.model.candidates import Regime
from engine.model.forecasts import Forecast
from engine.risk.slippage import expected_slippage_pct, slippage_pct
from engine.scoring.bcs import REGIME_POINTS, bcs_arrays, bcs_total, score
from engine.strategies import filters, gaps_rules
from engine.strategies.expected import expected_value, forecast_value, round_trip_cost
from engine.strategies.gaps_config import GapsConfig, Sides
from engine.strategies.gaps_limits import Thresholds, in_force, thresholds

CONFIG = GapsConfig()


@pytest.fixture(scope="module")
def example(market_data: Path) -> Any:
    path = market_data.parent / "oracles" / "oracles.json"
    if not path.is_file():
        pytest.skip("needs the market data folder: set TRADEDECK_TEST_DATA")
    entries = {(entry["section"], entry["id"]): entry for entry in json.loads(path.read_text())}
    return lambda name: (entries["3", name]["input"], entries["3", name]["expected"])


def test_the_worked_example_of_slippage(example: Any) -> None:
    given, expected = example("slippage_pct")
    found = slippage_pct(
        given["spread_bps"], given["order_usd"], given["adv_usd"], given["sigma_daily"], given["Y"]
    )
    assert float(found) == pytest.approx(expected, rel=1e-6)


def test_the_worked_example_of_the_expected_value(example: Any) -> None:
    given, expected = example("ev_net")
    touch = 1 - given["p_time"]
    found = expected_value(
        touch,
        given["p_target"] / touch,
        given["r_target"],
        given["r_stop"],
        given["r_time"],
        given["round_trip_cost"],
    )
    assert float(found) == pytest.approx(expected, rel=1e-6)


def test_the_worked_example_of_the_score(example: Any) -> None:
    given, expected = example("bcs")
    parts = score(
        q_bounce=given["q_bounce"],
        gap_dn=given["gap_dn"],
        rsi2=given["rsi2"],
        z5=given["z5"],
        volume_ratio=given["volume_ratio"],
        dist_200=given["dist_200"],
        regime=Regime(given["regime"]),
        adv_usd=given["adv"],
        slippage_pct=given["slip_pct"],
    )
    assert parts.total == pytest.approx(expected["bcs"], rel=1e-6)
    assert {name: getattr(parts, name) for name in expected["parts"]} == pytest.approx(expected["parts"])


NOTHING: dict[str, Any] = {
    "q_bounce": None,
    "gap_dn": 0.0,
    "rsi2": None,
    "z5": None,
    "volume_ratio": None,
    "dist_200": None,
    "regime": Regime.UNKNOWN,
    "adv_usd": None,
    "slippage_pct": None,
}
BEST: dict[str, Any] = {
    "q_bounce": 0.80,
    "gap_dn": -0.05,
    "rsi2": 2.9,
    "z5": -2.0,
    "volume_ratio": 4.0,
    "dist_200": 0.0,
    "regime": Regime.NORMAL,
    "adv_usd": 20e6,
    "slippage_pct": 0.19,
}


def test_a_score_lies_between_nothing_and_its_highest() -> None:
    assert score(**NOTHING).total == 0
    assert score(**BEST) == HIGHEST
    assert HIGHEST.total == 10


@pytest.mark.parametrize(
    ("name", "value", "part", "points"),
    [
        ("q_bounce", 0.49, "probability", 0.0),
        ("q_bounce", 0.65, "probability", 1.5),
        ("q_bounce", 0.95, "probability", 3.0),
        ("gap_dn", -0.049, "gap", 0.0),
        ("gap_dn", -0.05, "gap", 1.5),
        ("gap_dn", -0.0999, "gap", 1.5),
        ("gap_dn", -0.10, "gap", 1.0),
        ("gap_dn", -0.15, "gap", 0.5),
        ("gap_dn", -0.25, "gap", 0.5),
        ("gap_dn", -0.251, "gap", 0.0),
        ("rsi2", 3.0, "oversold", 0.75),
        ("rsi2", 5.0, "oversold", 0.5),
        ("rsi2", 10.0, "oversold", 0.0),
        ("z5", -1.5, "oversold", 0.25),
        ("z5", -1.49, "oversold", 0.0),
        ("volume_ratio", 2.5, "volume", 0.5),
        ("volume_ratio", 2.49, "volume", 0.0),
        ("dist_200", -0.05, "trend", 0.5),
        ("dist_200", -0.051, "trend", 0.0),
        ("regime", Regime.HIGH_VIX, "regime", 0.5),
        ("regime", Regime.SPY_STRESS, "regime", 0.0),
        ("adv_usd", 5e6, "liquidity", 0.25),
        ("adv_usd", 4.9e6, "liquidity", 0.0),
        ("slippage_pct", 0.2, "liquidity", 0.25),
        ("slippage_pct", 0.5, "liquidity", 0.0),
    ],
)
def test_points_of_each_part_at_its_edges(name: str, value: Any, part: str, points: float) -> None:
    assert getattr(score(**{**NOTHING, name: value}), part) == pytest.approx(points)


def test_arrays_score_as_single_candidates_do() -> None:
    rng = np.random.default_rng(5)
    size = 200
    columns = {
        "q_bounce": rng.uniform(0.4, 0.9, size),
        "gap_dn": rng.uniform(-0.3, 0, size),
        "rsi2": rng.uniform(0, 12, size),
        "z5": rng.uniform(-3, 1, size),
        "volume_ratio": rng.uniform(0, 5, size),
        "dist_200": rng.uniform(-0.2, 0.2, size),
        "adv_usd": rng.uniform(1e6, 4e7, size),
        "slippage_pct": rng.uniform(0, 0.7, size),
    }
    for column in columns.values():
        column[rng.integers(0, size, 20)] = nan
    regimes = [list(Regime)[n] for n in rng.integers(0, 4, size)]
    total = bcs_total(bcs_arrays(**columns, regime_points=[REGIME_POINTS[regime] for regime in regimes]))
    one_by_one = [
        score(
            **{name: None if isnan(column[row]) else float(column[row]) for name, column in columns.items()},
            regime=regimes[row],
        ).total
        for row in range(size)
        if not isnan(columns["gap_dn"][row])
    ]
    assert total[~np.isnan(columns["gap_dn"])].tolist() == one_by_one


def test_slippage_is_not_known_without_its_inputs() -> None:
    assert expected_slippage_pct(0.0012, 1200, 8e6, 0.035 * 252**0.5) == pytest.approx(0.090006249)
    for spread, adv, vol in ((None, 8e6, 0.5), (0.001, None, 0.5), (0.001, 0.0, 0.5), (0.001, 8e6, None)):
        assert expected_slippage_pct(spread, 1200, adv, vol) is None
    assert np.isnan(slippage_pct(10, 100, [0.0, nan], 0.03)).all()


def test_a_forecast_is_worth_what_its_ways_out_give_less_the_cost() -> None:
    forecast = Forecast("m", 0.72, 0.62, 0.58, 0.66, 0.066, -0.084, -0.003, (), (), is_usable=True)
    gross = 0.72 * 0.62 * 0.066 - 0.72 * 0.38 * 0.084 - 0.28 * 0.003
    assert forecast_value(forecast, 0.0) == pytest.approx(gross)
    assert forecast_value(forecast, 0.01) == pytest.approx(gross - 0.01)
    assert float(round_trip_cost(0.25, 0.001)) == pytest.approx(0.006)


def test_one_percent_of_costs_needs_the_break_even_of_the_specification() -> None:
    assert float(expected_value(1.0, 0.643, 0.06, -0.08, 0.0, 0.01)) == pytest.approx(0, abs=5e-5)


@pytest.mark.parametrize(
    ("regime", "cautious", "expected"),
    [
        (Regime.NORMAL, False, Thresholds(0.62, 5.5)),
        (Regime.NORMAL, True, Thresholds(0.68, 6.0)),
        (Regime.HIGH_VIX, False, Thresholds(0.68, 6.0)),
        (Regime.UNKNOWN, False, Thresholds(0.68, 6.0)),
        (Regime.SPY_STRESS, False, Thresholds(0.68, 6.0)),
    ],
)
def test_thresholds_follow_the_regime(regime: Regime, cautious: bool, expected: Thresholds) -> None:
    assert thresholds(regime, CONFIG, cautious) == expected


def test_stress_never_asks_for_less_than_the_specification() -> None:
    low = GapsConfig(q_min_highvix=0.60, q_min=0.60)
    assert thresholds(Regime.SPY_STRESS, low).q_min == 0.68
    assert in_force(CONFIG, None) is CONFIG
    assert in_force(CONFIG, low) is low


def test_a_knife_fell_in_more_than_30_percent_of_its_sessions() -> None:
    assert gaps_rules.is_no_knife(np.array([18 / 63, 0.30, 19 / 63, nan])).tolist() == [
        True,
        True,
        False,
        False,
    ]


def test_slippage_of_the_gates_is_that_of_the_feature() -> None:
    for spread, order, adv, vol in ((12.0, 1200.0, 8e6, 0.55), (0.0, 1.0, 1e7, 0.2), (95.0, 5e4, 5e6, 1.9)):
        columns = [np.array([value]) for value in (spread, order, adv, vol)]
        feature = CATALOGUE["est_slippage_pct"].last(*columns)
        assert expected_slippage_pct(spread / 1e4, order, adv, vol) == pytest.approx(feature, rel=1e-12)


def test_a_reverse_split_counts_for_30_sessions() -> None:
    ratio = np.ones(80)
    ratio[20], ratio[40], ratio[41], ratio[42] = 10.0, 0.5, 0.98, nan
    seen = gaps_rules.has_reverse_split(ratio)
    assert np.flatnonzero(seen).tolist() == list(range(20, 50))
    assert gaps_rules.has_reverse_split(ratio[:25])[-1]
    assert not gaps_rules.has_reverse_split(np.ones(3)).any()


@pytest.mark.parametrize(
    ("ratio", "is_split"), [(1.0, False), (0.98, False), (nan, False), (0.5, True), (10.0, True)]
)
def test_a_split_is_told_from_a_dividend(ratio: float, is_split: bool) -> None:
    assert bool(gaps_rules.is_split_ratio(ratio)) is is_split


@pytest.mark.parametrize(
    ("rule", "inside", "outside"),
    [
        (gaps_rules.is_priced, (0.50, 20.0), (0.4999, 20.001, nan)),
        (gaps_rules.is_traded, (5e6,), (4_999_999.0, nan)),
        (gaps_rules.is_gap, (-0.05, -0.25), (-0.0499, -0.2501, nan)),
        (gaps_rules.is_oversold, (10.0, 0.0), (10.001, nan)),
        (gaps_rules.is_in_trend, (-0.119, 0.3), (-0.12, nan)),
        (filters.is_steady, (-40.0, 80.0), (-40.1, nan)),
        (filters.is_cheap, (0.499,), (0.5, nan)),
        (filters.is_funded, (6.0, nan), (5.9,)),
    ],
)
def test_edges_of_the_rules(rule: Any, inside: tuple[float, ...], outside: tuple[float, ...]) -> None:
    assert rule(np.array(inside), CONFIG).all()
    assert not rule(np.array(outside), CONFIG).any()


def test_z5_counts_only_where_it_is_asked_for() -> None:
    assert gaps_rules.is_shocked(np.array([1.0, nan]), CONFIG).all()
    asked = GapsConfig(z5_max=-1.5)
    assert gaps_rules.is_shocked(np.array([-1.5, -1.4, nan]), asked).tolist() == [True, False, False]
    assert gaps_rules.is_trigger(5.0, 0.0, -1.5, asked)
    assert not gaps_rules.is_trigger(5.0, 0.0, -1.4, asked)


def test_a_surge_of_volume_counts_where_both_sides_do() -> None:
    both = GapsConfig(liquidity_delta_mode=Sides.BOTH)
    assert filters.is_steady(np.array([-40.0, 40.0, 40.1]), both).tolist() == [True, True, False]
    assert filters.is_surge(np.array([40.0, 40.1]), CONFIG).tolist() == [False, True]


def test_cash_covers_more_than_three_orders() -> None:
    assert filters.is_covered(361.0, 120.0, CONFIG)
    assert not filters.is_covered(360.0, 120.0, CONFIG)
    assert filters.is_alive(np.array([0.0, 1.0, nan])).tolist() == [True, False, False]
