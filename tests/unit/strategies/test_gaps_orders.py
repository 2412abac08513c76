import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.model.candidates import Regime
from engine.model.ids import instrument_id
from engine.model.market import Instrument, Provenance, Quote
from engine.money import equity_tick, to_decimal
from engine.strategies.gaps_config import GapsConfig
from engine.strategies.gaps_orders import EntryRooms, price_entry, size_entry, size_share

ABC = instrument_id("ABC")
CENT = Instrument(ABC, tick_size=Decimal("0.01"))
FREE = Instrument(ABC)
CONFIG = GapsConfig()
prices = st.floats(0.5, 20.0)
money = st.decimals(0, 10_000_000, places=2)


def _quote(bid: float | None, ask: float | None) -> Quote:
    return Quote(ABC, bid, ask, 0, 0, Provenance.REPLAY)


def test_a_narrow_quote_is_bought_at_the_ask() -> None:
    entry = price_entry(_quote(8.369, 8.37), CENT, CONFIG)
    assert entry is not None
    assert (entry.limit_price, entry.stop_price, entry.target_price) == (
        Decimal("8.37"),
        Decimal("7.70"),
        Decimal("8.87"),
    )


def test_a_wide_quote_is_bought_a_tenth_of_a_percent_over_its_middle() -> None:
    entry = price_entry(_quote(9.0, 11.0), CENT, CONFIG)
    assert entry is not None
    assert entry.limit_price == Decimal("10.01")


@pytest.mark.parametrize(("bid", "ask"), [(None, 8.0), (8.0, None), (None, None)])
def test_a_missing_side_gives_no_price(bid: float | None, ask: float | None) -> None:
    assert price_entry(_quote(bid, ask), CENT, CONFIG) is None


def test_a_leg_that_is_exact_in_decimals_is_not_rounded_down_by_float_noise() -> None:
    # In binary 3.50 * 1.06 lies a little under 3.71.
    for price in (Decimal(n) / 4 for n in range(3, 80)):
        entry = price_entry(_quote(float(price), float(price)), CENT, CONFIG)
        assert entry is not None
        exact = price * Decimal("1.06")
        assert entry.target_price == exact.quantize(Decimal("0.01"), "ROUND_FLOOR")


def test_without_a_tick_the_legs_are_the_float_products_of_the_back_test() -> None:
    price = 5.079999923706055
    entry = price_entry(_quote(price, price), FREE, CONFIG)
    assert entry is not None
    assert float(entry.limit_price) == price
    assert float(entry.stop_price) == price * (1 - 0.08) == price * 0.92
    assert float(entry.target_price) == price * (1 + 0.06) == price * 1.06


def test_a_tick_too_coarse_for_the_price_is_seen() -> None:
    nickel = Instrument(ABC, tick_size=Decimal("0.50"))
    entry = price_entry(_quote(1.0, 1.0), nickel, CONFIG)
    assert entry is not None
    assert not entry.is_ordered


@given(bid=prices, spread=st.floats(0, 0.05), whole=st.booleans())
@settings(deadline=None)
def test_legs_of_any_quote_are_ordered_and_the_limit_never_exceeds_the_ask(
    bid: float, spread: float, whole: bool
) -> None:
    ask = bid * (1 + spread)
    tick = equity_tick(to_decimal(bid)) if whole else None
    entry = price_entry(_quote(bid, ask), Instrument(ABC, tick_size=tick), CONFIG)
    assert entry is not None
    assert entry.is_ordered
    assert float(entry.limit_price) <= ask


@pytest.mark.parametrize(
    ("regime", "share"),
    [
        (Regime.NORMAL, 0.012),
        (Regime.HIGH_VIX, 0.006),
        (Regime.SPY_STRESS, 0.003),
        (Regime.UNKNOWN, 0.006),
    ],
)
def test_size_follows_the_regime(regime: Regime, share: float) -> None:
    assert size_share(regime, CONFIG) == share


