"""Boosted trees as flat arrays: the score of a row without LightGBM, and what each input did to it.

The score is the sum of leaf values in order of the trees, so it equals `Booster.predict(raw_score=True)` bit
for bit. Rows hold finite numbers only: there is no missing value to send anywhere.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np

from engine.jit import fast, kernel


@dataclass(frozen=True, slots=True)
class Nodes:
    """All trees one after the other: M splits and L leaves.

    A row goes `left` where values[feature] <= threshold, else `right`. Children at or above 0 are splits,
    below 0 the leaf ~child; every child of a split comes after it. `root` (T,): where each tree begins.
    `split_rows`, `leaf_rows`: training rows that came by, at least 1.
    """

    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    root: np.ndarray
    leaf: np.ndarray
    split_rows: np.ndarray
    leaf_rows: np.ndarray
    gain: np.ndarray


@kernel
def tree_score(
    values: Sequence[float],
    feature: Sequence[int],
    threshold: Sequence[float],
    left: Sequence[int],
    right: Sequence[int],
    leaf: Sequence[float],
    root: Sequence[int],
) -> float:
    """The sum of the leaves that a row of values falls into."""
    total = 0.0
    for start in root:
        node = start
        while node >= 0:
            node = left[node] if values[feature[node]] <= threshold[node] else right[node]
        total += leaf[~node]
    return total


_COLUMNS = ("feature", "threshold", "left", "right", "leaf", "root")


@dataclass(frozen=True)
class Trees:
    """A boosted model of `inputs` inputs."""

    nodes: Nodes
    inputs: int

    def raw(self, values: np.ndarray) -> float:
        """Log-odds of one row of finite inputs (K,)."""
        return tree_score(values.tolist(), *self._lists)

    def compiled(self) -> Callable[[np.ndarray], float]:
        """`raw` as machine code where numba is installed: the first use takes seconds, later ones 2 us."""
        score = cast(Callable[..., float], fast(tree_score))
        columns = [getattr(self.nodes, name) for name in _COLUMNS]
        return lambda values: float(score(values, *columns))

    def raw_rows(self, rows: np.ndarray) -> np.ndarray:
        """Log-odds (N,) of finite rows (N, K), each equal to `raw` of it: the same sums in the same order."""
        n = self.nodes
        total = np.zeros(len(rows))
        each = np.arange(len(rows))
        for root in n.root.tolist():
            at = np.full(len(rows), root)
            walking = each if root >= 0 else each[:0]
            while len(walking):
                node = at[walking]
                goes_left = rows[walking, n.feature[node]] <= n.threshold[node]
                at[walking] = np.where(goes_left, n.left[node], n.right[node])
                walking = walking[at[walking] >= 0]
            total += n.leaf[~at]
        return total

    @property
    def mean(self) -> float:
        """Mean log-odds over the training rows: what contributions start from."""
        return float((self.nodes.leaf * self._paths.share).sum())

    def contributions(self, values: np.ndarray) -> np.ndarray:
        """Path-dependent TreeSHAP (Lundberg 2020) of one row (K,): with `mean` they sum to its log-odds.

        The Shapley sum over subsets of a path's inputs is the integral over t in 0..1 of a polynomial, the
        product of `z (1 - t) + o t` over the other inputs: `o` is 1 where the row meets the path's splits on
        an input, `z` the share of training rows that did. Gauss-Legendre nodes make it exact.
        """
        n, paths = self.nodes, self._paths
        goes_left = values[n.feature] <= n.threshold
        missed = goes_left[paths.split] != paths.is_left
        met = np.ones_like(paths.fraction)
        met[paths.leaf[missed], n.feature[paths.split[missed]]] = 0.0
        factor = paths.fraction[..., np.newaxis] * (1 - paths.points) + met[..., np.newaxis] * paths.points
        others = _product_of_others(factor) @ paths.weights
        return np.asarray((n.leaf[:, np.newaxis] * (met - paths.fraction) * others).sum(axis=0))

    @property
    def gains(self) -> np.ndarray:
        """Sum (K,) of what the splits on each input won in training."""
        return np.asarray(np.bincount(self.nodes.feature, self.nodes.gain, self.inputs))

    @cached_property
    def _lists(self) -> tuple[Sequence[Any], ...]:
        return tuple(getattr(self.nodes, name).tolist() for name in _COLUMNS)

    @cached_property
    def _paths(self) -> "_Paths":
        return _paths_of(self.nodes, self.inputs)


def _product_of_others(factor: np.ndarray) -> np.ndarray:
    """Along axis 1 of (L, K, P): the product of all factors but each one's own, without division."""
    before, after = np.ones_like(factor), np.ones_like(factor)
    np.cumprod(factor[:, :-1], axis=1, out=before[:, 1:])
    after[:, :-1] = np.cumprod(factor[:, :0:-1], axis=1)[:, ::-1]
    return np.asarray(before * after)


@dataclass(frozen=True, slots=True)
class _Paths:
    """The ways from roots to leaves: one entry of `leaf`, `split`, `is_left` for each split on each way.

    `fraction` (L, K): share of rows that go along at the splits on an input, 1 where there are none.
    `share` (L,): share of its tree's rows in a leaf. `points`, `weights` (P,): Gauss-Legendre on 0..1.
    """

    leaf: np.ndarray
    split: np.ndarray
    is_left: np.ndarray
    fraction: np.ndarray
    share: np.ndarray
    points: np.ndarray
    weights: np.ndarray


def _paths_of(nodes: Nodes, inputs: int) -> _Paths:
    leaf: list[int] = []
    split: list[int] = []
    is_left: list[bool] = []
    share = np.ones(len(nodes.leaf))
    fraction = np.ones((len(nodes.leaf), inputs))
    waiting: list[tuple[int, tuple[tuple[int, bool], ...]]] = [(root, ()) for root in nodes.root.tolist()]
    while waiting:
        node, way = waiting.pop()
        if node >= 0:
            waiting.append((int(nodes.left[node]), (*way, (node, True))))
            waiting.append((int(nodes.right[node]), (*way, (node, False))))
            continue
        for at, went_left in way:
            leaf.append(~node)
            split.append(at)
            is_left.append(went_left)
            below = int(nodes.left[at] if went_left else nodes.right[at])
            rows = nodes.split_rows[below] if below >= 0 else nodes.leaf_rows[~below]
            fraction[~node, nodes.feature[at]] *= rows / nodes.split_rows[at]
        if way:
            share[~node] = nodes.leaf_rows[~node] / nodes.split_rows[way[0][0]]
    points, weights = np.polynomial.legendre.leggauss((inputs + 1) // 2)
    return _Paths(
        leaf=np.array(leaf, dtype=np.int64),
        split=np.array(split, dtype=np.int64),
        is_left=np.array(is_left, dtype=bool),
        fraction=fraction,
        share=share,
        points=(points + 1) / 2,
        weights=weights / 2,
    )
