"""What no price path may break: look-ahead, declared ranges, and that a missing number stays missing."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.features.catalogue import CATALOGUE

SIZE = 280
features = st.sampled_from(sorted(CATALOGUE))
moves = st.lists(
    st.sampled_from([0.0, 0.0, 0.01, -0.01, 0.2, -0.5, 1.0, 0.001]), min_size=SIZE, max_size=SIZE
)


def _columns(steps: list[float]) -> dict[str, np.ndarray]:
    close = np.clip(10 * np.exp(np.cumsum(steps)), 0.01, 1e6)
    opens = np.concatenate((close[:1], close[:-1] * 0.97))
    high, low = np.maximum(opens, close), np.minimum(opens, close)
    volume = np.where(np.array(steps) == 0, 0.0, 1e6)
    vix = np.clip(close, 5, 150)
    rows = np.arange(len(close), dtype=np.float64)
    return {
        "open": opens,
        "high": high,
        "low": low,
        "close": close,
        "volume": volume,
        "vix": vix,
        "spy": close,
        "spy_open": opens,
        "vwap": low,
        "bid": low,
        "ask": high,
        "shares_outstanding": volume,
        "order_usd": volume,
        "liquid": rows,
        "gapping": np.floor(rows / 2),
        "cash": close * 1e6,
        "quarterly_cash_flow": 1e6 * (opens - close),
        "required": rows,
        "present": np.floor(rows / 3),
        "freshness": rows / 5,
        "bid_ask_spread_bps": close,
        "adv_usd_20": volume,
        "realized_vol_20": low,
    }


@settings(max_examples=120, deadline=None)
@given(name=features, steps=moves, rows=st.integers(0, SIZE))
def test_no_feature_sees_the_future(name: str, steps: list[float], rows: int) -> None:
    spec, columns = CATALOGUE[name], _columns(steps)
    whole = spec.compute(*(columns[key] for key in spec.inputs))
    part = spec.compute(*(columns[key][:rows] for key in spec.inputs))
    np.testing.assert_array_equal(part, whole[:rows])


@settings(max_examples=120, deadline=None)
@given(name=features, steps=moves)
def test_every_number_lies_in_the_declared_range(name: str, steps: list[float]) -> None:
    spec, columns = CATALOGUE[name], _columns(steps)
    values = spec.compute(*(columns[key] for key in spec.inputs))
    assert not np.isinf(values).any()
    assert all(spec.holds(value) for value in values[~np.isnan(values)].tolist())


@settings(max_examples=120, deadline=None)
@given(name=features, steps=moves, cuts=st.lists(st.integers(0, SIZE), max_size=6))
def test_any_pieces_give_the_bits_of_the_whole(name: str, steps: list[float], cuts: list[int]) -> None:
    spec, columns = CATALOGUE[name], _columns(steps)
    inputs = [columns[key].tolist() for key in spec.inputs]
    memory = tuple(list(state) for state in spec.states)
    pieces: list[float] = []
    for first, last in itertools.pairwise(sorted({0, SIZE, *cuts})):
        out = [0.0] * (last - first)
        scratch = tuple([0.0] * (last - first) for _ in range(spec.scratch))
        spec.kernel(*(column[first:last] for column in inputs), memory, scratch, out)
        pieces += out
    whole = spec.compute(*(columns[key] for key in spec.inputs))
    assert [value.hex() for value in pieces] == [value.hex() for value in whole.tolist()]
