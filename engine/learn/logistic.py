"""L2 logistic regression by iteratively reweighted least squares: the model of few events (SPEC 3.3.3)."""

from dataclasses import dataclass
from math import isfinite

import numpy as np

from engine.errors import DataError
from engine.learn.calibration import sigmoid

L2 = 1.0
"""Ridge on the coefficients of standardized inputs; the intercept is free."""
_STEPS = 100
_CONVERGED = 1e-10
_AGAIN = "Train the model again"


@dataclass(frozen=True, slots=True)
class Logistic:
    """Log-odds `intercept + sum of slope * (value - mean) / deviation`; arrays (K,)."""

    mean: np.ndarray
    deviation: np.ndarray
    slope: np.ndarray
    intercept: float

    def raw(self, values: np.ndarray) -> float:
        """Log-odds of one row of inputs (K,)."""
        return float(self.raw_rows(values[np.newaxis])[0])

    def raw_rows(self, rows: np.ndarray) -> np.ndarray:
        """Log-odds (N,) of rows (N, K); each row alone gives the same, bit for bit."""
        return np.asarray((self._terms(rows)).sum(axis=1) + self.intercept)

    def contributions(self, values: np.ndarray) -> np.ndarray:
        """What moved one row (K,) away from the mean log-odds, by input (K,)."""
        return np.asarray(self._terms(values[np.newaxis])[0])

    def _terms(self, rows: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray((rows - self.mean) / self.deviation * self.slope)

    def document(self) -> dict[str, object]:
        """As JSON."""
        return {
            "mean": self.mean.tolist(),
            "deviation": self.deviation.tolist(),
            "slope": self.slope.tolist(),
            "intercept": self.intercept,
        }


def fit_logistic(rows: np.ndarray, happened: np.ndarray, weight: np.ndarray, l2: float = L2) -> Logistic:
    """Minimize the weighted log loss plus l2 / 2 * |slope|^2. rows (N, K), happened and weight (N,), N > 0.

    An input that stands still in these rows gets slope 0.
    """
    mean, deviation = rows.mean(axis=0), rows.std(axis=0, ddof=1 if len(rows) > 1 else 0)
    deviation = np.where(deviation > 0, deviation, 1.0)
    design = np.column_stack(((rows - mean) / deviation, np.ones(len(rows))))
    ridge = np.full(design.shape[1], l2)
    ridge[-1] = 0.0
    at = np.zeros(design.shape[1])
    share = (weight * happened).sum() / weight.sum()
    at[-1] = np.log((share + 1e-6) / (1 - share + 1e-6))

    def loss(point: np.ndarray) -> float:
        odds = design @ point
        fit = (weight * (np.logaddexp(0, odds) - happened * odds)).sum()
        return float(fit + 0.5 * (ridge * point**2).sum())

    now = loss(at)
    for _ in range(_STEPS):
        chance = sigmoid(design @ at)
        slope = design.T @ (weight * (chance - happened)) + ridge * at
        curve = (design.T * (weight * chance * (1 - chance))) @ design + np.diag(ridge + 1e-12)
        step = np.linalg.solve(curve, slope)
        scale = 1.0
        while scale > _CONVERGED and loss(at - scale * step) > now:
            scale /= 2
        at = at - scale * step
        before, now = now, loss(at)
        if abs(before - now) <= _CONVERGED * max(1.0, abs(now)) or scale <= _CONVERGED:
            break
    return Logistic(mean, deviation, at[:-1], float(at[-1]))


def read_logistic(document: object, inputs: int) -> Logistic:
    """What `document` wrote, for so many inputs. Raises DataError for anything else."""
    match document:
        case {"mean": mean, "deviation": deviation, "slope": slope, "intercept": float(intercept)}:
            middle, spread, slopes = (_column(one, inputs) for one in (mean, deviation, slope))
            if isfinite(intercept) and (spread > 0).all():
                return Logistic(middle, spread, slopes, intercept)
    raise DataError("a logistic model cannot be read", _AGAIN)


def _column(values: object, length: int) -> np.ndarray:
    if (
        not isinstance(values, list)
        or len(values) != length
        or not all(isinstance(one, float) and isfinite(one) for one in values)
    ):
        raise DataError("a logistic model holds something else than numbers", _AGAIN)
    return np.array(values, dtype=np.float64)
