"""The numbers of the back-test are those of the strategy: copies that a test keeps equal."""

from engine.backtest.limits import PortfolioRule
from engine.backtest.naive import NaiveRule
from engine.features.assemble import ADV_BARS
from engine.model.candidates import Regime
from engine.strategies.gaps import NAIVE_GAP_LIMIT
from engine.strategies.gaps_config import GapsConfig
from engine.strategies.gaps_orders import size_share


def test_rule_has_the_strategys_numbers() -> None:
    rule, config = NaiveRule(), GapsConfig()
    assert (rule.gap_max, rule.adv_bars) == (NAIVE_GAP_LIMIT, ADV_BARS)
    for name in ("price_min", "price_max", "adv_min_usd", "stop_pct", "target_pct", "max_sessions"):
        assert getattr(rule, name) == getattr(config, name), name


def test_account_has_the_strategys_sizes_and_slots() -> None:
    rule, config = PortfolioRule(), GapsConfig()
    assert rule.max_concurrent == config.max_concurrent
    for regime in Regime:
        assert float(rule.size_ratio(regime)) == size_share(regime, config), regime
