"""What no price path may break: look-ahead, declared ranges, and that a missing number stays missing."""

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
    return {
        "open": opens,
        "high": high,
        "low": low,
        "close": close,
        "volume": volume,
        "vix": vix,
        "spy": close,
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
