from collections.abc import Callable

import numpy as np
import pytest

from engine.errors import DataError
from engine.features.catalogue import CATALOGUE
from engine.features.declared import DECLARED
from engine.features.registry import Transform
from engine.features.transforms import Fitted, fit, fit_all, from_plain, ranks

Z5, RSI, ADV, REGIME, AMIHUD = (
    CATALOGUE[name] for name in ("z5", "rsi2", "adv_usd_20", "vix_regime", "amihud_illiq_20")
)


@pytest.fixture
def training() -> np.ndarray:
    return np.random.default_rng(3).normal(-1.0, 2.0, 5_000)


def test_a_zscore_has_mean_zero_and_deviation_one_on_its_training(training: np.ndarray) -> None:
    scaled = fit(Z5, training).apply(training)
    assert scaled.mean() == pytest.approx(0.0, abs=1e-12)
    assert scaled.std(ddof=1) == pytest.approx(1.0)


def test_outliers_are_brought_back_to_the_percentiles_of_training(training: np.ndarray) -> None:
    fitted = fit(Z5, training)
    assert (fitted.low, fitted.high) == pytest.approx(tuple(np.quantile(training, (0.01, 0.99))))
    low, high, far = fitted.apply(np.array([fitted.low, fitted.high, 1e9]))
    assert far == high > 2 > low
    with_outlier = fit(Z5, np.append(training, 1e12))
    assert with_outlier.mean == pytest.approx(fitted.mean, abs=0.01)


def test_what_is_fitted_does_not_look_at_what_it_is_applied_to(training: np.ndarray) -> None:
    fitted = fit(Z5, training[:4_000])
    alone = fitted.apply(training[4_000:4_001])
    among = fitted.apply(training[4_000:])
    assert alone[0] == among[0]


def test_money_is_scaled_by_its_logarithm() -> None:
    dollars = np.geomspace(1e4, 1e10, 2_000)
    fitted = fit(ADV, dollars)
    assert fitted.transform is Transform.LOG1P
    assert fitted.apply(dollars).std(ddof=1) == pytest.approx(1.0)
    assert fitted.apply(np.array([0.0]))[0] == fitted.apply(np.array([1e-9]))[0]


def test_a_fixed_range_becomes_zero_to_one_whatever_training_held() -> None:
    fitted = fit(RSI, np.array([40.0, 60.0]))
    assert fitted.apply(np.array([0.0, 25.0, 100.0, 130.0])).tolist() == [0.0, 0.25, 1.0, 1.0]


def test_a_category_stays_as_it_is() -> None:
    values = np.array([0.0, 2.0, np.nan])
    np.testing.assert_array_equal(fit(REGIME, values).apply(values), values)


def test_a_rank_is_the_place_within_the_session() -> None:
    values = np.array([5.0, 1.0, 3.0, 9.0, 7.0, 7.0, np.nan, 4.0])
    sessions = np.array([1, 1, 1, 2, 2, 2, 2, 3])
    expected = [1.0, 0.0, 0.5, 1.0, 0.25, 0.25, np.nan, 0.5]
    np.testing.assert_array_equal(fit(AMIHUD, values).apply(values, sessions), expected)
    with pytest.raises(ValueError, match="needs the session"):
        fit(AMIHUD, values).apply(values)
    assert len(ranks(np.empty(0), np.empty(0))) == 0


def test_missing_stays_missing(training: np.ndarray) -> None:
    for record in (Z5, RSI, ADV):
        assert np.isnan(fit(record, training).apply(np.array([np.nan]))).all()
    assert fit(Z5, np.append(training, np.nan)) == fit(Z5, training)


def test_one_that_never_moved_scales_to_zero() -> None:
    assert fit(Z5, np.full(10, 3.0)).apply(np.array([3.0, 99.0])).tolist() == [0.0, 0.0]


def test_nothing_to_fit_is_said() -> None:
    with pytest.raises(DataError, match="no training row has a value of z5"):
        fit(Z5, np.full(3, np.nan))
    with pytest.raises(DataError, match="no feature z6 is declared"):
        fit_all(CATALOGUE, {"z6": np.ones(3)})


def test_a_manifest_gives_back_the_same_numbers(training: np.ndarray) -> None:
    for fitted in fit_all(
        CATALOGUE, {"z5": training, "adv_usd_20": np.exp(training), "vix_regime": training}
    ):
        assert from_plain(fitted.to_plain()) == fitted


@pytest.mark.parametrize(
    "change",
    [
        lambda plain: plain.pop("mean"),
        lambda plain: plain.update(mean="much"),
        lambda plain: plain.update(transform="sqrt"),
        lambda plain: plain.update(extra=1.0),
    ],
)
def test_a_manifest_that_was_changed_is_refused(change: Callable[[dict[str, object]], None]) -> None:
    plain: dict[str, object] = dict(Fitted("z5", "1.0.0", Transform.ZSCORE, -3.0, 3.0, 0.0, 1.0).to_plain())
    change(plain)
    with pytest.raises(DataError, match="transform in a manifest"):
        from_plain(plain)


def test_every_declared_feature_names_a_transform_that_can_be_fitted() -> None:
    values = np.abs(np.random.default_rng(1).normal(10, 3, 300))
    for record in DECLARED.values():
        fitted = fit(record, values)
        assert np.isfinite(fitted.apply(values, np.zeros(300))).all(), record.id
