"""One set of checks for every feature that is declared, now or later."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.features.catalogue import CATALOGUE, MODULES
from engine.features.registry import AssetClass, Dtype, FeatureSpec, Transform

Walk = Callable[..., dict[str, np.ndarray]]
ROWS = 320
every_feature = pytest.mark.parametrize("spec", CATALOGUE.values(), ids=list(CATALOGUE))


def _compute(spec: FeatureSpec, columns: dict[str, np.ndarray], rows: int | None = None) -> np.ndarray:
    return spec.compute(*(columns[name][:rows] for name in spec.inputs))


@every_feature
def test_warm_up_is_exactly_the_nan_prefix(spec: FeatureSpec, walk: Walk) -> None:
    values = _compute(spec, walk(ROWS))
    assert values.shape == (ROWS,)
    assert np.isnan(values[: spec.lookback - 1]).all()
    assert np.isfinite(values[spec.lookback - 1 :]).all()


@every_feature
def test_short_columns_give_only_nan(spec: FeatureSpec, walk: Walk) -> None:
    for rows in (0, 1, 2, 5, spec.lookback - 1):
        if rows < spec.lookback:
            values = _compute(spec, walk(ROWS), rows)
            assert values.shape == (rows,)
            assert np.isnan(values).all()


@every_feature
def test_values_lie_in_the_declared_range(spec: FeatureSpec, walk: Walk) -> None:
    for seed in range(5):
        values = _compute(spec, walk(ROWS, seed))[spec.lookback - 1 :]
        assert all(spec.holds(value) for value in values.tolist())


@every_feature
def test_truncating_the_future_changes_nothing(spec: FeatureSpec, walk: Walk) -> None:
    columns = walk(ROWS)
    whole = _compute(spec, columns)
    for rows in (spec.lookback, ROWS // 2 + 60, ROWS - 1):
        np.testing.assert_array_equal(_compute(spec, columns, rows), whole[:rows])


@every_feature
def test_the_newest_value_needs_no_more_than_the_declared_window(spec: FeatureSpec, walk: Walk) -> None:
    columns = walk(ROWS)
    whole = _compute(spec, columns)[-1]
    if spec.window is None:
        shorter = spec.compute(*(columns[name][1:] for name in spec.inputs))[-1]
        assert shorter == pytest.approx(whole, rel=1e-6)
    else:
        assert spec.window >= spec.lookback
        shorter = spec.compute(*(columns[name][-spec.window :] for name in spec.inputs))[-1]
        assert shorter == pytest.approx(whole, rel=1e-12)


@every_feature
def test_an_unusable_row_never_becomes_a_number(spec: FeatureSpec, walk: Walk) -> None:
    columns = walk(ROWS)
    for name in spec.inputs:
        columns[name][-1] = np.nan
    assert np.isnan(_compute(spec, columns)[-1])


def test_ids_are_the_names_of_their_functions() -> None:
    declared = {name for module in MODULES for name in vars(module) if name in CATALOGUE}
    assert declared == set(CATALOGUE)
    assert all(spec.id == name == spec.compute.__name__ for name, spec in CATALOGUE.items())


def test_dependencies_are_declared_features() -> None:
    assert {name for spec in CATALOGUE.values() for name in spec.depends_on} <= set(CATALOGUE)


def test_models_scale_money_by_logarithm_and_fixed_ranges_by_their_ends() -> None:
    assert CATALOGUE["adv_usd_20"].transform is Transform.LOG1P
    assert CATALOGUE["rsi2"].transform is Transform.MINMAX
    assert CATALOGUE["z5"].transform is Transform.ZSCORE
    assert CATALOGUE["vix_regime"].transform is Transform.NONE


def test_records_agree_with_the_machine_readable_catalogue(market_data: Path) -> None:
    path = market_data.parent / "oracles" / "features.csv"
    if not path.is_file():
        pytest.skip("needs the market data folder: set TRADEDECK_TEST_DATA")
    with path.open(newline="") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    for name, spec in CATALOGUE.items():
        row = rows[name]
        category = row["category"].lower().replace("-", "_").replace(" ", "_")
        age = None if row["max_age_s"] == "S" else int(row["max_age_s"])
        dtype = {"category": Dtype.CATEGORY, "bool": Dtype.BOOL}.get(row["unit"], Dtype.FLOAT)
        assert (spec.category, spec.unit, spec.max_age_s) == (category, row["unit"], age), name
        assert (spec.asset_class, spec.dtype) == (AssetClass(row["asset"]), dtype), name
        assert spec.nullable == row["nullable"].startswith("yes"), name
        assert _range_text(spec) == row["range"], name


def _range_text(spec: FeatureSpec) -> str:
    low, high = spec.minimum, spec.maximum
    if low is None:
        return "real"
    if high is None:
        return f">{low:g}" if spec.minimum_excluded else f">={low:g}"
    return "{0,1,2}" if spec.dtype is Dtype.CATEGORY else f"[{low:g},{high:g}]"
