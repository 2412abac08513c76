"""One set of checks for every feature that is declared, now or later."""

import csv
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest

from engine.features.catalogue import CATALOGUE, MODULES
from engine.features.registry import AssetClass, Dtype, FeatureSpec, Transform
from engine.jit import fast, is_compiling

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


@every_feature
def test_row_by_row_gives_the_bits_of_all_at_once(spec: FeatureSpec, walk: Walk) -> None:
    columns = [walk(ROWS, 3)[name] for name in spec.inputs]
    following = spec.start()
    one_by_one = [following.update(*row) for row in zip(*(c.tolist() for c in columns), strict=True)]
    assert _bits(one_by_one) == _bits(spec.compute(*columns))


@every_feature
def test_a_gap_of_missing_rows_gives_the_same_bits_either_way(spec: FeatureSpec, walk: Walk) -> None:
    columns = [walk(ROWS, 4)[name] for name in spec.inputs]
    for number, column in enumerate(columns):
        column[70 + number : 74] = np.nan
        column[100] = 0.0
    following = spec.start()
    one_by_one = [following.update(*row) for row in zip(*(c.tolist() for c in columns), strict=True)]
    assert _bits(one_by_one) == _bits(spec.compute(*columns))


@every_feature
def test_the_last_value_alone_is_the_last_of_all(spec: FeatureSpec, walk: Walk) -> None:
    columns = [walk(ROWS, 5)[name] for name in spec.inputs]
    for rows in (1, spec.lookback - 1, spec.lookback, ROWS):
        cut = [column[:rows] for column in columns]
        if rows:
            assert _bits([spec.last(*cut)]) == _bits(spec.compute(*cut)[-1:])
    assert np.isnan(spec.last(*(column[:0] for column in columns)))


@every_feature
def test_compiled_code_gives_the_bits_of_plain_python(spec: FeatureSpec, walk: Walk) -> None:
    if not is_compiling():
        pytest.skip("needs numba: install the extra research")
    columns = [walk(ROWS, 6)[name] for name in spec.inputs]
    columns[0][150] = np.nan
    memory = tuple(np.array(state) for state in spec.states)
    scratch = tuple(np.empty(ROWS) for _ in range(spec.scratch))
    out = np.empty(ROWS)
    fast(spec.kernel)(*columns, memory, scratch, out)
    assert _bits(out) == _bits(spec.compute(*columns))


def _bits(values: Iterable[float]) -> list[str]:
    return [float(value).hex() for value in values]


def test_ids_are_the_names_of_their_functions() -> None:
    declared = {name for module in MODULES for name in vars(module) if name in CATALOGUE}
    assert declared == set(CATALOGUE)
    assert all(spec.id == name == spec.kernel.__name__ for name, spec in CATALOGUE.items())


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
        assert spec.is_extra == (name not in rows), name
        if spec.is_extra:
            continue
        row = rows[name]
        category = row["category"].lower().replace("-", "_").replace(" ", "_")
        dtype = {"category": Dtype.CATEGORY, "bool": Dtype.BOOL}.get(row["unit"], Dtype.FLOAT)
        assert (spec.category, spec.unit, spec.max_age_s) == (category, row["unit"], _age(row)), name
        assert (spec.asset_class, spec.dtype) == (AssetClass(row["asset"]), dtype), name
        assert spec.nullable == row["nullable"].startswith("yes"), name
        assert _range_text(spec) == row["range"], name


def _age(row: dict[str, str]) -> int | None:
    """Of a stock, where the catalogue has an age of its own for it."""
    text = row["max_age_s"]
    text = text.partition("(E: ")[2].rstrip(")") or text
    return {"S": None, "1 day": 86_400}[text] if text in ("S", "1 day") else int(text)


def _range_text(spec: FeatureSpec) -> str:
    low, high = spec.minimum, spec.maximum
    if low is None:
        return "real"
    if high is None:
        return f">{low:g}" if spec.minimum_excluded else f">={low:g}"
    if spec.dtype in (Dtype.CATEGORY, Dtype.BOOL):
        return "{" + ",".join(str(value) for value in range(int(low), int(high) + 1)) + "}"
    return f"[{low:g},{high:g}]"