def test_size_of_the_worked_example(market_data: Path) -> None:
    path = market_data.parent / "oracles" / "oracles.json"
    if not path.is_file():
        pytest.skip("needs the market data folder: set TRADEDECK_TEST_DATA")
    entries = json.loads(path.read_text())
    example = next(entry for entry in entries if (entry["section"], entry["id"]) == ("3", "size"))
    given_, expected = example["input"], example["expected"]
    entry = price_entry(_quote(given_["price"], given_["price"]), CENT, CONFIG)
    assert entry is not None
    equity = to_decimal(given_["equity"])
    sizing = size_entry(entry, Regime.NORMAL, CONFIG, EntryRooms(equity, None), Decimal(1))
    assert sizing.quantity == expected["shares"]
    assert (float(entry.stop_price), float(entry.target_price)) == (expected["stop"], expected["target"])


def test_cash_binds_only_where_buying_power_counts() -> None:
    entry = price_entry(_quote(8.0, 8.0), CENT, CONFIG)
    assert entry is not None
    poor = size_entry(entry, Regime.NORMAL, CONFIG, EntryRooms(Decimal(10_000), Decimal(20)), Decimal(1))
    free = size_entry(entry, Regime.NORMAL, CONFIG, EntryRooms(Decimal(10_000), None), Decimal(1))
    assert (poor.quantity, poor.binding) == (2, "cash")
    assert (free.quantity, free.binding) == (15, "strategy")


def test_the_position_limit_binds_a_greedy_strategy() -> None:
    entry = price_entry(_quote(8.0, 8.0), CENT, CONFIG)
    assert entry is not None
    greedy = GapsConfig(size_pct=0.10)
    rooms = EntryRooms(Decimal(10_000), None, max_position_pct=0.02)
    sizing = size_entry(entry, Regime.NORMAL, greedy, rooms, Decimal(1))
    assert (sizing.quantity, sizing.binding) == (25, "max_position")


@pytest.mark.parametrize(
    ("rooms", "quantity", "binding"),
    [
        ({"correlation": Decimal(60)}, 7, "correlation"),
        ({"liquidity": Decimal(60)}, 7, "liquidity"),
        ({"cash": Decimal(60)}, 7, "cash"),
        ({"correlation": Decimal(0)}, 0, "correlation"),
        ({"multiplier": Decimal("0.5")}, 7, "strategy x 0.5 for drawdown"),
        (
            {"correlation": Decimal(60), "multiplier": Decimal("0.5")},
            3,
            "correlation x 0.5 for drawdown",
        ),
        ({"multiplier": Decimal(0)}, 0, "drawdown"),
        ({"is_conservative": True}, 7, "strategy"),
    ],
)
def test_the_account_lowers_a_size(rooms: dict[str, Any], quantity: int, binding: str) -> None:
    entry = price_entry(_quote(8.0, 8.0), CENT, CONFIG)
    assert entry is not None
    given_rooms = EntryRooms(**{"equity": Decimal(10_000), "cash": None, **rooms})
    sizing = size_entry(entry, Regime.NORMAL, CONFIG, given_rooms, Decimal(1))
    assert (sizing.quantity, sizing.binding) == (quantity, binding)


def test_caution_never_sizes_more() -> None:
    larger = GapsConfig(size_pct_highvix=0.05)
    for config in (CONFIG, larger):
        for regime in Regime:
            assert size_share(regime, config, True) <= size_share(regime, config)
    assert size_share(Regime.NORMAL, CONFIG, True) == CONFIG.size_pct_highvix
    assert size_share(Regime.NORMAL, larger, True) == larger.size_pct


@given(
    price=prices,
    equity=money,
    cash=st.none() | money,
    lot=st.sampled_from([Decimal(1), Decimal(100), Decimal("0.001")]),
    regime=st.sampled_from(Regime),
)
@settings(deadline=None)
def test_a_size_never_exceeds_a_limit_and_is_whole_lots(
    price: float, equity: Decimal, cash: Decimal | None, lot: Decimal, regime: Regime
) -> None:
    entry = price_entry(_quote(price, price), FREE, CONFIG)
    assert entry is not None
    sizing = size_entry(entry, regime, CONFIG, EntryRooms(equity, cash), lot)
    value = sizing.quantity * entry.limit_price
    assert value <= equity * to_decimal(size_share(regime, CONFIG))
    assert value <= equity * Decimal("0.10")
    assert cash is None or value <= cash
    assert sizing.quantity >= 0
    assert sizing.quantity % lot == 0
    assume(cash is None)
    assert value + lot * entry.limit_price > sizing.value
