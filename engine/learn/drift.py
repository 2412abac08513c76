"""Whether the inputs and chances of today still look like those of training (SPEC 8.8)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

CURRENT = 250
"""Newest values that are compared."""
FEWEST = 50
SEVERE_TESTS = 2
SEVERE_SHARE = 0.2
_BINS = 10
_FLOOR = 1e-4


class Level(StrEnum):
    """How far one test went."""

    NONE = "none"
    WARN = "warn"
    SEVERE = "severe"


@dataclass(frozen=True, slots=True)
class Distance:
    """Three distances of one feature; `p` is that of the two-sample Kolmogorov-Smirnov test.

    `psi`: population stability index. `wasserstein`: in deviations of the reference; None where that stood
    still.
    """

    ks: float
    p: float
    psi: float
    wasserstein: float | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One feature after the test of all: `p` is Benjamini-Hochberg's."""

    feature: str
    distance: Distance
    p: float
    ks: Level
    psi: Level
    wasserstein: Level

    @property
    def level(self) -> Level:
        """Severe where two tests of the feature are, a warning where any test warns."""
        levels = (self.ks, self.psi, self.wasserstein)
        if levels.count(Level.SEVERE) >= SEVERE_TESTS:
            return Level.SEVERE
        return Level.WARN if any(level is not Level.NONE for level in levels) else Level.NONE


def distance(reference: np.ndarray, current: np.ndarray) -> Distance:
    """Of two samples (N,), (M,) of finite values, both not empty."""
    from scipy.stats import ks_2samp, wasserstein_distance  # 0.6 s

    tested = ks_2samp(reference, current)
    deviation = float(reference.std(ddof=1)) if len(reference) > 1 else 0.0
    moved = float(wasserstein_distance(reference, current))
    return Distance(
        ks=float(tested.statistic),
        p=float(tested.pvalue),
        psi=stability_index(reference, current),
        wasserstein=moved / deviation if deviation > 0 else None,
    )


def stability_index(reference: np.ndarray, current: np.ndarray) -> float:
    """Sum of (c - r) ln(c / r) over the reference's deciles, open at both ends; no share is below 1e-4."""
    edges = np.quantile(reference, np.linspace(0, 1, _BINS + 1)[1:-1])
    before, now = (
        np.maximum(
            np.bincount(np.searchsorted(edges, sample, side="right"), minlength=_BINS) / len(sample), _FLOOR
        )
        for sample in (reference, current)
    )
    return float(((now - before) * np.log(now / before)).sum())


def adjusted(p: np.ndarray) -> np.ndarray:
    """p-values (N,) that hold the share of false alarms (Benjamini, Hochberg 1995)."""
    order = np.argsort(p)[::-1]
    raised = p[order] * len(p) / np.arange(len(p), 0, -1)
    result = np.empty(len(p))
    result[order] = np.minimum(np.minimum.accumulate(raised), 1.0)
    return result


def drift(reference: Mapping[str, np.ndarray], current: Mapping[str, np.ndarray]) -> tuple[Finding, ...]:
    """Each feature that has FEWEST current values; of more than CURRENT the newest, which come last."""
    names = [name for name in reference if len(current.get(name, ())) >= FEWEST and len(reference[name])]
    found = [distance(reference[name], current[name][-CURRENT:]) for name in names]
    chances = adjusted(np.array([one.p for one in found])) if found else np.empty(0)
    return tuple(
        Finding(
            name,
            one,
            float(p),
            Level.SEVERE if p < 0.01 and one.ks > 0.2 else Level.WARN if p < 0.05 else Level.NONE,
            _level(one.psi, 0.1, 0.2),
            _level(one.wasserstein, 0.1, 0.25),
        )
        for name, one, p in zip(names, found, chances, strict=True)
    )


def is_severe(findings: tuple[Finding, ...]) -> bool:
    """Whether a fifth of the features are: the strategy goes to the shadow until it is trained again."""
    severe = sum(finding.level is Level.SEVERE for finding in findings)
    return severe > 0 and severe >= SEVERE_SHARE * len(findings)


def mean_shift(reference: np.ndarray, current: np.ndarray) -> Level:
    """Of predictions: the difference of means in standard errors, warned above 2 and severe above 4."""
    spread = reference.var(ddof=1) / len(reference) + current.var(ddof=1) / len(current)
    if not spread > 0:
        return Level.NONE if reference.mean() == current.mean() else Level.SEVERE
    shift = abs(float(current.mean() - reference.mean())) / float(np.sqrt(spread))
    return Level.SEVERE if shift > 4 else Level.WARN if shift > 2 else Level.NONE


def worse_brier(validated: float, rolling: float) -> Level:
    """Rolling Brier score against that of validation: 10 % more warns, 25 % is severe."""
    return _level(rolling / validated - 1, 0.10, 0.25) if validated > 0 else Level.NONE


def _level(value: float | None, warn: float, severe: float) -> Level:
    if value is None:
        return Level.NONE
    return Level.SEVERE if value >= severe else Level.WARN if value >= warn else Level.NONE
