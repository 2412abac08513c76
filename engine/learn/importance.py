"""What the inputs are worth: split gain, and the log loss that a shuffled input costs."""

from dataclasses import dataclass

import numpy as np

from engine.learn.calibration import CONFIDENCE
from engine.learn.fitting import Half
from engine.learn.trees import Trees

_SHUFFLES = 5
_DRAWS = 500


@dataclass(frozen=True, slots=True)
class Importance:
    """Of one input. `gain`: share of all split gain, None for a logistic model.

    `cost`: rise of the log loss in nats where the input is shuffled, on purged out-of-fold rows, with its
    90 % interval over sessions; an interval around 0 is no importance.
    """

    feature: str
    gain: float | None
    cost: float
    low: float
    high: float


def importances(
    half: Half, session: np.ndarray, inputs: tuple[str, ...], seed: int
) -> tuple[Importance, ...]:
    """One for each input, the costliest first. `session` (N,): of the rows of the half's sample."""
    random = np.random.default_rng(seed)
    scored = np.isfinite(half.crossed.scores)
    rise = np.zeros((len(session), len(inputs)))
    for fold, model in zip(half.crossed.folds, half.crossed.models, strict=True):
        rows, happened = half.sample.x[fold.test], half.sample.happened[fold.test]
        base = _losses(half.crossed.scores[fold.test], happened)
        for column in range(len(inputs)):
            changed = rows.copy()
            for _ in range(_SHUFFLES):
                changed[:, column] = random.permutation(rows[:, column])
                rise[fold.test, column] += (_losses(model(changed), happened) - base) / _SHUFFLES
    low, high = _bounds(rise[scored], session[scored], random)
    scorer = half.trained.scorer
    gains = scorer.gains / max(scorer.gains.sum(), 1e-300) if isinstance(scorer, Trees) else None
    found = [
        Importance(
            feature=name,
            gain=None if gains is None else float(gains[k]),
            cost=float(rise[scored, k].mean()),
            low=float(low[k]),
            high=float(high[k]),
        )
        for k, name in enumerate(inputs)
    ]
    return tuple(sorted(found, key=lambda one: -one.cost))


def _losses(scores: np.ndarray, happened: np.ndarray) -> np.ndarray:
    """Log loss (N,) of raw log-odds."""
    return np.asarray(np.logaddexp(0, scores) - happened * scores)


def _bounds(
    rise: np.ndarray, session: np.ndarray, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Bounds (K,) of the mean rise, from draws of whole sessions."""
    days, day = np.unique(session, return_inverse=True)
    total = np.zeros((len(days), rise.shape[1]))
    np.add.at(total, day, rise)
    count = np.bincount(day)
    times = random.multinomial(len(days), np.full(len(days), 1 / len(days)), size=_DRAWS)
    means = (times @ total) / np.maximum(times @ count, 1)[:, np.newaxis]
    low, high = np.quantile(means, ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2), axis=0)
    return low, high
