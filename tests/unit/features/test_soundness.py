import pytest

from engine.features.soundness import soundness
from engine.model.candidates import FeatureValue, MissingReason

NOW = 1_700_000_000_000_000


def _value(name: str, age_s: float = 0.0, missing: MissingReason | None = None) -> FeatureValue:
    at = NOW - int(age_s * 1e6)
    return FeatureValue(name, None if missing else 1.0, missing, at, at, "bars", "1.0.0")


def test_recency_halves_with_each_maximum_age() -> None:
    recency, completeness = soundness([_value("bid_ask_spread_bps", 15.0), _value("vwap_dev_pct", 0.0)], NOW)
    assert recency.value == pytest.approx((0.5 + 1.0) / 2)
    assert completeness.value == 1.0
    assert (recency.ts_event, recency.source) == (NOW, "validation")


def test_a_value_of_the_last_bar_is_as_new_as_can_be() -> None:
    recency, _ = soundness([_value("z5", 60_000.0)], NOW)
    assert recency.value == 1.0


def test_what_is_missing_lowers_completeness_and_not_recency() -> None:
    inputs = [_value("z5"), _value("rsi2", missing=MissingReason.STALE), _value("bb_dev"), _value("dist_200")]
    recency, completeness = soundness(inputs, NOW)
    assert (recency.value, completeness.value) == (1.0, 0.75)


def test_what_does_not_apply_is_not_required() -> None:
    inputs = [_value("z5"), _value("news_sentiment_24h", missing=MissingReason.NOT_APPLICABLE)]
    assert soundness(inputs, NOW)[1].value == 1.0


def test_nothing_at_all_has_no_recency() -> None:
    recency, completeness = soundness([], NOW)
    assert (recency.value, completeness.value) == (None, None)
    assert recency.missing is MissingReason.NOT_APPLICABLE
