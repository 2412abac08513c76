from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest

from engine.features.assemble import (
    HISTORY_BARS,
    PRICE_FEATURES,
    VOLUME_FEATURES,
    adjustment,
    day_stamp,
    decision_columns,
    instrument_features,
    observe,
    traded_value,
)
from engine.features.catalogue import CATALOGUE
from engine.model.candidates import FeatureValue, MissingReason
from engine.model.ids import instrument_id
from engine.model.market import Provenance, Quote
from engine.ports import BarColumns

OPEN_US = int(datetime(2016, 1, 4, 14, 30, tzinfo=UTC).timestamp() * 1e6)
QUOTE = Quote(instrument_id("ABC"), 9.4, 9.4, OPEN_US, OPEN_US + 7, Provenance.REPLAY)
MakeBars = Callable[..., BarColumns]


def _by_id(values: tuple[FeatureValue, ...]) -> dict[str, FeatureValue]:
    return {value.id: value for value in values}


@pytest.fixture
def bars(make_bars: MakeBars) -> BarColumns:
    steps = np.random.default_rng(5).normal(0, 0.03, HISTORY_BARS)
    return make_bars((10 * np.exp(np.cumsum(steps))).tolist())


def test_prices_are_brought_to_the_dollars_of_the_session(make_bars: MakeBars) -> None:
    # A 2:1 split before the third bar, a dividend today.
    bars = make_bars([10.0, 11.0, 5.0], ratios=[1.0, 1.0, 0.5])
    assert adjustment(bars, 0.98).tolist() == pytest.approx([0.49, 0.49, 0.98])
    assert decision_columns(bars, 0.98, 4.5)["close"].tolist() == pytest.approx([4.9, 5.39, 4.9, 4.5])


def test_an_adjusted_split_is_no_gap_and_no_shock(make_bars: MakeBars) -> None:
    plain = make_bars([10.0 + 0.1 * (i % 7) for i in range(HISTORY_BARS)])
    closes = plain.close.copy()
    closes[100:] *= 0.1
    ratios = np.ones(HISTORY_BARS)
    ratios[100] = 0.1
    split = make_bars(closes.tolist(), ratios=ratios.tolist())
    today = make_bars((plain.close * 10).tolist())
    expected = _by_id(instrument_features(plain, 1.0, 9.4, QUOTE))
    for other, ratio, price in ((split, 1.0, 0.94), (today, 0.1, 9.4)):
        values = _by_id(instrument_features(other, ratio, price, QUOTE))
        for name in PRICE_FEATURES:
            assert values[name].value == pytest.approx(expected[name].value, rel=1e-6, abs=1e-9), name


def test_features_are_read_at_the_provisional_bar(bars: BarColumns) -> None:
    price = float(bars.close[-1]) * 0.94
    values = _by_id(instrument_features(bars, 1.0, price, QUOTE))
    close = np.append(bars.close, price)
    assert values["gap_dn"].value == pytest.approx(-0.06)
    assert values["rsi2"].value == CATALOGUE["rsi2"].compute(close)[-1]
    assert values["z5"].value == pytest.approx(CATALOGUE["z5"].compute(close)[-1])
    assert values["dist_200"].value == pytest.approx(price / close[-200:].mean() - 1)


def test_traded_value_ends_at_the_last_completed_bar(bars: BarColumns) -> None:
    values = _by_id(instrument_features(bars, 0.5, 4.0, QUOTE))
    adv = values["adv_usd_20"]
    assert adv.value == pytest.approx(float((bars.close[-20:] * bars.volume[-20:]).mean()))
    assert adv == traded_value(bars)
    # Its bar is over before the session opens, the price features are as new as the quote.
    assert adv.ts_event == adv.ts_known <= OPEN_US
    assert (values["z5"].ts_event, values["z5"].ts_known) == (OPEN_US, OPEN_US + 7)
    assert (adv.source, values["z5"].source) == ("daily_bars", "daily_bars+quote")


def test_every_value_carries_its_version_and_the_declared_order(bars: BarColumns) -> None:
    values = instrument_features(bars, 1.0, 9.0, QUOTE)
    assert tuple(value.id for value in values) == PRICE_FEATURES + VOLUME_FEATURES
    assert all(value.version == CATALOGUE[value.id].version for value in values)
    assert all(type(value.value) is float for value in values)


def test_short_history_is_named_feature_by_feature(make_bars: MakeBars) -> None:
    rng = np.random.default_rng(2)
    bars = make_bars((10 + rng.normal(0, 0.2, 64)).tolist())
    values = _by_id(instrument_features(bars, 1.0, 9.0, QUOTE))
    for name in ("z5", "dist_200"):
        assert (values[name].value, values[name].missing) == (None, MissingReason.INSUFFICIENT_HISTORY)
    for name in ("trend_63", "bb_dev", "rsi2", "atr_14_pct", "adv_usd_20"):
        assert values[name].value is not None
        assert values[name].missing is None


def test_one_bar_is_enough_for_a_gap_and_nothing_else(make_bars: MakeBars) -> None:
    values = _by_id(instrument_features(make_bars([10.0]), 1.0, 9.4, QUOTE))
    assert values.pop("gap_dn").value == pytest.approx(-0.06)
    assert {value.missing for value in values.values()} == {MissingReason.INSUFFICIENT_HISTORY}


def test_zero_volatility_is_not_applicable_rather_than_a_number(make_bars: MakeBars) -> None:
    bars = make_bars([7.0] * HISTORY_BARS)
    values = _by_id(instrument_features(bars, 1.0, 7.0, QUOTE))
    for name in ("z5", "bb_dev", "realized_vol_20", "atr_14_pct"):
        assert (values[name].value, values[name].missing) == (None, MissingReason.NOT_APPLICABLE)


def test_a_value_out_of_its_range_is_not_served() -> None:
    stamp = day_stamp(np.datetime64("2016-01-01"), "vix")
    value = observe("vix_close", {"vix": np.array([20.0, 900.0])}, stamp)
    assert (value.value, value.missing) == (None, MissingReason.OUT_OF_RANGE)


def test_a_daily_bar_is_stamped_with_the_end_of_its_day() -> None:
    stamp = day_stamp(np.datetime64("2016-01-01"), "vix")
    assert stamp.ts_known == int(datetime(2016, 1, 2, tzinfo=UTC).timestamp() * 1e6)
