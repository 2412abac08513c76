"""The fill rules of SPEC 9.4, 9.5 and 9.8, one case each."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from engine.execution.matching import (
    NAIVE,
    STANDARD,
    BarPrices,
    Coverage,
    ExitMatch,
    GapFill,
    Leg,
    Liquidity,
    Resting,
    SlippageModel,
    bar_budget,
    bar_prices,
    coverage_after_entry,
    coverage_of,
    exit_on_bar,
    limit_is_crossed,
    limit_is_traded_through,
    limit_on_bar,
    plain_ratio,
    split_shares,
    stop_is_reached,
    stop_on_bar,
    taker_price,
)
from engine.model.ids import InstrumentId
from engine.model.market import Bar, Provenance
from engine.model.orders import OrderSide
from engine.money import ZERO

BUY, SELL = OrderSide.BUY, OrderSide.SELL
CENT = Decimal("0.01")
ONE = Decimal(1)
EXACT = replace(NAIVE, gap_fill=GapFill.EXACT)

D = Decimal
Prices = Callable[[str, str, str, str], BarPrices]


@pytest.fixture
def prices() -> Prices:
    return lambda *values: BarPrices(*(D(value) for value in values))


def test_presets_are_the_documented_ones() -> None:
    assert (NAIVE.resting, NAIVE.through_ticks, NAIVE.max_volume_share) == (Resting.BARS, 0, None)
    assert NAIVE.slippage is None
    assert NAIVE.fees.fee(SELL, D(100), D(10), date(2016, 1, 4)) == ZERO
    assert (STANDARD.resting, STANDARD.through_ticks, STANDARD.max_volume_share) == (
        Resting.QUOTES,
        1,
        D("0.10"),
    )
    assert STANDARD.slippage == SlippageModel(spread_bps=10.0, impact=0.7)
    assert STANDARD.touch_tolerance == D("1e-9")


def test_bar_prices_are_the_exact_floats() -> None:
    bar = Bar(InstrumentId("A.US"), 12.34000015258789, 13.0, 11.5, 12.0, 1e6, 0, 1, Provenance.REPLAY)
    assert bar_prices(bar) == BarPrices(D("12.34000015258789"), D("13.0"), D("11.5"), D("12.0"))


def test_bar_with_nan_price_raises() -> None:
    bar = Bar(InstrumentId("A.US"), 12.0, 13.0, float("nan"), 12.0, 1e6, 0, 1, Provenance.REPLAY)
    with pytest.raises(ValueError, match="finite"):
        bar_prices(bar)


@pytest.mark.parametrize(
    ("active_us", "with_entry", "expected"),
    [
        (9, False, Coverage.BEFORE_OPEN),
        (9, True, Coverage.BEFORE_OPEN),
        (10, False, Coverage.BEFORE_OPEN),
        (10, True, Coverage.FROM_OPEN),
        (11, False, Coverage.WITHIN),
        (11, True, Coverage.WITHIN),
    ],
)
def test_coverage_by_time_of_activation(active_us: int, with_entry: bool, expected: Coverage) -> None:
    assert coverage_of(active_us, with_entry, ts_open=10) is expected


class TestStopOnBar:
    def test_low_above_stop_does_nothing(self, prices: Prices) -> None:
        assert stop_on_bar(D("9.2"), prices("10", "10", "9.21", "10"), Coverage.BEFORE_OPEN, NAIVE) is None

    def test_touch_sells_at_stop(self, prices: Prices) -> None:
        assert stop_on_bar(D("9.2"), prices("10", "10", "9.2", "10"), Coverage.BEFORE_OPEN, NAIVE) == D("9.2")

    def test_touch_within_tolerance_counts_and_beyond_does_not(self, prices: Prices) -> None:
        near = prices("10", "10", "9.2000000009", "10")
        far = prices("10", "10", "9.2000000011", "10")
        assert stop_on_bar(D("9.2"), near, Coverage.BEFORE_OPEN, NAIVE) == D("9.2")
        assert stop_on_bar(D("9.2"), far, Coverage.BEFORE_OPEN, NAIVE) is None

    def test_gap_below_sells_at_open(self, prices: Prices) -> None:
        assert stop_on_bar(D("9.2"), prices("9", "10", "8", "10"), Coverage.BEFORE_OPEN, NAIVE) == D("9")

    def test_gap_below_sells_at_stop_under_exact(self, prices: Prices) -> None:
        assert stop_on_bar(D("9.2"), prices("9", "10", "8", "10"), Coverage.BEFORE_OPEN, EXACT) == D("9.2")

    @pytest.mark.parametrize("coverage", [Coverage.FROM_OPEN, Coverage.WITHIN])
    def test_entry_bar_never_fills_at_the_gap(self, prices: Prices, coverage: Coverage) -> None:
        assert stop_on_bar(D("9.2"), prices("9", "10", "8", "10"), coverage, NAIVE) == D("9.2")


class TestLimitOnBar:
    def test_target_touch_fills_under_naive(self, prices: Prices) -> None:
        bar = prices("10", "10.6", "10", "10")
        assert limit_on_bar(SELL, D("10.6"), bar, Coverage.BEFORE_OPEN, None, NAIVE) == D("10.6")

    def test_target_touch_within_tolerance_counts_and_beyond_does_not(self, prices: Prices) -> None:
        near, far = prices("10", "10.5999999991", "10", "10"), prices("10", "10.5999999989", "10", "10")
        assert limit_on_bar(SELL, D("10.6"), near, Coverage.BEFORE_OPEN, None, NAIVE) == D("10.6")
        assert limit_on_bar(SELL, D("10.6"), far, Coverage.BEFORE_OPEN, None, NAIVE) is None

    def test_target_touch_does_not_fill_under_standard(self, prices: Prices) -> None:
        bar = prices("10", "10.6", "10", "10")
        assert limit_on_bar(SELL, D("10.6"), bar, Coverage.BEFORE_OPEN, CENT, STANDARD) is None

    def test_target_traded_through_by_a_tick_fills_at_its_price(self, prices: Prices) -> None:
        bar = prices("10", "10.61", "10", "10")
        assert limit_on_bar(SELL, D("10.6"), bar, Coverage.BEFORE_OPEN, CENT, STANDARD) == D("10.6")

    def test_target_gap_fills_at_open_or_exact(self, prices: Prices) -> None:
        bar = prices("11", "11.2", "10.8", "11")
        assert limit_on_bar(SELL, D("10.6"), bar, Coverage.BEFORE_OPEN, None, NAIVE) == D("11")
        assert limit_on_bar(SELL, D("10.6"), bar, Coverage.BEFORE_OPEN, None, EXACT) == D("10.6")
        assert limit_on_bar(SELL, D("10.6"), bar, Coverage.FROM_OPEN, None, NAIVE) == D("10.6")

    def test_buy_limit_touch_and_gap(self, prices: Prices) -> None:
        touched, jumped = prices("10", "10", "9.5", "10"), prices("9", "9.9", "8.9", "9.5")
        assert limit_on_bar(BUY, D("9.5"), touched, Coverage.BEFORE_OPEN, None, NAIVE) == D("9.5")
        assert limit_on_bar(BUY, D("9.5"), jumped, Coverage.BEFORE_OPEN, None, NAIVE) == D("9")
        assert limit_on_bar(BUY, D("9.4"), touched, Coverage.BEFORE_OPEN, None, NAIVE) is None

    def test_order_from_inside_the_bar_needs_the_close_beyond_it(self, prices: Prices) -> None:
        spike, held = prices("10", "11", "9", "10"), prices("10", "11", "9", "10.7")
        assert limit_on_bar(SELL, D("10.6"), spike, Coverage.WITHIN, None, NAIVE) is None
        assert limit_on_bar(SELL, D("10.6"), held, Coverage.WITHIN, None, NAIVE) == D("10.6")
        assert limit_on_bar(BUY, D("9.5"), spike, Coverage.WITHIN, None, NAIVE) is None


class TestThroughAndCrossed:
    def test_tick_of_the_instrument_or_of_us_equities(self) -> None:
        assert not limit_is_traded_through(SELL, D("0.5"), D("0.5"), None, STANDARD)
        assert limit_is_traded_through(SELL, D("0.5"), D("0.5001"), None, STANDARD)
        assert not limit_is_traded_through(SELL, D("0.5"), D("0.5001"), CENT, STANDARD)
        assert limit_is_traded_through(BUY, D("5"), D("4.99"), None, STANDARD)
        assert not limit_is_traded_through(BUY, D("5"), D("4.991"), None, STANDARD)

    def test_marketable_at_the_limit_and_within_tolerance(self) -> None:
        assert limit_is_crossed(BUY, D(10), D("10.0000000005"), STANDARD)
        assert not limit_is_crossed(BUY, D(10), D("10.01"), STANDARD)
        assert limit_is_crossed(SELL, D(10), D("9.9999999995"), STANDARD)
        assert not limit_is_crossed(SELL, D(10), D("9.99"), STANDARD)

    def test_stop_is_reached_at_its_price(self) -> None:
        assert stop_is_reached(D(9), D("9.0000000005"), NAIVE)
        assert not stop_is_reached(D(9), D("9.01"), NAIVE)


class TestExitOnBar:
    def test_stop_comes_before_target_inside_a_bar(self, prices: Prices) -> None:
        bar = prices("10", "11", "9", "10")
        match = exit_on_bar(D("9.2"), D("10.6"), bar, Coverage.BEFORE_OPEN, None, NAIVE)
        assert match == ExitMatch(Leg.STOP, D("9.2"))

    def test_open_above_target_and_low_at_stop_is_a_stop(self, prices: Prices) -> None:
        bar = prices("11", "11.5", "9", "9.5")
        match = exit_on_bar(D("9.2"), D("10.6"), bar, Coverage.BEFORE_OPEN, None, NAIVE)
        assert match == ExitMatch(Leg.STOP, D("9.2"))

    def test_target_alone(self, prices: Prices) -> None:
        bar = prices("10", "10.7", "9.9", "10.5")
        match = exit_on_bar(D("9.2"), D("10.6"), bar, Coverage.BEFORE_OPEN, None, NAIVE)
        assert match == ExitMatch(Leg.TARGET, D("10.6"))

    def test_neither(self, prices: Prices) -> None:
        bar = prices("10", "10.5", "9.3", "10.5")
        assert exit_on_bar(D("9.2"), D("10.6"), bar, Coverage.BEFORE_OPEN, None, NAIVE) is None


class TestCoverageAfterEntry:
    def test_filled_at_the_open_sees_the_whole_range(self, prices: Prices) -> None:
        bar = prices("9.9", "11", "9", "10")
        assert coverage_after_entry(D(10), bar, Coverage.BEFORE_OPEN) is Coverage.FROM_OPEN

    def test_filled_later_sees_an_unknown_part(self, prices: Prices) -> None:
        bar = prices("10.5", "11", "9", "10")
        assert coverage_after_entry(D(10), bar, Coverage.BEFORE_OPEN) is Coverage.WITHIN
        assert coverage_after_entry(D(11), bar, Coverage.WITHIN) is Coverage.WITHIN


class TestTakerPrice:
    def test_without_slippage_the_price_is_not_rounded(self) -> None:
        assert taker_price(BUY, D("12.34000015"), 0.0, None, CENT) == D("12.34000015")
        assert taker_price(SELL, D("12.34000015"), 0.0, None, CENT) == D("12.34000015")

    def test_buyer_pays_more_up_to_the_next_tick(self) -> None:
        assert taker_price(BUY, D("10"), 0.0005, None, CENT) == D("10.01")

    def test_seller_gets_less_down_to_the_tick(self) -> None:
        assert taker_price(SELL, D("10"), 0.0005, None, CENT) == D("9.99")

    def test_limit_bounds_the_slippage(self) -> None:
        assert taker_price(BUY, D("10"), 0.01, D("10.02"), CENT) == D("10.02")
        assert taker_price(SELL, D("10"), 0.01, D("9.98"), CENT) == D("9.98")

    def test_limit_is_never_passed_by_the_tolerance(self) -> None:
        assert taker_price(BUY, D("10.0000000005"), 0.0, D("10"), None) == D("10")

    def test_seller_never_pays(self) -> None:
        assert taker_price(SELL, D("10"), 2.0, None, CENT) == ZERO


class TestSlippage:
    def test_matches_the_worked_example(self, market_data: Path) -> None:
        path = market_data.parent / "oracles" / "oracles.json"
        if not path.is_file():
            pytest.skip("needs the worked examples beside the market data folder")
        example = next(o for o in json.loads(path.read_text()) if o["id"] == "slippage_pct")
        given = example["input"]
        model = SlippageModel(impact=given["Y"])
        liquidity = Liquidity(given["adv_usd"], given["sigma_daily"])
        ratio = model.ratio(given["order_usd"], liquidity, given["spread_bps"])
        assert 100 * ratio == pytest.approx(example["expected"], abs=1e-9)

    def test_half_spread_alone_without_liquidity(self) -> None:
        assert SlippageModel().ratio(1000.0, None, 10.0) == pytest.approx(0.0005)
        assert SlippageModel().ratio(1000.0, Liquidity(0.0, 0.03), 10.0) == pytest.approx(0.0005)

    def test_impact_grows_with_the_root_of_the_share_of_volume(self) -> None:
        assert SlippageModel().ratio(10_000.0, Liquidity(1e6, 0.03), 0.0) == pytest.approx(0.7 * 0.03 * 0.1)


class TestBudget:
    def test_any_amount_under_naive(self) -> None:
        assert bar_budget(0.0, ONE, NAIVE) is None

    def test_tenth_of_volume_in_whole_lots(self) -> None:
        assert bar_budget(1999.0, ONE, STANDARD) == 199
        assert bar_budget(1999.0, D(100), STANDARD) == 100
        assert bar_budget(0.0, ONE, STANDARD) == 0


class TestSplits:
    @pytest.mark.parametrize(
        ("stored", "meant"),
        [
            (0.5, Fraction(1, 2)),
            (10.0, Fraction(10)),
            (15.000009, Fraction(15)),
            (0.66666698, Fraction(2, 3)),
            (0.33333299, Fraction(1, 3)),
            (34.482758, Fraction(1000, 29)),
            (0.118182, Fraction(13, 110)),
        ],
    )
    def test_noise_of_storage_is_removed(self, stored: float, meant: Fraction) -> None:
        assert plain_ratio(stored) == meant

    def test_ratio_that_is_no_plain_fraction_stays(self) -> None:
        assert plain_ratio(0.00012345) == Fraction(0.00012345)

    @pytest.mark.parametrize(
        ("quantity", "ratio", "whole", "fraction"),
        [
            (100, 0.5, "200", "0"),
            (105, 10.0, "10", "0.5"),
            (150, 15.000009, "10", "0"),
            (7, 10.0, "0", "0.7"),
        ],
    )
    def test_whole_lots_and_the_fraction_paid_out(
        self, quantity: int, ratio: float, whole: str, fraction: str
    ) -> None:
        assert split_shares(D(quantity), ratio, ONE) == (D(whole), D(fraction))
