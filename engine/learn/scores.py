"""How good chances are: Brier, log loss, ranking, calibration, decisions (SPEC 3.3.4, 8.4).

`chance` (N,) in 0..1, `happened` (N,) of 0 and 1, `weight` (N,) >= 0 or None for equal ones. What cannot be
said of the rows at hand is None.
"""

from dataclasses import dataclass

import numpy as np

BINS = 10
_TINY = 1e-15
_PERFECT_DRAWS = 200
_ONE_SIDED = 1.645
"""Deviations of a normal below which 95 % lie."""


@dataclass(frozen=True, slots=True)
class Skill:
    """Scores of chances over `n` events, beside those of always saying `base`.

    `share`: of these events, how many happened. `base`: the share in training. `gain`: 1 - brier/base_brier.
    `bound`: base_brier - brier is above it with 95 % confidence, whole sessions taken as one draw; None where
    the events' sessions were not told. `perfect_ece`: the mean ECE of chances that are right, on as many
    events (SPEC 3.3.4).
    """

    n: int
    share: float | None
    base: float | None
    brier: float | None
    base_brier: float | None
    gain: float | None
    bound: float | None
    log_loss: float | None
    auc: float | None
    average_precision: float | None
    ece: float | None
    perfect_ece: float | None


@dataclass(frozen=True, slots=True)
class Decisions:
    """What became of acting where the chance is at least a threshold."""

    acted: int
    precision: float | None
    recall: float | None
    f1: float | None


def brier(chance: np.ndarray, happened: np.ndarray, weight: np.ndarray | None = None) -> float | None:
    """Mean squared distance of chance and outcome (Brier 1950)."""
    return _mean((chance - happened) ** 2, weight)


def log_loss(chance: np.ndarray, happened: np.ndarray, weight: np.ndarray | None = None) -> float | None:
    """Mean of -ln of the chance given to what happened, in nats; chances of 0 and 1 count as 1e-15 off."""
    bounded = np.clip(chance, _TINY, 1 - _TINY)
    return _mean(-(happened * np.log(bounded) + (1 - happened) * np.log1p(-bounded)), weight)


def _mean(values: np.ndarray, weight: np.ndarray | None) -> float | None:
    if not len(values) or (weight is not None and not weight.sum() > 0):
        return None
    return float(np.average(values, weights=weight))


def auc(score: np.ndarray, happened: np.ndarray) -> float | None:
    """Chance that an event which happened has the higher score, ties half; None without both kinds."""
    positive = happened > 0.5
    wins, losses = int(positive.sum()), int((~positive).sum())
    if not wins or not losses:
        return None
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    rank = np.cumsum(count) - (count - 1) / 2  # of equal scores: their mean rank
    return float((rank[place][positive].sum() - wins * (wins + 1) / 2) / (wins * losses))


def average_precision(score: np.ndarray, happened: np.ndarray) -> float | None:
    """Sum of precision times the recall it adds, from the highest score down; None when nothing happened."""
    total = happened.sum()
    if not total > 0:
        return None
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))  # equal scores are taken together
    found = np.cumsum(happened[order])[ends]
    return float((found / (ends + 1) * np.diff(found, prepend=0.0)).sum() / total)


def decisions(chance: np.ndarray, happened: np.ndarray, threshold: float) -> Decisions:
    """Precision, recall and F1 of acting from `threshold` on."""
    acted = chance >= threshold
    right, total = float(happened[acted].sum()), float(happened.sum())
    precision = right / int(acted.sum()) if acted.any() else None
    recall = right / total if total > 0 else None
    both = int(acted.sum()) + total
    return Decisions(int(acted.sum()), precision, recall, 2 * right / both if both > 0 else None)


def calibration_error(chance: np.ndarray, happened: np.ndarray) -> float | None:
    """Expected calibration error over 10 bins of equal width: weighted |share that happened - mean chance|.

    Naeini, Cooper, Hauskrecht (2015).
    """
    if not len(chance):
        return None
    bins = np.minimum((chance * BINS).astype(np.int64), BINS - 1)
    return float(np.abs(np.bincount(bins, happened - chance, BINS)).sum() / len(chance))


def perfect_error(chance: np.ndarray, seed: int = 0) -> float | None:
    """Mean calibration error when each event happens with exactly its chance: what chance alone leaves."""
    if not len(chance):
        return None
    random = np.random.default_rng(seed)
    draws = (random.random(len(chance)) < chance for _ in range(_PERFECT_DRAWS))
    found = [calibration_error(chance, draw) for draw in draws]
    return float(np.mean([error for error in found if error is not None]))


def skill(
    chance: np.ndarray,
    happened: np.ndarray,
    *bases: float | np.ndarray,
    session: np.ndarray | None = None,
) -> Skill:
    """All scores of unweighted events, against the best of always saying one of `bases`.

    A base is one training share, or that of each event's own model (N,).
    """
    constants = [np.broadcast_to(np.asarray(base, dtype=np.float64), chance.shape) for base in bases]
    against = [found for found in (brier(constant, happened) for constant in constants) if found is not None]
    scored = brier(chance, happened)
    best = min(against, default=None)
    bound = None
    if best is not None and session is not None:
        constant = constants[against.index(best)]
        bound = _bound((constant - happened) ** 2 - (chance - happened) ** 2, session)
    return Skill(
        n=len(chance),
        share=_mean(happened, None),
        base=None if best is None else _mean(constants[against.index(best)], None),
        brier=scored,
        base_brier=best,
        gain=1 - scored / best if scored is not None and best is not None and best > 0 else None,
        bound=bound,
        log_loss=log_loss(chance, happened),
        auc=auc(chance, happened),
        average_precision=average_precision(chance, happened),
        ece=calibration_error(chance, happened),
        perfect_ece=perfect_error(chance),
    )


def _bound(better: np.ndarray, session: np.ndarray) -> float | None:
    """Lower 95 % bound of the mean of values (N,) whose sums over sessions are independent draws."""
    sums = np.bincount(np.unique(session, return_inverse=True)[1], better - better.mean())
    if len(sums) < 2:
        return None
    error = float(np.sqrt((sums**2).sum() * len(sums) / (len(sums) - 1))) / len(better)
    return float(better.mean()) - _ONE_SIDED * error
