"""From raw scores to chances: isotonic steps, or Platt's sigmoid where events are few (SPEC 3.3.4).

A calibrator is fitted on out-of-fold scores only and never judged on the rows it saw.
"""

from dataclasses import dataclass
from math import isfinite, log
from typing import Protocol

import numpy as np

from engine.errors import DataError
from engine.learn.folds import Fold

ISOTONIC_FROM = 1000
"""Out-of-fold events below which the sigmoid is used."""
CONFIDENCE = 0.90
"""Of the bounds beside a chance (DESIGN 5)."""
_STEPS = 100
_CONVERGED = 1e-10
_RIDGE = 1e-12
_POINTS_MAX = 100_000
_PARTS = 50
_DRAWS = 200
_AGAIN = "Train the model again"


class Calibrator(Protocol):
    """A map from log-odds to chances that never falls."""

    def chances(self, scores: np.ndarray) -> np.ndarray:
        """Chances (N,) strictly between 0 and 1 of raw scores (N,)."""
        ...

    def document(self) -> dict[str, object]:
        """As JSON."""
        ...


@dataclass(frozen=True, slots=True)
class Isotonic:
    """Straight lines between points; flat beyond the first and the last. Both (M,), rising."""

    scores: np.ndarray
    levels: np.ndarray

    def chances(self, scores: np.ndarray) -> np.ndarray:
        """By linear interpolation."""
        return np.asarray(np.interp(scores, self.scores, self.levels))

    def document(self) -> dict[str, object]:
        """As JSON."""
        return {"kind": "isotonic", "scores": self.scores.tolist(), "chances": self.levels.tolist()}


@dataclass(frozen=True, slots=True)
class Platt:
    """`1 / (1 + exp(-(slope * score + intercept)))`."""

    slope: float
    intercept: float

    def chances(self, scores: np.ndarray) -> np.ndarray:
        """By the sigmoid."""
        return sigmoid(self.slope * scores + self.intercept)

    def document(self) -> dict[str, object]:
        """As JSON."""
        return {"kind": "platt", "slope": self.slope, "intercept": self.intercept}


def sigmoid(scores: np.ndarray) -> np.ndarray:
    """`1 / (1 + exp(-score))` of log-odds (N,), without overflow."""
    small = np.exp(-np.abs(scores))
    return np.asarray(np.where(scores >= 0, 1.0, small) / (1 + small))


