"""Whether the past proposals of a strategy show an edge: a bootstrap of whole sessions (SPEC 3.3.6).

Events cluster, up to 166 in one session, and those of one session rise and fall together: drawing single
trades would count one market day as many. So sessions are drawn with replacement, each with all its trades.
"""

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np

from engine.model.evidence import EdgeEvidence
from engine.model.tickets import to_plain
from engine.strategies.gaps_config import GapsConfig

PATHS = 2_000
_ONE_SIDED = 0.05
_TWO_SIDED = (0.025, 0.975)
_NO_GATES = frozenset({"rule", "stage", "auto_adapt", "live_without_evidence"})
"""Keys of `[gaps]` that let no candidate pass and keep none out."""
_CHUNK = 2_000_000
"""Draws held in memory at once."""


def edge_evidence(returns: Sequence[float], sessions: Sequence[date], seed: int) -> EdgeEvidence:
    """Of net returns (n,), fractions at 1x cost, and the session of each (n,); one seed, one answer.

    With fewer than two sessions there is nothing to draw from. Raises ValueError for lengths that differ and
    for a return that is no number.
    """
    if len(returns) != len(sessions):
        raise ValueError(f"{len(returns)} returns of {len(sessions)} sessions")
    values = np.asarray(returns, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError("a net return is not a number")
    days = np.array([day.toordinal() for day in sessions], dtype=np.int64)
    names, place = np.unique(days, return_inverse=True)
    count = len(names)
    mean = float(values.mean()) if len(values) else None
    if count < 2:
        return EdgeEvidence(len(values), count, mean, None, None, None)
    # In order of size inside a session, so that the order of the trades changes no bit of the sums.
    order = np.lexsort((values, place))
    totals = np.bincount(place[order], weights=values[order], minlength=count)
    trades = np.bincount(place, minlength=count).astype(np.float64)
    means = _drawn_means(totals, trades, np.random.Generator(np.random.PCG64(seed)))
    low, high = (float(bound) for bound in np.quantile(means, _TWO_SIDED))
    return EdgeEvidence(len(values), count, mean, float(np.quantile(means, _ONE_SIDED)), low, high)


def other_gates(thresholds: Mapping[str, object], config: GapsConfig) -> tuple[str, ...]:
    """Keys of the rule that were otherwise when proposals were made: then they are no evidence for it."""
    now = to_plain(config)
    return tuple(key for key in sorted(now) if key not in _NO_GATES and thresholds.get(key) != now[key])


def _drawn_means(totals: np.ndarray, trades: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """Mean return of each path (PATHS,): so many sessions drawn with replacement as there are."""
    count = len(totals)
    rows = max(1, _CHUNK // count)
    means = np.empty(PATHS)
    for first in range(0, PATHS, rows):
        drawn = chance.integers(0, count, size=(min(rows, PATHS - first), count), dtype=np.int32)
        means[first : first + rows] = totals[drawn].sum(axis=1) / trades[drawn].sum(axis=1)
    return means
