"""Every gap of stored bars with the features that a decision at its open would have seen, as columns."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.features.registry import Array
from engine.model.ids import InstrumentId


@dataclass(frozen=True, slots=True)
class DecisionPanel:
    """One row for each instrument and session that opened low enough, by session, then instrument.

    Arrays of shape (N,). `instrument` counts in `instruments`, `row` in that instrument's own bars. Prices
    are dollars of the session: `entry` its open, `prev_close` the prior close after corporate actions.
    `completed_bars`: bars of the instrument before the session. `values`: feature id -> (N,) float64, NaN
    where a decision would have found it missing or out of its range.
    """

    instruments: tuple[InstrumentId, ...]
    instrument: np.ndarray  # int32
    day: np.ndarray  # datetime64[D]
    row: np.ndarray  # int64
    entry: np.ndarray
    prev_close: np.ndarray
    completed_bars: np.ndarray  # int64
    values: Mapping[str, Array]

    def __len__(self) -> int:
        return len(self.row)


BASE = ("z5", "rsi2", "bb_dev", "dist_200", "trend_63", "gap_dn", "vix_regime")
"""The seven inputs of SPEC 3.3.1, in the order of training."""
EXTENDED = (
    *BASE,
    "rv60",
    "gap_atr",
    "spy_gap",
    "gap_breadth",
    "prev_return",
    "prev_volume_ratio",
    "vix_close",
    "ret20",
)
"""The inputs of the registered challenger (SPEC 3.3.3)."""