def pool_adjacent(happened: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """The rising sequence (N,) nearest to `happened` (N,), which is in order of score (PAV, Ayer 1955)."""
    from scipy.optimize import isotonic_regression  # 0.3 s

    return np.asarray(isotonic_regression(happened, weights=weight).x)


def fit_isotonic(scores: np.ndarray, happened: np.ndarray, weight: np.ndarray) -> Isotonic:
    """Isotonic regression of outcomes (N,) on scores (N,), N > 0; equal scores count as one.

    Chances stay 1 / (n + 2) away from 0 and 1: nothing is certain because it never failed so far.
    """
    unique, place = np.unique(scores, return_inverse=True)
    total = np.bincount(place, weight)
    share = np.bincount(place, weight * happened) / total
    levels = pool_adjacent(share, total)
    rises = np.diff(levels) > 0
    keep = np.append(True, rises) | np.append(rises, True)  # the first and last score of each step
    margin = 1 / (len(scores) + 2)
    return Isotonic(unique[keep], np.clip(levels[keep], margin, 1 - margin))


def fit_platt(scores: np.ndarray, happened: np.ndarray, weight: np.ndarray | None = None) -> Platt:
    """Newton's method with line search on Platt's smoothed targets (Platt 1999; Lin, Lin, Weng 2007).

    Targets are (n1 + 1) / (n1 + 2) for what happened and 1 / (n0 + 2) for what did not; N > 0.
    """
    weight = np.ones(len(scores)) if weight is None else weight
    count = float((happened > 0.5).sum())
    none = len(happened) - count
    goal = np.where(happened > 0.5, (count + 1) / (count + 2), 1 / (none + 2))
    design = np.column_stack((scores, np.ones(len(scores))))
    at = np.array([0.0, np.log((count + 1) / (none + 1))])

    def loss(point: np.ndarray) -> float:
        odds = design @ point
        return float((weight * (np.logaddexp(0, odds) - goal * odds)).sum())

    now = loss(at)
    for _ in range(_STEPS):
        chance = sigmoid(design @ at)
        slope = design.T @ (weight * (chance - goal))
        curve = (design.T * (weight * chance * (1 - chance))) @ design + _RIDGE * np.eye(2)
        step = np.linalg.solve(curve, slope)
        scale = 1.0
        while scale > _CONVERGED and loss(at - scale * step) > now - 1e-4 * scale * float(slope @ step):
            scale /= 2
        at = at - scale * step
        before, now = now, loss(at)
        if abs(before - now) < _CONVERGED * max(1.0, abs(now)) or scale <= _CONVERGED:
            break
    return Platt(float(at[0]), float(at[1]))


def fit_calibrator(scores: np.ndarray, happened: np.ndarray, weight: np.ndarray) -> Calibrator:
    """Isotonic from ISOTONIC_FROM events on, else Platt, flat where higher scores went with fewer events."""
    if len(scores) >= ISOTONIC_FROM:
        return fit_isotonic(scores, happened, weight)
    sloped = fit_platt(scores, happened, weight)
    if sloped.slope >= 0:
        return sloped
    count = float((weight * happened).sum() / weight.mean())
    return Platt(0.0, log((count + 1) / (len(scores) - count + 1)))


def cross_calibrated(
    scores: np.ndarray, happened: np.ndarray, weight: np.ndarray, folds: list[Fold]
) -> np.ndarray:
    """Chances (N,) of out-of-fold scores (N,), those of each fold by a calibrator that never saw it.

    NaN where a row has no score or lies in no test block.
    """
    chances = np.full(len(scores), np.nan)
    scored = np.isfinite(scores)
    for fold in folds:
        train, test = fold.train[scored[fold.train]], fold.test[scored[fold.test]]
        if len(train) and len(test):
            chances[test] = fit_calibrator(scores[train], happened[train], weight[train]).chances(
                scores[test]
            )
    return chances


@dataclass(frozen=True, slots=True)
class Band:
    """Bounds of the chance at a score with 90 % confidence; (M,) each, straight lines between the points."""

    scores: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def at(self, score: float) -> tuple[float, float]:
        """The bounds at one score."""
        return float(np.interp(score, self.scores, self.low)), float(np.interp(score, self.scores, self.high))

    def document(self) -> dict[str, object]:
        """As JSON."""
        return {"scores": self.scores.tolist(), "low": self.low.tolist(), "high": self.high.tolist()}


def fit_band(
    scores: np.ndarray, happened: np.ndarray, weight: np.ndarray, session: np.ndarray, seed: int
) -> Band:
    """Bounds from calibrators of 200 seeded draws of whole sessions: events of one session share its fate.

    Scores are taken together in up to 50 equal parts; N > 0.
    """
    random = np.random.default_rng(seed)
    edges = np.unique(np.quantile(scores, np.linspace(0, 1, _PARTS + 1))[1:-1])
    part = np.searchsorted(edges, scores, side="right")
    _, part = np.unique(part, return_inverse=True)
    points = np.bincount(part, scores) / np.bincount(part)
    days, day = np.unique(session, return_inverse=True)
    shape = (len(days), len(points))
    place = np.ravel_multi_index((day, part), shape)
    cells = [
        np.bincount(place, values, len(days) * len(points)).reshape(shape)
        for values in (weight, weight * happened)
    ]
    times = random.multinomial(len(days), np.full(len(days), 1 / len(days)), size=_DRAWS)
    total, hits = times @ cells[0], times @ cells[1]
    if len(scores) >= ISOTONIC_FROM:
        share = np.divide(hits, total, out=np.zeros_like(hits), where=total > 0)
        drawn = [pool_adjacent(*draw) for draw in zip(share, total + _RIDGE, strict=True)]
        margin = 1 / (len(scores) + 2)
        found = np.clip(drawn, margin, 1 - margin)
    else:
        drawn_weights = weight * times[:, day]
        fitted = [fit_calibrator(scores, happened, row) for row in drawn_weights if row.sum() > 0]
        found = np.array([calibrator.chances(points) for calibrator in fitted])
    low, high = np.quantile(found, ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2), axis=0)
    return Band(points, low, high)


def read_calibrator(document: object) -> Calibrator:
    """What a calibrator's `document` wrote. Raises DataError for anything else."""
    match document:
        case {"kind": "isotonic", "scores": scores, "chances": levels}:
            points, (chances,) = _columns(scores, levels)
            if (np.diff(chances) >= 0).all():
                return Isotonic(points, chances)
        case {"kind": "platt", "slope": float(slope), "intercept": float(intercept)}:
            if isfinite(slope) and isfinite(intercept) and slope >= 0:
                return Platt(slope, intercept)
    raise DataError("a calibration cannot be read", _AGAIN)


def read_band(document: object) -> Band:
    """What `Band.document` wrote. Raises DataError for anything else."""
    match document:
        case {"scores": scores, "low": low, "high": high}:
            points, (lower, upper) = _columns(scores, low, high)
            if (lower <= upper).all():
                return Band(points, lower, upper)
    raise DataError("bounds of a calibration cannot be read", _AGAIN)


def _columns(scores: object, *chances: object) -> tuple[np.ndarray, list[np.ndarray]]:
    """Rising scores and chances beside them, each a list of numbers of the same length. Raises DataError."""
    found = [_numbers(column) for column in (scores, *chances)]
    points, beside = found[0], found[1:]
    is_sound = all(len(one) == len(points) and ((one >= 0) & (one <= 1)).all() for one in beside)
    if not is_sound or not 0 < len(points) <= _POINTS_MAX or (np.diff(points) <= 0).any():
        raise DataError("the points of a calibration do not fit together", _AGAIN)
    return points, beside


def _numbers(column: object) -> np.ndarray:
    if not isinstance(column, list) or not all(isinstance(one, float) and isfinite(one) for one in column):
        raise DataError("a calibration holds something else than numbers", _AGAIN)
    return np.array(column, dtype=np.float64)
