"""The model of the gap-down bounce that agents ask: two calibrated chances, their bounds, their reasons."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.errors import InvariantBroken
from engine.learn.calibration import Band, Calibrator
from engine.learn.crossfit import Scorer
from engine.model.forecasts import Contribution, Forecast
from engine.money import EPSILON

OUTSIDE_SHARES = (0.01, 0.99)
"""Training rows between which an input counts as known (SPEC 3.3.5)."""


@dataclass(frozen=True, slots=True)
class Chance:
    """One outcome: log-odds of a scorer, made a chance by a calibrator."""

    scorer: Scorer
    calibrator: Calibrator

    def of(self, values: np.ndarray) -> float:
        """The chance of one row (K,)."""
        return float(self.calibrator.chances(np.array([self.scorer.raw(values)]))[0])

    def of_rows(self, rows: np.ndarray) -> np.ndarray:
        """The chances (N,) of rows (N, K), each equal to `of` it."""
        return self.calibrator.chances(self.scorer.raw_rows(rows))


@dataclass(frozen=True, slots=True)
class Returns:
    """Mean return of each way out in training, fractions."""

    target: float
    stop: float
    time: float


@dataclass(frozen=True, slots=True)
class GapsModel:
    """`engine.ports.Predictor`. `low`, `high` (K,): inputs beyond them are outside of what was trained on."""

    model_id: str
    inputs: tuple[str, ...]
    touch: Chance
    bounce: Chance
    band: Band
    returns: Returns
    low: np.ndarray
    high: np.ndarray
    is_usable: bool

    def forecast(self, values: Mapping[str, float]) -> Forecast:
        """Of one candidate. Raises KeyError for an absent input, InvariantBroken for one not finite."""
        row = np.array([values[name] for name in self.inputs], dtype=np.float64)
        if not np.isfinite(row).all():
            raise InvariantBroken(f"{self.model_id} was asked about an input that is not finite")
        low, high = self.band.at(self.bounce.scorer.raw(row))
        q_bounce = self.bounce.of(row)
        moved = self.bounce.scorer.contributions(row)
        return Forecast(
            model_id=self.model_id,
            p_touch=self.touch.of(row),
            q_bounce=q_bounce,
            low=min(low, q_bounce),
            high=max(high, q_bounce),
            r_target=self.returns.target,
            r_stop=self.returns.stop,
            r_time=self.returns.time,
            contributions=tuple(
                Contribution(name, value, amount)
                for name, value, amount in zip(self.inputs, row.tolist(), moved.tolist(), strict=True)
            ),
            outside=self.outside(row),
            is_usable=self.is_usable,
        )

    def outside(self, row: np.ndarray) -> tuple[str, ...]:
        """Inputs of a row (K,) that lie beyond 1 %..99 % of the training rows."""
        beyond = self._beyond(row).tolist()
        return tuple(name for name, is_beyond in zip(self.inputs, beyond, strict=True) if is_beyond)

    def outside_counts(self, rows: np.ndarray) -> np.ndarray:
        """How many inputs of each row (N, K) -> (N,) are outside."""
        return np.asarray(self._beyond(rows).sum(axis=1))

    def _beyond(self, rows: np.ndarray) -> np.ndarray:
        return np.asarray((rows < self.low - EPSILON) | (rows > self.high + EPSILON))

    def chances(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """p_touch and q_bounce (N,) of rows (N, K): what `forecast` says of each, bit for bit."""
        return self.touch.of_rows(rows), self.bounce.of_rows(rows)


def training_range(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The 1st and 99th percentile (K,) of rows (N, K), N > 0."""
    low, high = np.quantile(rows, OUTSIDE_SHARES, axis=0)
    return low, high
